//! The table: its sets, its chains, and the rules that never change.

use std::net::Ipv6Addr;

use super::super::nft::{
    Base, Batch, Ct, Expr, Fib, Field, Hook, Keys, Meta, Register, Set, Table, TableFamily,
};
use super::L3;

pub(super) const TABLE: Table = Table { family: TableFamily::Inet, name: "docknet" };

/// The bridges of our networks.
pub(super) const BRIDGES: &str = "bridges";
/// Those of internal networks.
pub(super) const CLOSED: &str = "closed";
/// From which bridge to which packets may go: each to itself.
pub(super) const WITHIN: &str = "within";
/// Bridges that packets from outside may come in to, and in which family.
pub(super) const UNPROTECTED: &str = "unprotected";
/// Subnets whose packets leave with an address of the host's.
pub(super) const MASQUERADE4: &str = "masquerade4";
pub(super) const MASQUERADE6: &str = "masquerade6";
/// Ports of containers that can be reached at their own addresses.
pub(super) const OPEN4: &str = "open4";
pub(super) const OPEN6: &str = "open6";
/// Ports of every address of the host, and where they lead.
pub(super) const PUBLISHED4: &str = "published4";
pub(super) const PUBLISHED6: &str = "published6";
/// Ports of one address of the host.
pub(super) const PUBLISHED4_AT: &str = "published4_at";
pub(super) const PUBLISHED6_AT: &str = "published6_at";

const LINK: Field = Field::InterfaceIndex;
const SETS: &[Set] = &[
    set(BRIDGES, &[LINK]),
    set(CLOSED, &[LINK]),
    set(WITHIN, &[LINK, LINK]),
    set(UNPROTECTED, &[LINK, Field::Family]),
    Set { keys: Keys::Ranges, ..set(MASQUERADE4, &[Field::Ipv4]) },
    Set { keys: Keys::Ranges, ..set(MASQUERADE6, &[Field::Ipv6]) },
    set(OPEN4, &[Field::Ipv4, Field::Protocol, Field::Port]),
    set(OPEN6, &[Field::Ipv6, Field::Protocol, Field::Port]),
    map(PUBLISHED4, &[Field::Protocol, Field::Port], &[Field::Ipv4, Field::Port]),
    map(PUBLISHED6, &[Field::Protocol, Field::Port], &[Field::Ipv6, Field::Port]),
    map(PUBLISHED4_AT, &[Field::Ipv4, Field::Protocol, Field::Port], &[Field::Ipv4, Field::Port]),
    map(PUBLISHED6_AT, &[Field::Ipv6, Field::Protocol, Field::Port], &[Field::Ipv6, Field::Port]),
];

const fn set(name: &'static str, key: &'static [Field]) -> Set {
    Set { name, key, data: &[], keys: Keys::Single }
}

const fn map(name: &'static str, key: &'static [Field], data: &'static [Field]) -> Set {
    Set { name, key, data, keys: Keys::Single }
}

/// Chains that the kernel looks into.
const HOOKED: &[(&str, Hook)] = &[
    (GUARD, Hook { kind: "filter", number: PRE_ROUTING, priority: PRIORITY_RAW }),
    (ARRIVING, Hook { kind: "nat", number: PRE_ROUTING, priority: PRIORITY_NAT_DST }),
    (SENDING, Hook { kind: "nat", number: LOCAL_OUT, priority: PRIORITY_NAT_DST }),
    (INPUT, Hook { kind: "filter", number: LOCAL_IN, priority: PRIORITY_FILTER }),
    (FORWARD, Hook { kind: "filter", number: FORWARDED, priority: PRIORITY_FILTER }),
    (LEAVING, Hook { kind: "nat", number: POST_ROUTING, priority: PRIORITY_NAT_SRC }),
];
const GUARD: &str = "guard";
const ARRIVING: &str = "arriving";
const SENDING: &str = "sending";
const INPUT: &str = "input";
const FORWARD: &str = "forward";
const LEAVING: &str = "leaving";

