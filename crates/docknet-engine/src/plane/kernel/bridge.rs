//! The bridge of a network.

use super::firewall::{L3, NetworkRules};
use super::links::{Bridge, Links};
use super::netlink::Refused;
use super::reaper::Reaper;
use super::{GONE, OURS};
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
                links
                    .set_up_bridge(found.index, &Bridge { group: Default::default(), ..bridge })?;
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
        let families = [(L3::V4, layout.v4), (L3::V6, layout.v6)];
        let rules = NetworkRules {
            bridge: index,
            internal: layout.internal,
            company: layout.company,
            masqueraded: layout.masqueraded(network),
            unprotected: families
                .into_iter()
                .filter(|(_, way)| way.unprotected)
                .map(|(family, _)| family)
                .collect(),
        };
        Ok(Self { layout: layout.clone(), rules, origin })
    }

    /// Takes it away. Its name and its addresses are free at once, itself a little later.
    pub(crate) fn remove(self, links: &mut Links, reaper: &Reaper) -> Result<(), Refused> {
        let index = self.rules.bridge;
        let addresses = &self.layout.addresses;
        match self.origin {
            Origin::Found => links.take_addresses(index, addresses),
            Origin::Made => {
                let name = format!("dngone{}", index.number());
                links.strip(index, addresses, &name, GONE)?;
                reaper.poke();
                Ok(())
            }
        }
    }
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
