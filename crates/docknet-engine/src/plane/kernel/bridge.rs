//! The bridge of a network.

use docknet_types::IpNet;

use super::firewall::{L3, NetworkRules};
use super::links::{Bridge, Index, Link, Links};
use super::netlink::Refused;
use super::reaper::Reaper;
use super::{DEAD, GONE, OURS, gone};
use crate::core::network::{BridgeLayout, Network};

/// A bridge that is there.
#[derive(Debug)]
pub(crate) struct MadeBridge {
    pub(crate) layout: BridgeLayout,
    pub(crate) rules: NetworkRules,
    origin: Origin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// Somebody had made it before; it stays.
    Found,
    Made,
}

impl MadeBridge {
    /// Makes the bridge of a network, or takes the one of its name that somebody else has made.
    pub(crate) fn make(
        links: &mut Links,
        network: &Network,
        layout: &BridgeLayout,
    ) -> Result<Self, Refused> {
        let bridge = bridge(layout);
        let (index, origin) = match links.add_bridge(&bridge) {
            Ok(index) => (index, Origin::Made),
            Err(refused) if refused.errno() == rustix::io::Errno::EXIST => {
                let found = links.find(&layout.name)?.filter(|link| {
                    link.kind.as_deref() == Some("bridge") && link.group != Some(OURS)
                });
                let Some(found) = found else { return Err(refused) };
                let group = found.group.unwrap_or_default();
                links.set_up_bridge(found.index, &Bridge { group, ..bridge })?;
                (found.index, Origin::Found)
            }
            Err(refused) => {
                // It may be there, and not have all that it is to have.
                if let Ok(Some(half)) = links.find(&layout.name)
                    && half.group == Some(OURS)
                {
                    links.remove(half.index)?;
                }
                return Err(refused);
            }
        };
        Ok(Self::of(network, layout, index, origin))
    }

    fn of(network: &Network, layout: &BridgeLayout, bridge: Index, origin: Origin) -> Self {
        let families = [(L3::V4, layout.v4), (L3::V6, layout.v6)];
        let rules = NetworkRules {
            bridge,
            internal: layout.internal,
            company: layout.company,
            masqueraded: layout.masqueraded(network),
            unprotected: families
                .into_iter()
                .filter(|(_, way)| way.unprotected)
                .map(|(family, _)| family)
                .collect(),
        };
        Self { layout: layout.clone(), rules, origin }
    }

    /// The same where there may be a link of ours of that name, with its addresses.
    pub(crate) fn find_or_make(
        links: &mut Links,
        network: &Network,
        layout: &BridgeLayout,
        there: Option<(Link, Vec<IpNet>)>,
    ) -> Result<Self, Refused> {
        let Some((there, has)) = there else { return Self::make(links, network, layout) };
        if there.mac != Some(layout.mac) || there.kind.as_deref() != Some("bridge") {
            // That of another network.
            links.strip(there.index, &[], &gone(there.index), GONE)?;
            return Self::make(links, network, layout);
        }
        let wrong = |net: &IpNet| !layout.addresses.contains(net) && !is_link_local(*net);
        let wrong: Vec<IpNet> = has.into_iter().filter(wrong).collect();
        links.take_addresses(there.index, &wrong)?;
        links.set_up_bridge(there.index, &bridge(layout))?;
        Ok(Self::of(network, layout, there.index, Origin::Made))
    }

    /// Takes it away. Its name and its addresses are free at once, itself a little later.
    pub(crate) fn remove(self, links: &mut Links, reaper: &Reaper) -> Result<(), Refused> {
        let index = self.rules.bridge;
        let addresses = &self.layout.addresses;
        match self.origin {
            Origin::Found => links.take_addresses(index, addresses),
            Origin::Made => {
                links.strip(index, addresses, &gone(index), DEAD)?;
                reaper.bury(index);
                Ok(())
            }
        }
    }
}

fn is_link_local(net: IpNet) -> bool {
    matches!(net, IpNet::V6(net) if net.addr().is_unicast_link_local())
}

fn bridge(layout: &BridgeLayout) -> Bridge<'_> {
    Bridge {
        name: &layout.name,
        mac: layout.mac,
        mtu: layout.mtu,
        addresses: &layout.addresses,
        ipv6: layout.ipv6,
        group: OURS,
    }
}
