//! Address pools as a spec asks for them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// How a network gets its addresses: docker-py's `IPAMConfig`.
///
/// ```
/// use docknet_types::{Ipam, Pool};
///
/// let ipam = Ipam::new().driver("default").pool(Pool::new("10.7.0.0/24".parse()?)).option("key", "value");
/// assert_eq!(ipam.pools.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[must_use]
#[non_exhaustive]
pub struct Ipam {
    /// The IPAM driver; the engine's own if none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// The pools, one a subnet. Without any, the engine takes one of its default pools.
    #[serde(
        rename = "Config",
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "crate::decode::null_default"
    )]
    pub pools: Vec<Pool>,
    /// Options of the IPAM driver.
    #[serde(
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "crate::decode::null_default"
    )]
    pub options: BTreeMap<String, String>,
}

impl Ipam {
    /// The engine's defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the IPAM driver.
    pub fn driver(mut self, driver: impl Into<String>) -> Self {
        self.driver = Some(driver.into());
        self
    }

    /// Adds a pool.
    pub fn pool(mut self, pool: Pool) -> Self {
        self.pools.push(pool);
        self
    }

    /// Adds an option of the IPAM driver.
    pub fn option(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.insert(key.into(), value.into());
        self
    }

    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// One subnet of a network: docker-py's `IPAMPool`.
///
/// ```
/// use docknet_types::Pool;
///
/// let pool = Pool::new("10.7.0.0/24".parse()?)
///     .range("10.7.0.128/25".parse()?)
///     .gateway("10.7.0.254".parse()?)
///     .reserve("router", "10.7.0.1".parse()?);
/// assert_eq!(pool.subnet.prefix_len(), 24);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[must_use]
#[non_exhaustive]
pub struct Pool {
    /// The subnet, sent as written: engines differ in whether bits beyond the prefix are refused.
    pub subnet: IpNet,
    /// The part of the subnet that automatic addresses come from; static ones may lie outside.
    #[serde(rename = "IPRange", default, skip_serializing_if = "Option::is_none")]
    pub range: Option<IpNet>,
    /// The gateway; the engine takes the first address if none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<IpAddr>,
    /// Addresses that the engine must not give to containers, by the name of who has them.
    #[serde(
        rename = "AuxiliaryAddresses",
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "crate::decode::null_default"
    )]
    pub reserved: BTreeMap<String, IpAddr>,
}

impl Pool {
    /// A pool over a whole subnet.
    pub fn new(subnet: IpNet) -> Self {
        Self { subnet, range: None, gateway: None, reserved: BTreeMap::new() }
    }

    /// Takes automatic addresses from this part of the subnet only.
    pub fn range(mut self, range: IpNet) -> Self {
        self.range = Some(range);
        self
    }

    /// Sets the gateway.
    pub fn gateway(mut self, gateway: IpAddr) -> Self {
        self.gateway = Some(gateway);
        self
    }

    /// Keeps an address from containers: docker's auxiliary addresses.
    pub fn reserve(mut self, name: impl Into<String>, ip: IpAddr) -> Self {
        self.reserved.insert(name.into(), ip);
        self
    }
}
