//! Which addresses of a subnet are given by themselves, and which never.

use ipnet::IpNet;

use super::number::span;
use crate::Profile;

/// The first and the last that are given by themselves.
pub(super) fn assignable(profile: Profile, subnet: &IpNet, range: Option<IpNet>) -> (u128, u128) {
    match profile {
        Profile::Podman5 => podman(subnet, range),
        _ => docker(subnet, range),
    }
}

/// The first after the network's own, where there is more than one: Podman's gateway.
pub(super) fn first_of(subnet: &IpNet) -> u128 {
    let (first, last) = span(subnet);
    if last > first { first + 1 } else { first }
}

/// What Docker keeps back: the network's address, and that of broadcast in IPv4. From 26 on, a /31 is a link between two
/// and a /32 a single address, and neither has them (RFC 3021).
pub(super) fn reserved(profile: Profile, subnet: &IpNet) -> [Option<u128>; 2] {
    let (first, last) = span(subnet);
    let v4 = subnet.network().is_ipv4();
    match profile {
        Profile::Podman5 => [None, None],
        Profile::Docker26 | Profile::Docker28 if v4 && last - first <= 1 => [None, None],
        _ => [Some(first), (v4 && last > first).then_some(last)],
    }
}

/// The range, counted from the beginning of the subnet: 20.10 takes one that lies elsewhere for what it is in this one.
fn docker(subnet: &IpNet, range: Option<IpNet>) -> (u128, u128) {
    let (first, last) = span(subnet);
    let Some(range) = range else { return (first, last) };
    let hosts = last - first;
    let (low, high) = span(&range);
    (first + (low & hosts), first + (high & hosts))
}

/// Podman gives neither the first of a subnet or range nor IPv4's broadcast address.
fn podman(subnet: &IpNet, range: Option<IpNet>) -> (u128, u128) {
    let (first, last) = span(&range.unwrap_or(*subnet));
    let broadcast = range.is_none() && subnet.network().is_ipv4() && last - first > 1;
    (first_of(&range.unwrap_or(*subnet)), last - u128::from(broadcast))
}
