//! The rules of our networks, in tables of our own. The rules never change; what they look at are sets, and a network or an
//! endpoint is an element of these.

use std::ffi::CStr;
use std::io;
use std::net::IpAddr;

use docknet_types::IpNet;

use super::links::Index;
use super::netlink::Refused;
use super::nft::{
    Base, Batch, Ct, Expr, Field, Hook, Meta, Nft, Register, Set, Table, TableFamily,
};

#[derive(Debug)]
pub(crate) struct Firewall(Nft);

/// What a network is to the firewall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NetworkRules {
    pub(crate) bridge: Index,
    pub(crate) way_out: WayOut,
    pub(crate) subnets: Vec<IpNet>,
}

/// How packets of a network leave the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WayOut {
    /// Not at all: an internal network.
    Closed,
    /// With an address of the host's.
    Masqueraded,
    /// As they are, and packets from outside come in as they are.
    Routed,
    /// As they are, and nothing comes in that was not asked for.
    Plain,
}

impl Firewall {
    pub(crate) fn open() -> io::Result<Self> {
        Ok(Self(Nft::open()?))
    }

    /// The tables, sets and rules, with no network in them. What was there of ours before is gone.
    pub(crate) fn install(&mut self) -> Result<(), Refused> {
        let mut batch = self.0.batch();
        // Added first, so that there is something to remove.
        batch.add_table(TABLE).remove_table(TABLE).add_table(TABLE);
        for set in SETS {
            batch.add_set(TABLE, set);
        }
        for chain in [FROM, BETWEEN, TO] {
            batch.add_chain(TABLE, chain, None);
        }
        batch.add_chain(
            TABLE,
            FORWARD,
            Some(Hook { kind: c"filter", number: NF_INET_FORWARD, priority: NF_IP_PRI_FILTER }),
        );
        batch.add_chain(
            TABLE,
            POSTROUTING,
            Some(Hook { kind: c"nat", number: NF_INET_POST_ROUTING, priority: NF_IP_PRI_NAT_SRC }),
        );
        rules(&mut batch);
        self.0.commit("install the firewall", batch)
    }

    pub(crate) fn uninstall(&mut self) -> Result<(), Refused> {
        let mut batch = self.0.batch();
        batch.add_table(TABLE).remove_table(TABLE);
        self.0.commit("remove the firewall", batch)
    }

    pub(crate) fn add_network(&mut self, rules: &NetworkRules) -> Result<(), Refused> {
        let mut batch = self.0.batch();
        rules.elements(|set, element| match element {
            Element::Key(key) => {
                batch.add_element(TABLE, set, &key, &[]);
            }
            Element::Range(first, end) => {
                batch.add_range(TABLE, set, &first, end.as_deref());
            }
        });
        self.0.commit("add a network to the firewall", batch)
    }

    pub(crate) fn remove_network(&mut self, rules: &NetworkRules) -> Result<(), Refused> {
        let mut batch = self.0.batch();
        rules.elements(|set, element| match element {
            Element::Key(key) => {
                batch.remove_element(TABLE, set, &key);
            }
            Element::Range(first, end) => {
                batch.remove_range(TABLE, set, &first, end.as_deref());
            }
        });
        self.0.commit("remove a network from the firewall", batch)
    }
}

enum Element {
    Key(Vec<u8>),
    /// The first, and the one after the last if there is one.
    Range(Vec<u8>, Option<Vec<u8>>),
}

