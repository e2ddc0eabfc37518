//! nf_tables: rules as values, and batches of changes that happen as one.

use std::ffi::CStr;
use std::io;

use netlink_bindings::nftables::{
    Chained, Nfgenmsg, PushDataAttrs, PushExprAttrs, PushExprListAttrs, Request,
};
use netlink_bindings::utils::{Pusher, finalize_nested_header, push_nested_header};

use super::netlink::{Family, Netlink, Refused};

/// The kernel's nf_tables, of the namespace in which this was opened.
#[derive(Debug)]
pub(crate) struct Nft {
    netlink: Netlink,
    sequence: u32,
}

/// A table of a family, by its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    pub(crate) family: TableFamily,
    pub(crate) name: &'static CStr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TableFamily {
    Bridge,
    Inet,
}

/// Changes that are made together, or not at all.
#[derive(Debug)]
pub(crate) struct Batch {
    chain: Chained<'static>,
    sets: u32,
}

/// Where the kernel looks into a chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hook {
    pub(crate) kind: &'static CStr,
    pub(crate) number: u32,
    pub(crate) priority: i32,
}

/// A set of keys, or a map from keys to data.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Set {
    pub(crate) name: &'static CStr,
    pub(crate) key: &'static [Field],
    pub(crate) data: &'static [Field],
    /// Keys are ranges, and do not overlap.
    pub(crate) ranges: bool,
}

