//! What makes a network, and how far it reaches.

use crate::text::wire_text;

/// The driver that makes a network.
///
/// ```
/// use docknet_types::Driver;
///
/// assert_eq!(Driver::from("macvlan"), Driver::Macvlan);
/// assert_eq!(Driver::None.as_str(), "null");
/// assert_eq!(Driver::from("weave"), Driver::Other("weave".into()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Driver {
    /// A Linux bridge on one host: the default.
    Bridge,
    /// The host's own network; every engine has exactly one such network.
    Host,
    /// Sub-interfaces of a parent that share its hardware address.
    Ipvlan,
    /// Sub-interfaces of a parent with hardware addresses of their own.
    Macvlan,
    /// No network at all: `null` on the wire, `none` as a network's name.
    None,
    /// VXLAN between the nodes of a swarm.
    Overlay,
    /// A plugin, or a driver newer than this crate.
    Other(String),
}

wire_text!(Driver {
    Bridge = "bridge",
    Host = "host",
    Ipvlan = "ipvlan",
    Macvlan = "macvlan",
    None = "null",
    Overlay = "overlay",
});

impl Default for Driver {
    /// What an engine takes when a spec names none.
    fn default() -> Self {
        Self::Bridge
    }
}

/// How far a network reaches.
///
/// ```
/// use docknet_types::Scope;
///
/// assert_eq!(Scope::from("swarm"), Scope::Swarm);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// As far as a plugin's own store.
    Global,
    /// This engine only.
    #[default]
    Local,
    /// Every node of the swarm.
    Swarm,
    /// A scope newer than this crate.
    Other(String),
}

wire_text!(Scope { Global = "global", Local = "local", Swarm = "swarm" });

/// Who made a network, as the `type` filter of a list tells them apart.
///
/// ```
/// use docknet_types::NetworkKind;
///
/// assert_eq!(NetworkKind::from("custom"), NetworkKind::Custom);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NetworkKind {
    /// The engine itself: bridge, host, none, and ingress on a swarm.
    Builtin,
    /// A user.
    Custom,
    /// A kind newer than this crate.
    Other(String),
}

wire_text!(NetworkKind { Builtin = "builtin", Custom = "custom" });
