//! What a new network gets.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use super::addresses::{AddressRefusal, Addresses, GatewayRefusal};
use super::go_net::parse_ip;
use super::number::{Family, span};
use super::refusal::{IpamRefusal, RangeEnd};
use super::routes::HostRoutes;
use super::subnets::Subnets;
use super::validate::ValidPool;
use crate::Profile;

/// What a network asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish<'a> {
    /// The name of the network, for the words of a refusal.
    pub(crate) network: &'a str,
    /// The driver that manages its addresses, as it was written.
    pub(crate) driver: &'a str,
    pub(crate) pools: &'a [ValidPool],
    pub(crate) families: Families,
}

/// Which families a network has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Families {
    pub(crate) v4: FamilyWish,
    pub(crate) v6: FamilyWish,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FamilyWish {
    Off,
    On,
    /// The network's driver wants no gateway unless one is asked for: isolated bridges, internal macvlan and ipvlan,
    /// ipvlan in its third mode.
    WithoutGateway,
}

impl FamilyWish {
    pub(crate) fn is_on(self) -> bool {
        self != Self::Off
    }
}

/// What a network got, and the subnets of the engine with it.
#[derive(Clone, Debug)]
pub(crate) struct Allocation {
    pub(crate) v4: Vec<PoolState>,
    pub(crate) v6: Vec<PoolState>,
    pub(crate) subnets: Subnets,
}

/// A pool of a network.
#[derive(Clone, Debug)]
pub(crate) struct PoolState {
    pub(crate) subnet: IpNet,
    pub(crate) range: Option<IpNet>,
    pub(crate) gateway: Option<IpAddr>,
    pub(crate) aux: BTreeMap<String, IpAddr>,
    pub(crate) addresses: Addresses,
    /// Where in the request it was, unless the engine chose it.
    pub(crate) position: Option<usize>,
}

/// Gives a network its pools, or says why not. The subnets that come in stay as they are: those with the network's are
/// in the answer.
pub(crate) fn allocate(
    profile: Profile,
    subnets: &Subnets,
    routes: &HostRoutes,
    wish: &Wish<'_>,
) -> Result<Allocation, IpamRefusal> {
    if !wish.families.v4.is_on() && !wish.families.v6.is_on() {
        return Err(IpamRefusal::NoFamily);
    }
    if profile != Profile::Podman5 {
        check_driver(wish)?;
    }
    let mut all = Allocation { v4: Vec::new(), v6: Vec::new(), subnets: subnets.clone() };
    for family in [Family::V4, Family::V6] {
        let gateway = match family {
            Family::V4 => wish.families.v4,
            Family::V6 => wish.families.v6,
        };
        let given = || {
            let pools = wish.pools.iter().enumerate();
            pools.filter(move |(_, pool)| Family::of_net(&pool.subnet) == family)
        };
        // Podman takes what is given, whatever is enabled, and adds what is enabled once any is.
        let podman = profile == Profile::Podman5;
        let (use_given, add) = match (podman, gateway) {
            (true, FamilyWish::Off) => (true, false),
            (true, _) => (true, wish.pools.is_empty() || wish.families.v6.is_on()),
            (false, wish) => (wish.is_on(), wish.is_on()),
        };
        let mut pools = Vec::new();
        for (position, pool) in given().filter(|_| use_given) {
            take_subnet(profile, subnets, &mut all.subnets, routes, pool)?;
            pools.push(given_pool(profile, wish.network, gateway, position, pool)?);
        }
        if add && given().next().is_none() {
            let subnet = all.subnets.take_default(family, routes);
            let subnet = subnet.ok_or(IpamRefusal::PoolsExhausted(family))?;
            pools.push(chosen_pool(profile, gateway, subnet)?);
        }
        match family {
            Family::V4 => all.v4 = pools,
            Family::V6 => all.v6 = pools,
        }
    }
    Ok(all)
}

/// Only Docker's own driver has addresses to give. The one called null has none, which no network driver accepts.
fn check_driver(wish: &Wish<'_>) -> Result<(), IpamRefusal> {
    let used = |pool: &ValidPool| match Family::of_net(&pool.subnet) {
        Family::V4 => wish.families.v4.is_on(),
        Family::V6 => wish.families.v6.is_on(),
    };
    match wish.driver {
        "" | "default" => Ok(()),
        "null" if wish.pools.iter().any(used) => Err(IpamRefusal::NullDriverPool),
        "null" if wish.families.v4.is_on() => Err(IpamRefusal::PoolEmpty(Family::V4)),
        "null" => Err(IpamRefusal::PoolEmpty(Family::V6)),
        other => Err(IpamRefusal::DriverMissing(other.to_owned())),
    }
}

fn take_subnet(
    profile: Profile,
    before: &Subnets,
    subnets: &mut Subnets,
    routes: &HostRoutes,
    pool: &ValidPool,
) -> Result<(), IpamRefusal> {
    let net = pool.subnet;
    if profile == Profile::Podman5 {
        if before.overlap(net) || routes.overlap(net) || always_used(&net) {
            return Err(IpamRefusal::PoolOverlap(net));
        }
        // Two of the same request may overlap.
        subnets.take_beside_own(net);
        return Ok(());
    }
    if !subnets.take(net) {
        return Err(IpamRefusal::PoolOverlap(net));
    }
    if net.prefix_len() == 0 {
        return Err(IpamRefusal::PoolEmpty(Family::of_net(&net)));
    }
    Ok(())
}

