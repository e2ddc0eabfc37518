//! nf_tables: batches of changes that happen as one, or not at all.

mod expr;

use std::io;

pub(crate) use self::expr::{Base, Ct, Expr, Fib, Meta, Register};
use super::message::Messages;
use super::netlink::{Family, Netlink, Refused};

/// The kernel's nf_tables, of the namespace in which this was opened.
#[derive(Debug)]
pub(crate) struct Nft(Netlink);

/// A table of a family, by its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    pub(crate) family: TableFamily,
    pub(crate) name: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TableFamily {
    /// IPv4 and IPv6.
    Inet,
    Ipv4,
}

/// Where the kernel looks into a chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hook {
    pub(crate) kind: &'static str,
    pub(crate) number: u32,
    pub(crate) priority: i32,
}

/// A set of keys, or a map from keys to data.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Set {
    pub(crate) name: &'static str,
    pub(crate) key: &'static [Field],
    pub(crate) data: &'static [Field],
    pub(crate) keys: Keys,
}

/// What the keys of a set are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    Single,
    /// They do not overlap.
    Ranges,
}

/// A part of a key: what it is to whoever lists it, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    InterfaceIndex,
    Ipv4,
    Ipv6,
    Port,
    /// Of layer 3.
    Family,
    /// Of layer 4.
    Protocol,
}

/// Changes that are made together, or not at all.
#[derive(Debug, Default)]
pub(crate) struct Batch(Messages);

impl Nft {
    pub(crate) fn open() -> io::Result<Self> {
        Ok(Self(Netlink::open(Family::Netfilter)?))
    }

    /// The number of its socket.
    pub(crate) fn port(&self) -> io::Result<u32> {
        self.0.port()
    }

    /// Makes all changes of a batch, or none.
    pub(crate) fn commit(&mut self, doing: &'static str, batch: &Batch) -> Result<(), Refused> {
        if batch.0.count() == 0 {
            return Ok(());
        }
        let bound = head(0, NFNL_SUBSYS_NFTABLES);
        let mut whole = Messages::default();
        whole.framed(NFNL_MSG_BATCH_BEGIN, 0, &bound, |_| {});
        whole.append(&batch.0);
        whole.framed(NFNL_MSG_BATCH_END, 0, &bound, |_| {});
        self.0.transact(doing, whole)
    }
}

impl Batch {
    pub(crate) fn add_table(&mut self, table: Table) {
        change(&mut self.0, NFT_MSG_NEWTABLE, NLM_F_CREATE, table, |message| {
            message.text(NFTA_TABLE_NAME, table.name);
        });
    }

    /// With all that is in it.
    pub(crate) fn remove_table(&mut self, table: Table) {
        change(&mut self.0, NFT_MSG_DELTABLE, 0, table, |message| {
            message.text(NFTA_TABLE_NAME, table.name);
        });
    }

    pub(crate) fn add_chain(&mut self, table: Table, name: &str, hook: Option<Hook>) {
        change(&mut self.0, NFT_MSG_NEWCHAIN, NLM_F_CREATE, table, |message| {
            message.text(NFTA_CHAIN_TABLE, table.name);
            message.text(NFTA_CHAIN_NAME, name);
            if let Some(hook) = hook {
                message.nest(NFTA_CHAIN_HOOK, |message| {
                    message.big(NFTA_HOOK_HOOKNUM, hook.number);
                    message.big(NFTA_HOOK_PRIORITY, hook.priority.cast_unsigned());
                });
                message.text(NFTA_CHAIN_TYPE, hook.kind);
            }
        });
    }

