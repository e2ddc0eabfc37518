//! What each driver takes and refuses.

use std::collections::BTreeMap;
use std::net::IpAddr;

use docknet_types::{IpNet, NetworkId};

use crate::Profile;
use crate::core::ipam::PoolState;
use crate::core::refusal::Refusal;
use crate::core::tx::Tx;

pub(crate) const BRIDGE_NAME: &str = "com.docker.network.bridge.name";
pub(super) const BRIDGE: &str = "com.docker.network.bridge.";
pub(super) const MTU: &str = "com.docker.network.driver.mtu";
pub(super) const PARENT: &str = "parent";
/// The kernel's limit for the name of a link.
const LONGEST_LINK_NAME: usize = 15;
/// A bridge takes an MTU of these sizes (Linux, `net/bridge/br_device.c` and `include/uapi/linux/if_ether.h`).
const MTUS: std::ops::RangeInclusive<i64> = 68..=65535;

/// The drivers that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DriverKind {
    Bridge,
    Host,
    Ipvlan,
    Macvlan,
    Null,
    Overlay,
    Unknown,
}

impl DriverKind {
    pub(crate) fn of(driver: &str) -> Self {
        match driver {
            "bridge" => Self::Bridge,
            "host" => Self::Host,
            "ipvlan" => Self::Ipvlan,
            "macvlan" => Self::Macvlan,
            "null" => Self::Null,
            "overlay" => Self::Overlay,
            _ => Self::Unknown,
        }
    }

    /// Whether containers on such a network get links and addresses.
    pub(crate) fn has_endpoint_links(self) -> bool {
        matches!(self, Self::Bridge | Self::Ipvlan | Self::Macvlan | Self::Overlay)
    }
}

/// What a driver makes of a network's options.
pub(super) struct Plan {
    /// The name of the bridge.
    pub(super) bridge: Option<String>,
}

/// What a driver needs to know of the network it is to make.
pub(super) struct Wish<'a> {
    pub(super) id: &'a NetworkId,
    pub(super) kind: DriverKind,
    pub(super) internal: bool,
    pub(super) options: &'a BTreeMap<String, String>,
    /// Its IPv4 and its IPv6 subnets.
    pub(super) v4: &'a [PoolState],
    pub(super) v6: &'a [PoolState],
}

/// Whether a network of these options has a gateway of its own: addresses are kept for it only then.
pub(super) fn wants_gateway(
    profile: Profile,
    kind: DriverKind,
    internal: bool,
    options: &BTreeMap<String, String>,
) -> (bool, bool) {
    if !profile.has_gateway_modes() {
        return (true, true);
    }
    let mode = |family: &str| {
        options.get(&format!("{BRIDGE}gateway_mode_ipv{family}")).map(String::as_str)
    };
    match kind {
        DriverKind::Bridge => {
            let isolated = |family| internal && mode(family) == Some("isolated");
            (!isolated("4"), !isolated("6"))
        }
        DriverKind::Ipvlan => {
            let routed =
                matches!(options.get("ipvlan_mode").map(String::as_str), Some("l3" | "l3s"));
            (!routed, !routed)
        }
        _ => (true, true),
    }
}

/// Checks the options of a network as its driver does, once its subnets are known.
pub(super) fn plan(tx: &Tx<'_>, wish: &Wish<'_>) -> Result<Plan, Refusal> {
    match wish.kind {
        DriverKind::Bridge => bridge(tx, wish),
        DriverKind::Host => Err(Refusal::OnlyOneInstance("host")),
        DriverKind::Null => Err(Refusal::OnlyOneInstance("null")),
        DriverKind::Ipvlan => {
            let all = ["l2", "l3", "l3s"];
            let known = if tx.given.profile == Profile::Docker20_10 { &all[..2] } else { &all };
            mode(wish, "ipvlan", "ipvlan_mode", known)?;
            parent(tx, wish, "di-")?;
            Ok(Plan { bridge: None })
        }
        DriverKind::Macvlan => {
            mode(wish, "macvlan", "macvlan_mode", &["bridge", "private", "vepa", "passthru"])?;
            parent(tx, wish, "dm-")?;
            Ok(Plan { bridge: None })
        }
        DriverKind::Overlay | DriverKind::Unknown => Ok(Plan { bridge: None }),
    }
}

