//! What the engine costs, with few networks and with many, in memory and on disk.
//!
//! ```text
//! cargo run --release --bin engine
//!     --quick            fewer turns, and 1,000 networks at most
//!     --dir DIR          where engines on disk have their state: a disk, not memory
//!     --only held        one chapter alone: start, held, bytes, clients
//! ```
//!
//! A figure of an engine with N networks ends in `_N`.

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
use docknet_bench::report::Report;

fn main() -> Result<()> {
    let options = Options::read(std::env::args().skip(1))?;
    let mut report = Report::new("engine");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if options.wants("start") {
        runtime.block_on(start::measure(&mut report))?;
    }
    if options.wants("held") {
        runtime.block_on(held::measure(options.largest(), options.rounds(), &mut report))?;
    }
    if let Some(networks) = options.only.as_deref().and_then(|only| only.strip_prefix("bytes-")) {
        runtime.block_on(held::bytes(networks.parse()?, &mut report))?;
    }
    if options.wants("bytes") {
        // Each in a process of its own: one's memory is not left over from another.
        for networks in held::SIZES.into_iter().filter(|size| *size <= options.largest()) {
            let mut child = std::process::Command::new(std::env::current_exe()?);
            let ended = child.args(["--only", &format!("bytes-{networks}")]).status()?;
            anyhow::ensure!(ended.success(), "{ended}");
        }
    }
    if options.wants("clients") {
        clients::measure(&options.dir, options.quick, &mut report)?;
    }
    report.finish()
}

struct Options {
    quick: bool,
    dir: PathBuf,
    only: Option<String>,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self { quick: false, dir: "/var/tmp".into(), only: None };
        while let Some(flag) = arguments.next() {
            let mut value = || arguments.next().with_context(|| format!("{flag} wants a value"));
            match flag.as_str() {
                "--quick" => options.quick = true,
                "--dir" => options.dir = value()?.into(),
                "--only" => options.only = Some(value()?),
                other => bail!("no such flag: {other}"),
            }
        }
        Ok(options)
    }

    fn largest(&self) -> usize {
        if self.quick { 1_000 } else { usize::MAX }
    }

    fn rounds(&self) -> usize {
        if self.quick { 5 } else { 15 }
    }

    fn wants(&self, chapter: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == chapter)
    }
}
