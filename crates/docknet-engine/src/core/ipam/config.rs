//! What a client writes, and reads again.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use super::allocate::{Allocation, PoolState};
use super::go_net::parse_cidr;
use super::number::Family;
use crate::Profile;

/// One member of `IPAM.Config`, as it came: what was not given is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct PoolConfig {
    #[serde(
        rename = "Subnet",
        deserialize_with = "null_is_missing",
        skip_serializing_if = "String::is_empty"
    )]
    pub(crate) subnet: String,
    #[serde(
        rename = "IPRange",
        deserialize_with = "null_is_missing",
        skip_serializing_if = "String::is_empty"
    )]
    pub(crate) range: String,
    #[serde(
        rename = "Gateway",
        deserialize_with = "null_is_missing",
        skip_serializing_if = "String::is_empty"
    )]
    pub(crate) gateway: String,
    #[serde(
        rename = "AuxiliaryAddresses",
        deserialize_with = "null_is_missing",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub(crate) aux: BTreeMap<String, String>,
}

/// `IPAMConfig` of an endpoint, as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct EndpointIpam {
    #[serde(
        rename = "IPv4Address",
        deserialize_with = "null_is_missing",
        skip_serializing_if = "String::is_empty"
    )]
    pub(crate) v4: String,
    #[serde(
        rename = "IPv6Address",
        deserialize_with = "null_is_missing",
        skip_serializing_if = "String::is_empty"
    )]
    pub(crate) v6: String,
    #[serde(
        rename = "LinkLocalIPs",
        deserialize_with = "null_is_missing",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub(crate) link_local: Vec<String>,
}

/// Go takes null for what is not there.
fn null_is_missing<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// `IPAM.Config` as an inspect shows it.
///
/// Docker: what was given, IPv4 first, then what the engine chose for a family where nothing was given. A gateway that
/// the engine chose for a given subnet is not shown. 20.10 shows one family after the other. Podman: the subnets and
/// gateways that are in use.
pub(crate) fn shown(
    profile: Profile,
    given: &[PoolConfig],
    allocated: &Allocation,
) -> Vec<PoolConfig> {
    if profile == Profile::Podman5 {
        let mut pools: Vec<&PoolState> = allocated.v4.iter().chain(&allocated.v6).collect();
        pools.sort_by_key(|pool| pool.position.unwrap_or(usize::MAX));
        return pools.into_iter().map(in_use).collect();
    }
    let family = |config: &PoolConfig| parse_cidr(&config.subnet).map(|(ip, _)| Family::of(ip));
    let of = |wanted| given.iter().filter(move |config| family(config) == Some(wanted));
    let chosen = |wanted| {
        let pools = match wanted {
            Family::V4 => &allocated.v4,
            Family::V6 => &allocated.v6,
        };
        pools.iter().filter(|pool| pool.position.is_none()).map(in_use)
    };
    let (v4, v6) = (Family::V4, Family::V6);
    let (given_v4, given_v6) = (of(v4).cloned(), of(v6).cloned());
    match profile {
        Profile::Docker20_10 => {
            given_v4.chain(chosen(v4)).chain(given_v6).chain(chosen(v6)).collect()
        }
        _ => given_v4.chain(given_v6).chain(chosen(v4)).chain(chosen(v6)).collect(),
    }
}

fn in_use(pool: &PoolState) -> PoolConfig {
    PoolConfig {
        subnet: pool.subnet.to_string(),
        gateway: pool.gateway.map(|ip| ip.to_string()).unwrap_or_default(),
        ..PoolConfig::default()
    }
}
