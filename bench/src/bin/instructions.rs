//! How many instructions calls take: what a regression shows in, on any machine, busy or not.
//!
//! ```text
//! cargo run --profile count --no-default-features --bin instructions
//!     --write     what is counted, and a tenth more, becomes the bound
//! ```
//!
//! valgrind counts a case done a few times, and once more done more often: what is between them is the calls, without
//! whatever came before. The bounds are in `instructions.tsv`.

#[path = "instructions/cases.rs"]
mod cases;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result, bail, ensure};
use docknet_bench::canned::Held;
use docknet_bench::report::Report;
use docknet_bench::server;

use crate::cases::{CASES, Case};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve", socket, networks, members] => {
            let held = Held { networks: networks.parse()?, members: members.parse()? };
            server::serve(Path::new(socket), held)
        }
        ["run", name, calls] => {
            let case = CASES.iter().find(|case| case.name == *name).context("no such case")?;
            case.run(calls.parse()?)
        }
        [] => check(),
        ["--write"] => write(),
        other => bail!("no such flags: {other:?}"),
    }
}

fn check() -> Result<()> {
    let (measured_by, bounds) = read()?;
    let mut report = Report::new("instructions");
    let mut over = Vec::new();
    for case in &CASES {
        let bound = *bounds.get(case.name).with_context(|| format!("{}: no bound", case.name))?;
        let mut count = case.count()?;
        // Who waits for a socket takes some more turns on a busy machine. What is a regression stays.
        for _ in 0..2 {
            if count > bound {
                count = count.min(case.count()?);
            }
        }
        report.bound(case.name, count as f64, bound as f64, "instructions");
        if count > bound {
            over.push(case.name);
        }
    }
    report.finish()?;
    ensure!(
        over.is_empty(),
        "more instructions than there may be: {}. The bounds are of {measured_by}, this is {}. If that is why, or what takes \
         more is worth it: cargo xtask bench instructions --write",
        over.join(", "),
        compiler()?
    );
    Ok(())
}

fn write() -> Result<()> {
    let mut text = format!(
        "# Instructions a call may take: what {} made of it, and a tenth more.\n",
        compiler()?
    );
    text.push_str("# Written by `cargo xtask bench instructions --write`.\n");
    for case in &CASES {
        let count = case.count()?;
        eprintln!("{} {count}", case.name);
        let _ = writeln!(text, "{}\t{}", case.name, count + count / 10);
    }
    std::fs::write(file(), text)?;
    Ok(())
}

/// Who compiled what the bounds are of, and the bounds.
fn read() -> Result<(String, BTreeMap<String, u64>)> {
    let text = std::fs::read_to_string(file())?;
    let of = text.split_once("what ").and_then(|(_, rest)| rest.split_once(" made of it"));
    let (compiler, _) = of.context("the bounds do not say by which compiler")?;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let bounds = lines.map(|line| {
        let (name, bound) = line.split_once('\t').with_context(|| format!("no bound: {line}"))?;
        Ok((name.to_owned(), bound.parse()?))
    });
    Ok((compiler.to_owned(), bounds.collect::<Result<_>>()?))
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("instructions.tsv")
}

fn compiler() -> Result<String> {
    let output = Command::new("rustc").arg("--version").output()?;
    let text = String::from_utf8(output.stdout)?;
    let version = text.split(" (").next().unwrap_or(&text).trim();
    Ok(format!("{version} on {}", std::env::consts::ARCH))
}

impl Case {
    /// Instructions of one call.
    fn count(&self) -> Result<u64> {
        let (few, more) = (self.calls, 3 * self.calls);
        let [few_count, more_count] = thread::scope(|scope| {
            [few, more]
                .map(|calls| scope.spawn(move || self.counted(calls)))
                .map(|counting| counting.join().unwrap_or_else(|_| bail!("a thread broke down")))
        });
        let between = more_count?.saturating_sub(few_count?);
        Ok(between / u64::from(more - few))
    }

    /// Instructions of a process that makes so many calls.
    fn counted(&self, calls: u32) -> Result<u64> {
        let output = Command::new("valgrind")
            .args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"])
            .arg(std::env::current_exe()?)
            .args(["run", self.name, &calls.to_string()])
            .stdin(Stdio::null())
            .output()
            .context("cannot run valgrind")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}: {}\n{said}", self.name, output.status);
        // ==1234== I   refs:      12,345,678
        let line = said.lines().find(|line| line.contains("refs:"));
        let count =
            line.and_then(|line| line.rsplit(' ').next()).context("valgrind counts nothing")?;
        Ok(count.replace(',', "").parse()?)
    }
}
