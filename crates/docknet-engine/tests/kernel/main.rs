//! Networks on the kernel, seen by packets. Each test has a network namespace of its own as its host.
#![allow(clippy::unwrap_used, reason = "a test that fails here says enough")]

mod brought;
mod crash;
mod held;
mod images;
mod lab;
mod life;
mod names;
mod programs;
mod publish;
mod reach;
mod rootless;
