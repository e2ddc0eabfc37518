//! The program as its users meet it: exit code, stdout and stderr of the real binary, on an engine in memory behind a socket.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod apply;
mod errors;
mod help;
mod lab;
mod live;
mod reads;
mod verbs;
