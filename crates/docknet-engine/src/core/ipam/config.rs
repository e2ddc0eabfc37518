//! What a client writes, and reads again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::allocate::{Allocation, PoolState};
use super::go_net::parse_cidr;
use super::number::Family;

/// One member of `IPAM.Config`, as it came: what was not given is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct PoolConfig {
    #[serde(rename = "Subnet", skip_serializing_if = "String::is_empty")]
    pub(crate) subnet: String,
    #[serde(rename = "IPRange", skip_serializing_if = "String::is_empty")]
    pub(crate) range: String,
    #[serde(rename = "Gateway", skip_serializing_if = "String::is_empty")]
    pub(crate) gateway: String,
    #[serde(rename = "AuxiliaryAddresses", skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) aux: BTreeMap<String, String>,
}

/// `IPAMConfig` of an endpoint, as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct EndpointIpam {
    #[serde(rename = "IPv4Address", skip_serializing_if = "String::is_empty")]
    pub(crate) v4: String,
    #[serde(rename = "IPv6Address", skip_serializing_if = "String::is_empty")]
    pub(crate) v6: String,
    #[serde(rename = "LinkLocalIPs", skip_serializing_if = "Vec::is_empty")]
    pub(crate) link_local: Vec<String>,
}

/// `IPAM.Config` as Docker shows it: what was given, IPv4 first, then what the engine chose for a family where nothing
/// was given. A gateway that the engine chose for a given subnet is not shown.
pub(crate) fn shown(given: &[PoolConfig], allocated: &Allocation) -> Vec<PoolConfig> {
    let family = |config: &PoolConfig| parse_cidr(&config.subnet).map(|(ip, _)| Family::of(ip));
    let of = |wanted| given.iter().filter(move |config| family(config) == Some(wanted));
    let mut all: Vec<PoolConfig> = of(Family::V4).chain(of(Family::V6)).cloned().collect();
    for (wanted, pools) in [(Family::V4, &allocated.v4), (Family::V6, &allocated.v6)] {
        if of(wanted).next().is_none() {
            all.extend(pools.iter().map(chosen));
        }
    }
    all
}

fn chosen(pool: &PoolState) -> PoolConfig {
    PoolConfig {
        subnet: pool.subnet.to_string(),
        gateway: pool.gateway.map(|ip| ip.to_string()).unwrap_or_default(),
        ..PoolConfig::default()
    }
}
