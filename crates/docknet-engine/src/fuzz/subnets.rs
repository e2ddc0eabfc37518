//! Subnets and addresses: what is asked for is refused or given, and nothing is given twice.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use docknet_types::IpNet;

use super::PROFILES;
use super::invariants::overlap;
use crate::Profile;
use crate::core::ipam::{
    Allocation, EndpointIpam, Families, Family, FamilyWish, HostRoutes, PoolConfig, PoolState,
    Subnets, Wish, allocate, default_pools, endpoint_mistakes, mac_mistake, refused_when_asked,
    sysctl_mistakes, validate,
};

/// Lines. `-2` gives the third network back; everything else asks for one: which families it has (`4`, `6`, `b` for both,
/// `g` for both without gateways), then subnets with semicolons between them: `4 10.0.0.0/24,RANGE,GATEWAY,AUX;…`.
pub fn subnets(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for profile in PROFILES {
        let mut model = Model::new(profile);
        for line in text.lines().take(32) {
            model.line(line);
        }
        model.finish();
    }
    for line in text.lines().take(4) {
        addresses(line);
    }
}

/// What was given, in plain lists.
struct Model {
    profile: Profile,
    subnets: Subnets,
    routes: HostRoutes,
    networks: Vec<Vec<IpNet>>,
}

impl Model {
    fn new(profile: Profile) -> Self {
        Self {
            profile,
            subnets: Subnets::new(default_pools(profile, ULA)),
            routes: route().into_iter().collect(),
            networks: Vec::new(),
        }
    }

    fn line(&mut self, line: &str) {
        if let Some(number) = line.strip_prefix('-') {
            let number = number.trim().parse().unwrap_or(usize::MAX);
            if number < self.networks.len() {
                self.release(number);
            }
            return;
        }
        let (families, pools) = line.split_at_checked(1).unwrap_or(("4", line));
        let families = families_of(families);
        let pools: Vec<PoolConfig> =
            pools.trim().split(';').filter(|pool| !pool.is_empty()).map(pool_of).collect();
        let valid = match validate(self.profile, &pools, families) {
            Ok(valid) => valid,
            Err(refusal) => return told(refusal.answer(self.profile)),
        };
        let wish = Wish { network: "net", driver: "default", pools: &valid, families };
        let given = allocate(self.profile, &self.subnets, &self.routes, &wish);
        match given {
            Ok(allocation) => self.take(allocation, families),
            Err(refusal) => told(refusal.answer(self.profile)),
        }
    }

    fn take(&mut self, allocation: Allocation, families: Families) {
        let pools = || allocation.v4.iter().chain(&allocation.v6);
        let mut own: Vec<IpNet> = Vec::new();
        for pool in pools() {
            assert_eq!(pool.subnet, pool.subnet.trunc());
            // Podman lets two of one request overlap.
            let beside = own.iter().filter(|_| self.profile != Profile::Podman5);
            let mut others = self.networks.iter().flatten().chain(beside);
            let other = others.find(|other| overlap(**other, pool.subnet));
            assert_eq!(other, None, "{:?}: overlaps with {}", self.profile, pool.subnet);
            assert!(allocation.subnets.overlap(pool.subnet), "{} is given and free", pool.subnet);
            if pool.position.is_none() {
                let route = route().into_iter().find(|route| overlap(*route, pool.subnet));
                assert_eq!(route, None, "{} hides a route", pool.subnet);
                self.is_lowest(pool.subnet);
            }
            own.push(pool.subnet);
            self.check_pool(pool);
        }
        if self.profile != Profile::Podman5 {
            let has = |family| own.iter().any(|net| Family::of_net(net) == family);
            assert_eq!(has(Family::V4), families.v4.is_on());
            assert_eq!(has(Family::V6), families.v6.is_on());
        }
        self.subnets = allocation.subnets;
        self.networks.push(own);
    }

    /// That no default subnet before this one is free, found by trying all.
    fn is_lowest(&self, subnet: IpNet) {
        if self.profile != Profile::Docker28 || !subnet.addr().is_ipv4() {
            return;
        }
        let pools = default_pools(self.profile, ULA).pools;
        let all = pools.iter().filter(|pool| pool.base.addr().is_ipv4());
        let mut all = all.flat_map(|pool| pool.base.subnets(pool.size).into_iter().flatten());
        let routes = route();
        let free = all.find(|net| {
            let mut taken = self.networks.iter().flatten().chain(&routes);
            !taken.any(|other| overlap(*other, *net))
        });
        assert_eq!(free, Some(subnet), "not the lowest that is free");
    }