    pub(crate) fn add_rule(&mut self, table: Table, chain: &str, rule: &[Expr<'_>]) {
        change(&mut self.0, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, table, |message| {
            message.text(NFTA_RULE_TABLE, table.name);
            message.text(NFTA_RULE_CHAIN, chain);
            message.nest(NFTA_RULE_EXPRESSIONS, |message| {
                for expr in rule {
                    message.nest(NFTA_LIST_ELEM, |message| expr.write(message));
                }
            });
        });
    }

    pub(crate) fn add_set(&mut self, table: Table, set: &Set) {
        let id = self.0.count();
        change(&mut self.0, NFT_MSG_NEWSET, NLM_F_CREATE, table, |message| {
            let mut flags = 0;
            if set.keys == Keys::Ranges {
                flags |= NFT_SET_INTERVAL;
            }
            if set.key.len() > 1 {
                flags |= NFT_SET_CONCAT;
            }
            if !set.data.is_empty() {
                flags |= NFT_SET_MAP;
            }
            message.text(NFTA_SET_TABLE, table.name);
            message.text(NFTA_SET_NAME, set.name);
            message.big(NFTA_SET_ID, id);
            message.big(NFTA_SET_FLAGS, flags);
            message.big(NFTA_SET_KEY_TYPE, kind(set.key));
            message.big(NFTA_SET_KEY_LEN, length(set.key));
            if !set.data.is_empty() {
                message.big(NFTA_SET_DATA_TYPE, kind(set.data));
                message.big(NFTA_SET_DATA_LEN, length(set.data));
            }
            if set.key.len() > 1 {
                message.nest(NFTA_SET_DESC, |message| {
                    message.nest(NFTA_SET_DESC_CONCAT, |message| {
                        for field in set.key {
                            message.nest(NFTA_LIST_ELEM, |message| {
                                message.big(NFTA_SET_FIELD_LEN, field.length());
                            });
                        }
                    });
                });
            }
        });
    }

    /// `data` is empty for a set that is no map.
    pub(crate) fn add_element(&mut self, table: Table, set: &str, key: &[u8], data: &[u8]) {
        self.elements(NFT_MSG_NEWSETELEM, NLM_F_CREATE, table, set, |message| {
            message.nest(NFTA_LIST_ELEM, |message| {
                message.nest(NFTA_SET_ELEM_KEY, |message| message.bytes(NFTA_DATA_VALUE, key));
                if !data.is_empty() {
                    message
                        .nest(NFTA_SET_ELEM_DATA, |message| message.bytes(NFTA_DATA_VALUE, data));
                }
            });
        });
    }

    pub(crate) fn remove_element(&mut self, table: Table, set: &str, key: &[u8]) {
        self.elements(NFT_MSG_DELSETELEM, 0, table, set, |message| {
            message.nest(NFTA_LIST_ELEM, |message| {
                message.nest(NFTA_SET_ELEM_KEY, |message| message.bytes(NFTA_DATA_VALUE, key));
            });
        });
    }

    /// A range of keys: the first, and the one after the last if there is one.
    pub(crate) fn add_range(&mut self, table: Table, set: &str, first: &[u8], end: Option<&[u8]>) {
        self.elements(NFT_MSG_NEWSETELEM, NLM_F_CREATE, table, set, |message| {
            range(message, first, end);
        });
    }

    pub(crate) fn remove_range(
        &mut self,
        table: Table,
        set: &str,
        first: &[u8],
        end: Option<&[u8]>,
    ) {
        self.elements(NFT_MSG_DELSETELEM, 0, table, set, |message| range(message, first, end));
    }

    fn elements(
        &mut self,
        kind: u16,
        flags: u16,
        table: Table,
        set: &str,
        write: impl FnOnce(&mut Messages),
    ) {
        change(&mut self.0, kind, flags, table, |message| {
            message.text(NFTA_SET_ELEM_LIST_TABLE, table.name);
            message.text(NFTA_SET_ELEM_LIST_SET, set);
            message.nest(NFTA_SET_ELEM_LIST_ELEMENTS, write);
        });
    }
}

/// A message of nf_tables'.
fn change(
    batch: &mut Messages,
    kind: u16,
    flags: u16,
    table: Table,
    write: impl FnOnce(&mut Messages),
) {
    let family = match table.family {
        TableFamily::Inet => NFPROTO_INET,
        TableFamily::Ipv4 => NFPROTO_IPV4,
    };
    batch.add_quietly(NFNL_SUBSYS_NFTABLES << 8 | kind, flags, &head(family, 0), write);
}

/// What stands before the attributes: a family, a version, and for a batch the subsystem that it is for.
fn head(family: u8, resource: u16) -> [u8; 4] {
    let [high, low] = resource.to_be_bytes();
    [family, NFNETLINK_V0, high, low]
}

/// A range of keys, as two elements.
fn range(message: &mut Messages, first: &[u8], end: Option<&[u8]>) {
    message.nest(NFTA_LIST_ELEM, |message| {
        message.nest(NFTA_SET_ELEM_KEY, |message| message.bytes(NFTA_DATA_VALUE, first));
    });
    if let Some(end) = end {
        message.nest(NFTA_LIST_ELEM, |message| {
            message.nest(NFTA_SET_ELEM_KEY, |message| message.bytes(NFTA_DATA_VALUE, end));
            message.big(NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
        });
    }
}

impl Field {
    /// As `nft` numbers its types: only for those who list.
    fn kind(self) -> u32 {
        match self {
            Self::InterfaceIndex => 20,
            Self::Ipv4 => 7,
            Self::Ipv6 => 8,
            Self::Port => 13,
            Self::Family => 2,
            Self::Protocol => 12,
        }
    }

    fn length(self) -> u32 {
        match self {
            Self::InterfaceIndex | Self::Ipv4 => 4,
            Self::Ipv6 => 16,
            Self::Port => 2,
            Self::Family | Self::Protocol => 1,
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

// linux/netlink.h, linux/netfilter.h, linux/netfilter/nfnetlink.h, linux/netfilter/nf_tables.h
const NLM_F_CREATE: u16 = 0x400;
const NLM_F_APPEND: u16 = 0x800;
const NFNETLINK_V0: u8 = 0;
const NFNL_SUBSYS_NFTABLES: u16 = 10;
const NFNL_MSG_BATCH_BEGIN: u16 = 0x10;
const NFNL_MSG_BATCH_END: u16 = 0x11;
const NFPROTO_INET: u8 = 1;
const NFPROTO_IPV4: u8 = 2;
const NFT_MSG_NEWTABLE: u16 = 0;
const NFT_MSG_DELTABLE: u16 = 2;
const NFT_MSG_NEWCHAIN: u16 = 3;
const NFT_MSG_NEWRULE: u16 = 6;
const NFT_MSG_NEWSET: u16 = 9;
const NFT_MSG_NEWSETELEM: u16 = 12;
const NFT_MSG_DELSETELEM: u16 = 14;
const NFTA_LIST_ELEM: u16 = 1;
const NFTA_DATA_VALUE: u16 = 1;
const NFTA_TABLE_NAME: u16 = 1;
const NFTA_CHAIN_TABLE: u16 = 1;
const NFTA_CHAIN_NAME: u16 = 3;
const NFTA_CHAIN_HOOK: u16 = 4;
const NFTA_CHAIN_TYPE: u16 = 7;
const NFTA_HOOK_HOOKNUM: u16 = 1;
const NFTA_HOOK_PRIORITY: u16 = 2;
const NFTA_RULE_TABLE: u16 = 1;
const NFTA_RULE_CHAIN: u16 = 2;
const NFTA_RULE_EXPRESSIONS: u16 = 4;
const NFTA_SET_TABLE: u16 = 1;
const NFTA_SET_NAME: u16 = 2;
const NFTA_SET_FLAGS: u16 = 3;
const NFTA_SET_KEY_TYPE: u16 = 4;
const NFTA_SET_KEY_LEN: u16 = 5;
const NFTA_SET_DATA_TYPE: u16 = 6;
const NFTA_SET_DATA_LEN: u16 = 7;
const NFTA_SET_DESC: u16 = 9;
const NFTA_SET_ID: u16 = 10;
const NFTA_SET_DESC_CONCAT: u16 = 2;
const NFTA_SET_FIELD_LEN: u16 = 1;
const NFTA_SET_ELEM_LIST_TABLE: u16 = 1;
const NFTA_SET_ELEM_LIST_SET: u16 = 2;
const NFTA_SET_ELEM_LIST_ELEMENTS: u16 = 3;
const NFTA_SET_ELEM_KEY: u16 = 1;
const NFTA_SET_ELEM_DATA: u16 = 2;
const NFTA_SET_ELEM_FLAGS: u16 = 3;
const NFT_SET_INTERVAL: u32 = 0x4;
const NFT_SET_MAP: u32 = 0x8;
const NFT_SET_CONCAT: u32 = 0x80;
const NFT_SET_ELEM_INTERVAL_END: u32 = 1;