impl NetworkRules {
    fn elements(&self, mut each: impl FnMut(&'static CStr, Element)) {
        let bridge = self.bridge.number().to_ne_bytes();
        each(BRIDGES, Element::Key(bridge.to_vec()));
        each(WITHIN, Element::Key([bridge, bridge].concat()));
        match self.way_out {
            WayOut::Closed => each(CLOSED, Element::Key(bridge.to_vec())),
            WayOut::Routed => each(ROUTED, Element::Key(bridge.to_vec())),
            WayOut::Plain => {}
            WayOut::Masqueraded => {
                for subnet in &self.subnets {
                    let set = if subnet.addr().is_ipv4() { MASQUERADE4 } else { MASQUERADE6 };
                    each(set, Element::Range(octets(subnet.network()), after(subnet)));
                }
            }
        }
    }
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

/// The address behind a subnet.
fn after(subnet: &IpNet) -> Option<Vec<u8>> {
    match subnet.broadcast() {
        IpAddr::V4(last) => Some(last.to_bits().checked_add(1)?.to_be_bytes().to_vec()),
        IpAddr::V6(last) => Some(last.to_bits().checked_add(1)?.to_be_bytes().to_vec()),
    }
}

const TABLE: Table = Table { family: TableFamily::Inet, name: c"docknet" };

const BRIDGES: &CStr = c"bridges";
const CLOSED: &CStr = c"closed";
const ROUTED: &CStr = c"routed";
const WITHIN: &CStr = c"within";
const MASQUERADE4: &CStr = c"masquerade4";
const MASQUERADE6: &CStr = c"masquerade6";

const SETS: &[Set] = &[
    // The bridges of our networks.
    Set { name: BRIDGES, key: &[Field::InterfaceIndex], data: &[], ranges: false },
    // Those of internal networks.
    Set { name: CLOSED, key: &[Field::InterfaceIndex], data: &[], ranges: false },
    // Those that packets from outside may come in to.
    Set { name: ROUTED, key: &[Field::InterfaceIndex], data: &[], ranges: false },
    // From which bridge to which packets may go: each to itself.
    Set {
        name: WITHIN,
        key: &[Field::InterfaceIndex, Field::InterfaceIndex],
        data: &[],
        ranges: false,
    },
    // Subnets whose packets leave with an address of the host's.
    Set { name: MASQUERADE4, key: &[Field::Ipv4], data: &[], ranges: true },
    Set { name: MASQUERADE6, key: &[Field::Ipv6], data: &[], ranges: true },
];

const FORWARD: &CStr = c"forward";
const POSTROUTING: &CStr = c"postrouting";
const FROM: &CStr = c"from";
const BETWEEN: &CStr = c"between";
const TO: &CStr = c"to";

fn rules(batch: &mut Batch) {
    const FIRST: Register = Register(0);
    const SECOND: Register = Register(1);
    let known = [
        Expr::Ct(Ct::State, FIRST),
        Expr::And { at: FIRST, mask: &KNOWN.to_ne_bytes() },
        Expr::IsNot(FIRST, &[0; 4]),
        Expr::Accept,
    ];
    let (from, to) = (Expr::Meta(Meta::InputIndex, FIRST), Expr::Meta(Meta::OutputIndex, FIRST));

    batch.add_rule(TABLE, FORWARD, &[from, Expr::In(BRIDGES, FIRST), Expr::Goto(FROM)]);
    batch.add_rule(TABLE, FORWARD, &[to, Expr::In(BRIDGES, FIRST), Expr::Goto(TO)]);

    // A packet of one of our networks.
    batch.add_rule(TABLE, FROM, &[to, Expr::In(BRIDGES, FIRST), Expr::Goto(BETWEEN)]);
    batch.add_rule(TABLE, FROM, &[from, Expr::In(CLOSED, FIRST), Expr::Drop]);
    batch.add_rule(TABLE, FROM, &[Expr::Accept]);

    // From one of our networks to one of them.
    batch.add_rule(
        TABLE,
        BETWEEN,
        &[from, Expr::Meta(Meta::OutputIndex, SECOND), Expr::In(WITHIN, FIRST), Expr::Accept],
    );
    batch.add_rule(TABLE, BETWEEN, &[Expr::Drop]);

    // From outside to one of our networks.
    batch.add_rule(TABLE, TO, &[to, Expr::In(CLOSED, FIRST), Expr::Drop]);
    batch.add_rule(TABLE, TO, &known);
    batch.add_rule(
        TABLE,
        TO,
        &[
            Expr::Ct(Ct::Status, FIRST),
            Expr::And { at: FIRST, mask: &DNAT.to_ne_bytes() },
            Expr::IsNot(FIRST, &[0; 4]),
            Expr::Accept,
        ],
    );
    batch.add_rule(TABLE, TO, &[to, Expr::In(ROUTED, FIRST), Expr::Accept]);
    batch.add_rule(TABLE, TO, &[Expr::Drop]);

    // What stays among our networks keeps its address.
    for (family, offset, length, set) in
        [(NFPROTO_IPV4, 12, 4, MASQUERADE4), (NFPROTO_IPV6, 8, 16, MASQUERADE6)]
    {
        batch.add_rule(
            TABLE,
            POSTROUTING,
            &[
                Expr::Meta(Meta::Family, FIRST),
                Expr::Is(FIRST, &[family]),
                Expr::Payload { base: Base::Network, offset, length, into: FIRST },
                Expr::In(set, FIRST),
                to,
                Expr::NotIn(BRIDGES, FIRST),
                Expr::Masquerade,
            ],
        );
    }
}

// linux/netfilter_ipv4.h, linux/netfilter.h, linux/netfilter/nf_conntrack_common.h
const NF_INET_FORWARD: u32 = 2;
const NF_INET_POST_ROUTING: u32 = 4;
const NF_IP_PRI_FILTER: i32 = 0;
const NF_IP_PRI_NAT_SRC: i32 = 100;
const NFPROTO_IPV4: u8 = 2;
const NFPROTO_IPV6: u8 = 10;
/// `established` or `related`, as `nft` counts them.
const KNOWN: u32 = 0x2 | 0x4;
/// The destination was changed: a published port.
const DNAT: u32 = 1 << 5;

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::super::links::{Bridge, Links};
    use super::super::namespace::Namespace;
    use super::*;

    #[test]
    fn the_rules_are_what_they_are_meant_to_be() {
        let host = Namespace::new().unwrap();
        let mut links = host.within(Links::open).unwrap();
        let mut firewall = host.within(Firewall::open).unwrap();
        firewall.install().unwrap();
        let mac = "02:42:ac:11:00:01".parse().unwrap();
        let bridge = links.add_bridge(&Bridge { name: "dn0", mac, mtu: None }).unwrap();
        let rules = NetworkRules {
            bridge,
            way_out: WayOut::Masqueraded,
            subnets: vec!["10.7.0.0/24".parse().unwrap(), "fd00:7::/64".parse().unwrap()],
        };
        firewall.add_network(&rules).unwrap();
        let begun = std::time::Instant::now();
        for _ in 0..100 {
            firewall.remove_network(&rules).unwrap();
            firewall.add_network(&rules).unwrap();
        }
        println!("{:?}", begun.elapsed() / 200);
        let listed =
            host.within(|| Command::new("nft").args(["list", "ruleset"]).output()).unwrap();
        println!("{}", String::from_utf8_lossy(&listed.stdout));
        firewall.remove_network(&rules).unwrap();
        firewall.install().unwrap();
        firewall.uninstall().unwrap();
    }
}