    fn check_pool(&self, pool: &PoolState) {
        let podman = self.profile == Profile::Podman5;
        let mut taken: BTreeSet<IpAddr> = BTreeSet::new();
        if let Some(gateway) = pool.gateway {
            assert!(pool.subnet.contains(&gateway), "{gateway} is not in {}", pool.subnet);
            assert!(podman || pool.addresses.is_taken(gateway), "{gateway} is free");
            taken.insert(gateway);
        }
        for ip in pool.aux.values() {
            assert!(pool.subnet.contains(ip), "{ip} is not in {}", pool.subnet);
            assert!(taken.insert(*ip), "{ip} is given twice");
        }
        let mut addresses = pool.addresses.clone();
        let (free, used) = (addresses.free(), addresses.used());
        let mut given = Vec::new();
        while let Some(ip) = addresses.take_next() {
            let range = pool.range.filter(|_| self.profile != Profile::Docker20_10);
            assert!(pool.subnet.contains(&ip), "{ip} is not in {}", pool.subnet);
            assert!(range.is_none_or(|range| range.contains(&ip)), "{ip} is not in {range:?}");
            assert!(taken.insert(ip), "{:?}: {ip} of {} is given twice", self.profile, pool.subnet);
            assert!(addresses.is_taken(ip) && addresses.take(ip).is_err(), "{ip} is free");
            given.push(ip);
            if given.len() == MANY {
                break;
            }
        }
        if given.len() < MANY {
            assert_eq!(free, given.len() as u128, "{:?}: free in {}", self.profile, pool.subnet);
        }
        for ip in &given {
            assert!(addresses.release(*ip) && !addresses.release(*ip), "{ip} is not given back");
        }
        assert_eq!((addresses.free(), addresses.used()), (free, used), "of {}", pool.subnet);
    }

    fn release(&mut self, number: usize) {
        let nets = self.networks.remove(number);
        for net in &nets {
            let released = self.subnets.release(*net);
            assert!(released || self.profile == Profile::Podman5, "{net} was not taken");
        }
        for net in nets {
            assert!(!self.subnets.overlap(net), "{net} is still taken");
        }
    }

    /// That nothing is left when everything was given back.
    fn finish(mut self) {
        while !self.networks.is_empty() {
            self.release(0);
        }
        for pool in default_pools(self.profile, ULA).pools {
            assert!(!self.subnets.overlap(pool.base), "something of {} is taken", pool.base);
        }
    }
}

const ULA: u64 = 7;

/// As many addresses as are taken to see where they come from.
const MANY: usize = 40;

fn route() -> [IpNet; 1] {
    ["172.19.4.0/24".parse().expect("a subnet")]
}

fn families_of(text: &str) -> Families {
    let (v4, v6) = match text {
        "6" => (FamilyWish::Off, FamilyWish::On),
        "b" => (FamilyWish::On, FamilyWish::On),
        "g" => (FamilyWish::WithoutGateway, FamilyWish::WithoutGateway),
        "n" => (FamilyWish::Off, FamilyWish::Off),
        _ => (FamilyWish::On, FamilyWish::Off),
    };
    Families { v4, v6 }
}

fn pool_of(text: &str) -> PoolConfig {
    let mut fields = text.split(',').map(|field| field.trim().to_owned());
    let mut field = || fields.next().unwrap_or_default();
    let (subnet, range, gateway) = (field(), field(), field());
    let aux = fields.enumerate().map(|(number, ip)| (number.to_string(), ip));
    PoolConfig { subnet, range, gateway, aux: aux.collect::<BTreeMap<_, _>>() }
}

fn told((status, message): (u16, String)) {
    assert!((400..600).contains(&status) && !message.is_empty(), "{status}: {message:?}");
}

/// A line as what an endpoint asks for.
fn addresses(line: &str) {
    let mut fields = line.split(',').map(str::to_owned);
    let mut field = || fields.next().unwrap_or_default();
    let (v4, v6) = (field(), field());
    let wish = EndpointIpam { v4, v6, link_local: fields.collect() };
    for profile in PROFILES {
        if let Some(refusal) = refused_when_asked(profile, &wish, None) {
            told(refusal);
        }
    }
    let mistakes = endpoint_mistakes(&wish, None);
    let others = mac_mistake(line).into_iter().chain(sysctl_mistakes(line));
    for mistake in mistakes.into_iter().chain(others) {
        assert!(!mistake.is_empty(), "a mistake without words");
    }
}
