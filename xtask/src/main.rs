//! What a contributor runs: `cargo xtask check`, `cargo xtask test`, `cargo xtask engines up`.

fn main() {}
