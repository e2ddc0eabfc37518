//! Cutting a container off a network.

use serde::Deserialize;

use super::{leave, podman};
use crate::Profile;
use crate::core::container::Container;
use crate::core::event::Occasion;
use crate::core::network::DriverKind;
use crate::core::refusal::Refusal;
use crate::core::tx::Tx;

/// The body of `POST /networks/{id}/disconnect`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Disconnect {
    pub(crate) container: String,
    pub(crate) force: bool,
}

/// Disconnects a container from a network, running or not.
pub(crate) fn disconnect(tx: &mut Tx<'_>, term: &str, wish: &Disconnect) -> Result<(), Refusal> {
    if tx.given.profile == Profile::Podman5 {
        return podman::disconnect(tx, term, wish);
    }
    let mut container = match tx.state.find_container(&wish.container) {
        Ok(container) => Container::clone(container),
        // Force is for what is left of a container that is gone; here nothing ever is.
        Err(_) if wish.force => {
            tx.state.find_network(term)?;
            return Err(Refusal::NoSuchEndpoint(wish.container.clone()));
        }
        Err(refusal) => return Err(refusal),
    };
    let found = tx.state.find_network(term).cloned();
    let key =
        found.as_ref().map_or_else(|_| term.to_owned(), |network| network.config.name.clone());
    let not_connected =
        |the| Refusal::NotConnected { container: container.id.clone(), network: key.clone(), the };
    if !container.is_running() || (found.is_err() && wish.force) {
        if container.attachments.remove(&key).is_none() {
            return Err(not_connected("the "));
        }
        if let Ok(network) = &found {
            tx.events.network_disconnect(
                network.event_ref(),
                container.event_ref(),
                Occasion::Stopped,
            );
        }
        tx.put_container(container);
        return Ok(());
    }
    let network = found?;
    if network.kind() == DriverKind::Host && container.mode_is_host() {
        return Err(Refusal::DisconnectFromHost);
    }
    if !network.endpoints.contains_key(&container.id) {
        return Err(not_connected(""));
    }
    leave(tx, &mut container, &key);
    tx.events.network_disconnect(network.event_ref(), container.event_ref(), Occasion::Running);
    tx.put_container(container);
    Ok(())
}
