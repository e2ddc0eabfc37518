//! Which subnets are used, by whom, how full they are, and what is free.

mod blocks;
mod defaults;

use std::collections::BTreeMap;
use std::net::IpAddr;

use docknet::{IpNet, NetworkInfo};
use serde::Serialize;

pub(crate) use self::blocks::Taken;
pub(crate) use self::defaults::{DefaultPool, defaults, next};
use crate::host::Host;
use crate::survey::Survey;

/// All of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Report {
    pub(crate) pools: Vec<Pool>,
    pub(crate) defaults: Vec<DefaultPool>,
    /// The engine did not say what its default pools are: these are Docker's.
    pub(crate) defaults_assumed: bool,
    pub(crate) overlaps: Vec<Overlap>,
}

/// A subnet of a network.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Pool {
    pub(crate) network: String,
    pub(crate) driver: String,
    pub(crate) subnet: IpNet,
    /// Out of this part only containers get addresses.
    pub(crate) range: Option<IpNet>,
    pub(crate) gateway: Option<IpAddr>,
    /// Addresses that may be given, taken or not.
    pub(crate) usable: u128,
    /// Those of them that are taken.
    pub(crate) used: u128,
    /// Who has which, in order.
    pub(crate) addresses: BTreeMap<IpAddr, String>,
}

/// Two that have addresses in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Overlap {
    pub(crate) network: String,
    pub(crate) subnet: IpNet,
    /// A network, or a link of the host.
    pub(crate) with: With,
    pub(crate) other: IpNet,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase", rename_all_fields = "PascalCase")]
pub(crate) enum With {
    Network(String),
    Route { link: String, tunnel: bool },
}

impl Report {
    /// `told` is what the engine says of its default pools.
    pub(crate) fn new(survey: &Survey, told: Option<&[(IpNet, u8)]>, host: Option<&Host>) -> Self {
        let mut pools = pools(survey);
        pools.sort_by(|a, b| {
            (!a.subnet.addr().is_ipv4(), a.subnet, &a.network).cmp(&(
                !b.subnet.addr().is_ipv4(),
                b.subnet,
                &b.network,
            ))
        });
        let taken = taken(&pools, host);
        Self {
            defaults: defaults(told, &taken),
            defaults_assumed: told.is_none(),
            overlaps: overlaps(survey, &pools, host),
            pools,
        }
    }
}

impl Pool {
    pub(crate) fn free(&self) -> u128 {
        self.usable.saturating_sub(self.used)
    }

    /// In percent, rounded up: what has one address taken is not empty, and only what is full is full.
    pub(crate) fn percent(&self) -> u128 {
        match self.usable {
            0 => 100,
            usable => {
                let percent = self.used.saturating_mul(100).div_ceil(usable);
                if self.used < usable { percent.min(99) } else { 100 }
            }
        }
    }
}

/// What new subnets have to keep clear of.
pub(crate) fn taken(pools: &[Pool], host: Option<&Host>) -> Taken {
    let routes = host.into_iter().flat_map(|host| &host.routes).map(|route| route.to);
    let routes = routes.filter(|to| to.prefix_len() > 0);
    Taken::new(pools.iter().map(|pool| pool.subnet).chain(routes))
}

fn pools(survey: &Survey) -> Vec<Pool> {
    let holders = holders(survey);
    let mut pools = Vec::new();
    for network in &survey.networks {
        let info = network.info();
        // A configuration has no addresses: those made from it do.
        if info.config_only {
            continue;
        }
        for pool in &info.ipam.pools {
            let Some(subnet) = pool.subnet else { continue };
            let subnet = subnet.trunc();
            let mut addresses = BTreeMap::new();
            if let Some(gateway) = pool.gateway {
                addresses.insert(gateway, GATEWAY.to_owned());
            }
            addresses
                .extend(pool.reserved.iter().map(|(name, ip)| (*ip, format!("reserved: {name}"))));
            for (address, container) in holders.get(info.id.as_str()).into_iter().flatten() {
                if subnet.contains(address) {
                    addresses.insert(*address, container.clone());
                }
            }
            let range = pool.range.map(|range| range.trunc());
            let within = range.unwrap_or(subnet);
            let used = addresses
                .keys()
                .filter(|address| within.contains(*address) && is_usable(subnet, **address))
                .count();
            pools.push(Pool {
                network: info.name.clone(),
                driver: info.driver.to_string(),
                subnet,
                range,
                // Docker lists no gateway that nobody asked for; endpoints know it.
                gateway: pool.gateway.or_else(|| {
                    addresses.iter().find(|(_, holder)| *holder == GATEWAY).map(|(ip, _)| *ip)
                }),
                usable: usable(subnet, within),
                used: used as u128,
                addresses,
            });
        }
    }
    pools
}

