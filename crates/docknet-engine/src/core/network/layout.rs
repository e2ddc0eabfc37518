//! What a network is on a host: its link, and how packets leave it.

use std::net::IpAddr;

use docknet_types::{IpNet, MacAddr};

use super::driver::{BRIDGE, MTU, PARENT};
use super::{DriverKind, Network};
use crate::core::ipam::PoolState;

/// What a data plane makes of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// A bridge of its own.
    Bridge(BridgeLayout),
    /// Its containers have links on top of one of the host's.
    Upper(UpperLayout),
    /// Nothing: the host's own network, or none.
    Nothing,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BridgeLayout {
    pub(crate) name: String,
    pub(crate) mac: MacAddr,
    pub(crate) mtu: Option<u32>,
    /// Its own addresses: what containers have as gateways.
    pub(crate) addresses: Vec<IpNet>,
    pub(crate) ipv6: bool,
    pub(crate) internal: bool,
    /// Whether its containers may talk to one another.
    pub(crate) company: bool,
    pub(crate) v4: WayOut,
    pub(crate) v6: WayOut,
}

/// How packets of a family get out of a network and into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WayOut {
    /// With an address of the host's.
    pub(crate) masquerade: bool,
    /// Packets from outside come in, whatever they want.
    pub(crate) unprotected: bool,
    /// Published ports are open at the container's own address, and no port of the host leads there.
    pub(crate) routed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UpperLayout {
    pub(crate) kind: UpperKind,
    pub(crate) parent: Parent,
    pub(crate) mtu: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UpperKind {
    MacvlanBridge,
    MacvlanPassthru,
    MacvlanPrivate,
    MacvlanVepa,
    IpvlanL2,
    IpvlanL3,
    IpvlanL3s,
}

/// The link that those of containers are on top of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Parent {
    /// One of the host's, or a VLAN `link.id` of one, which is made if it is not there.
    Of(String),
    /// One that leads nowhere, made for this network.
    Own(String),
}

impl Network {
    pub(crate) fn layout(&self) -> Layout {
        if self.config.config_only {
            return Layout::Nothing;
        }
        match self.kind() {
            DriverKind::Bridge => self.bridge().map_or(Layout::Nothing, Layout::Bridge),
            DriverKind::Macvlan => Layout::Upper(self.upper(self.macvlan(), "dm-")),
            DriverKind::Ipvlan => Layout::Upper(self.upper(self.ipvlan(), "di-")),
            DriverKind::Host | DriverKind::Null | DriverKind::Overlay | DriverKind::Unknown => {
                Layout::Nothing
            }
        }
    }

    /// Whether packets of IPv4 are routed as they are, and those of IPv6.
    pub(crate) fn routed(&self) -> (bool, bool) {
        (self.way_out("4").routed, self.way_out("6").routed)
    }

    /// The address of the host's at which ports are published, if not at all of them.
    pub(crate) fn default_binding(&self) -> Option<IpAddr> {
        let ip: IpAddr = self.bridge_option("host_binding_ipv4")?.parse().ok()?;
        (!ip.is_unspecified()).then_some(ip)
    }

    fn bridge(&self) -> Option<BridgeLayout> {
        let inhibited = self.bridge_option("inhibit_ipv4").is_some_and(is_true);
        let own = |pool: &PoolState| IpNet::new(pool.gateway?, pool.subnet.prefix_len()).ok();
        let addresses = self.pools.iter().filter_map(own);
        Some(BridgeLayout {
            name: self.config.bridge.clone()?,
            mac: self.mac(),
            mtu: self.mtu(),
            addresses: addresses.filter(|net| !(inhibited && net.addr().is_ipv4())).collect(),
            ipv6: self.config.ipv6,
            internal: self.config.internal,
            company: self.bridge_option("enable_icc").is_none_or(is_true),
            v4: self.way_out("4"),
            v6: self.way_out("6"),
        })
    }

    fn way_out(&self, family: &str) -> WayOut {
        let mode = self.bridge_option(&format!("gateway_mode_ipv{family}")).unwrap_or_default();
        let translated = matches!(mode, "" | "nat" | "nat-unprotected");
        let wanted = self.bridge_option("enable_ip_masquerade").is_none_or(is_true);
        WayOut {
            masquerade: translated && wanted && !self.config.internal,
            unprotected: mode == "nat-unprotected",
            routed: mode == "routed",
        }
    }

    /// An address of its own that is the same each time.
    fn mac(&self) -> MacAddr {
        let digits = self.id.as_str();
        let octet = |at: usize| {
            digits.get(2 * at..2 * at + 2).and_then(|two| u8::from_str_radix(two, 16).ok())
        };
        let [a, b, c, d] = [0, 1, 2, 3].map(|at| octet(at).unwrap_or_default());
        MacAddr::new([0x02, 0x42, a, b, c, d])
    }

    fn mtu(&self) -> Option<u32> {
        self.option(MTU)?.parse().ok().filter(|mtu| *mtu != 0)
    }

    fn upper(&self, kind: UpperKind, dummy: &str) -> UpperLayout {
        let parent = match self.option(PARENT).filter(|parent| !parent.is_empty()) {
            Some(parent) => Parent::Of(parent.to_owned()),
            None => Parent::Own(format!("{dummy}{}", self.id.short())),
        };
        UpperLayout { kind, parent, mtu: self.mtu() }
    }

    fn macvlan(&self) -> UpperKind {
        match self.option("macvlan_mode").unwrap_or_default() {
            "passthru" => UpperKind::MacvlanPassthru,
            "private" => UpperKind::MacvlanPrivate,
            "vepa" => UpperKind::MacvlanVepa,
            _ => UpperKind::MacvlanBridge,
        }
    }

    fn ipvlan(&self) -> UpperKind {
        match self.option("ipvlan_mode").unwrap_or_default() {
            "l3" => UpperKind::IpvlanL3,
            "l3s" => UpperKind::IpvlanL3s,
            _ => UpperKind::IpvlanL2,
        }
    }

    fn bridge_option(&self, name: &str) -> Option<&str> {
        self.option(&format!("{BRIDGE}{name}"))
    }

    fn option(&self, name: &str) -> Option<&str> {
        self.config.options.get(name).map(String::as_str)
    }
}

impl BridgeLayout {
    /// The subnets whose packets leave with an address of the host's.
    pub(crate) fn masqueraded(&self, network: &Network) -> Vec<IpNet> {
        let leaves = |net: &IpNet| match net.addr() {
            IpAddr::V4(_) => self.v4.masquerade,
            IpAddr::V6(_) => self.v6.masquerade,
        };
        network.subnets().filter(leaves).collect()
    }
}

/// As Go reads booleans; what is none was refused when the network was made.
fn is_true(value: &str) -> bool {
    matches!(value, "1" | "t" | "T" | "TRUE" | "true" | "True")
}
