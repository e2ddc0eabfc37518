//! The addresses of one pool of one network.

use std::net::IpAddr;

use ipnet::IpNet;

use super::intervals::Intervals;
use super::number::{Family, number};
use super::rules::{assignable, first_of, reserved};
use crate::Profile;

/// Which addresses of a pool are taken, and which is given next.
///
/// A clone costs nothing. Every operation is O(log n) in the number of pieces that what is taken consists of.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    subnet: IpNet,
    /// Those that may be given by themselves: the range where there is one.
    first: u128,
    last: u128,
    used: Intervals,
    /// The addresses of the network and of broadcast, where they are kept back.
    reserved: [Option<u128>; 2],
    used_count: u128,
    used_in_range: u128,
    order: Order,
}

/// Which of the free addresses is given.
#[derive(Clone, Copy, Debug)]
enum Order {
    LowestFree,
    /// The next after the one given last. The gateway's is left out, though it may be asked for.
    AfterLast {
        latest: Option<u128>,
        gateway: Option<u128>,
    },
}

/// Why an address cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AddressRefusal {
    OutOfRange,
    InUse,
}

impl Addresses {
    /// All of a subnet, of which a range is given by itself. What is kept back depends on whose engine it is.
    pub(crate) fn new(profile: Profile, subnet: IpNet, range: Option<IpNet>) -> Self {
        let (first, last) = assignable(profile, &subnet, range);
        let order = match profile {
            Profile::Podman5 => Order::AfterLast { latest: None, gateway: None },
            _ => Order::LowestFree,
        };
        let mut all = Self {
            subnet: subnet.trunc(),
            first,
            last,
            used: Intervals::default(),
            reserved: reserved(profile, &subnet),
            used_count: 0,
            used_in_range: 0,
            order,
        };
        for kept in all.reserved.into_iter().flatten() {
            all.mark(kept);
        }
        all
    }

    /// Takes one address. Those outside of the range may be asked for too.
    pub(crate) fn take(&mut self, ip: IpAddr) -> Result<(), AddressRefusal> {
        if !self.subnet.contains(&ip) {
            return Err(AddressRefusal::OutOfRange);
        }
        if self.used.contains(number(ip)) {
            return Err(AddressRefusal::InUse);
        }
        self.mark(number(ip));
        Ok(())
    }

    /// Takes the address that is next, if any is left.
    pub(crate) fn take_next(&mut self) -> Option<IpAddr> {
        let next = self.next()?;
        self.mark(next);
        if let Order::AfterLast { latest, .. } = &mut self.order {
            *latest = Some(next);
        }
        Some(self.family().address(next))
    }

    /// Takes the address of the gateway: the one that is asked for, or the first of the range.
    pub(crate) fn take_gateway(&mut self, wish: Option<IpAddr>) -> Result<IpAddr, GatewayRefusal> {
        if let Order::AfterLast { gateway, .. } = &mut self.order {
            let family = Family::of_net(&self.subnet);
            let own = match wish {
                Some(ip) => number(ip),
                None => first_of(&self.subnet),
            };
            *gateway = Some(own);
            return Ok(family.address(own));
        }
        match wish {
            Some(ip) => self.take(ip).map(|()| ip).map_err(GatewayRefusal::Refused),
            None => self.take_next().ok_or(GatewayRefusal::NoneLeft),
        }
    }

    /// Gives an address back: false where it was not taken, or is always kept back.
    pub(crate) fn release(&mut self, ip: IpAddr) -> bool {
        let own = number(ip);
        let held = self.subnet.contains(&ip)
            && self.used.contains(own)
            && !self.reserved.contains(&Some(own));
        if held {
            self.used.remove(own, own);
            self.used_count -= 1;
            self.used_in_range -= u128::from(self.in_range(own));
        }
        held
    }

    /// The first and the last that are given by themselves.
    pub(crate) fn bounds(&self) -> (IpAddr, IpAddr) {
        (self.family().address(self.first), self.family().address(self.last))
    }

    pub(crate) fn is_taken(&self, ip: IpAddr) -> bool {
        self.subnet.contains(&ip) && self.used.contains(number(ip))
    }