/// What every host has, whether its routes are known or not.
fn always_used(net: &IpNet) -> bool {
    let overlaps = |other: IpNet| net.contains(&other) || other.contains(net);
    overlaps(IpNet::V4(LOOPBACK)) || overlaps(IpNet::V6(LINK_LOCAL))
}

const LOOPBACK: ipnet::Ipv4Net =
    ipnet::Ipv4Net::new_assert(std::net::Ipv4Addr::new(127, 0, 0, 0), 8);
const LINK_LOCAL: ipnet::Ipv6Net =
    ipnet::Ipv6Net::new_assert(std::net::Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 64);

fn given_pool(
    profile: Profile,
    network: &str,
    wish: FamilyWish,
    position: usize,
    pool: &ValidPool,
) -> Result<PoolState, IpamRefusal> {
    let text = &pool.config.gateway;
    if let Some(subnet) = pool.mapped.filter(|_| profile == Profile::Docker28) {
        return Err(IpamRefusal::PoolMisplaced {
            gateway: text.clone(),
            subnet,
            range: pool.range,
        });
    }
    if profile == Profile::Podman5 {
        check_podman(pool)?;
    }
    let mut state = PoolState::new(profile, pool.subnet, pool.range);
    state.position = Some(position);
    if pool.gateway.is_some() || wish != FamilyWish::WithoutGateway {
        let gateway = state.addresses.take_gateway(pool.gateway);
        state.gateway = Some(gateway.map_err(|why| gateway_refusal(why, text))?);
    }
    if profile != Profile::Podman5 {
        for (name, address) in &pool.config.aux {
            state.take_aux(network, name, address)?;
        }
    }
    Ok(state)
}

fn chosen_pool(
    profile: Profile,
    wish: FamilyWish,
    subnet: IpNet,
) -> Result<PoolState, IpamRefusal> {
    let mut state = PoolState::new(profile, subnet, None);
    if wish != FamilyWish::WithoutGateway {
        let gateway = state.addresses.take_gateway(None);
        state.gateway = Some(gateway.map_err(|why| gateway_refusal(why, ""))?);
    }
    Ok(state)
}

impl PoolState {
    /// A pool with nothing taken but what is always kept back.
    pub(crate) fn new(profile: Profile, subnet: IpNet, range: Option<IpNet>) -> Self {
        Self {
            subnet,
            range,
            gateway: None,
            aux: BTreeMap::new(),
            addresses: Addresses::new(profile, subnet, range),
            position: None,
        }
    }

    /// A pool as it was kept: its gateway and auxiliary addresses are taken again. Those that cannot be are left out.
    pub(crate) fn restore(
        profile: Profile,
        subnet: IpNet,
        range: Option<IpNet>,
        gateway: Option<IpAddr>,
        aux: BTreeMap<String, IpAddr>,
    ) -> Self {
        let mut state = Self::new(profile, subnet, range);
        if gateway.is_some() {
            state.gateway = state.addresses.take_gateway(gateway).ok();
        }
        let addresses = &mut state.addresses;
        state.aux = aux.into_iter().filter(|(_, ip)| addresses.take(*ip).is_ok()).collect();
        state
    }

    fn take_aux(&mut self, network: &str, name: &str, address: &str) -> Result<(), IpamRefusal> {
        let (name, text) = (name.to_owned(), address.to_owned());
        let Some(ip) = parse_ip(address) else {
            let network = network.to_owned();
            return Err(IpamRefusal::AuxUnparsable { name, address: text, network });
        };
        match self.addresses.take(ip) {
            Ok(()) => {
                self.aux.insert(name, ip);
                Ok(())
            }
            Err(AddressRefusal::InUse) => Err(IpamRefusal::AuxInUse { name, address: text }),
            Err(AddressRefusal::OutOfRange) => {
                Err(IpamRefusal::AuxOutside { name, address: text, subnet: self.subnet })
            }
        }
    }
}

fn gateway_refusal(why: GatewayRefusal, text: &str) -> IpamRefusal {
    match why {
        GatewayRefusal::Refused(AddressRefusal::InUse) => {
            IpamRefusal::GatewayInUse(text.to_owned())
        }
        GatewayRefusal::Refused(AddressRefusal::OutOfRange) => {
            IpamRefusal::GatewayOutOfRange(text.to_owned())
        }
        GatewayRefusal::NoneLeft => IpamRefusal::GatewayNoneLeft,
    }
}

/// What Podman finds out about a subnet once it has it.
fn check_podman(pool: &ValidPool) -> Result<(), IpamRefusal> {
    let subnet = pool.subnet;
    if let Some(gateway) = pool.gateway.filter(|ip| !subnet.contains(ip)) {
        return Err(IpamRefusal::GatewayOutside { gateway, subnet });
    }
    let Some(range) = pool.range else { return Ok(()) };
    let (low, high) = span(&range);
    let family = Family::of_net(&range);
    let start = if low == high { low } else { low + 1 };
    for (end, number) in [(RangeEnd::Start, start), (RangeEnd::End, high)] {
        let address = family.address(number);
        if !subnet.contains(&address) {
            return Err(IpamRefusal::RangeOutside { end, address, subnet });
        }
    }
    Ok(())
}
