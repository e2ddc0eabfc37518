//! Removing a network.

use std::sync::Arc;

use super::{Network, podman};
use crate::Profile;
use crate::core::refusal::Refusal;
use crate::core::step::Step;
use crate::core::tx::Tx;

/// How a network is to be removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RemoveNetwork {
    /// With the containers that use it: Podman does that.
    pub(crate) force: bool,
}

/// Removes the network of this id, name or prefix of an id, unless somebody uses it.
pub(crate) fn remove(tx: &mut Tx<'_>, term: &str, wish: RemoveNetwork) -> Result<(), Refusal> {
    if tx.given.profile == Profile::Podman5 {
        return podman::remove(tx, term, wish);
    }
    let network = tx.state.find_network(term)?.clone();
    if network.is_predefined() {
        return Err(Refusal::RemovePredefined(network.config.name.clone()));
    }
    if let Some(user) = network.endpoints.values().next() {
        return Err(Refusal::ActiveEndpoints {
            name: network.config.name.clone(),
            id: network.id.clone(),
            endpoint_name: user.name.clone(),
            endpoint: user.id.clone(),
        });
    }
    if network.config.config_only && has_users(tx, &network.config.name) {
        return Err(Refusal::ConfigInUse(network.config.name.clone()));
    }
    take(tx, &network);
    tx.events.network_remove(network.event_ref());
    Ok(())
}

/// Takes a network that nobody uses away.
pub(super) fn take(tx: &mut Tx<'_>, network: &Arc<Network>) {
    tx.remove_network(&network.id);
    if !network.config.config_only {
        tx.step(Step::RemoveNetwork(network.clone()));
    }
}

/// Whether networks were made from this configuration.
fn has_users(tx: &Tx<'_>, config: &str) -> bool {
    tx.state.networks().any(|other| other.config.config_from.as_deref() == Some(config))
}
