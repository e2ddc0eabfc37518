//! The kernel's tables of routes, as `/proc` has them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use docknet::IpNet;

use super::Route;

/// `/proc/net/route`: hexadecimal, in the byte order of the machine. Lines that are no routes are left out.
pub(super) fn routes4(text: &str) -> Vec<Route> {
    text.lines().skip(1).filter_map(route4).collect()
}

fn route4(line: &str) -> Option<Route> {
    let fields: Vec<_> = line.split_whitespace().collect();
    let address = |at: usize| {
        let bits = u32::from_str_radix(fields.get(at)?, 16).ok()?;
        Some(Ipv4Addr::from(bits.to_ne_bytes()))
    };
    let to = IpNet::with_netmask(IpAddr::V4(address(1)?), IpAddr::V4(address(7)?)).ok()?;
    is_up(fields.get(3)?)?;
    Some(Route { to, link: (*fields.first()?).to_owned(), metric: fields.get(6)?.parse().ok()? })
}

/// `/proc/net/ipv6_route`: hexadecimal, in the order of the network. What is local, or for groups, is left out.
pub(super) fn routes6(text: &str) -> Vec<Route> {
    text.lines().filter_map(route6).collect()
}

fn route6(line: &str) -> Option<Route> {
    let fields: Vec<_> = line.split_whitespace().collect();
    let to = Ipv6Addr::from_bits(u128::from_str_radix(fields.first()?, 16).ok()?);
    let length = u8::from_str_radix(fields.get(1)?, 16).ok()?;
    let link = *fields.get(9)?;
    is_up(fields.get(8)?)?;
    if link == "lo" || to.is_multicast() || to.is_unicast_link_local() {
        return None;
    }
    let metric = u32::from_str_radix(fields.get(5)?, 16).ok()?;
    Some(Route { to: IpNet::new(IpAddr::V6(to), length).ok()?, link: link.to_owned(), metric })
}

/// `/proc/net/dev`: two lines of titles, then one a link that begins with its name.
pub(super) fn names(text: &str) -> impl Iterator<Item = &str> {
    text.lines().skip(2).filter_map(|line| Some(line.split_once(':')?.0.trim()))
}

fn is_up(flags: &str) -> Option<()> {
    const RTF_UP: u32 = 1;
    (u32::from_str_radix(flags, 16).ok()? & RTF_UP != 0).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn routes_are_read_as_the_kernel_writes_them() {
        let text = "\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
broken\tzz
";
        let routes: Vec<_> = routes4(text)
            .into_iter()
            .map(|route| format!("{} {} {}", route.to, route.link, route.metric))
            .collect();
        assert_eq!(routes, ["0.0.0.0/0 eth0 100", "172.17.0.0/16 docker0 0"]);
    }

    #[test]
    fn links_are_those_with_a_line_of_their_own() {
        let text = "Inter-|   Receive\n face |bytes\n    lo: 1 2\n  eth0: 3 4\n";
        assert_eq!(names(text).collect::<Vec<_>>(), ["lo", "eth0"]);
    }

    #[test]
    fn routes_of_ipv6_are_those_that_lead_somewhere() {
        let text = "\
fd000007000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     br-1
fe800000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0
00000000000000000000000000000001 80 00000000000000000000000000000000 00 00000000000000000000000000000000 00000000 00000002 00000000 80200001       lo
";
        let routes = routes6(text);
        assert_eq!(routes.len(), 1);
        assert_eq!((routes[0].to.to_string().as_str(), routes[0].metric), ("fd00:7::/64", 256));
    }

    proptest::proptest! {
        #[test]
        fn any_text_has_routes_or_none(text in "[0-9a-f \tx]{0,120}") {
            routes4(&format!("\n{text}"));
            routes6(&text);
        }
    }
}
