//! A network as an engine describes it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::decode::{forgiving, null_default, optional};
use crate::{ContainerId, Driver, Member, NetworkId, Scope};

/// What an engine says of a network. What it does not say is at its default.
///
/// ```
/// use docknet_types::{Driver, NetworkInfo};
///
/// let info = NetworkInfo::from_json(
///     r#"{"Name":"backend","Id":"8dc8","Driver":"bridge","IPAM":{"Config":[{"Subnet":"10.7.0.0/24"}]},"Labels":null}"#,
/// );
/// assert_eq!(info.driver, Driver::Bridge);
/// assert_eq!(info.ipam.pools[0].subnet, Some("10.7.0.0/24".parse()?));
/// assert!(info.labels.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[non_exhaustive]
pub struct NetworkInfo {
    /// The id.
    #[serde(deserialize_with = "null_default")]
    pub id: NetworkId,
    /// The name.
    #[serde(deserialize_with = "null_default")]
    pub name: String,
    /// When it was made, in RFC 3339 with nanoseconds, as the engine wrote it.
    #[serde(deserialize_with = "null_default")]
    pub created: String,
    /// How far it reaches.
    #[serde(deserialize_with = "null_default")]
    pub scope: Scope,
    /// What made it. A swarm's network that is not set up yet may have an empty one.
    #[serde(deserialize_with = "null_default")]
    pub driver: Driver,
    /// Whether containers get IPv4 addresses; engines before API 1.48 do not say.
    #[serde(rename = "EnableIPv4")]
    pub ipv4: Option<bool>,
    /// Whether containers get IPv6 addresses.
    #[serde(rename = "EnableIPv6", deserialize_with = "null_default")]
    pub ipv6: bool,
    /// Address pools.
    #[serde(rename = "IPAM", deserialize_with = "null_default")]
    pub ipam: IpamInfo,
    /// Whether containers are kept from reaching anything outside.
    #[serde(deserialize_with = "null_default")]
    pub internal: bool,
    /// Whether standalone containers may join.
    #[serde(deserialize_with = "null_default")]
    pub attachable: bool,
    /// Whether it is the routing mesh of a swarm.
    #[serde(deserialize_with = "null_default")]
    pub ingress: bool,
    /// The configuration it was made from.
    #[serde(with = "crate::spec::config_reference")]
    pub config_from: Option<String>,
    /// Whether it is only a configuration.
    #[serde(deserialize_with = "null_default")]
    pub config_only: bool,
    /// The containers that run on it, if the call lists them: Docker does in `get`, not in `list`.
    #[serde(rename = "Containers", deserialize_with = "null_default")]
    pub members: BTreeMap<ContainerId, Member>,
    /// Options of the driver.
    #[serde(deserialize_with = "null_default")]
    pub options: BTreeMap<String, String>,
    /// Labels.
    #[serde(deserialize_with = "null_default")]
    pub labels: BTreeMap<String, String>,
    /// The other nodes of an overlay network, as the engine wrote them.
    #[serde(deserialize_with = "null_default")]
    pub peers: Vec<Value>,
    /// The services on an overlay network, if asked for with `verbose`, as the engine wrote them.
    #[serde(deserialize_with = "null_default")]
    pub services: BTreeMap<String, Value>,
    /// Fields that did not read as they should, and so are at their default here; the engine's own JSON has them.
    #[serde(skip)]
    pub undecoded: Vec<String>,
}

impl NetworkInfo {
    /// Reads an engine's answer. Fields that do not fit are named in [`undecoded`](Self::undecoded).
    #[must_use]
    pub fn from_json(json: &str) -> Self {
        let (info, undecoded) = forgiving(json);
        Self { undecoded, ..info }
    }

    /// Whether the engine made it for itself: such a network can be neither removed nor pruned.
    #[must_use]
    pub fn is_predefined(&self) -> bool {
        matches!(self.name.as_str(), "bridge" | "host" | "none" | "podman")
            && self.scope == Scope::Local
    }
}

/// Address pools of a network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[non_exhaustive]
pub struct IpamInfo {
    /// The IPAM driver.
    #[serde(deserialize_with = "null_default")]
    pub driver: String,
    /// Its options.
    #[serde(deserialize_with = "null_default")]
    pub options: BTreeMap<String, String>,
    /// The pools, one a subnet.
    #[serde(rename = "Config", deserialize_with = "null_default")]
    pub pools: Vec<PoolInfo>,
}

/// One subnet of a network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[non_exhaustive]
pub struct PoolInfo {
    /// The subnet, as the engine keeps it: Docker 20.10 keeps bits beyond the prefix.
    #[serde(deserialize_with = "optional")]
    pub subnet: Option<IpNet>,
    /// The part of it that automatic addresses come from.
    #[serde(rename = "IPRange", deserialize_with = "optional")]
    pub range: Option<IpNet>,
    /// The gateway.
    #[serde(deserialize_with = "gateway")]
    pub gateway: Option<IpAddr>,
    /// Addresses kept from containers.
    #[serde(rename = "AuxiliaryAddresses", deserialize_with = "null_default")]
    pub reserved: BTreeMap<String, IpAddr>,
}

/// Docker writes the gateway of an automatic IPv6 pool with its prefix length.
fn gateway<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<IpAddr>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty())
    else {
        return Ok(None);
    };
    let address = text.split_once('/').map_or(text.as_str(), |(address, _)| address);
    address.parse().map(Some).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_missing_and_empty_are_the_same() {
        let null = r#"{"Name":"n","Options":null,"Labels":null,"Containers":null,"IPAM":{"Config":null,"Options":null},"ConfigFrom":{"Network":""}}"#;
        assert_eq!(NetworkInfo::from_json(null), NetworkInfo::from_json(r#"{"Name":"n"}"#));
    }

    #[test]
    fn one_odd_field_does_not_hide_the_rest() {
        let info =
            NetworkInfo::from_json(r#"{"Name":"n","Driver":7,"Internal":true,"New":{"x":[1]}}"#);
        assert_eq!((info.name.as_str(), info.internal, &info.driver), ("n", true, &Driver::Bridge));
        assert_eq!(info.undecoded, ["Driver"]);
    }

    #[test]
    fn reads_a_gateway_with_a_prefix_length() {
        let info = NetworkInfo::from_json(
            r#"{"IPAM":{"Config":[{"Subnet":"fd00::/64","Gateway":"fd00::1/64"}]}}"#,
        );
        assert_eq!(info.ipam.pools[0].gateway, Some("fd00::1".parse().unwrap()));
        assert!(info.undecoded.is_empty());
    }

    #[test]
    fn what_is_no_object_says_so() {
        assert_eq!(NetworkInfo::from_json("[]").undecoded.len(), 1);
    }
}
