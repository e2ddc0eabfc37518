//! What this machine has beside the engine: links, routes, forwarding. Read, never changed.

mod parse;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use docknet::IpNet;

/// This machine's network, as the process sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Host {
    /// By name.
    pub(crate) links: BTreeMap<String, Link>,
    pub(crate) routes: Vec<Route>,
    /// Whether IPv4 packets are passed on.
    pub(crate) forwards4: Option<bool>,
    /// Whether IPv6 packets are passed on.
    pub(crate) forwards6: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) mtu: Option<u32>,
    pub(crate) up: bool,
    /// A tunnel: it has no hardware of its own.
    pub(crate) tunnel: bool,
}

/// Where packets to a subnet go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) to: IpNet,
    pub(crate) link: String,
    pub(crate) metric: u32,
}

impl Host {
    /// Reads `/proc` and `/sys`. None where there is no such thing.
    pub(crate) fn look() -> Option<Self> {
        let routes = fs::read_to_string("/proc/net/route").ok()?;
        let mut host = Self { routes: parse::routes4(&routes), ..Self::default() };
        if let Ok(routes) = fs::read_to_string("/proc/net/ipv6_route") {
            host.routes.extend(parse::routes6(&routes));
        }
        host.links = links(&fs::read_to_string("/proc/net/dev").ok()?);
        host.forwards4 = switch("/proc/sys/net/ipv4/ip_forward");
        host.forwards6 = switch("/proc/sys/net/ipv6/conf/all/forwarding");
        Some(host)
    }

    /// The link that leads out: that of the IPv4 default route, or of the IPv6 one.
    pub(crate) fn uplink(&self) -> Option<(&str, &Link)> {
        let defaults =
            self.routes.iter().filter(|route| route.to.prefix_len() == 0 && route.link != "lo");
        let route = defaults.min_by_key(|route| (!route.to.addr().is_ipv4(), route.metric))?;
        Some((&route.link, self.links.get(&route.link)?))
    }
}

/// The links that `/proc/net/dev` lists, with what `/sys` knows of them: where it is another namespace's, as after `nsenter --net`,
/// nothing.
fn links(listed: &str) -> BTreeMap<String, Link> {
    let dir = Path::new("/sys/class/net");
    let names: BTreeSet<_> = parse::names(listed).collect();
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let known: BTreeSet<_> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    let same = names.iter().all(|name| known.contains(*name));
    let unknown = Link { mtu: None, up: true, tunnel: false };
    let of = |name: &str| if same { link(&dir.join(name)) } else { unknown.clone() };
    names.into_iter().map(|name| (name.to_owned(), of(name))).collect()
}

fn link(dir: &Path) -> Link {
    let text =
        |name: &str| fs::read_to_string(dir.join(name)).unwrap_or_default().trim().to_owned();
    Link {
        mtu: text("mtu").parse().ok(),
        // Tunnels and bridges without ports do not know.
        up: matches!(text("operstate").as_str(), "up" | "unknown"),
        tunnel: text("type") == ARPHRD_NONE || dir.join("tun_flags").exists(),
    }
}

/// linux/if_arp.h: WireGuard and most other tunnels.
const ARPHRD_NONE: &str = "65534";

fn switch(path: &str) -> Option<bool> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.trim() != "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(to: &str, link: &str, metric: u32) -> Route {
        Route { to: to.parse().unwrap(), link: link.to_owned(), metric }
    }

    #[test]
    fn the_uplink_is_where_the_best_default_route_leads() {
        let link = Link { mtu: Some(1500), up: true, tunnel: false };
        let host = Host {
            links: ["eth0", "wlan0"].map(|name| (name.to_owned(), link.clone())).into(),
            routes: vec![
                route("::/0", "eth0", 1),
                route("0.0.0.0/0", "wlan0", 600),
                route("0.0.0.0/0", "eth0", 100),
            ],
            ..Host::default()
        };
        assert_eq!(host.uplink().unwrap().0, "eth0");
        assert_eq!(Host::default().uplink(), None);
    }
}
