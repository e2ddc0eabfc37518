//! Where a new container is to be, on Podman.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{flag, text};
use crate::Profile;
use crate::core::container::Container;
use crate::core::endpoint::{Attachment, EndpointConfig, podman};
use crate::core::refusal::Refusal;
use crate::core::tx::Tx;

/// The networks that the container is to be on: those of its endpoints, or the one of its mode. They have to be there, and
/// are meant from then on, whatever their names.
pub(super) fn attachments(
    tx: &Tx<'_>,
    config: &Map<String, Value>,
    mode: &str,
    mut endpoints: BTreeMap<String, Option<EndpointConfig>>,
) -> Result<BTreeMap<String, Attachment>, Refusal> {
    if mode.starts_with("container:") || flag(config, "NetworkDisabled") {
        return Ok(BTreeMap::new());
    }
    if matches!(mode, "host" | "none") {
        // Ways to have no network; an inspection shows them as if they were one.
        return Ok(BTreeMap::from([(mode.to_owned(), Attachment::default())]));
    }
    let mode = Container::network_of_mode(Profile::Podman5, mode);
    if endpoints.is_empty() {
        endpoints.insert(mode.to_owned(), None);
    }
    let main = tx.state.find_network(mode).ok().map(|network| &network.id);
    let own = text(config, "MacAddress").parse().ok();
    let mut attachments = BTreeMap::new();
    for (name, endpoint) in endpoints {
        let config = podman::taken(endpoint.unwrap_or_default()).map_err(|refusal| {
            let why = refusal.podman();
            Refusal::caused(why.status, "make cli opts()", why.message)
        })?;
        let network = tx.state.find_network(&name).map_err(|refusal| {
            let why = refusal.podman();
            Refusal::Caused {
                status: 500,
                message: format!("container create: {}", why.message),
                cause: why.cause,
            }
        })?;
        let attachment = Attachment {
            config,
            wanted_mac: own.filter(|_| main.is_none_or(|main| *main == network.id)),
            network: Some(network.id.clone()),
            ..Attachment::default()
        };
        attachments.insert(network.config.name.clone(), attachment);
    }
    Ok(attachments)
}
