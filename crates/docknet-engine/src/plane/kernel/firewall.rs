//! The rules of our networks, in one table of our own. The rules never change; what they look at are sets and maps, and a
//! network or a published port is an element of these.

mod rules;

use std::io;
use std::net::IpAddr;

use docknet_types::IpNet;

use self::rules::{
    BRIDGES, CLOSED, MASQUERADE4, MASQUERADE6, OPEN4, OPEN6, PUBLISHED4, PUBLISHED4_AT, PUBLISHED6,
    PUBLISHED6_AT, TABLE, UNPROTECTED, WITHIN,
};
use super::links::Index;
use super::netlink::Refused;
use super::nft::{Batch, Nft};
use crate::core::container::Protocol;
use crate::core::step::Opening;

/// The name of our table.
pub(crate) const TABLE_NAME: &str = TABLE.name;

#[derive(Debug)]
pub(crate) struct Firewall(Nft);

/// What a network is to the firewall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NetworkRules {
    pub(crate) bridge: Index,
    /// An internal network: nothing leaves it, nothing comes in.
    pub(crate) internal: bool,
    /// Whether its containers may talk to one another.
    pub(crate) company: bool,
    /// Subnets whose packets leave with an address of the host's.
    pub(crate) masqueraded: Vec<IpNet>,
    /// The families in which packets from outside come in, whatever they want.
    pub(crate) unprotected: Vec<L3>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum L3 {
    V4,
    V6,
}

impl Firewall {
    pub(crate) fn open() -> io::Result<Self> {
        Ok(Self(Nft::open()?))
    }

    /// The number of its socket.
    pub(crate) fn port(&self) -> io::Result<u32> {
        self.0.port()
    }

    /// The table, its sets and rules, with these in it. What was there of ours before is gone in the same moment.
    pub(crate) fn install<'a>(
        &mut self,
        networks: impl IntoIterator<Item = &'a NetworkRules>,
        openings: impl IntoIterator<Item = &'a Opening>,
    ) -> Result<(), Refused> {
        let mut batch = Batch::default();
        rules::install(&mut batch);
        for network in networks {
            network.each(|element| element.add(&mut batch));
        }
        for opening in openings {
            element(opening).add(&mut batch);
        }
        self.0.commit("install the firewall", &batch)
    }

    pub(crate) fn uninstall(&mut self) -> Result<(), Refused> {
        let mut batch = Batch::default();
        // Added first, so that there is something to remove.
        batch.add_table(TABLE);
        batch.remove_table(TABLE);
        self.0.commit("remove the firewall", &batch)
    }

    pub(crate) fn add_network(&mut self, rules: &NetworkRules) -> Result<(), Refused> {
        let mut batch = Batch::default();
        rules.each(|element| element.add(&mut batch));
        self.0.commit("add a network to the firewall", &batch)
    }

    pub(crate) fn remove_network(&mut self, rules: &NetworkRules) -> Result<(), Refused> {
        let mut batch = Batch::default();
        rules.each(|element| element.remove(&mut batch));
        self.0.commit("remove a network from the firewall", &batch)
    }

    /// Closes some openings and opens others, in one moment.
    pub(crate) fn change_openings(
        &mut self,
        close: &[Opening],
        open: &[Opening],
    ) -> Result<(), Refused> {
        let mut batch = Batch::default();
        close.iter().for_each(|opening| element(opening).remove(&mut batch));
        open.iter().for_each(|opening| element(opening).add(&mut batch));
        self.0.commit("publish ports", &batch)
    }
}

