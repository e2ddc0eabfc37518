//! What the engine costs, with few networks and with many, in memory and on disk.
//!
//! ```text
//! cargo run --release --bin engine
//!     --largest 1000     no engine with more networks than that
//!     --rounds 40        how often everything is done in turns
//!     --dir DIR          where engines on disk have their state: a disk, not memory
//!     --only held        one chapter alone: start, held, bytes, memory, disk
//! ```
//!
//! It prints a line a figure: its name, its value, its unit. A figure of an engine with N networks ends in `_N`, and its ratio
//! to the one with 10 in `_N_ratio`: that is what can be compared between machines.

#[path = "engine/clients.rs"]
mod clients;
#[path = "engine/held.rs"]
mod held;
#[path = "engine/memory.rs"]
mod memory;
#[path = "engine/start.rs"]
mod start;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

fn main() -> Result<()> {
    let options = Options::read(std::env::args().skip(1))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if options.wants("start") {
        runtime.block_on(start::measure())?;
    }
    if options.wants("held") {
        runtime.block_on(held::measure(options.largest, options.rounds))?;
    }
    if let Some(networks) = options.only.as_deref().and_then(|only| only.strip_prefix("bytes-")) {
        runtime.block_on(held::bytes(networks.parse()?))?;
    }
    if options.wants("bytes") {
        // Each in a process of its own: one's memory is not left over from another.
        for networks in held::SIZES.into_iter().filter(|size| *size <= options.largest) {
            let mut child = std::process::Command::new(std::env::current_exe()?);
            let ended = child.args(["--only", &format!("bytes-{networks}")]).status()?;
            anyhow::ensure!(ended.success(), "{ended}");
        }
    }
    if options.wants("memory") {
        clients::in_memory()?;
    }
    if options.wants("disk") {
        clients::on_disk(&options.dir)?;
    }
    Ok(())
}

struct Options {
    largest: usize,
    rounds: usize,
    dir: PathBuf,
    only: Option<String>,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self { largest: 10_000, rounds: 15, dir: ".".into(), only: None };
        while let Some(flag) = arguments.next() {
            let value = arguments.next().with_context(|| format!("{flag} wants a value"))?;
            match flag.as_str() {
                "--largest" => options.largest = value.parse()?,
                "--rounds" => options.rounds = value.parse()?,
                "--dir" => options.dir = value.into(),
                "--only" => options.only = Some(value),
                other => bail!("no such flag: {other}"),
            }
        }
        Ok(options)
    }

    fn wants(&self, chapter: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == chapter)
    }
}

/// A figure on a line of its own.
fn print(name: &str, value: f64, unit: &str) {
    println!("{name} {value:.2} {unit}");
}

/// The one in the middle.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
