//! The links that those of containers are on top of: macvlan and ipvlan.

use super::OURS;
use super::links::{Index, IpvlanMode, Links, MacvlanMode, UpperKind};
use super::netlink::Refused;
use crate::core::network::{self, Parent, UpperLayout};

/// A parent that is there.
#[derive(Debug)]
pub(crate) struct MadeParent {
    pub(crate) kind: UpperKind,
    pub(crate) index: Index,
    pub(crate) mtu: Option<u32>,
    /// Whether it was made for the network, and goes with it.
    own: bool,
}

impl MadeParent {
    /// Finds the parent of a network's links, or makes it: a VLAN of another link, or a link that leads nowhere.
    pub(crate) fn find_or_make(links: &mut Links, layout: &UpperLayout) -> Result<Self, Refused> {
        let name = match &layout.parent {
            Parent::Of(name) | Parent::Own(name) => name,
        };
        let (index, own) = match (links.find(name)?, &layout.parent) {
            (Some(link), _) => (link.index, link.group == Some(OURS)),
            (None, Parent::Own(name)) => (links.add_dummy(name, OURS)?, true),
            (None, Parent::Of(name)) => (add_vlan(links, name)?, true),
        };
        Ok(Self { kind: kind(layout.kind), index, mtu: layout.mtu, own })
    }

    pub(crate) fn remove(self, links: &mut Links) -> Result<(), Refused> {
        if self.own { links.remove(self.index) } else { Ok(()) }
    }
}

/// `link.id`, as was checked when it was decided.
fn add_vlan(links: &mut Links, name: &str) -> Result<Index, Refused> {
    let gone = || Refused::gone("find the parent of a network");
    let (parent, id) = name.split_once('.').ok_or_else(gone)?;
    let id = id.parse().map_err(|_| gone())?;
    let parent = links.find(parent)?.ok_or_else(gone)?;
    links.add_vlan(name, parent.index, id, OURS)
}

fn kind(kind: network::UpperKind) -> UpperKind {
    use network::UpperKind as Wanted;
    match kind {
        Wanted::MacvlanBridge => UpperKind::Macvlan(MacvlanMode::Bridge),
        Wanted::MacvlanPassthru => UpperKind::Macvlan(MacvlanMode::Passthru),
        Wanted::MacvlanPrivate => UpperKind::Macvlan(MacvlanMode::Private),
        Wanted::MacvlanVepa => UpperKind::Macvlan(MacvlanMode::Vepa),
        Wanted::IpvlanL2 => UpperKind::Ipvlan(IpvlanMode::L2),
        Wanted::IpvlanL3 => UpperKind::Ipvlan(IpvlanMode::L3),
        Wanted::IpvlanL3s => UpperKind::Ipvlan(IpvlanMode::L3s),
    }
}
