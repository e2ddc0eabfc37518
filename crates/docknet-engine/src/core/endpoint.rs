//! What stands between a container and a network.

mod attach;
mod connect;
mod disconnect;
pub(crate) mod podman;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use docknet_types::{ContainerId, MacAddr, NetworkId};
use serde::{Deserialize, Serialize};

pub(crate) use self::attach::{attach, detach, dns_names, leave, names};
pub(crate) use self::connect::{Connect, SYSCTLS, check_settings, connect};
pub(crate) use self::disconnect::{Disconnect, disconnect};
use super::ipam::EndpointIpam;

/// What a container asks of a network: `EndpointSettings` of a request, and what an inspection shows of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct EndpointConfig {
    #[serde(rename = "IPAMConfig")]
    pub(crate) ipam: Option<EndpointIpam>,
    pub(crate) links: Option<Vec<String>>,
    pub(crate) aliases: Option<Vec<String>>,
    pub(crate) mac_address: String,
    pub(crate) driver_opts: Option<BTreeMap<String, String>>,
    pub(crate) gw_priority: i64,
    /// Engines look for this network, whatever the path says, if it is given.
    #[serde(rename = "NetworkID")]
    pub(crate) network_id: String,
    /// Podman takes it for an address that is asked for.
    #[serde(rename = "IPAddress", skip_serializing)]
    pub(crate) ip_address: String,
}

/// A container's side of a network it joined: what it asked for, and what it has while it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attachment {
    pub(crate) config: EndpointConfig,
    /// The names by which others find it; known once it was connected by a call, or ran.
    pub(crate) dns_names: Option<Vec<String>>,
    /// The hardware address that was asked for when the container was made: one asked for later is shown, not used.
    pub(crate) wanted_mac: Option<MacAddr>,
    /// The network it ran on: from then on this one is meant, whatever its name.
    pub(crate) network: Option<NetworkId>,
    /// While it runs. Kept with the network, too, and in the store there only.
    #[serde(skip)]
    pub(crate) endpoint: Option<Arc<Endpoint>>,
}

/// A running container's place on a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Endpoint {
    /// 64 hexadecimal digits.
    pub(crate) id: String,
    pub(crate) container: ContainerId,
    /// The container's name, as others see it on the network.
    pub(crate) name: String,
    /// The name of its link inside, where it has one.
    pub(crate) interface: Option<String>,
    pub(crate) mac: Option<MacAddr>,
    /// With the length of the subnet's prefix.
    pub(crate) ipv4: Option<(Ipv4Addr, u8)>,
    /// With the length of the subnet's prefix.
    pub(crate) ipv6: Option<(Ipv6Addr, u8)>,
    pub(crate) gateway4: Option<Ipv4Addr>,
    pub(crate) gateway6: Option<Ipv6Addr>,
}

impl Endpoint {
    /// Its addresses.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let v4 = self.ipv4.map(|(ip, _)| IpAddr::V4(ip));
        v4.into_iter().chain(self.ipv6.map(|(ip, _)| IpAddr::V6(ip)))
    }
}
