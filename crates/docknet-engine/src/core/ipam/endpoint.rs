//! What is wrong with the addresses that an endpoint asks for.

use std::net::IpAddr;

use ipnet::IpNet;

use super::config::EndpointIpam;
use super::go_net::{is_mac, is_unspecified, parse_ip};

/// The subnets of a network that were given with it, ranges beside. One that the engine chose is not among them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Configured<'a> {
    pub(crate) v4: &'a [IpNet],
    pub(crate) v6: &'a [IpNet],
}

/// All that is wrong, in Docker's order. Without a network there is nothing to compare with.
pub(crate) fn endpoint_mistakes(
    wish: &EndpointIpam,
    configured: Option<Configured<'_>>,
) -> Vec<String> {
    let mut found = Vec::new();
    let valid = |text: &str, right: fn(IpAddr) -> bool| {
        text.is_empty() || parse_ip(text).is_some_and(|ip| right(ip) && !is_unspecified(ip))
    };
    if !valid(&wish.v4, |ip| ip.is_ipv4()) {
        found.push(format!("invalid IPv4 address: {}", wish.v4));
    }
    if !valid(&wish.v6, |ip| ip.is_ipv6()) {
        found.push(format!("invalid IPv6 address: {}", wish.v6));
    }
    for text in &wish.link_local {
        if text.is_empty() || !valid(text, |_| true) {
            found.push(format!("invalid link-local IP address: {text}"));
        }
    }
    if let Some(Configured { v4, v6 }) = configured {
        found.extend(range_mistake(&wish.v4, v4));
        found.extend(range_mistake(&wish.v6, v6));
    }
    found
}

fn range_mistake(text: &str, configured: &[IpNet]) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    if configured.is_empty() {
        return Some(
            "user specified IP address is supported only when connecting to networks with user configured subnets"
                .to_owned(),
        );
    }
    let inside = parse_ip(text).is_some_and(|ip| configured.iter().any(|net| net.contains(&ip)));
    (!inside).then(|| format!("no configured subnet or ip-range contain the IP address {text}"))
}

/// A hardware address that is none. Docker stops at it.
pub(crate) fn mac_mistake(text: &str) -> Option<String> {
    (!text.is_empty() && !is_mac(text)).then(|| format!("invalid MAC address {text}"))
}

/// The option `com.docker.network.endpoint.sysctls`: settings of an interface, with commas between.
pub(crate) fn sysctl_mistakes(option: &str) -> Vec<String> {
    let wrong = |sysctl: &&str| {
        let parts: Vec<&str> = sysctl.splitn(5, '.').collect();
        !matches!(parts[..], [_, "ipv4" | "ipv6" | "mpls", _, "IFNAME" | "ifname", _])
    };
    let words = |sysctl: &str| {
        format!(
            "unrecognised network interface sysctl '{sysctl}'; represent 'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V', 'X' \
             must be 'ipv4', 'ipv6' or 'mpls'"
        )
    };
    option.split(',').filter(wrong).map(words).collect()
}
