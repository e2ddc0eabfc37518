//! What rules do, and how it is written.

use super::super::message::Messages;

/// A 32-bit register; longer values take those that follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Register(pub(crate) u32);

/// One thing that a rule does, or asks of a packet. A rule goes on as long as what it asks holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expr<'a> {
    Meta(Meta, Register),
    Ct(Ct, Register),
    Payload {
        base: Base,
        offset: u32,
        length: u32,
        into: Register,
    },
    Fib(Fib, Register),
    /// A value of its own.
    Value(&'a [u8], Register),
    And {
        at: Register,
        mask: &'a [u8],
    },
    Is(Register, &'a [u8]),
    IsNot(Register, &'a [u8]),
    In(&'a str, Register),
    NotIn(&'a str, Register),
    /// Looks a key up in a map; the data is there from `into` on.
    Find {
        map: &'a str,
        key: Register,
        into: Register,
    },
    Masquerade,
    /// A new destination: an address of this family, and a port.
    Redirect {
        family: u8,
        address: Register,
        port: Register,
    },
    /// A new port, at the same address.
    RedirectPort {
        family: u8,
        port: Register,
    },
    Accept,
    Drop,
    Return,
    Goto(&'a str),
    Jump(&'a str),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Meta {
    L4Protocol,
    /// `nfproto`
    Family,
    InputIndex,
    OutputIndex,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Ct {
    State,
    Status,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Base {
    Network,
    Transport,
}

/// What the routes say of a packet.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fib {
    /// What kind of address the destination is to this host.
    DestinationKind,
    /// The same, to the link that it came in by.
    DestinationKindHere,
    /// The link by which its source is reached, if that is the one that it came in by; else zero.
    WayBack,
}

impl Expr<'_> {
    pub(super) fn write(&self, message: &mut Messages) {
        match *self {
            Self::Meta(meta, into) => expr(message, "meta", |message| {
                message.big(NFTA_META_KEY, meta.key());
                message.big(NFTA_META_DREG, into.number());
            }),
            Self::Ct(ct, into) => expr(message, "ct", |message| {
                message.big(NFTA_CT_KEY, ct.key());
                message.big(NFTA_CT_DREG, into.number());
            }),
            Self::Payload { base, offset, length, into } => expr(message, "payload", |message| {
                message.big(NFTA_PAYLOAD_DREG, into.number());
                message.big(NFTA_PAYLOAD_BASE, base.number());
                message.big(NFTA_PAYLOAD_OFFSET, offset);
                message.big(NFTA_PAYLOAD_LEN, length);
            }),
            Self::Fib(fib, into) => expr(message, "fib", |message| {
                let (result, flags) = fib.asked();
                message.big(NFTA_FIB_DREG, into.number());
                message.big(NFTA_FIB_RESULT, result);
                message.big(NFTA_FIB_FLAGS, flags);
            }),
            Self::Value(value, into) => expr(message, "immediate", |message| {
                message.big(NFTA_IMMEDIATE_DREG, into.number());
                data(message, NFTA_IMMEDIATE_DATA, value);
            }),
            Self::And { at, mask } => expr(message, "bitwise", |message| {
                message.big(NFTA_BITWISE_SREG, at.number());
                message.big(NFTA_BITWISE_DREG, at.number());
                message.big(NFTA_BITWISE_LEN, u32::try_from(mask.len()).unwrap_or(u32::MAX));
                data(message, NFTA_BITWISE_MASK, mask);
                data(message, NFTA_BITWISE_XOR, ZEROES.get(..mask.len()).unwrap_or_default());
            }),
            Self::Is(at, value) => compare(message, at, NFT_CMP_EQ, value),
            Self::IsNot(at, value) => compare(message, at, NFT_CMP_NEQ, value),
            Self::In(set, at) => lookup(message, set, at, |_| {}),
            Self::NotIn(set, at) => lookup(message, set, at, |message| {
                message.big(NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
            }),
            Self::Find { map, key, into } => lookup(message, map, key, |message| {
                message.big(NFTA_LOOKUP_DREG, into.number());
            }),
            Self::Masquerade => expr(message, "masq", |_| {}),
            Self::Redirect { family, address, port } => expr(message, "nat", |message| {
                message.big(NFTA_NAT_TYPE, NFT_NAT_DNAT);
                message.big(NFTA_NAT_FAMILY, family.into());
                message.big(NFTA_NAT_REG_ADDR_MIN, address.number());
                message.big(NFTA_NAT_REG_PROTO_MIN, port.number());
            }),
            Self::RedirectPort { family, port } => expr(message, "nat", |message| {
                message.big(NFTA_NAT_TYPE, NFT_NAT_DNAT);
                message.big(NFTA_NAT_FAMILY, family.into());
                message.big(NFTA_NAT_REG_PROTO_MIN, port.number());
            }),
            Self::Accept => verdict(message, NF_ACCEPT, None),
            Self::Drop => verdict(message, NF_DROP, None),
            Self::Return => verdict(message, NFT_RETURN, None),
            Self::Goto(chain) => verdict(message, NFT_GOTO, Some(chain)),
            Self::Jump(chain) => verdict(message, NFT_JUMP, Some(chain)),
        }
    }
}

fn expr(message: &mut Messages, name: &str, write: impl FnOnce(&mut Messages)) {
    message.text(NFTA_EXPR_NAME, name);
    message.nest(NFTA_EXPR_DATA, write);
}

fn data(message: &mut Messages, kind: u16, value: &[u8]) {
    message.nest(kind, |message| message.bytes(NFTA_DATA_VALUE, value));
}

fn compare(message: &mut Messages, at: Register, how: u32, value: &[u8]) {
    expr(message, "cmp", |message| {
        message.big(NFTA_CMP_SREG, at.number());
        message.big(NFTA_CMP_OP, how);
        data(message, NFTA_CMP_DATA, value);
    });
}

fn lookup(message: &mut Messages, set: &str, at: Register, write: impl FnOnce(&mut Messages)) {
    expr(message, "lookup", |message| {
        message.text(NFTA_LOOKUP_SET, set);
        message.big(NFTA_LOOKUP_SREG, at.number());
        write(message);
    });
}

fn verdict(message: &mut Messages, code: u32, chain: Option<&str>) {
    expr(message, "immediate", |message| {
        message.big(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
        message.nest(NFTA_IMMEDIATE_DATA, |message| {
            message.nest(NFTA_DATA_VERDICT, |message| {
                message.big(NFTA_VERDICT_CODE, code);
                if let Some(chain) = chain {
                    message.text(NFTA_VERDICT_CHAIN, chain);
                }
            });
        });
    });
}

impl Register {
    fn number(self) -> u32 {
        NFT_REG32_00 + self.0
    }
}

impl Meta {
    fn key(self) -> u32 {
        match self {
            Self::InputIndex => 4,
            Self::OutputIndex => 5,
            Self::Family => 15,
            Self::L4Protocol => 16,
        }
    }
}

impl Ct {
    fn key(self) -> u32 {
        match self {
            Self::State => 0,
            Self::Status => 2,
        }
    }
}

impl Base {
    fn number(self) -> u32 {
        match self {
            Self::Network => 1,
            Self::Transport => 2,
        }
    }
}

impl Fib {
    fn asked(self) -> (u32, u32) {
        match self {
            Self::DestinationKind => (NFT_FIB_RESULT_ADDRTYPE, NFTA_FIB_F_DADDR),
            Self::DestinationKindHere => {
                (NFT_FIB_RESULT_ADDRTYPE, NFTA_FIB_F_DADDR | NFTA_FIB_F_IIF)
            }
            Self::WayBack => (NFT_FIB_RESULT_OIF, NFTA_FIB_F_SADDR | NFTA_FIB_F_IIF),
        }
    }
}

static ZEROES: [u8; 16] = [0; 16];

// linux/netfilter.h, linux/netfilter/nf_tables.h
const NF_DROP: u32 = 0;
const NF_ACCEPT: u32 = 1;
const NFT_RETURN: u32 = (-5_i32).cast_unsigned();
const NFT_GOTO: u32 = (-4_i32).cast_unsigned();
const NFT_JUMP: u32 = (-3_i32).cast_unsigned();
const NFT_REG_VERDICT: u32 = 0;
const NFT_REG32_00: u32 = 8;
const NFT_CMP_EQ: u32 = 0;
const NFT_CMP_NEQ: u32 = 1;
const NFT_LOOKUP_F_INV: u32 = 1;
const NFT_FIB_RESULT_OIF: u32 = 1;
const NFT_FIB_RESULT_ADDRTYPE: u32 = 3;
const NFTA_FIB_F_SADDR: u32 = 1;
const NFTA_FIB_F_DADDR: u32 = 2;
const NFTA_FIB_F_IIF: u32 = 8;
const NFT_NAT_DNAT: u32 = 1;
const NFTA_EXPR_NAME: u16 = 1;
const NFTA_EXPR_DATA: u16 = 2;
const NFTA_DATA_VALUE: u16 = 1;
const NFTA_DATA_VERDICT: u16 = 2;
const NFTA_VERDICT_CODE: u16 = 1;
const NFTA_VERDICT_CHAIN: u16 = 2;
const NFTA_IMMEDIATE_DREG: u16 = 1;
const NFTA_IMMEDIATE_DATA: u16 = 2;
const NFTA_BITWISE_SREG: u16 = 1;
const NFTA_BITWISE_DREG: u16 = 2;
const NFTA_BITWISE_LEN: u16 = 3;
const NFTA_BITWISE_MASK: u16 = 4;
const NFTA_BITWISE_XOR: u16 = 5;
const NFTA_CMP_SREG: u16 = 1;
const NFTA_CMP_OP: u16 = 2;
const NFTA_CMP_DATA: u16 = 3;
const NFTA_LOOKUP_SET: u16 = 1;
const NFTA_LOOKUP_SREG: u16 = 2;
const NFTA_LOOKUP_DREG: u16 = 3;
const NFTA_LOOKUP_FLAGS: u16 = 5;
const NFTA_PAYLOAD_DREG: u16 = 1;
const NFTA_PAYLOAD_BASE: u16 = 2;
const NFTA_PAYLOAD_OFFSET: u16 = 3;
const NFTA_PAYLOAD_LEN: u16 = 4;
const NFTA_META_DREG: u16 = 1;
const NFTA_META_KEY: u16 = 2;
const NFTA_CT_DREG: u16 = 1;
const NFTA_CT_KEY: u16 = 2;
const NFTA_FIB_DREG: u16 = 1;
const NFTA_FIB_RESULT: u16 = 2;
const NFTA_FIB_FLAGS: u16 = 3;
const NFTA_NAT_TYPE: u16 = 1;
const NFTA_NAT_FAMILY: u16 = 2;
const NFTA_NAT_REG_ADDR_MIN: u16 = 3;
const NFTA_NAT_REG_PROTO_MIN: u16 = 5;
