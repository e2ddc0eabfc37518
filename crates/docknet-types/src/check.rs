//! What is wrong with a spec by itself, whatever engine it goes to.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::{NetworkSpec, Pool};

impl NetworkSpec {
    /// Everything that is wrong with this spec by itself, all at once. The SDK does not call it before it sends: engines
    /// differ in what they take, and theirs is the last word. Call it to say early what every current engine will say.
    ///
    /// ```
    /// use docknet_types::{NetworkSpec, Pool};
    ///
    /// let spec = NetworkSpec::new("").pool(Pool::new("10.7.0.5/24".parse()?).gateway("10.8.0.1".parse()?));
    /// let problems: Vec<_> = spec.problems().iter().map(ToString::to_string).collect();
    /// assert_eq!(problems, [
    ///     "the name is empty",
    ///     "subnet 10.7.0.5/24 has bits beyond its prefix: it should be 10.7.0.0/24",
    ///     "gateway 10.8.0.1 is not in subnet 10.7.0.5/24",
    /// ]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn problems(&self) -> Vec<SpecProblem> {
        let mut found = Vec::new();
        if self.name.trim().is_empty() {
            found.push(SpecProblem::EmptyName);
        }
        for (at, pool) in self.ipam.pools.iter().enumerate() {
            pool.problems(&mut found);
            let overlaps = |other: &&Pool| overlap(&other.subnet, &pool.subnet);
            if let Some(other) = self.ipam.pools[..at].iter().find(overlaps) {
                found.push(SpecProblem::PoolsOverlap(other.subnet, pool.subnet));
            }
        }
        found
    }
}

impl Pool {
    fn problems(&self, found: &mut Vec<SpecProblem>) {
        let subnet = self.subnet;
        if subnet != subnet.trunc() {
            found.push(SpecProblem::HostBits(subnet));
        }
        if let Some(range) = self.range.filter(|range| !subnet.contains(range)) {
            found.push(SpecProblem::RangeOutside(range, subnet));
        }
        if let Some(gateway) = self.gateway.filter(|gateway| !subnet.contains(gateway)) {
            found.push(SpecProblem::GatewayOutside(gateway, subnet));
        }
        for (name, ip) in self.reserved.iter().filter(|(_, ip)| !subnet.contains(*ip)) {
            found.push(SpecProblem::ReservedOutside(name.clone(), *ip, subnet));
        }
    }
}

fn overlap(one: &IpNet, other: &IpNet) -> bool {
    one.contains(&other.network()) || other.contains(&one.network())
}

/// One thing that is wrong with a spec.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpecProblem {
    /// The name is empty, or blank.
    EmptyName,
    /// The gateway is not in the subnet.
    GatewayOutside(IpAddr, IpNet),
    /// The subnet has bits beyond its prefix.
    HostBits(IpNet),
    /// Two pools overlap.
    PoolsOverlap(IpNet, IpNet),
    /// The range is not in the subnet.
    RangeOutside(IpNet, IpNet),
    /// A reserved address is not in the subnet.
    ReservedOutside(String, IpAddr, IpNet),
}

impl fmt::Display for SpecProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyName => f.write_str("the name is empty"),
            Self::GatewayOutside(gateway, subnet) => {
                write!(f, "gateway {gateway} is not in subnet {subnet}")
            }
            Self::HostBits(subnet) => {
                write!(
                    f,
                    "subnet {subnet} has bits beyond its prefix: it should be {}",
                    subnet.trunc()
                )
            }
            Self::PoolsOverlap(one, other) => write!(f, "subnets {one} and {other} overlap"),
            Self::RangeOutside(range, subnet) => {
                write!(f, "range {range} is not in subnet {subnet}")
            }
            Self::ReservedOutside(name, ip, subnet) => {
                write!(f, "reserved address {ip} ({name}) is not in subnet {subnet}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_ranges_reserved_addresses_and_overlaps() {
        let pool = |subnet: &str| Pool::new(subnet.parse().unwrap());
        let spec = NetworkSpec::new("a")
            .pool(
                pool("10.7.0.0/24")
                    .range("10.7.0.0/23".parse().unwrap())
                    .reserve("r", "10.7.1.1".parse().unwrap()),
            )
            .pool(pool("10.0.0.0/8"))
            .pool(pool("fd00::/64").gateway("10.7.0.1".parse().unwrap()));
        let texts: Vec<_> = spec.problems().iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "range 10.7.0.0/23 is not in subnet 10.7.0.0/24",
                "reserved address 10.7.1.1 (r) is not in subnet 10.7.0.0/24",
                "subnets 10.7.0.0/24 and 10.0.0.0/8 overlap",
                "gateway 10.7.0.1 is not in subnet fd00::/64",
            ]
        );
    }

    #[test]
    fn a_good_spec_has_none() {
        let spec = NetworkSpec::new("a")
            .pool(Pool::new("10.7.0.0/24".parse().unwrap()).gateway("10.7.0.254".parse().unwrap()));
        assert_eq!(spec.problems(), []);
    }
}
