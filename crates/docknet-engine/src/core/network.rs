//! A network, and what can be done with it.

mod create;
mod driver;
mod layout;
pub(crate) mod podman;
mod predefined;
mod prune;
mod remove;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use docknet_types::{ContainerId, IpNet, NetworkId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) use self::create::{CreateNetwork, create};
pub(crate) use self::driver::{BRIDGE_NAME, DriverKind};
pub(crate) use self::layout::{BridgeLayout, Layout, Parent, UpperKind, UpperLayout};
pub(crate) use self::predefined::add_predefined;
pub(crate) use self::prune::prune;
pub(crate) use self::remove::{RemoveNetwork, remove};
use super::endpoint::Endpoint;
use super::event::NetworkRef;
use super::ipam::{self, PoolConfig, PoolState};
use super::state::Map;
use crate::Profile;

/// A network. Cloning it is cheap: what does not change is shared.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub(crate) id: NetworkId,
    pub(crate) config: Arc<NetworkConfig>,
    /// One a subnet that is in use, IPv4 and IPv6.
    pub(crate) pools: Arc<[PoolState]>,
    /// The containers that run on it.
    pub(crate) endpoints: Map<ContainerId, Arc<Endpoint>>,
}

/// What a network was made with. It never changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NetworkConfig {
    pub(crate) name: String,
    pub(crate) created: Timestamp,
    pub(crate) driver: String,
    pub(crate) scope: String,
    pub(crate) ipv4: bool,
    pub(crate) ipv6: bool,
    pub(crate) internal: bool,
    pub(crate) attachable: bool,
    pub(crate) ingress: bool,
    pub(crate) config_only: bool,
    /// The name of the configuration it was made from.
    pub(crate) config_from: Option<String>,
    pub(crate) ipam_driver: String,
    pub(crate) ipam_options: Option<BTreeMap<String, String>>,
    /// As an inspection shows them: those asked for as they were written, then those that the engine chose.
    pub(crate) pools: Option<Vec<PoolConfig>>,
    /// How many of these were asked for; they are the first.
    pub(crate) given_pools: usize,
    pub(crate) options: BTreeMap<String, String>,
    pub(crate) labels: BTreeMap<String, String>,
    /// The name of its bridge, where it has one.
    pub(crate) bridge: Option<String>,
}

/// A network in the store. Which addresses are taken follows from it and from its endpoints.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NetworkRecord<'a> {
    config: Cow<'a, NetworkConfig>,
    pools: Vec<PoolRecord<'a>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct PoolRecord<'a> {
    subnet: IpNet,
    range: Option<IpNet>,
    gateway: Option<IpAddr>,
    aux: Cow<'a, BTreeMap<String, IpAddr>>,
}

impl NetworkConfig {
    /// The subnets that were asked for, IPv4 and IPv6: only out of those may endpoints ask for addresses.
    pub(crate) fn configured(&self) -> (Vec<IpNet>, Vec<IpNet>) {
        let pools = self.pools.iter().flatten().take(self.given_pools);
        let subnets = pools.filter_map(|pool| ipam::parse_prefix(&pool.subnet));
        subnets.partition(|subnet| subnet.addr().is_ipv4())
    }
}

impl Network {
    /// The subnets that it takes from everybody else.
    pub(crate) fn subnets(&self) -> impl Iterator<Item = IpNet> {
        self.pools.iter().map(|pool| pool.subnet)
    }

    /// Whether the engine made it for itself.
    pub(crate) fn is_predefined(&self) -> bool {
        is_predefined_name(&self.config.name)
    }

    pub(crate) fn event_ref(&self) -> NetworkRef<'_> {
        NetworkRef {
            id: self.id.as_str(),
            name: &self.config.name,
            driver: &self.config.driver,
            config_only: self.config.config_only,
        }
    }

    pub(crate) fn kind(&self) -> DriverKind {
        DriverKind::of(&self.config.driver)
    }

    /// As the store keeps it; endpoints are records of their own.
    pub(crate) fn record(&self) -> NetworkRecord<'_> {
        let pools = self.pools.iter().map(|pool| PoolRecord {
            subnet: pool.subnet,
            range: pool.range,
            gateway: pool.gateway,
            aux: Cow::Borrowed(&pool.aux),
        });
        NetworkRecord { config: Cow::Borrowed(&self.config), pools: pools.collect() }
    }

    /// From what the store kept, with nobody on it.
    pub(crate) fn restore(profile: Profile, id: NetworkId, record: NetworkRecord<'_>) -> Self {
        let pools = record.pools.into_iter().map(|pool| {
            PoolState::restore(
                profile,
                pool.subnet,
                pool.range,
                pool.gateway,
                pool.aux.into_owned(),
            )
        });
        Self {
            id,
            config: Arc::new(record.config.into_owned()),
            pools: pools.collect(),
            endpoints: Map::new_sync(),
        }
    }

    pub(crate) fn with_endpoint(&self, endpoint: Arc<Endpoint>) -> Self {
        let endpoints = self.endpoints.insert(endpoint.container.clone(), endpoint);
        Self { endpoints, ..self.clone() }
    }

    /// The same with the endpoint's addresses taken, as it is when a state is read again. Addresses that cannot be taken are
    /// given back: those that are of no pool, or taken.
    pub(crate) fn occupied(&self, endpoint: Arc<Endpoint>) -> Result<Self, IpAddr> {
        let mut pools = self.pools.to_vec();
        for ip in endpoint.addresses() {
            let mut containing =
                pools.iter_mut().filter(|pool| pool.subnet.contains(&ip)).peekable();
            containing.peek().ok_or(ip)?;
            for pool in containing {
                pool.addresses.take(ip).map_err(|_| ip)?;
            }
        }
        Ok(Self { pools: pools.into(), ..self.with_endpoint(endpoint) })
    }

    /// Without the endpoint of this container, whose addresses are free again.
    pub(crate) fn without_endpoint(&self, container: &ContainerId) -> Self {
        let Some(endpoint) = self.endpoints.get(container) else { return self.clone() };
        let mut pools = self.pools.to_vec();
        for ip in endpoint.addresses() {
            for pool in pools.iter_mut().filter(|pool| pool.subnet.contains(&ip)) {
                pool.addresses.release(ip);
            }
        }
        Self { pools: pools.into(), endpoints: self.endpoints.remove(container), ..self.clone() }
    }
}

/// Whether only the engine itself may have a network of this name.
pub(crate) fn is_predefined_name(name: &str) -> bool {
    matches!(name, "bridge" | "host" | "none" | "default")
}
