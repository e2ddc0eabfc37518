//! What an engine decides: pure functions from a state and a wish to a plan, a new state and events. No I/O, no clock, no
//! random number: they come in as parameters.

pub(crate) mod container;
pub(crate) mod endpoint;
pub(crate) mod event;
pub(crate) mod filter;
pub(crate) mod host;
pub(crate) mod image;
pub(crate) mod ipam;
pub(crate) mod network;
pub(crate) mod refusal;
pub(crate) mod restore;
pub(crate) mod state;
pub(crate) mod step;
pub(crate) mod tx;