const GATEWAY: &str = "gateway";

/// Who has which address on which network.
fn holders(survey: &Survey) -> BTreeMap<&str, Vec<(IpAddr, String)>> {
    let mut holders: BTreeMap<&str, Vec<(IpAddr, String)>> = BTreeMap::new();
    for container in &survey.containers {
        for endpoint in container.endpoints().values() {
            let here = holders.entry(endpoint.network_id.as_str()).or_default();
            let gateways = endpoint.gateway.into_iter().chain(endpoint.ipv6_gateway);
            here.extend(gateways.map(|gateway| (gateway, GATEWAY.to_owned())));
            let four = endpoint.ipv4().map(|net| IpAddr::V4(net.addr()));
            let six = endpoint.ipv6().map(|net| IpAddr::V6(net.addr()));
            here.extend(
                four.into_iter().chain(six).map(|address| (address, container.name().to_owned())),
            );
        }
    }
    holders
}

/// How many addresses of this part of a subnet may be given: not its first, and in IPv4 not its last.
fn usable(subnet: IpNet, within: IpNet) -> u128 {
    let bits = u32::from(within.max_prefix_len() - within.prefix_len());
    let all = 1_u128.checked_shl(bits).unwrap_or(u128::MAX);
    let ends = [subnet.network(), subnet.broadcast()];
    let lost = ends.iter().filter(|end| within.contains(*end) && !is_usable(subnet, **end)).count();
    all.saturating_sub(lost as u128)
}

fn is_usable(subnet: IpNet, address: IpAddr) -> bool {
    // RFC 3021: a subnet of two addresses has no other use for them.
    if subnet.max_prefix_len() - subnet.prefix_len() <= 1 {
        return true;
    }
    address != subnet.network() && (address.is_ipv6() || address != subnet.broadcast())
}

fn overlaps(survey: &Survey, pools: &[Pool], host: Option<&Host>) -> Vec<Overlap> {
    let mut found = Vec::new();
    // Sorted by their first address, so that what overlaps a subnet follows it until one begins behind its end.
    for (at, pool) in pools.iter().enumerate() {
        for other in pools
            .iter()
            .skip(at + 1)
            .take_while(|other| pool.subnet.contains(&other.subnet.network()))
        {
            if other.network != pool.network {
                found.push(Overlap {
                    network: pool.network.clone(),
                    subnet: pool.subnet,
                    with: With::Network(other.network.clone()),
                    other: other.subnet,
                });
            }
        }
    }
    let Some(host) = host else { return found };
    let own: BTreeMap<_, _> = survey
        .networks
        .iter()
        .filter_map(|network| Some((bridge(network.info())?, network.name())))
        .collect();
    for pool in pools {
        let foreign = host.routes.iter().filter(|route| {
            route.to.prefix_len() > 0 && own.get(&route.link) != Some(&pool.network.as_str())
        });
        for route in foreign {
            if !(route.to.contains(&pool.subnet.network())
                || pool.subnet.contains(&route.to.network()))
                || is_parent(survey, pool, &route.link)
            {
                continue;
            }
            // The bridge of another network: told above already.
            if own.contains_key(&route.link) {
                continue;
            }
            found.push(Overlap {
                network: pool.network.clone(),
                subnet: pool.subnet,
                with: With::Route {
                    link: route.link.clone(),
                    tunnel: host.links.get(&route.link).is_some_and(|link| link.tunnel),
                },
                other: route.to,
            });
        }
    }
    found
}

/// The link of a bridge network on the host.
pub(crate) fn bridge(info: &NetworkInfo) -> Option<String> {
    if info.driver != docknet::Driver::Bridge {
        return None;
    }
    let named = info.options.get("com.docker.network.bridge.name").filter(|name| !name.is_empty());
    Some(named.cloned().unwrap_or_else(|| format!("br-{}", info.id.short())))
}

/// A macvlan or ipvlan network has its subnet from the link that it is on: that is its purpose.
fn is_parent(survey: &Survey, pool: &Pool, link: &str) -> bool {
    let network = survey.networks.iter().find(|network| network.name() == pool.network);
    network
        .and_then(|network| network.info().options.get("parent"))
        .is_some_and(|parent| parent == link)
}
