//! What the benchmarks have in common: the report, what work costs, an engine with canned answers.

pub mod allocations;
pub mod canned;
pub mod cost;
pub mod report;
pub mod server;

/// Which version of a crate is measured.
pub fn locked(name: &str) -> Option<&'static str> {
    let (_, entry) =
        include_str!("../Cargo.lock").split_once(&format!("name = \"{name}\"\nversion = \""))?;
    entry.split('"').next()
}