    /// How many are taken, with those that are kept back.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) const fn used(&self) -> u128 {
        self.used_count
    }

    /// How many are left of those that are given by themselves. All of IPv6 counts as one less than it has.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn free(&self) -> u128 {
        let Some(width) = self.last.checked_sub(self.first) else { return 0 };
        width.saturating_add(1).saturating_sub(self.used_in_range + u128::from(self.sets_apart()))
    }

    fn next(&self) -> Option<u128> {
        match self.order {
            Order::LowestFree => self.gap(self.first),
            Order::AfterLast { latest, .. } => latest
                .and_then(|latest| self.gap(latest.checked_add(1)?))
                .or_else(|| self.gap(self.first)),
        }
    }

    fn gap(&self, from: u128) -> Option<u128> {
        let mut found = self.used.first_gap(from)?;
        if let Order::AfterLast { gateway: Some(gateway), .. } = self.order
            && gateway == found
        {
            found = self.used.first_gap(found.checked_add(1)?)?;
        }
        (found <= self.last).then_some(found)
    }

    /// Whether the gateway's address is left out although nobody took it.
    #[cfg(any(test, feature = "fuzzing"))]
    fn sets_apart(&self) -> bool {
        let Order::AfterLast { gateway: Some(gateway), .. } = self.order else { return false };
        self.in_range(gateway) && !self.used.contains(gateway)
    }

    fn mark(&mut self, own: u128) {
        self.used.insert(own, own);
        self.used_count += 1;
        self.used_in_range += u128::from(self.in_range(own));
    }

    fn in_range(&self, own: u128) -> bool {
        (self.first..=self.last).contains(&own)
    }

    fn family(&self) -> Family {
        Family::of_net(&self.subnet)
    }
}