/// An element of a set, or of a map.
enum Element {
    Key { set: &'static str, key: Vec<u8>, data: Vec<u8> },
    Range { set: &'static str, subnet: IpNet },
}

impl Element {
    fn key(set: &'static str, key: Vec<u8>) -> Self {
        Self::Key { set, key, data: Vec::new() }
    }

    fn add(&self, batch: &mut Batch) {
        match self {
            Self::Key { set, key, data } => batch.add_element(TABLE, set, key, data),
            Self::Range { set, subnet } => {
                batch.add_range(TABLE, set, &octets(subnet.network()), after(*subnet).as_deref());
            }
        }
    }

    fn remove(&self, batch: &mut Batch) {
        match self {
            Self::Key { set, key, .. } => batch.remove_element(TABLE, set, key),
            Self::Range { set, subnet } => {
                batch.remove_range(
                    TABLE,
                    set,
                    &octets(subnet.network()),
                    after(*subnet).as_deref(),
                );
            }
        }
    }
}

impl NetworkRules {
    fn each(&self, mut take: impl FnMut(&Element)) {
        let bridge = self.bridge.number().to_ne_bytes();
        take(&Element::key(BRIDGES, bridge.to_vec()));
        if self.company {
            take(&Element::key(WITHIN, [bridge, bridge].concat()));
        }
        if self.internal {
            take(&Element::key(CLOSED, bridge.to_vec()));
        }
        for family in &self.unprotected {
            take(&Element::key(UNPROTECTED, [bridge, word(family.number())].concat()));
        }
        for subnet in &self.masqueraded {
            let set = if subnet.addr().is_ipv4() { MASQUERADE4 } else { MASQUERADE6 };
            take(&Element::Range { set, subnet: *subnet });
        }
    }
}

fn element(opening: &Opening) -> Element {
    let protocol = word(number(opening.protocol));
    let to = [octets(opening.to.ip()), port(opening.to.port())].concat();
    let v4 = opening.to.is_ipv4();
    match opening.at {
        None => {
            let set = if v4 { OPEN4 } else { OPEN6 };
            let place = [octets(opening.to.ip()), protocol.to_vec(), port(opening.to.port())];
            Element::key(set, place.concat())
        }
        Some(at) if at.ip().is_unspecified() => {
            let set = if v4 { PUBLISHED4 } else { PUBLISHED6 };
            let key = [protocol.to_vec(), port(at.port())].concat();
            Element::Key { set, key, data: to }
        }
        Some(at) => {
            let set = if v4 { PUBLISHED4_AT } else { PUBLISHED6_AT };
            let key = [octets(at.ip()), protocol.to_vec(), port(at.port())].concat();
            Element::Key { set, key, data: to }
        }
    }
}

/// As IP numbers protocols.
fn number(protocol: Protocol) -> u8 {
    match protocol {
        Protocol::Tcp => 6,
        Protocol::Udp => 17,
        Protocol::Sctp => 132,
    }
}

impl L3 {
    /// As netfilter numbers families.
    fn number(self) -> u8 {
        match self {
            Self::V4 => 2,
            Self::V6 => 10,
        }
    }
}

/// A part of a key that is a byte, in a word of its own.
fn word(byte: u8) -> [u8; 4] {
    [byte, 0, 0, 0]
}

/// A port, in a word of its own.
fn port(port: u16) -> Vec<u8> {
    let [high, low] = port.to_be_bytes();
    vec![high, low, 0, 0]
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

/// The address behind a subnet.
fn after(subnet: IpNet) -> Option<Vec<u8>> {
    match subnet.broadcast() {
        IpAddr::V4(last) => Some(last.to_bits().checked_add(1)?.to_be_bytes().to_vec()),
        IpAddr::V6(last) => Some(last.to_bits().checked_add(1)?.to_be_bytes().to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::super::links::{Bridge, Group, Links};
    use super::super::namespace::Namespace;
    use super::*;

    fn bridge(host: &Namespace) -> Index {
        let bridge = Bridge {
            name: "dn0",
            mac: "02:42:ac:11:00:01".parse().unwrap(),
            mtu: None,
            addresses: &[],
            ipv6: false,
            group: Group(7),
        };
        host.within(Links::open).unwrap().add_bridge(&bridge).unwrap()
    }

    #[test]
    fn the_rules_of_thousands_of_networks_are_installed_at_once() {
        let host = Namespace::new().unwrap();
        let mut firewall = host.within(Firewall::open).unwrap();
        let bridge = bridge(&host);
        let networks: Vec<_> = (0..4000_u32)
            .map(|number| {
                let [_, a, b, c] = (number * 16).to_be_bytes();
                NetworkRules {
                    bridge,
                    internal: false,
                    company: true,
                    masqueraded: vec![format!("10.{a}.{b}.{c}/28").parse().unwrap()],
                    unprotected: Vec::new(),
                }
            })
            .collect();
        firewall.install(&networks, []).unwrap();
        let listed = host.within(|| Command::new("nft").args(["list", "ruleset"]).output());
        let listed = String::from_utf8(listed.unwrap().stdout).unwrap();
        assert!(listed.contains("10.0.249.240/28"), "the last one is not in it");
    }

    #[test]
    fn what_comes_into_the_table_can_be_taken_out_of_it() {
        let host = Namespace::new().unwrap();
        let mut firewall = host.within(Firewall::open).unwrap();
        firewall.install([], []).unwrap();
        let list = || {
            let listed = host.within(|| Command::new("nft").args(["list", "ruleset"]).output());
            String::from_utf8(listed.unwrap().stdout).unwrap()
        };
        let empty = list();
        let bridge = bridge(&host);
        let network = NetworkRules {
            bridge,
            internal: true,
            company: true,
            masqueraded: vec!["10.7.0.0/24".parse().unwrap(), "fd00:7::/64".parse().unwrap()],
            unprotected: vec![L3::V6],
        };
        let opening = |to: &str, at: Option<&str>| Opening {
            protocol: Protocol::Tcp,
            to: to.parse().unwrap(),
            at: at.map(|at| at.parse().unwrap()),
        };
        let openings = [
            opening("10.7.0.2:80", Some("0.0.0.0:8080")),
            opening("10.7.0.2:80", Some("127.0.0.1:8081")),
            opening("10.7.0.2:80", None),
            opening("[fd00:7::2]:80", Some("[::]:8080")),
            opening("[fd00:7::2]:80", Some("[fd00::1]:8080")),
            opening("[fd00:7::2]:80", None),
        ];
        firewall.add_network(&network).unwrap();
        firewall.change_openings(&[], &openings).unwrap();
        let full = list();
        for part in [
            "elements = { tcp . 8080 : 10.7.0.2 . 80 }",
            "elements = { 127.0.0.1 . tcp . 8081 : 10.7.0.2 . 80 }",
            "elements = { 10.7.0.2 . tcp . 80 }",
            "elements = { tcp . 8080 : fd00:7::2 . 80 }",
            "elements = { fd00::1 . tcp . 8080 : fd00:7::2 . 80 }",
            "elements = { 10.7.0.0/24 }",
            "elements = { fd00:7::/64 }",
            "elements = { \"dn0\" . \"dn0\" }",
            "elements = { \"dn0\" . ipv6 }",
        ] {
            assert!(full.contains(part), "{part} is not in {full}");
        }
        // Installed anew, it is the same.
        firewall.install([&network], &openings).unwrap();
        assert_eq!(list(), full);
        firewall.change_openings(&openings, &[]).unwrap();
        firewall.remove_network(&network).unwrap();
        assert_eq!(list(), empty);
        firewall.uninstall().unwrap();
        assert_eq!(list(), "");
    }
}