fn bridge(tx: &Tx<'_>, wish: &Wish<'_>) -> Result<Plan, Refusal> {
    let mtu = bridge_options(tx.given.profile, wish)?;
    if wish.v4.len() > 1 || wish.v6.len() > 1 {
        return Err(Refusal::SeveralSubnets);
    }
    if let Some(pool) = wish.v6.iter().find(|pool| pool.subnet.network().is_multicast())
        && let Some(gateway) = pool.gateway
        && let Ok(address) = IpNet::new(gateway, pool.subnet.prefix_len())
    {
        return Err(Refusal::MulticastSubnet(address));
    }
    if let Some(mtu) = mtu
        && mtu < 0
    {
        return Err(Refusal::InvalidMtu(mtu));
    }
    let given = wish.options.get(BRIDGE_NAME).filter(|name| !name.is_empty());
    let name = given.cloned().unwrap_or_else(|| format!("br-{}", wish.id.short()));
    if let Some(owner) = tx.state.bridge_owner(&name) {
        return Err(Refusal::BridgeNameTaken { id: wish.id.clone(), owner: owner.clone(), name });
    }
    if name.len() > LONGEST_LINK_NAME {
        return Err(Refusal::BridgeName("numerical result out of range"));
    }
    if name.contains(['/', ':'])
        || name.contains(char::is_whitespace)
        || name == "."
        || name == ".."
    {
        return Err(Refusal::Kernel("invalid argument"));
    }
    if tx.given.host.links.get(&name).is_some_and(|link| !link.is_bridge) {
        return Err(Refusal::NotABridge(name));
    }
    // 20.10 leaves the bridge's own MTU as it is.
    let sets_mtu = tx.given.profile != Profile::Docker20_10;
    if mtu.is_some_and(|mtu| sets_mtu && mtu != 0 && !MTUS.contains(&mtu)) {
        return Err(Refusal::Kernel("invalid argument"));
    }
    Ok(Plan { bridge: Some(name) })
}

/// Reads every option that has to be something else than text; gives the MTU.
fn bridge_options(profile: Profile, wish: &Wish<'_>) -> Result<Option<i64>, Refusal> {
    let mut mtu = None;
    for (key, value) in wish.options {
        let refused =
            |why: String| Refusal::DriverOption { key: key.clone(), value: value.clone(), why };
        match key.strip_prefix(BRIDGE) {
            Some("enable_icc" | "enable_ip_masquerade" | "default_bridge" | "inhibit_ipv4")
                if !is_bool(value) =>
            {
                let quoted = go_quoted(value);
                return Err(refused(format!(
                    "strconv.ParseBool: parsing {quoted}: invalid syntax"
                )));
            }
            Some("host_binding_ipv4") if value.parse::<IpAddr>().is_err() => {
                return Err(refused("nil ip".to_owned()));
            }
            Some("gateway_mode_ipv4" | "gateway_mode_ipv6") if profile.has_gateway_modes() => {
                match value.as_str() {
                    "" | "nat" | "nat-unprotected" | "routed" => {}
                    "isolated" if wish.internal => {}
                    "isolated" => return Err(Refusal::IsolatedButNotInternal),
                    other => return Err(refused(format!("unknown gateway mode {other}"))),
                }
            }
            _ if key == MTU => match value.parse::<i64>() {
                Ok(number) => mtu = Some(number),
                Err(_) => {
                    let quoted = go_quoted(value);
                    return Err(refused(format!("strconv.Atoi: parsing {quoted}: invalid syntax")));
                }
            },
            _ => {}
        }
    }
    Ok(mtu)
}

fn mode(
    wish: &Wish<'_>,
    driver: &'static str,
    option: &str,
    modes: &[&'static str],
) -> Result<(), Refusal> {
    match wish.options.get(option) {
        Some(mode) if !mode.is_empty() && !modes.contains(&mode.as_str()) => {
            Err(Refusal::LinkMode {
                driver,
                mode: mode.clone(),
                default: modes.first().copied().unwrap_or_default(),
            })
        }
        _ => Ok(()),
    }
}

/// The parent is a link of the host, or a VLAN of one, which is made; without one, a dummy link is made. `dummy` is how the
/// names of those begin: engines that keep parents apart call the other network so.
fn parent(tx: &Tx<'_>, wish: &Wish<'_>, dummy: &str) -> Result<(), Refusal> {
    let Some(parent) = wish.options.get(PARENT).filter(|parent| !parent.is_empty()) else {
        return Ok(());
    };
    if tx.given.profile.keeps_parents_apart()
        && let Some(other) = tx.state.networks().find(|other| {
            other.kind() == wish.kind && other.config.options.get(PARENT) == Some(parent)
        })
    {
        let link = format!("{dummy}{}", other.id.short());
        return Err(Refusal::ParentTaken { link, parent: parent.clone() });
    }
    if tx.given.host.links.contains_key(parent) {
        return Ok(());
    }
    let unknown = || Refusal::ParentName(parent.clone());
    let (link, vlan) = parent.split_once('.').ok_or_else(unknown)?;
    let vlan: i64 = vlan.parse().map_err(|_| unknown())?;
    if !(1..=4094).contains(&vlan) {
        return Err(Refusal::VlanId(vlan));
    }
    if !tx.given.host.links.contains_key(link) {
        return Err(Refusal::NoParentLink(link.to_owned()));
    }
    Ok(())
}

/// What Go's `strconv.ParseBool` takes.
fn is_bool(value: &str) -> bool {
    matches!(
        value,
        "1" | "t" | "T" | "TRUE" | "true" | "True" | "0" | "f" | "F" | "FALSE" | "false" | "False"
    )
}

fn go_quoted(value: &str) -> String {
    format!("{value:?}")
}
