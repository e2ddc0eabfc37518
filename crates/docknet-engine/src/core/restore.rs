//! A state from the records that were kept of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use docknet_types::NetworkId;

use super::container::Container;
use super::endpoint::Endpoint;
use super::image::Image;
use super::network::{Network, NetworkRecord};
use super::state::{EngineRecord, State};
use crate::Profile;

/// What was kept, read.
pub(crate) struct Kept {
    pub(crate) engine: EngineRecord,
    pub(crate) networks: BTreeMap<String, NetworkRecord<'static>>,
    /// By the ids of the network and the container, with a slash between.
    pub(crate) endpoints: BTreeMap<String, Endpoint>,
    pub(crate) containers: BTreeMap<String, Container>,
    pub(crate) images: BTreeMap<String, Image>,
}

/// A record that contradicts another one: what it is of, its key, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contradiction {
    pub(crate) of: Kind,
    pub(crate) key: String,
    pub(crate) why: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Container,
    Endpoint,
    Network,
}

/// Puts a state together again, and checks that it is one: no subnet and no address twice, no endpoint without its ends.
pub(crate) fn restore(profile: Profile, kept: Kept) -> Result<State, Contradiction> {
    let mut state = State::new(profile, kept.engine);
    for (_, image) in kept.images {
        state.images.put(image);
    }
    for (key, record) in kept.networks {
        let network = Network::restore(profile, NetworkId::new(key.as_str()), record);
        state.restore_network(profile, network).map_err(|subnet| Contradiction {
            of: Kind::Network,
            key,
            why: format!("subnet {subnet} overlaps with that of another network"),
        })?;
    }
    let mut containers = kept.containers;
    for (key, endpoint) in kept.endpoints {
        let wrong = |why: String| Contradiction { of: Kind::Endpoint, key: key.clone(), why };
        let network = key.split_once('/').map(|(network, _)| NetworkId::from(network));
        let network = network.as_ref().and_then(|id| state.network(id)).cloned();
        let network = network.ok_or_else(|| wrong("there is no such network".to_owned()))?;
        let endpoint = Arc::new(endpoint);
        let attachment = containers
            .get_mut(endpoint.container.as_str())
            .filter(|container| container.is_running())
            .and_then(|container| {
                let mut all = container.attachments.values_mut();
                all.find(|attachment| attachment.network.as_ref() == Some(&network.id))
            });
        let attachment =
            attachment.ok_or_else(|| wrong("no running container has this endpoint".to_owned()))?;
        attachment.endpoint = Some(endpoint.clone());
        let network = network.occupied(endpoint).map_err(|ip| {
            wrong(format!("address {ip} is taken, or of none of the network's subnets"))
        })?;
        state.put_network(Arc::new(network));
    }
    for (key, container) in containers {
        if container.id != *key.as_str() || state.container_named(&container.name).is_some() {
            let why = "its id or its name is that of another container".to_owned();
            return Err(Contradiction { of: Kind::Container, key, why });
        }
        state.put_container(Arc::new(container));
    }
    Ok(state)
}