/// Why there is no gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GatewayRefusal {
    Refused(AddressRefusal),
    NoneLeft,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::super::number::span;
    use super::*;

    const ALL: [Profile; 4] =
        [Profile::Docker28, Profile::Docker26, Profile::Docker20_10, Profile::Podman5];

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn with_gateway(profile: Profile, subnet: &str) -> Addresses {
        let mut all = Addresses::new(profile, net(subnet), None);
        all.take_gateway(None).unwrap();
        all
    }

    fn next(all: &mut Addresses) -> String {
        all.take_next().unwrap().to_string()
    }

    /// Recorded as `addresses/addresses of c1 c2 c3, then (c2 removed) c4 c5` and what follows: c1 stopped, c6 started,
    /// c1 started again.
    #[test]
    fn docker_gives_the_lowest_free_one_and_podman_the_next() {
        for profile in ALL {
            let mut all = with_gateway(profile, "10.10.1.0/28");
            let mut given: Vec<String> = (0..3).map(|_| next(&mut all)).collect();
            assert!(all.release(ip(&given[1])));
            given.extend((0..2).map(|_| next(&mut all)));
            assert!(all.release(ip(&given[0])));
            given.extend((0..2).map(|_| next(&mut all)));
            let last: Vec<&str> =
                given.iter().map(|ip| ip.strip_prefix("10.10.1.").unwrap()).collect();
            let recorded = match profile {
                Profile::Podman5 => ["2", "3", "4", "5", "6", "7", "8"],
                _ => ["2", "3", "4", "3", "5", "2", "6"],
            };
            assert_eq!(last, recorded, "{profile:?}");
        }
    }

    /// Recorded as `addresses/10.10.1.0/30: containers that fit`, and of /29.
    #[test]
    fn a_30_holds_one_beside_its_gateway_and_a_29_five() {
        for profile in ALL {
            for (subnet, fit) in [("10.10.1.0/30", 1), ("10.10.1.0/29", 5)] {
                let mut all = with_gateway(profile, subnet);
                assert_eq!(all.free(), fit);
                for _ in 0..fit {
                    assert!(all.take_next().is_some());
                }
                assert_eq!((all.take_next(), all.free()), (None, 0), "{profile:?} {subnet}");
            }
        }
    }

    /// Recorded as `connect/ranged plain` and `connect/address is an aux address`.
    #[test]
    fn a_range_gives_its_very_first_to_the_gateway() {
        let range = Some(net("10.10.3.128/25"));
        let mut all = Addresses::new(Profile::Docker28, net("10.10.3.0/24"), range);
        assert_eq!(all.take_gateway(None), Ok(ip("10.10.3.128")));
        assert_eq!(all.take(ip("10.10.3.129")), Ok(()));
        assert_eq!(all.take_next(), Some(ip("10.10.3.130")));
        assert_eq!(all.take(ip("10.10.3.129")), Err(AddressRefusal::InUse));
        assert_eq!(all.take(ip("10.10.3.7")), Ok(()));
        assert_eq!(all.take(ip("10.10.4.7")), Err(AddressRefusal::OutOfRange));
        assert_eq!(all.free(), 128 - 4);
    }

    /// Recorded as `connect/address is the gateway`, `the network`, `the broadcast`.
    #[test]
    fn docker_keeps_back_what_podman_gives_to_who_asks() {
        for profile in ALL {
            for kept in ["10.10.2.0", "10.10.2.1", "10.10.2.255"] {
                let mut all = with_gateway(profile, "10.10.2.0/24");
                let answer = match profile {
                    Profile::Podman5 => Ok(()),
                    _ => Err(AddressRefusal::InUse),
                };
                assert_eq!(all.take(ip(kept)), answer, "{profile:?} {kept}");
            }
        }
    }

    #[test]
    fn what_is_always_kept_back_cannot_be_released() {
        let mut all = with_gateway(Profile::Docker28, "10.10.2.0/24");
        assert!(!all.release(ip("10.10.2.0")) && !all.release(ip("10.10.2.255")));
        assert!(!all.release(ip("10.10.2.9")) && !all.release(ip("10.10.3.0")));
        assert!(all.release(ip("10.10.2.1")));
        assert_eq!((all.used(), all.free()), (2, 254));
    }

    #[test]
    fn the_smallest_subnets_have_rules_of_their_own() {
        let gateway =
            |profile, subnet| Addresses::new(profile, net(subnet), None).take_gateway(None);
        for profile in [Profile::Docker26, Profile::Docker28] {
            assert_eq!(gateway(profile, "10.3.0.0/32"), Ok(ip("10.3.0.0")));
            assert_eq!(gateway(profile, "10.3.0.0/31"), Ok(ip("10.3.0.0")));
            assert_eq!(gateway(profile, "fd00::/127"), Ok(ip("fd00::1")));
            assert_eq!(gateway(profile, "fd00::/128"), Err(GatewayRefusal::NoneLeft));
        }
        for subnet in ["10.3.0.0/32", "10.3.0.0/31", "fd00::/128"] {
            assert_eq!(gateway(Profile::Docker20_10, subnet), Err(GatewayRefusal::NoneLeft));
        }
        assert_eq!(gateway(Profile::Podman5, "10.3.0.0/32"), Ok(ip("10.3.0.0")));
    }

    #[test]
    fn all_of_ipv6_is_a_subnet_like_others() {
        for profile in ALL {
            let mut all = Addresses::new(profile, net("::/0"), None);
            assert_eq!(all.take_gateway(None), Ok(ip("::1")));
            assert_eq!(all.take_next(), Some(ip("::2")));
            assert!(all.free() > u128::MAX - 4);
            let last = ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
            assert_eq!(all.take(last), Ok(()));
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Take(u8),
        TakeNext,
        Release(u8),
    }

    fn any_step() -> impl Strategy<Value = Step> {
        prop_oneof![
            any::<u8>().prop_map(Step::Take),
            Just(Step::TakeNext),
            any::<u8>().prop_map(Step::Release),
        ]
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_set_of_single_addresses(
            steps in prop::collection::vec(any_step(), 1..80),
            podman in any::<bool>(),
            range in prop::option::of((0u8..=15, 28u8..=32)),
        ) {
            let profile = if podman { Profile::Podman5 } else { Profile::Docker28 };
            let subnet = net("10.0.0.0/28");
            let range = range.map(|(low, len)| net(&format!("10.0.0.{low}/{len}")).trunc());
            let address = |n: u128| Family::V4.address(number(subnet.addr()) + n);
            let mut all = Addresses::new(profile, subnet, range);
            // What is taken, and what is given by itself, of 0 to 15.
            let mut model: BTreeSet<u128> = if podman { BTreeSet::new() } else { [0, 15].into() };
            let (low, high) = range.map_or((0, 15), |range| {
                let (low, high) = span(&range);
                (low & 15, high & 15)
            });
            let mut own: Vec<u128> = (low..=high).collect();
            if podman {
                own.retain(|n| *n != low || low == high);
                own.retain(|n| range.is_some() || *n != 15);
            }
            let mut latest = None;
            for step in steps {
                let before = all.clone();
                let taken = model.clone();
                match step {
                    Step::Take(n) => {
                        let n = u128::from(n % 20);
                        let answer = match (n < 16, model.contains(&n)) {
                            (false, _) => Err(AddressRefusal::OutOfRange),
                            (true, true) => Err(AddressRefusal::InUse),
                            (true, false) => Ok(()),
                        };
                        prop_assert_eq!(all.take(address(n)), answer);
                        if n < 16 {
                            model.insert(n);
                        }
                    }
                    Step::TakeNext => {
                        let free = |n: &&u128| !model.contains(n);
                        let after = own.iter().filter(|n| latest.is_some_and(|latest| **n > latest)).find(free);
                        let found = after.or_else(|| own.iter().find(free)).copied();
                        prop_assert_eq!(all.take_next(), found.map(address));
                        model.extend(found);
                        latest = if podman { found.or(latest) } else { None };
                    }
                    Step::Release(n) => {
                        let n = u128::from(n % 20);
                        let kept = !podman && (n == 0 || n == 15);
                        prop_assert_eq!(all.release(address(n)), !kept && model.contains(&n));
                        if !kept {
                            model.remove(&n);
                        }
                    }
                }
                prop_assert!((0..16).all(|n| before.is_taken(address(n)) == taken.contains(&n)));
                prop_assert!((0..20).all(|n| all.is_taken(address(n)) == model.contains(&n)));
                prop_assert_eq!(all.used(), model.len() as u128);
                prop_assert_eq!(all.free(), own.iter().filter(|n| !model.contains(n)).count() as u128);
            }
        }
    }
}
