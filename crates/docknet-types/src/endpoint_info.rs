//! Connections as engines describe them: from the network's side and from the container's.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use serde::Deserialize;

use crate::decode::{null_default, optional};
use crate::{EndpointSpec, MacAddr, NetworkId};

/// A container on a network, as the network's inspection shows it.
///
/// ```
/// use docknet_types::Member;
///
/// let member: Member = serde_json::from_str(r#"{"Name":"web","IPv4Address":"10.7.0.2/24","IPv6Address":""}"#)?;
/// assert_eq!(member.ipv4, Some("10.7.0.2/24".parse()?));
/// assert_eq!(member.ipv6, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[non_exhaustive]
pub struct Member {
    /// The container's name.
    #[serde(deserialize_with = "null_default")]
    pub name: String,
    /// The endpoint's id; Podman has none.
    #[serde(rename = "EndpointID", deserialize_with = "null_default")]
    pub endpoint_id: String,
    /// The hardware address.
    #[serde(rename = "MacAddress", deserialize_with = "optional")]
    pub mac: Option<MacAddr>,
    /// The IPv4 address, with the subnet's prefix length.
    #[serde(rename = "IPv4Address", deserialize_with = "optional")]
    pub ipv4: Option<Ipv4Net>,
    /// The IPv6 address, with the subnet's prefix length.
    #[serde(rename = "IPv6Address", deserialize_with = "optional")]
    pub ipv6: Option<Ipv6Net>,
}

/// A container's connection to a network, as the container's inspection shows it. While the container does not run,
/// only what was asked for is there.
///
/// ```
/// use docknet_types::EndpointInfo;
///
/// let endpoint: EndpointInfo = serde_json::from_str(
///     r#"{"IPAMConfig":null,"Links":null,"Aliases":["api"],"IPAddress":"10.7.0.2","IPPrefixLen":24,"Gateway":"10.7.0.1"}"#,
/// )?;
/// assert_eq!(endpoint.ipv4(), Some("10.7.0.2/24".parse()?));
/// assert_eq!(endpoint.asked.aliases, ["api"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[non_exhaustive]
pub struct EndpointInfo {
    /// What was asked for when it was made: aliases, static addresses and so on.
    #[serde(flatten)]
    pub asked: EndpointSpec,
    /// The network's id; empty before the container first ran.
    #[serde(rename = "NetworkID", deserialize_with = "null_default")]
    pub network_id: NetworkId,
    /// The endpoint's id; empty while the container does not run, and on Podman.
    #[serde(rename = "EndpointID", deserialize_with = "null_default")]
    pub endpoint_id: String,
    /// The default gateway.
    #[serde(deserialize_with = "optional")]
    pub gateway: Option<IpAddr>,
    #[serde(rename = "IPAddress", deserialize_with = "optional")]
    ip: Option<Ipv4Addr>,
    #[serde(rename = "IPPrefixLen", deserialize_with = "null_default")]
    prefix_len: u8,
    /// The default gateway for IPv6.
    #[serde(rename = "IPv6Gateway", deserialize_with = "optional")]
    pub ipv6_gateway: Option<IpAddr>,
    #[serde(rename = "GlobalIPv6Address", deserialize_with = "optional")]
    ipv6: Option<Ipv6Addr>,
    #[serde(rename = "GlobalIPv6PrefixLen", deserialize_with = "null_default")]
    ipv6_prefix_len: u8,
    /// The names under which the others find it (API 1.44).
    #[serde(rename = "DNSNames", deserialize_with = "null_default")]
    pub dns_names: Vec<String>,
}

impl EndpointInfo {
    /// The IPv4 address, with the subnet's prefix length.
    #[must_use]
    pub fn ipv4(&self) -> Option<Ipv4Net> {
        Ipv4Net::new(self.ip?, self.prefix_len).ok()
    }

    /// The IPv6 address, with the subnet's prefix length.
    #[must_use]
    pub fn ipv6(&self) -> Option<Ipv6Net> {
        Ipv6Net::new(self.ipv6?, self.ipv6_prefix_len).ok()
    }

    /// The hardware address: the one it has, or the one it asked for.
    #[must_use]
    pub fn mac(&self) -> Option<MacAddr> {
        self.asked.mac
    }

    /// Names by which the others find it, as given or as the engine made them.
    #[must_use]
    pub fn aliases(&self) -> &[String] {
        &self.asked.aliases
    }

    /// Whether a process can be reached through it now.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.ip.is_some() || self.ipv6.is_some()
    }

    /// What to ask for to get the same connection again: the spec without what the engine added, which is the
    /// hardware address it chose and the short id that it put among the aliases.
    pub fn to_spec(&self, container_short_id: &str) -> EndpointSpec {
        let mut spec = self.asked.clone();
        spec.aliases.retain(|alias| alias != container_short_id);
        spec.mac = None;
        spec.gateway_priority = spec.gateway_priority.filter(|priority| *priority != 0);
        spec
    }
}

/// The networks of a container, by name.
pub(crate) type Endpoints = BTreeMap<String, EndpointInfo>;
