//! The commands, one file each: its flags, and what it does.

pub(crate) mod apply;
pub(crate) mod completion;
pub(crate) mod connect;
pub(crate) mod create;
pub(crate) mod demo;
pub(crate) mod disconnect;
pub(crate) mod doctor;
pub(crate) mod events;
pub(crate) mod graph;
pub(crate) mod inspect;
pub(crate) mod ls;
pub(crate) mod man;
pub(crate) mod pools;
pub(crate) mod prune;
pub(crate) mod rm;
pub(crate) mod serve;
pub(crate) mod state;
pub(crate) mod version;
pub(crate) mod watch;
