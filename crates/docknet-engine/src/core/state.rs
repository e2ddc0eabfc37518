//! What an engine knows. Cloning it costs a few reference counts: a reader keeps its own, a writer changes its own.

use std::borrow::Borrow;
use std::net::{IpAddr, SocketAddr};
use std::ops::Bound;
use std::sync::Arc;

use docknet_types::{ContainerId, NetworkId};
use rpds::RedBlackTreeMapSync;

use super::container::{Container, Protocol, ports};
use super::image::Images;
use super::ipam::{Subnets, default_pools};
use super::network::Network;
use super::refusal::{MatchedBy, Refusal};
use crate::Profile;

/// An ordered map whose versions share what did not change.
pub(crate) type Map<K, V> = RedBlackTreeMapSync<K, V>;

/// Networks, containers and images, and what finds them by name.
#[derive(Clone, Debug)]
pub(crate) struct State {
    networks: Map<NetworkId, Arc<Network>>,
    /// In the order in which they were made: engines of old have several networks of one name.
    network_names: Map<String, Vec<NetworkId>>,
    /// The names of bridges that networks have.
    bridges: Map<String, NetworkId>,
    containers: Map<ContainerId, Arc<Container>>,
    container_names: Map<String, ContainerId>,
    /// Ports of the host that lead to containers, and the addresses at which they do.
    published: Map<(Protocol, u16), Vec<(IpAddr, ContainerId)>>,
    pub(crate) images: Images,
    pub(crate) subnets: Subnets,
    pub(crate) engine: EngineRecord,
}

/// What an engine keeps of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct EngineRecord {
    /// The id that `GET /info` shows.
    pub(crate) id: String,
    /// The 40 random bits of the prefix that its IPv6 pools come from.
    pub(crate) ula: u64,
    /// The subnet that was given last, where the next one depends on it.
    pub(crate) last_subnet: Option<ipnet::IpNet>,
}

impl State {
    pub(crate) fn new(profile: Profile, engine: EngineRecord) -> Self {
        let mut subnets = Subnets::new(default_pools(profile, engine.ula));
        subnets.resume_after(engine.last_subnet);
        Self {
            networks: Map::new_sync(),
            network_names: Map::new_sync(),
            bridges: Map::new_sync(),
            containers: Map::new_sync(),
            container_names: Map::new_sync(),
            published: Map::new_sync(),
            images: Images::default(),
            subnets,
            engine,
        }
    }

    /// Goes on with the default subnet after this one.
    pub(crate) fn go_on_after(&mut self, subnet: ipnet::IpNet) {
        self.engine.last_subnet = Some(subnet);
        self.subnets.resume_after(Some(subnet));
    }

    pub(crate) fn networks(&self) -> impl Iterator<Item = &Arc<Network>> {
        self.networks.values()
    }

    pub(crate) fn network(&self, id: &NetworkId) -> Option<&Arc<Network>> {
        self.networks.get(id)
    }

