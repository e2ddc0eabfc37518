//! How a container is to be connected to a network.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use crate::MacAddr;

/// One end of a connection: what a container asks of a network it joins.
///
/// It serialises as `EndpointConfig` of `POST /networks/{id}/connect`, and what is not set is not sent.
///
/// ```
/// use docknet_types::EndpointSpec;
///
/// let endpoint = EndpointSpec::new().alias("api").ipv4("192.168.52.9".parse()?).link("db", "database");
/// assert_eq!(
///     serde_json::to_string(&endpoint)?,
///     r#"{"IPAMConfig":{"IPv4Address":"192.168.52.9"},"Links":["db:database"],"Aliases":["api"]}"#,
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "wire::Endpoint", into = "wire::Endpoint")]
#[must_use]
#[non_exhaustive]
pub struct EndpointSpec {
    /// Names by which the other containers of the network find this one.
    pub aliases: Vec<String>,
    /// Containers of the network and the names by which this one finds them.
    pub links: Vec<(String, String)>,
    /// A static IPv4 address; the network must have a subnet of the user's.
    pub ipv4: Option<Ipv4Addr>,
    /// A static IPv6 address; the network must have a subnet of the user's.
    pub ipv6: Option<Ipv6Addr>,
    /// Link-local addresses besides.
    pub link_local: Vec<IpAddr>,
    /// The hardware address. Docker before API 1.54 honours it at a container's creation only.
    pub mac: Option<MacAddr>,
    /// Options of the network's driver for this endpoint.
    pub driver_opts: BTreeMap<String, String>,
    /// Of a container's networks, the one with the highest priority has its default route (API 1.48).
    pub gateway_priority: Option<i64>,
}

impl EndpointSpec {
    /// All as the engine pleases.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a name by which the other containers find this one.
    pub fn alias(mut self, alias: impl Into<String>) -> Self {
        self.aliases.push(alias.into());
        self
    }

    /// Adds a name, `alias`, by which this container finds `container`.
    pub fn link(mut self, container: impl Into<String>, alias: impl Into<String>) -> Self {
        self.links.push((container.into(), alias.into()));
        self
    }

    /// Asks for an IPv4 address.
    pub fn ipv4(mut self, ip: Ipv4Addr) -> Self {
        self.ipv4 = Some(ip);
        self
    }

    /// Asks for an IPv6 address.
    pub fn ipv6(mut self, ip: Ipv6Addr) -> Self {
        self.ipv6 = Some(ip);
        self
    }

    /// Adds a link-local address.
    pub fn link_local(mut self, ip: IpAddr) -> Self {
        self.link_local.push(ip);
        self
    }

    /// Asks for a hardware address.
    pub fn mac(mut self, mac: MacAddr) -> Self {
        self.mac = Some(mac);
        self
    }

    /// Adds an option of the driver, as in `("com.docker.network.endpoint.ifname", "lan0")`.
    pub fn driver_opt(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.driver_opts.insert(key.into(), value.into());
        self
    }

    /// Sets the priority of this network for the default route; without any it is 0, and equal ones go by name.
    pub fn gateway_priority(mut self, priority: i64) -> Self {
        self.gateway_priority = Some(priority);
        self
    }
}

/// The shape on the wire.
mod wire {
    use super::{BTreeMap, Deserialize, IpAddr, Ipv4Addr, Ipv6Addr, MacAddr, Serialize};
    use crate::decode::{null_default, optional};

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "PascalCase")]
    pub(super) struct Endpoint {
        #[serde(rename = "IPAMConfig", default, skip_serializing_if = "Option::is_none")]
        ipam: Option<Addresses>,
        #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_default")]
        links: Vec<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_default")]
        aliases: Vec<String>,
        #[serde(
            default,
            skip_serializing_if = "BTreeMap::is_empty",
            deserialize_with = "null_default"
        )]
        driver_opts: BTreeMap<String, String>,
        #[serde(
            rename = "MacAddress",
            default,
            skip_serializing_if = "Option::is_none",
            deserialize_with = "optional"
        )]
        mac: Option<MacAddr>,
        #[serde(rename = "GwPriority", default, skip_serializing_if = "Option::is_none")]
        gateway_priority: Option<i64>,
    }

    #[derive(Default, PartialEq, Serialize, Deserialize)]
    struct Addresses {
        #[serde(
            rename = "IPv4Address",
            default,
            skip_serializing_if = "Option::is_none",
            deserialize_with = "optional"
        )]
        ipv4: Option<Ipv4Addr>,
        #[serde(
            rename = "IPv6Address",
            default,
            skip_serializing_if = "Option::is_none",
            deserialize_with = "optional"
        )]
        ipv6: Option<Ipv6Addr>,
        #[serde(
            rename = "LinkLocalIPs",
            default,
            skip_serializing_if = "Vec::is_empty",
            deserialize_with = "null_default"
        )]
        link_local: Vec<IpAddr>,
    }

    impl From<super::EndpointSpec> for Endpoint {
        fn from(spec: super::EndpointSpec) -> Self {
            let addresses =
                Addresses { ipv4: spec.ipv4, ipv6: spec.ipv6, link_local: spec.link_local };
            Self {
                ipam: (addresses != Addresses::default()).then_some(addresses),
                links: spec
                    .links
                    .into_iter()
                    .map(|(container, alias)| format!("{container}:{alias}"))
                    .collect(),
                aliases: spec.aliases,
                driver_opts: spec.driver_opts,
                mac: spec.mac,
                gateway_priority: spec.gateway_priority,
            }
        }
    }

    impl From<Endpoint> for super::EndpointSpec {
        fn from(wire: Endpoint) -> Self {
            let addresses = wire.ipam.unwrap_or_default();
            // A link without an alias goes by the container's own name, as in `docker run --link`.
            let link = |text: String| match text.split_once(':') {
                Some((container, alias)) => (container.to_owned(), alias.to_owned()),
                None => (text.clone(), text),
            };
            Self {
                aliases: wire.aliases,
                links: wire.links.into_iter().map(link).collect(),
                ipv4: addresses.ipv4,
                ipv6: addresses.ipv6,
                link_local: addresses.link_local,
                mac: wire.mac,
                driver_opts: wire.driver_opts,
                gateway_priority: wire.gateway_priority,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_set_is_an_empty_object() {
        assert_eq!(serde_json::to_string(&EndpointSpec::new()).unwrap(), "{}");
    }

    #[test]
    fn every_field_has_its_name_on_the_wire() {
        let spec = EndpointSpec::new()
            .alias("a")
            .link("db", "database")
            .ipv4("10.7.0.9".parse().unwrap())
            .ipv6("fd00::9".parse().unwrap())
            .link_local("169.254.1.1".parse().unwrap())
            .mac("02:42:0a:07:00:09".parse().unwrap())
            .driver_opt("k", "v")
            .gateway_priority(-1);
        let json = serde_json::to_value(&spec).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "IPAMConfig": {"IPv4Address": "10.7.0.9", "IPv6Address": "fd00::9", "LinkLocalIPs": ["169.254.1.1"]},
                "Links": ["db:database"], "Aliases": ["a"], "DriverOpts": {"k": "v"},
                "MacAddress": "02:42:0a:07:00:09", "GwPriority": -1,
            })
        );
        assert_eq!(serde_json::from_value::<EndpointSpec>(json).unwrap(), spec);
    }
}