/// A part of a key: what it is to whoever lists it, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    InterfaceIndex,
    Ipv4,
    Ipv6,
    Mac,
    Port,
    Protocol,
}

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
    /// What kind of address the destination is to this host.
    DestinationKind(Register),
    And {
        at: Register,
        mask: &'a [u8],
    },
    Is(Register, &'a [u8]),
    IsNot(Register, &'a [u8]),
    In(&'a CStr, Register),
    NotIn(&'a CStr, Register),
    /// Looks a key up in a map; the data is there from `into` on.
    Find {
        map: &'a CStr,
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
    Accept,
    Drop,
    Return,
    Goto(&'a CStr),
    Jump(&'a CStr),
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
    LinkLayer,
    Network,
    Transport,
}

impl Nft {
    pub(crate) fn open() -> io::Result<Self> {
        Ok(Self { netlink: Netlink::open(Family::Netfilter)?, sequence: 0 })
    }

    pub(crate) fn batch(&mut self) -> Batch {
        let mut chain = Chained::new(self.sequence);
        // The subsystem that the batch is for stands where others have a resource.
        chain.request().op_batch_begin_do(&Nfgenmsg {
            _res_id_be: NFNL_SUBSYS_NFTABLES.to_be(),
            ..Default::default()
        });
        Batch { chain, sets: 0 }
    }

    pub(crate) fn commit(&mut self, doing: &'static str, mut batch: Batch) -> Result<(), Refused> {
        batch.chain.request().op_batch_end_do(&Nfgenmsg {
            _res_id_be: NFNL_SUBSYS_NFTABLES.to_be(),
            ..Default::default()
        });
        self.sequence = self.sequence.wrapping_add(1 << 16);
        self.netlink.transact(doing, &batch.chain.finalize())
    }
}

impl Batch {
    pub(crate) fn add_table(&mut self, table: Table) -> &mut Self {
        self.chain
            .request()
            .set_create()
            .op_newtable_do(&table.head())
            .encode()
            .push_name(table.name)
            .push_flags(0);
        self
    }

    /// With all that is in it.
    pub(crate) fn remove_table(&mut self, table: Table) -> &mut Self {
        self.chain.request().op_deltable_do(&table.head()).encode().push_name(table.name);
        self
    }

    pub(crate) fn add_chain(&mut self, table: Table, name: &CStr, hook: Option<Hook>) -> &mut Self {
        let mut request = self.chain.request().set_create().op_newchain_do(&table.head());
        let attributes = request.encode().push_table(table.name).push_name(name);
        drop(match hook {
            Some(hook) => attributes
                .push_type(hook.kind)
                .push_policy(NF_ACCEPT)
                .nested_hook()
                .push_num(hook.number)
                .push_priority(hook.priority)
                .end_nested(),
            None => attributes,
        });
        drop(request);
        self
    }

    pub(crate) fn add_rule(&mut self, table: Table, chain: &CStr, rule: &[Expr<'_>]) -> &mut Self {
        let mut request =
            self.chain.request().set_create().set_append().op_newrule_do(&table.head());
        let mut all =
            request.encode().push_table(table.name).push_chain(chain).nested_expressions();
        for expr in rule {
            all = expr.push(all);
        }
        drop(all);
        drop(request);
        self
    }

    pub(crate) fn add_set(&mut self, table: Table, set: &Set) -> &mut Self {
        self.sets += 1;
        let mut flags = 0;
        if set.ranges {
            flags |= NFT_SET_INTERVAL;
        }
        if set.key.len() > 1 {
            flags |= NFT_SET_CONCAT;
        }
        if !set.data.is_empty() {
            flags |= NFT_SET_MAP;
        }
        let mut request = self.chain.request().set_create().op_newset_do(&table.head());
        let mut attributes = request
            .encode()
            .push_table(table.name)
            .push_name(set.name)
            .push_id(self.sets)
            .push_flags(flags)
            .push_key_type(kind(set.key))
            .push_key_len(length(set.key));
        if !set.data.is_empty() {
            attributes = attributes.push_data_type(kind(set.data)).push_data_len(length(set.data));
        }
        if set.key.len() > 1 {
            let mut parts = attributes.nested_desc().nested_concat();
            for field in set.key {
                parts = parts.nested_elem().push_len(field.length()).end_nested();
            }
            attributes = parts.end_nested().end_nested();
        }
        drop(attributes);
        drop(request);
        self
    }

    pub(crate) fn add_element(
        &mut self,
        table: Table,
        set: &CStr,
        key: &[u8],
        data: &[u8],
    ) -> &mut Self {
        let mut request = self.chain.request().set_create().op_newsetelem_do(&table.head());
        let element = request
            .encode()
            .push_table(table.name)
            .push_set(set)
            .nested_elements()
            .nested_elem()
            .nested_key()
            .push_value(key)
            .end_nested();
        drop(match data {
            [] => element,
            data => element.nested_data().push_value(data).end_nested(),
        });
        drop(request);
        self
    }

    /// A range of keys: the first, and the one after the last.
    pub(crate) fn add_range(
        &mut self,
        table: Table,
        set: &CStr,
        first: &[u8],
        end: Option<&[u8]>,
    ) -> &mut Self {
        let mut request = self.chain.request().set_create().op_newsetelem_do(&table.head());
        let mut elements = request
            .encode()
            .push_table(table.name)
            .push_set(set)
            .nested_elements()
            .nested_elem()
            .nested_key()
            .push_value(first)
            .end_nested()
            .end_nested();
        if let Some(end) = end {
            elements = elements
                .nested_elem()
                .push_flags(&NFT_SET_ELEM_INTERVAL_END.to_be_bytes())
                .nested_key()
                .push_value(end)
                .end_nested()
                .end_nested();
        }
        drop(elements);
        drop(request);
        self
    }

    pub(crate) fn remove_element(&mut self, table: Table, set: &CStr, key: &[u8]) -> &mut Self {
        let mut request = self.chain.request().op_delsetelem_do(&table.head());
        request
            .encode()
            .push_table(table.name)
            .push_set(set)
            .nested_elements()
            .nested_elem()
            .nested_key()
            .push_value(key);
        self
    }

    pub(crate) fn remove_range(
        &mut self,
        table: Table,
        set: &CStr,
        first: &[u8],
        end: Option<&[u8]>,
    ) -> &mut Self {
        let mut request = self.chain.request().op_delsetelem_do(&table.head());
        let mut elements = request
            .encode()
            .push_table(table.name)
            .push_set(set)
            .nested_elements()
            .nested_elem()
            .nested_key()
            .push_value(first)
            .end_nested()
            .end_nested();
        if let Some(end) = end {
            elements = elements
                .nested_elem()
                .push_flags(&NFT_SET_ELEM_INTERVAL_END.to_be_bytes())
                .nested_key()
                .push_value(end)
                .end_nested()
                .end_nested();
        }
        drop(elements);
        drop(request);
        self
    }
}

impl Expr<'_> {
    fn push<P: Pusher>(self, all: PushExprListAttrs<P>) -> PushExprListAttrs<P> {
        let one = all.nested_elem();
        match self {
            Self::Meta(meta, into) => one
                .nested_data_meta()
                .push_key(meta.key())
                .push_dreg(into.number())
                .end_nested()
                .end_nested(),
            Self::Ct(ct, into) => one
                .nested_data_ct()
                .push_key(ct.key())
                .push_dreg(into.number())
                .end_nested()
                .end_nested(),
            Self::Payload { base, offset, length, into } => one
                .nested_data_payload()
                .push_dreg(into.number())
                .push_base(base.number())
                .push_offset(offset)
                .push_len(length)
                .end_nested()
                .end_nested(),
            Self::DestinationKind(into) => one
                .nested_data_fib()
                .push_dreg(into.number())
                .push_result(NFT_FIB_RESULT_ADDRTYPE)
                .push_flags(NFTA_FIB_F_DADDR)
                .end_nested()
                .end_nested(),
            Self::And { at, mask } => {
                let bits = one
                    .nested_data_bitwise()
                    .push_sreg(at.number())
                    .push_dreg(at.number())
                    .push_len(u32::try_from(mask.len()).unwrap_or(u32::MAX))
                    .nested_mask()
                    .push_value(mask)
                    .end_nested();
                bits.nested_xor()
                    .push_value(ZEROES.get(..mask.len()).unwrap_or_default())
                    .end_nested()
                    .end_nested()
                    .end_nested()
            }
            Self::Is(at, value) => compare(one, at, NFT_CMP_EQ, value),
            Self::IsNot(at, value) => compare(one, at, NFT_CMP_NEQ, value),
            Self::In(set, at) => one
                .nested_data_lookup()
                .push_set(set)
                .push_sreg(at.number())
                .end_nested()
                .end_nested(),
            Self::NotIn(set, at) => one
                .nested_data_lookup()
                .push_set(set)
                .push_sreg(at.number())
                .push_flags(NFT_LOOKUP_F_INV)
                .end_nested()
                .end_nested(),
            Self::Find { map, key, into } => one
                .nested_data_lookup()
                .push_set(map)
                .push_sreg(key.number())
                .push_dreg(into.number())
                .end_nested()
                .end_nested(),
            Self::Masquerade => {
                // The specification that the messages are made from has no data for it, and none is needed.
                let mut one = one.push_name(c"masq");
                let at = push_nested_header(one.as_vec_mut(), NFTA_EXPR_DATA);
                finalize_nested_header(one.as_vec_mut(), at);
                one.end_nested()
            }
            Self::Redirect { family, address, port } => one
                .nested_data_nat()
                .push_type(NFT_NAT_DNAT)
                .push_family(family.into())
                .push_reg_addr_min(address.number())
                .push_reg_proto_min(port.number())
                .end_nested()
                .end_nested(),
            Self::Accept => verdict(one, NF_ACCEPT, None),
            Self::Drop => verdict(one, NF_DROP, None),
            Self::Return => verdict(one, NFT_RETURN, None),
            Self::Goto(chain) => verdict(one, NFT_GOTO, Some(chain)),
            Self::Jump(chain) => verdict(one, NFT_JUMP, Some(chain)),
        }
    }
}

fn compare<P: Pusher>(one: PushExprAttrs<P>, at: Register, how: u32, value: &[u8]) -> P {
    let data: PushDataAttrs<_> =
        one.nested_data_cmp().push_sreg(at.number()).push_op(how).nested_data();
    data.push_value(value).end_nested().end_nested().end_nested()
}

fn verdict<P: Pusher>(one: PushExprAttrs<P>, code: u32, chain: Option<&CStr>) -> P {
    let verdict = one
        .nested_data_immediate()
        .push_dreg(NFT_REG_VERDICT)
        .nested_data()
        .nested_verdict()
        .push_code(code);
    let verdict = match chain {
        Some(chain) => verdict.push_chain(chain),
        None => verdict,
    };
    verdict.end_nested().end_nested().end_nested().end_nested()
}

impl Table {
    fn head(self) -> Nfgenmsg {
        let family = match self.family {
            TableFamily::Bridge => NFPROTO_BRIDGE,
            TableFamily::Inet => NFPROTO_INET,
        };
        Nfgenmsg { nfgen_family: family, ..Default::default() }
    }
}

impl Register {
    fn number(self) -> u32 {
        NFT_REG32_00 + self.0
    }
}

impl Field {
    /// As `nft` numbers its types: only for those who list.
    fn kind(self) -> u32 {
        match self {
            Self::InterfaceIndex => 20,
            Self::Ipv4 => 7,
            Self::Ipv6 => 8,
            Self::Mac => 9,
            Self::Port => 13,
            Self::Protocol => 12,
        }
    }

    fn length(self) -> u32 {
        match self {
            Self::InterfaceIndex | Self::Ipv4 => 4,
            Self::Ipv6 => 16,
            Self::Mac => 6,
            Self::Port => 2,
            Self::Protocol => 1,
        }
    }
}

/// Six bits a type, as `nft` has it.
fn kind(fields: &[Field]) -> u32 {
    fields.iter().fold(0, |kinds, field| kinds << 6 | field.kind())
}

/// Each part of a key takes whole registers.
fn length(fields: &[Field]) -> u32 {
    match fields {
        [one] => one.length(),
        several => several.iter().map(|field| field.length().next_multiple_of(4)).sum(),
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
            Self::LinkLayer => 0,
            Self::Network => 1,
            Self::Transport => 2,
        }
    }
}

static ZEROES: [u8; 16] = [0; 16];

// linux/netfilter.h, linux/netfilter/nfnetlink.h, linux/netfilter/nf_tables.h
const NFNL_SUBSYS_NFTABLES: u16 = 10;
const NFPROTO_INET: u8 = 1;
const NFPROTO_BRIDGE: u8 = 7;
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
const NFT_SET_INTERVAL: u32 = 0x4;
const NFT_SET_MAP: u32 = 0x8;
const NFT_SET_CONCAT: u32 = 0x80;
const NFT_SET_ELEM_INTERVAL_END: u32 = 1;
const NFT_FIB_RESULT_ADDRTYPE: u32 = 3;
const NFTA_FIB_F_DADDR: u32 = 2;
const NFT_NAT_DNAT: u32 = 1;
const NFTA_EXPR_DATA: u16 = 2;
