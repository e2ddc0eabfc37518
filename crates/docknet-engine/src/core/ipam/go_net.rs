//! Addresses as Go reads them: what an engine takes for one, and what not, is what its library does.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// `netip.ParsePrefix`. Host bits stay; an IPv4 address within an IPv6 one is of IPv6.
pub(crate) fn parse_prefix(text: &str) -> Option<IpNet> {
    let (address, bits) = text.rsplit_once('/')?;
    if bits.len() > 1 && bits.starts_with('0') {
        return None;
    }
    net(address.parse().ok()?, bits)
}

/// `net.ParseCIDR`: the address and its subnet. An IPv4 address within an IPv6 one is of IPv4.
pub(crate) fn parse_cidr(text: &str) -> Option<(IpAddr, IpNet)> {
    let (address, bits) = text.split_once('/')?;
    let net = net(address.parse().ok()?, bits)?;
    match net.addr().to_canonical() {
        ip if ip == net.addr() => Some((ip, net.trunc())),
        ip => {
            let len = net.prefix_len().saturating_sub(96);
            Some((ip, IpNet::new(ip, len).ok()?.trunc()))
        }
    }
}

/// `netip.ParseAddr`: the address, and whether a zone follows it.
pub(crate) fn parse_addr(text: &str) -> Option<(IpAddr, Zone)> {
    match text.split_once('%') {
        None => Some((text.parse().ok()?, Zone::Missing)),
        Some((_, "")) => None,
        Some((address, _)) => Some((IpAddr::V6(address.parse().ok()?), Zone::Given)),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zone {
    Missing,
    Given,
}

/// `net.ParseIP`, and `To4` on it: an IPv4 address within an IPv6 one is of IPv4.
pub(crate) fn parse_ip(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

/// `net.ParseMAC`: 6, 8 or 20 octets, in pairs of digits with colons or hyphens, or in fours with dots.
pub(super) fn is_mac(text: &str) -> bool {
    let hex = |part: &str, len| part.len() == len && part.bytes().all(|b| b.is_ascii_hexdigit());
    match text.as_bytes().get(2) {
        Some(separator @ (b':' | b'-')) => {
            let octets: Vec<&str> = text.split(char::from(*separator)).collect();
            matches!(octets.len(), 6 | 8 | 20) && octets.iter().all(|octet| hex(octet, 2))
        }
        _ => {
            let pairs: Vec<&str> = text.split('.').collect();
            matches!(pairs.len(), 3 | 4 | 10) && pairs.iter().all(|pair| hex(pair, 4))
        }
    }
}

/// The address for nothing: what a client may not ask for.
pub(super) fn is_unspecified(ip: IpAddr) -> bool {
    ip == IpAddr::V4(Ipv4Addr::UNSPECIFIED) || ip == IpAddr::V6(Ipv6Addr::UNSPECIFIED)
}

pub(super) fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

fn net(ip: IpAddr, bits: &str) -> Option<IpNet> {
    if bits.is_empty() || !bits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    IpNet::new(ip, bits.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_parsers_of_subnets_are_strict_each_in_its_way() {
        let netip = |text| parse_prefix(text).map(|net| net.to_string());
        let cidr = |text| parse_cidr(text).map(|(_, net)| net.to_string());
        for text in [
            "foo",
            "",
            "10.3.0.0",
            "10.3.0.0/33",
            "10.3.0.0/-1",
            "10.3.0.0/+8",
            "10.3.0.0/",
            "/8",
            "300.0.0.0/8",
            "10.3.0/24",
            " 10.3.0.0/24",
            "10.3.0.0/24 ",
            "10.3.0.0/255.255.255.0",
            "010.3.0.0/24",
            "fe80::1%eth0/64",
            "::/129",
            "1:2:3:4:5:6:7:8::/64",
            "10.3.0.0/8/8",
        ] {
            assert_eq!((netip(text), cidr(text)), (None, None), "{text}");
        }
        assert_eq!(netip("10.3.0.5/024"), None);
        assert_eq!(cidr("10.3.0.5/024").as_deref(), Some("10.3.0.0/24"));
        assert_eq!(netip("10.3.0.5/24").as_deref(), Some("10.3.0.5/24"));
        assert_eq!(netip("::ffff:10.3.0.0/120").as_deref(), Some("::ffff:10.3.0.0/120"));
        assert_eq!(cidr("::ffff:10.3.0.0/120").as_deref(), Some("10.3.0.0/24"));
        assert_eq!(cidr("::ffff:10.3.0.0/64").as_deref(), Some("0.0.0.0/0"));
    }

    #[test]
    fn a_zone_belongs_to_ipv6() {
        assert_eq!(parse_addr("fe80::1%eth0").map(|(_, zone)| zone), Some(Zone::Given));
        assert_eq!(parse_addr("fe80::1").map(|(_, zone)| zone), Some(Zone::Missing));
        assert_eq!(parse_addr("fe80::1%"), None);
        assert_eq!(parse_addr("10.0.0.1%eth0"), None);
        assert_eq!(parse_ip("fe80::1%eth0"), None);
    }

    #[test]
    fn a_hardware_address_has_six_eight_or_twenty_octets() {
        let twenty = ["00"; 20].join(":");
        for text in [
            "92:d0:c6:0a:29:33",
            "92-D0-C6-0A-29-34",
            "92d0.c60a.2933",
            "92:d0:c6:0a:29:33:00:00",
            &twenty,
        ] {
            assert!(is_mac(text), "{text}");
        }
        for text in [
            "",
            "foo",
            "92:d0:c6:0a:29",
            "92:d0:c6:0a-29:33",
            "9:d0:c6:0a:29:33",
            "92d0.c60a",
            "92d0c60a2933",
            "ää:ää",
        ] {
            assert!(!is_mac(text), "{text}");
        }
    }
}
