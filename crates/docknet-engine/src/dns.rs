//! The resolver that containers find at 127.0.0.11.
//!
//! `directory` knows who is where, `answer` decides, `server` carries bytes, `forward` asks other resolvers, `resolv` writes the
//! files that libraries read.

mod answer;
mod directory;
mod forward;
mod resolv;
mod server;

pub(crate) use self::directory::{Directory, Forward, Member, View};
pub(crate) use self::resolv::{Families, Hosts, Overrides, RESOLVER, Resolv, split_extra_host};
pub(crate) use self::server::{Server, Sockets};
