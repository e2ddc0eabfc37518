//! The addresses of one pool of one network.

use std::net::IpAddr;

use ipnet::IpNet;

use super::intervals::Intervals;
use super::number::{Family, number, span};
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
        let (first, last) = match profile {
            Profile::Podman5 => podman_span(&subnet, range),
            _ => docker_span(&subnet, range),
        };
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
                None => podman_span(&self.subnet, None).0,
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

    pub(crate) fn is_taken(&self, ip: IpAddr) -> bool {
        self.subnet.contains(&ip) && self.used.contains(number(ip))
    }

    pub(crate) const fn subnet(&self) -> IpNet {
        self.subnet
    }

    /// How many are taken, with those that are kept back.
    pub(crate) const fn used(&self) -> u128 {
        self.used_count
    }

    /// How many are left of those that are given by themselves. All of IPv6 counts as one less than it has.
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

/// What Docker keeps back: the network's address, and that of broadcast in IPv4. From 26 on, a /31 is a link between two
/// and a /32 a single address, and neither has them (RFC 3021).
fn reserved(profile: Profile, subnet: &IpNet) -> [Option<u128>; 2] {
    let (first, last) = span(subnet);
    let v4 = subnet.network().is_ipv4();
    match profile {
        Profile::Podman5 => [None, None],
        Profile::Docker26 | Profile::Docker28 if v4 && last - first <= 1 => [None, None],
        _ => [Some(first), (v4 && last > first).then_some(last)],
    }
}

/// The range, counted from the beginning of the subnet: 20.10 takes one that lies elsewhere for what it is in this one.
fn docker_span(subnet: &IpNet, range: Option<IpNet>) -> (u128, u128) {
    let (first, last) = span(subnet);
    let Some(range) = range else { return (first, last) };
    let hosts = last - first;
    let (low, high) = span(&range);
    (first + (low & hosts), first + (high & hosts))
}

/// Podman gives neither the first of a subnet or range nor IPv4's broadcast address.
fn podman_span(subnet: &IpNet, range: Option<IpNet>) -> (u128, u128) {
    let (first, last) = span(&range.unwrap_or(*subnet));
    let broadcast = range.is_none() && subnet.network().is_ipv4() && last - first > 1;
    (if last > first { first + 1 } else { first }, last - u128::from(broadcast))
}
