//! Servers that misbehave, on real sockets.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[path = "hard_server/answers.rs"]
mod answers;
#[path = "hard_server/arbitrary.rs"]
mod arbitrary;
#[path = "hard_server/events.rs"]
mod events;
#[path = "hard_server/limits.rs"]
mod limits;
#[path = "hard_server/reuse.rs"]
mod reuse;
#[path = "hard_server/server.rs"]
mod server;