    /// The networks of exactly this name, the oldest first.
    pub(crate) fn networks_named<'a>(
        &'a self,
        name: &str,
    ) -> impl Iterator<Item = &'a Arc<Network>> {
        self.network_names.get(name).into_iter().flatten().filter_map(|id| self.networks.get(id))
    }

    /// The network that has a bridge of this name.
    pub(crate) fn bridge_owner(&self, bridge: &str) -> Option<&NetworkId> {
        self.bridges.get(bridge)
    }

    /// The network of this id, or of this name, or the only one whose id begins so: in this order.
    pub(crate) fn find_network(&self, term: &str) -> Result<&Arc<Network>, Refusal> {
        if let Some(network) = self.networks.get(term) {
            return Ok(network);
        }
        let ambiguous =
            |matches, by| Refusal::NetworkAmbiguous { term: term.to_owned(), matches, by };
        match self.network_names.get(term).map(Vec::as_slice) {
            Some([id]) => {
                return self
                    .networks
                    .get(id)
                    .ok_or_else(|| Refusal::NetworkNotFound(term.to_owned()));
            }
            Some(several @ [_, _, ..]) => return Err(ambiguous(several.len(), MatchedBy::Name)),
            _ => {}
        }
        match with_prefix(&self.networks, term) {
            (None, _) => Err(Refusal::NetworkNotFound(term.to_owned())),
            (Some(network), 1) => Ok(network),
            (Some(_), matches) => Err(ambiguous(matches, MatchedBy::IdPrefix)),
        }
    }

    /// Takes a network in, in the place of its former self. Its subnets were taken when they were found.
    pub(super) fn put_network(&mut self, network: Arc<Network>) {
        let id = network.id.clone();
        if !self.networks.contains_key(&id) {
            let mut named =
                self.network_names.get(&network.config.name).cloned().unwrap_or_default();
            named.push(id.clone());
            self.network_names.insert_mut(network.config.name.clone(), named);
            if let Some(bridge) = &network.config.bridge {
                self.bridges.insert_mut(bridge.clone(), id.clone());
            }
        }
        self.networks.insert_mut(id, network);
    }

    /// Takes a network in that was kept, and its subnets; the subnet that somebody else has, if any.
    pub(super) fn restore_network(
        &mut self,
        profile: Profile,
        network: Network,
    ) -> Result<(), ipnet::IpNet> {
        let before = self.subnets.clone();
        for subnet in network.subnets() {
            // Podman's may overlap within one network.
            if profile == Profile::Podman5 && !before.overlap(subnet) {
                self.subnets.take_beside_own(subnet);
            } else if !self.subnets.take(subnet) {
                return Err(subnet);
            }
        }
        self.put_network(Arc::new(network));
        Ok(())
    }

    pub(super) fn take_network(&mut self, id: &NetworkId) -> Option<Arc<Network>> {
        let network = self.networks.get(id).cloned()?;
        self.networks.remove_mut(id);
        let mut named = self.network_names.get(&network.config.name).cloned().unwrap_or_default();
        named.retain(|other| other != id);
        match named.is_empty() {
            true => self.network_names.remove_mut(&network.config.name),
            false => {
                self.network_names.insert_mut(network.config.name.clone(), named);
                true
            }
        };
        if let Some(bridge) = &network.config.bridge {
            self.bridges.remove_mut(bridge);
        }
        for subnet in network.subnets() {
            self.subnets.release(subnet);
        }
        Some(network)
    }

    pub(crate) fn containers(&self) -> impl Iterator<Item = &Arc<Container>> {
        self.containers.values()
    }

    pub(crate) fn container_count(&self) -> usize {
        self.containers.size()
    }

    pub(crate) fn container(&self, id: &ContainerId) -> Option<&Arc<Container>> {
        self.containers.get(id)
    }

    pub(crate) fn container_named(&self, name: &str) -> Option<&Arc<Container>> {
        self.containers.get(self.container_names.get(name)?)
    }

    /// The container of this id, or of this name, with or without a slash, or the only one whose id begins so.
    pub(crate) fn find_container(&self, term: &str) -> Result<&Arc<Container>, Refusal> {
        if term.is_empty() {
            return Err(Refusal::EmptyReference);
        }
        if let Some(container) = self.containers.get(term) {
            return Ok(container);
        }
        if let Some(container) = self.container_named(term.strip_prefix('/').unwrap_or(term)) {
            return Ok(container);
        }
        match with_prefix(&self.containers, term) {
            (None, _) => Err(Refusal::ContainerNotFound(term.to_owned())),
            (Some(container), 1) => Ok(container),
            (Some(_), _) => Err(Refusal::ContainerAmbiguous(term.to_owned())),
        }
    }

    /// Takes a container in, in the place of its former self.
    pub(super) fn put_container(&mut self, container: Arc<Container>) {
        if let Some(former) = self.containers.get(&container.id)
            && former.name != container.name
        {
            let name = former.name.clone();
            self.container_names.remove_mut(&name);
        }
        self.publish(&container);
        self.container_names.insert_mut(container.name.clone(), container.id.clone());
        self.containers.insert_mut(container.id.clone(), container);
    }

    pub(super) fn take_container(&mut self, id: &ContainerId) -> Option<Arc<Container>> {
        let container = self.containers.get(id).cloned()?;
        self.withdraw(&container);
        self.containers.remove_mut(id);
        self.container_names.remove_mut(&container.name);
        Some(container)
    }
}

/// Published ports.
impl State {
    /// Whether somebody has this port of the host already.
    pub(crate) fn is_published(&self, protocol: Protocol, at: SocketAddr) -> bool {
        let users = self.published.get(&(protocol, at.port()));
        users.into_iter().flatten().any(|(ip, _)| ports::overlap(*ip, at.ip()))
    }

    /// Notes what a container publishes now, in the place of what it did.
    fn publish(&mut self, container: &Container) {
        let former = self.containers.get(&container.id).cloned();
        if let Some(former) = former.filter(|former| former.published != container.published) {
            self.withdraw(&former);
        } else if self.containers.contains_key(&container.id) {
            return;
        }
        for publication in &container.published {
            let key = (publication.port.protocol, publication.at.port());
            let mut users = self.published.get(&key).cloned().unwrap_or_default();
            users.push((publication.at.ip(), container.id.clone()));
            self.published.insert_mut(key, users);
        }
    }

    fn withdraw(&mut self, container: &Container) {
        for publication in &container.published {
            let key = (publication.port.protocol, publication.at.port());
            let mut users = self.published.get(&key).cloned().unwrap_or_default();
            users.retain(|(_, id)| *id != container.id);
            match users.is_empty() {
                true => self.published.remove_mut(&key),
                false => {
                    self.published.insert_mut(key, users);
                    true
                }
            };
        }
    }
}

/// The first value whose key begins with this, and how many there are; an empty one begins all.
fn with_prefix<'a, K, V>(map: &'a Map<K, V>, prefix: &str) -> (Option<&'a V>, usize)
where
    K: Ord + Borrow<str>,
{
    let mut found = map
        .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
        .take_while(|(key, _)| Borrow::<str>::borrow(*key).starts_with(prefix))
        .map(|(_, value)| value);
    match found.next() {
        Some(first) => (Some(first), 1 + found.count()),
        None => (None, 0),
    }
}