/// Chains that others lead to.
const PUBLISH: &str = "publish";
const FROM: &str = "from";
const BETWEEN: &str = "between";
const TO: &str = "to";

/// Replaces the table by a new one with nothing in its sets.
pub(super) fn install(batch: &mut Batch) {
    // Added first, so that there is something to remove.
    batch.add_table(TABLE);
    batch.remove_table(TABLE);
    batch.add_table(TABLE);
    for set in SETS {
        batch.add_set(TABLE, set);
    }
    for chain in [PUBLISH, FROM, BETWEEN, TO] {
        batch.add_chain(TABLE, chain, None);
    }
    for (chain, hook) in HOOKED {
        batch.add_chain(TABLE, chain, Some(*hook));
    }
    guard(batch);
    publish(batch);
    input(batch);
    forward(batch);
    masquerade(batch);
}

const R0: Register = Register(0);
const R1: Register = Register(1);
/// Behind an address and two words.
const R3: Register = Register(3);
const R6: Register = Register(6);

const FROM_LINK: Expr<'static> = Expr::Meta(Meta::InputIndex, R0);
const TO_LINK: Expr<'static> = Expr::Meta(Meta::OutputIndex, R0);

/// A family, and where its headers have what.
struct Layout {
    family: L3,
    address: u32,
    source: u32,
    destination: u32,
    unspecified: &'static [u8],
    masquerade: &'static str,
    open: &'static str,
    published: &'static str,
    published_at: &'static str,
}

const LAYOUTS: [Layout; 2] = [
    Layout {
        family: L3::V4,
        address: 4,
        source: 12,
        destination: 16,
        unspecified: &[0; 4],
        masquerade: MASQUERADE4,
        open: OPEN4,
        published: PUBLISHED4,
        published_at: PUBLISHED4_AT,
    },
    Layout {
        family: L3::V6,
        address: 16,
        source: 8,
        destination: 24,
        unspecified: &[0; 16],
        masquerade: MASQUERADE6,
        open: OPEN6,
        published: PUBLISHED6,
        published_at: PUBLISHED6_AT,
    },
];

impl Layout {
    fn source(&self, into: Register) -> Expr<'static> {
        Expr::Payload { base: Base::Network, offset: self.source, length: self.address, into }
    }

    fn destination(&self, into: Register) -> Expr<'static> {
        Expr::Payload { base: Base::Network, offset: self.destination, length: self.address, into }
    }

    /// The register behind an address at the first one.
    fn behind(&self, words: u32) -> Register {
        Register(self.address / 4 + words)
    }
}

