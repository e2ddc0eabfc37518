//! What is wrong with the addresses that an endpoint asks for.

use std::net::IpAddr;

use ipnet::IpNet;

use super::config::EndpointIpam;
use super::go_net::{is_link_local, is_mac, is_unspecified, parse_ip};
use super::refusal::join_mistakes;
use crate::Profile;

/// The subnets of a network that were given with it, ranges beside. One that the engine chose is not among them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Configured<'a> {
    pub(crate) v4: &'a [IpNet],
    pub(crate) v6: &'a [IpNet],
}

/// Why the addresses are refused when they are asked for, be it for a container that runs or one that does not: a status
/// and a message. Docker from 26 on says all that is wrong, the others look at little.
pub(crate) fn refused_when_asked(
    profile: Profile,
    wish: &EndpointIpam,
    configured: Option<Configured<'_>>,
) -> Option<(u16, String)> {
    match profile {
        Profile::Docker26 | Profile::Docker28 => {
            let mistakes = endpoint_mistakes(wish, configured);
            (!mistakes.is_empty())
                .then(|| (400, join_mistakes("invalid endpoint settings", &mistakes)))
        }
        Profile::Docker20_10 => {
            let Configured { v4, v6 } = configured?;
            let chosen = |text: &str, subnets: &[IpNet]| !text.is_empty() && subnets.is_empty();
            (chosen(&wish.v4, v4) || chosen(&wish.v6, v6)).then(|| (400, ONLY_GIVEN.to_owned()))
        }
        Profile::Podman5 => [("ipv4", &wish.v4), ("ipv6", &wish.v6)]
            .into_iter()
            .find(|(_, text)| !text.is_empty() && parse_ip(text).is_none())
            .map(|(family, text)| {
                (500, format!("failed to parse the {family} address \"{text}\""))
            }),
    }
}

/// Why the addresses are refused when the container takes them, before it is looked whether they are free. The subnets
/// are all that the network has, those that the engine chose too.
pub(crate) fn refused_at_start(
    profile: Profile,
    network: &str,
    wish: &EndpointIpam,
    subnets: Configured<'_>,
) -> Option<(u16, String)> {
    let inside = |text: &str, nets: &[IpNet]| {
        parse_ip(text).is_some_and(|ip| nets.iter().any(|net| net.contains(&ip)))
    };
    let asked = [(&wish.v4, subnets.v4), (&wish.v6, subnets.v6)];
    let mut asked = asked.into_iter().filter(|(text, _)| !text.is_empty());
    if profile == Profile::Podman5 {
        let all: Vec<IpNet> = subnets.v4.iter().chain(subnets.v6).copied().collect();
        return asked.find(|(text, _)| !inside(text, &all)).map(|(ip, _)| {
            (500, format!("requested static ip {ip} not in any subnet on network {network}"))
        });
    }
    if profile == Profile::Docker20_10
        && let Some(message) = garbage_20_10(wish)
    {
        return Some((500, message));
    }
    let status = if profile == Profile::Docker20_10 { 500 } else { 400 };
    let link_local = |text: &&String| parse_ip(text).is_some_and(|ip| !is_link_local(ip));
    if let Some(ip) = wish.link_local.iter().find(link_local) {
        return Some((status, format!("invalid link local IP address: {ip}")));
    }
    let (ip, _) = asked.find(|(text, nets)| !inside(text, nets))?;
    let i = if profile == Profile::Docker20_10 { 'I' } else { 'i' };
    let why = "It does not belong to any of this network's subnets";
    Some((status, format!("{i}nvalid address {ip}: {why}")))
}

fn garbage_20_10(wish: &EndpointIpam) -> Option<String> {
    let garbage = |text: &str| !text.is_empty() && parse_ip(text).is_none();
    if garbage(&wish.v4) {
        return Some(format!("Invalid IPv4 address: {})", wish.v4));
    }
    if garbage(&wish.v6) {
        return Some(format!("Invalid IPv6 address: {})", wish.v6));
    }
    let wrong = wish.link_local.iter().any(|text| parse_ip(text).is_none());
    wrong.then(|| format!("Invalid link-local IP address: [{}]", wish.link_local.join(" ")))
}

