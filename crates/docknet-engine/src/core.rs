//! What an engine decides: pure functions from a state and a wish to a plan, a new state and events. No I/O, no clock, no
//! random number: they come in as parameters.

pub(crate) mod event;
pub(crate) mod filter;
pub(crate) mod ipam;