/// A rule for the packets of one family.
fn rule(batch: &mut Batch, chain: &str, family: L3, rest: &[Expr<'_>]) {
    let number = [family.number()];
    let mut rule = vec![Expr::Meta(Meta::Family, R0), Expr::Is(R0, &number)];
    rule.extend_from_slice(rest);
    batch.add_rule(TABLE, chain, &rule);
}

/// What no container may send, before anything else looks at it.
fn guard(batch: &mut Batch) {
    for layout in &LAYOUTS {
        // A source that would not be answered by the same link is not the sender's. Nobody's address is for those that have
        // none yet.
        rule(
            batch,
            GUARD,
            layout.family,
            &[
                FROM_LINK,
                Expr::In(BRIDGES, R0),
                layout.source(R0),
                Expr::IsNot(R0, layout.unspecified),
                Expr::Fib(Fib::WayBack, R0),
                Expr::Is(R0, &[0; 4]),
                Expr::Drop,
            ],
        );
    }
    // The bridges take packets for 127.0.0.1 so that published ports answer there; nobody else may send such.
    let [v4, _] = &LAYOUTS;
    rule(
        batch,
        GUARD,
        L3::V4,
        &[
            FROM_LINK,
            Expr::In(BRIDGES, R0),
            v4.destination(R0),
            Expr::And { at: R0, mask: &[255, 0, 0, 0] },
            Expr::Is(R0, &[127, 0, 0, 0]),
            Expr::Drop,
        ],
    );
}

/// Connections to ports of the host lead to containers, whether they come from outside or from the host itself.
fn publish(batch: &mut Batch) {
    let [v4, v6] = &LAYOUTS;
    // Who asks for 127.0.0.1 from elsewhere is not asking this host: a port that is published there is for the host alone.
    // The kernel refuses such packets only after this.
    rule(
        batch,
        ARRIVING,
        L3::V4,
        &[
            v4.destination(R0),
            Expr::And { at: R0, mask: &[255, 0, 0, 0] },
            Expr::Is(R0, &[127, 0, 0, 0]),
            Expr::Return,
        ],
    );
    batch.add_rule(TABLE, ARRIVING, &[Expr::Jump(PUBLISH)]);
    batch.add_rule(TABLE, SENDING, &[Expr::Jump(PUBLISH)]);
    // The kernel takes no packet for ::1 that comes in by another link, as answers would. So nothing leads from there: it is
    // refused at once, and who asked for `localhost` goes on to 127.0.0.1.
    let localhost = Ipv6Addr::LOCALHOST.octets();
    rule(batch, PUBLISH, L3::V6, &[v6.destination(R0), Expr::Is(R0, &localhost), Expr::Return]);
    for layout in &LAYOUTS {
        let family = layout.family.number();
        let protocol = |into| Expr::Meta(Meta::L4Protocol, into);
        let port = |into| Expr::Payload { base: Base::Transport, offset: 2, length: 2, into };
        let into = match layout.family {
            L3::V4 => R3,
            L3::V6 => R6,
        };
        let redirect =
            Expr::Redirect { family, address: into, port: Register(into.0 + layout.address / 4) };
        rule(
            batch,
            PUBLISH,
            layout.family,
            &[
                layout.destination(R0),
                protocol(layout.behind(0)),
                port(layout.behind(1)),
                Expr::Find { map: layout.published_at, key: R0, into },
                redirect,
            ],
        );
        rule(
            batch,
            PUBLISH,
            layout.family,
            &[
                Expr::Fib(Fib::DestinationKind, R0),
                Expr::Is(R0, &RTN_LOCAL.to_ne_bytes()),
                protocol(R0),
                port(R1),
                Expr::Find { map: layout.published, key: R0, into },
                redirect,
            ],
        );
    }
}

/// From an internal network, the host has the one address that it has there.
fn input(batch: &mut Batch) {
    batch.add_rule(
        TABLE,
        INPUT,
        &[
            FROM_LINK,
            Expr::In(CLOSED, R0),
            Expr::Fib(Fib::DestinationKind, R0),
            Expr::Is(R0, &RTN_LOCAL.to_ne_bytes()),
            Expr::Fib(Fib::DestinationKindHere, R0),
            Expr::IsNot(R0, &RTN_LOCAL.to_ne_bytes()),
            Expr::Drop,
        ],
    );
}

fn forward(batch: &mut Batch) {
    let mut add = |chain, rule: &[Expr<'_>]| batch.add_rule(TABLE, chain, rule);
    let published = [
        Expr::Ct(Ct::Status, R0),
        Expr::And { at: R0, mask: &DNAT.to_ne_bytes() },
        Expr::IsNot(R0, &[0; 4]),
        Expr::Accept,
    ];
    let known = [
        Expr::Ct(Ct::State, R0),
        Expr::And { at: R0, mask: &KNOWN.to_ne_bytes() },
        Expr::IsNot(R0, &[0; 4]),
        Expr::Accept,
    ];
    add(FORWARD, &[FROM_LINK, Expr::In(BRIDGES, R0), Expr::Goto(FROM)]);
    add(FORWARD, &[TO_LINK, Expr::In(BRIDGES, R0), Expr::Goto(TO)]);

    // A packet of one of our networks.
    add(FROM, &[TO_LINK, Expr::In(BRIDGES, R0), Expr::Goto(BETWEEN)]);
    add(FROM, &[FROM_LINK, Expr::In(CLOSED, R0), Expr::Drop]);
    add(FROM, &[Expr::Accept]);

    // From one of our networks to one of them: within one, which is seen here only where bridges call the firewall, or to a
    // port that is published.
    add(
        BETWEEN,
        &[FROM_LINK, Expr::Meta(Meta::OutputIndex, R1), Expr::In(WITHIN, R0), Expr::Accept],
    );
    add(BETWEEN, &[FROM_LINK, Expr::In(CLOSED, R0), Expr::Drop]);
    add(BETWEEN, &[TO_LINK, Expr::In(CLOSED, R0), Expr::Drop]);
    add(BETWEEN, &published);
    add(BETWEEN, &[Expr::Drop]);

    // From outside to one of our networks.
    add(TO, &[TO_LINK, Expr::In(CLOSED, R0), Expr::Drop]);
    add(TO, &known);
    add(TO, &published);
    add(TO, &[TO_LINK, Expr::Meta(Meta::Family, R1), Expr::In(UNPROTECTED, R0), Expr::Accept]);
    for layout in &LAYOUTS {
        let (protocol, port) = (layout.behind(0), layout.behind(1));
        rule(
            batch,
            TO,
            layout.family,
            &[
                layout.destination(R0),
                Expr::Meta(Meta::L4Protocol, protocol),
                Expr::Payload { base: Base::Transport, offset: 2, length: 2, into: port },
                Expr::In(layout.open, R0),
                Expr::Accept,
            ],
        );
    }
    batch.add_rule(TABLE, TO, &[Expr::Drop]);
}

fn masquerade(batch: &mut Batch) {
    for layout in &LAYOUTS {
        // What stays among our networks keeps its address,
        rule(
            batch,
            LEAVING,
            layout.family,
            &[
                layout.source(R0),
                Expr::In(layout.masquerade, R0),
                TO_LINK,
                Expr::NotIn(BRIDGES, R0),
                Expr::Masquerade,
            ],
        );
        // unless it asked for a port of the host's: then the answer has to come back by the host.
        rule(
            batch,
            LEAVING,
            layout.family,
            &[
                Expr::Ct(Ct::Status, R0),
                Expr::And { at: R0, mask: &DNAT.to_ne_bytes() },
                Expr::IsNot(R0, &[0; 4]),
                layout.source(R0),
                Expr::In(layout.masquerade, R0),
                TO_LINK,
                Expr::In(BRIDGES, R0),
                Expr::Masquerade,
            ],
        );
    }
    // Nobody can answer 127.0.0.1.
    let [v4, _] = &LAYOUTS;
    rule(
        batch,
        LEAVING,
        L3::V4,
        &[
            v4.source(R0),
            Expr::And { at: R0, mask: &[255, 0, 0, 0] },
            Expr::Is(R0, &[127, 0, 0, 0]),
            TO_LINK,
            Expr::In(BRIDGES, R0),
            Expr::Masquerade,
        ],
    );
}

// linux/netfilter.h, linux/netfilter_ipv4.h, linux/netfilter/nf_conntrack_common.h, linux/rtnetlink.h
const PRE_ROUTING: u32 = 0;
const LOCAL_IN: u32 = 1;
const FORWARDED: u32 = 2;
const LOCAL_OUT: u32 = 3;
const POST_ROUTING: u32 = 4;
const PRIORITY_RAW: i32 = -300;
const PRIORITY_NAT_DST: i32 = -100;
const PRIORITY_FILTER: i32 = 0;
const PRIORITY_NAT_SRC: i32 = 100;
/// An address of this host.
const RTN_LOCAL: u32 = 2;
/// `established` or `related`, as `nft` counts them.
const KNOWN: u32 = 0x2 | 0x4;
/// The destination was changed: a published port.
const DNAT: u32 = 1 << 5;