const ONLY_GIVEN: &str = "user specified IP address is supported only when connecting to networks with user configured subnets";

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
        return Some(ONLY_GIVEN.to_owned());
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

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(wish: &str, v4: &[&str], v6: &[&str]) -> String {
        let wish: EndpointIpam = serde_json::from_str(wish).unwrap();
        let nets = |texts: &[&str]| -> Vec<IpNet> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        let (v4, v6) = (nets(v4), nets(v6));
        let mistakes = endpoint_mistakes(&wish, Some(Configured { v4: &v4, v6: &v6 }));
        if mistakes.is_empty() {
            return String::new();
        }
        join_mistakes("invalid endpoint settings", &mistakes)
            .strip_prefix("invalid endpoint settings:\n")
            .unwrap()
            .to_owned()
    }

    /// Recorded on Docker 28 as `connect/run: address …`, `connect/v6 …`, `connect/link-local …`. An empty list of
    /// subnets is a network whose subnet the engine chose.
    #[test]
    fn recorded_wishes_get_the_recorded_words() {
        let (n2, six): (&[&str], &[&str]) = (&["10.10.2.0/24"], &["fd00:10::/64"]);
        let chosen = "user specified IP address is supported only when connecting to networks with user configured \
                      subnets";
        for (wish, v4, v6, words) in [
            (r#"{"IPv4Address":"10.10.2.77"}"#, n2, six, ""),
            (r#"{"IPv6Address":"fd00:10::77"}"#, n2, six, ""),
            (r#"{"LinkLocalIPs":["169.254.34.68"]}"#, n2, six, ""),
            (r#"{"LinkLocalIPs":["10.0.0.9"]}"#, n2, six, ""),
            (r#"{"IPv4Address":"","LinkLocalIPs":null}"#, n2, six, ""),
            (
                r#"{"IPv4Address":"10.99.2.77"}"#,
                n2,
                six,
                "no configured subnet or ip-range contain the IP address 10.99.2.77",
            ),
            (r#"{"IPv4Address":"172.18.0.77"}"#, &[], &[], chosen),
            (r#"{"IPv6Address":"fd00:10::77"}"#, n2, &[], chosen),
            (
                r#"{"IPv4Address":"foo"}"#,
                n2,
                six,
                "* invalid IPv4 address: foo\n* no configured subnet or ip-range contain the IP address foo",
            ),
            (
                r#"{"IPv6Address":"10.10.2.77"}"#,
                n2,
                six,
                "* invalid IPv6 address: 10.10.2.77\n* no configured subnet or ip-range contain the IP address \
                 10.10.2.77",
            ),
            (
                r#"{"IPv4Address":"fd00:10::77"}"#,
                n2,
                six,
                "* invalid IPv4 address: fd00:10::77\n* no configured subnet or ip-range contain the IP address \
                 fd00:10::77",
            ),
            (
                r#"{"IPv4Address":"10.10.2.77/24"}"#,
                n2,
                six,
                "* invalid IPv4 address: 10.10.2.77/24\n* no configured subnet or ip-range contain the IP address \
                 10.10.2.77/24",
            ),
            (r#"{"LinkLocalIPs":["foo"]}"#, n2, six, "invalid link-local IP address: foo"),
        ] {
            assert_eq!(answer(wish, v4, v6), words, "{wish}");
        }
    }

    /// Recorded as the same cases on 20.10 and Podman 5.4, for a container that runs.
    #[test]
    fn other_engines_look_later_and_say_it_otherwise() {
        let net = |text: &str| [text.parse::<IpNet>().unwrap()];
        let (v4, v6) = (net("10.10.6.0/24"), net("fd00:10::/64"));
        let both = Configured { v4: &v4, v6: &v6 };
        let v4_wish = |text: &str| EndpointIpam { v4: text.to_owned(), ..EndpointIpam::default() };
        let v6_wish = |text: &str| EndpointIpam { v6: text.to_owned(), ..EndpointIpam::default() };
        let local = |text: &str| EndpointIpam {
            link_local: vec![text.to_owned()],
            ..EndpointIpam::default()
        };
        let outside = "It does not belong to any of this network's subnets";
        for (wish, docker20, podman) in [
            (v4_wish("10.10.6.77"), String::new(), ""),
            (
                v4_wish("10.99.2.77"),
                format!("500 Invalid address 10.99.2.77: {outside}"),
                "500 requested static ip 10.99.2.77 not in any subnet on network six",
            ),
            (
                v4_wish("foo"),
                "500 Invalid IPv4 address: foo)".to_owned(),
                "500 failed to parse the ipv4 address \"foo\"",
            ),
            (
                v6_wish("foo"),
                "500 Invalid IPv6 address: foo)".to_owned(),
                "500 failed to parse the ipv6 address \"foo\"",
            ),
            (v6_wish("10.10.6.77"), format!("500 Invalid address 10.10.6.77: {outside}"), ""),
            (local("10.0.0.9"), "500 invalid link local IP address: 10.0.0.9".to_owned(), ""),
            (local("foo"), "500 Invalid link-local IP address: [foo]".to_owned(), ""),
            (local("169.254.34.68"), String::new(), ""),
        ] {
            let answer = |profile| {
                refused_when_asked(profile, &wish, Some(both))
                    .or_else(|| refused_at_start(profile, "six", &wish, both))
                    .map(|(status, message)| format!("{status} {message}"))
                    .unwrap_or_default()
            };
            assert_eq!(answer(Profile::Docker20_10), docker20, "{wish:?}");
            assert_eq!(answer(Profile::Podman5), podman, "{wish:?}");
        }
        let none = Configured { v4: &[], v6: &[] };
        let chosen = refused_when_asked(Profile::Docker20_10, &v4_wish("172.18.0.77"), Some(none));
        assert_eq!(chosen, Some((400, ONLY_GIVEN.to_owned())));
        let later = refused_at_start(Profile::Docker28, "six", &local("10.0.0.9"), both);
        assert_eq!(later, Some((400, "invalid link local IP address: 10.0.0.9".to_owned())));
    }

    #[test]
    fn nothing_is_compared_without_a_network() {
        let wish = EndpointIpam { v4: "10.9.9.9".to_owned(), ..EndpointIpam::default() };
        assert_eq!(endpoint_mistakes(&wish, None), Vec::<String>::new());
    }

    #[test]
    fn a_setting_names_the_interface_by_a_word() {
        assert_eq!(sysctl_mistakes("net.ipv4.conf.IFNAME.log_martians=1"), Vec::<String>::new());
        assert_eq!(
            sysctl_mistakes("foo,net.ipv6.conf.ifname.x.y=1"),
            [
                "unrecognised network interface sysctl 'foo'; represent 'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V', 'X' \
                 must be 'ipv4', 'ipv6' or 'mpls'"
            ]
        );
        assert_eq!(mac_mistake("foo").as_deref(), Some("invalid MAC address foo"));
        assert_eq!(mac_mistake("92:d0:c6:0a:29:33"), None);
        assert_eq!(mac_mistake(""), None);
    }
}
