//! A network, and what can be done with it.

mod create;
mod driver;
mod predefined;
mod prune;
mod remove;

use std::collections::BTreeMap;
use std::sync::Arc;

use docknet_types::{ContainerId, IpNet, NetworkId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) use self::create::{CreateNetwork, Created, create};
pub(crate) use self::driver::{BRIDGE_NAME, DriverKind};
pub(crate) use self::predefined::add_predefined;
pub(crate) use self::prune::prune;
pub(crate) use self::remove::remove;
use super::endpoint::Endpoint;
use super::event::NetworkRef;
use super::ipam::{self, PoolConfig, PoolState};
use super::state::Map;

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
    /// Whether the subnets were asked for: only then may endpoints ask for addresses.
    pub(crate) has_own_subnets: bool,
    pub(crate) options: BTreeMap<String, String>,
    pub(crate) labels: BTreeMap<String, String>,
    /// The name of its bridge, where it has one.
    pub(crate) bridge: Option<String>,
}

impl NetworkConfig {
    /// The subnets that were asked for, IPv4 and IPv6: only out of those may endpoints ask for addresses.
    pub(crate) fn configured(&self) -> (Vec<IpNet>, Vec<IpNet>) {
        let pools = self.pools.iter().flatten().filter(|_| self.has_own_subnets);
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
        NetworkRef { id: self.id.as_str(), name: &self.config.name, driver: &self.config.driver }
    }

    pub(crate) fn kind(&self) -> DriverKind {
        DriverKind::of(&self.config.driver)
    }

    pub(crate) fn with_endpoint(&self, endpoint: Arc<Endpoint>) -> Self {
        let endpoints = self.endpoints.insert(endpoint.container.clone(), endpoint);
        Self { endpoints, ..self.clone() }
    }

    /// Without the endpoint of this container, whose addresses are free again.
    pub(crate) fn without_endpoint(&self, container: &ContainerId) -> Self {
        let Some(endpoint) = self.endpoints.get(container) else { return self.clone() };
        let mut pools = self.pools.to_vec();
        for ip in endpoint.addresses() {
            if let Some(pool) = pools.iter_mut().find(|pool| pool.subnet.contains(&ip)) {
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
