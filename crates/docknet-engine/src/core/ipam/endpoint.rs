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

#[cfg(test)]
mod tests {
    use super::super::refusal::join_mistakes;
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
