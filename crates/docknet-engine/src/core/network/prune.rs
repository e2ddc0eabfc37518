//! Removing what nobody uses.

use std::sync::Arc;

use super::remove::take;
use super::{Network, podman};
use crate::Profile;
use crate::core::filter::NetworkPruneFilter;
use crate::core::tx::Tx;

/// Removes every network that matches and that no running container uses; gives their names, in order. Configurations
/// stay.
pub(crate) fn prune(tx: &mut Tx<'_>, filter: &NetworkPruneFilter) -> Vec<String> {
    if tx.given.profile == Profile::Podman5 {
        return podman::prune(tx, filter);
    }
    let matches = |network: &&Arc<Network>| {
        let config = &network.config;
        !network.is_predefined()
            && !config.config_only
            && network.endpoints.is_empty()
            && filter.matches(config.created, &config.labels)
    };
    let pruned: Vec<_> = tx.state.networks().filter(matches).cloned().collect();
    for network in &pruned {
        take(tx, network);
    }
    tx.events.networks_prune(pruned.iter().map(|network| network.event_ref()));
    let mut names: Vec<_> = pruned.iter().map(|network| network.config.name.clone()).collect();
    names.sort();
    names
}
