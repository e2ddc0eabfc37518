//! Which processes an engine starts to make, use and remove a network: `strace` counts them.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::contender::{Contender, SAMPLES};
use docknet_bench::report::Report;

const CYCLES: usize = 5;

pub fn count(contenders: &mut [Contender], report: &mut Report) -> Result<()> {
    if Command::new("strace").arg("-V").output().is_err() {
        report.note("processes_started: not counted, there is no strace");
        return Ok(());
    }
    for contender in contenders.iter().filter(|contender| !contender.title.ends_with("few")) {
        let (processes, threads) = traced(contender)?;
        let each = |all: usize| all as f64 / CYCLES as f64;
        report.value("processes_started", contender.title, each(processes), "");
        report.value("threads_started", contender.title, each(threads), "");
        if contender.title == "docknet" {
            report.bound("processes_started", each(processes), 0.0, "a cycle");
        }
    }
    Ok(())
}

fn traced(contender: &Contender) -> Result<(usize, usize)> {
    contender.cycle(SAMPLES, 1)?;
    let written = tempfile::NamedTempFile::new()?;
    let mut strace = Command::new("strace")
        .args(["-f", "-e", "trace=process", "-e", "signal=none", "-o"])
        .arg(written.path())
        .args(["-p", &contender.process.to_string()])
        .stderr(Stdio::piped())
        .spawn()?;
    let stderr = strace.stderr.take().context("strace says nothing")?;
    let mut said = BufReader::new(stderr).lines();
    let attached = said.next().transpose()?.unwrap_or_default();
    ensure!(attached.contains("attached"), "strace: {attached}");
    for number in 0..CYCLES {
        contender.cycle(SAMPLES + number, 1)?;
    }
    let id = Pid::from_child(&strace);
    kill_process(id, Signal::INT)?;
    // It says so of each thread that it lets go.
    said.for_each(drop);
    strace.wait()?;
    let text = std::fs::read_to_string(written.path())?;
    Ok(split(&text))
}

/// Processes and threads that came to be. A call that is interrupted is in two lines, the first of which has its flags.
fn split(text: &str) -> (usize, usize) {
    let born = |line: &&str| {
        ["clone(", "clone3(", "fork("].iter().any(|call| line.contains(call))
            && !line.contains("resumed>")
    };
    let (threads, processes): (Vec<_>, Vec<_>) =
        text.lines().filter(born).partition(|line| line.contains("CLONE_THREAD"));
    (processes.len(), threads.len())
}
