//! `cargo xtask clients`: unmodified clients at work on Docker 28.5 and on our engine.
//!
//! Each client is a program in `tests/clients` that says what it does, step by step, and what came of
//! it. It runs on both engines, and what it says must be the same.

mod program;
mod transcript;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail, ensure};

use crate::engines::{self, Name};
use crate::served::{Like, Served};
use program::Program;
use transcript::Transcript;

pub(crate) use transcript::plain;

pub(crate) const USAGE: &str = "\
usage: cargo xtask clients [CLIENT...] [--kernel | --socket PATH]

CLIENT          docker (the CLI), docker-py or bollard; all of them where none is named
--kernel        ours with real networks, on the kernel; else in memory
--socket PATH   another engine in place of ours, started for this. The docker CLI runs in a root
                of its own: the socket must be where those of the engines are.";

/// What clients see otherwise on our engine: client, step (with `*` for any text), reason.
const KNOWN: &[(Program, &str, &str)] = &[
    (Program::Docker, "docker version --format {{range .Server.Components}}*", COMPONENTS),
    (Program::Docker, "docker info --format {{json .Plugins.Network}}", OVERLAY),
    (Program::DockerPy, "info", OVERLAY),
];

const COMPONENTS: &str = "Ours is made of no containerd and no runc.";
const OVERLAY: &str = "Ours has no overlay: several machines are the work of Docker Swarm.";

pub(crate) fn run(words: &[&str]) -> Result<()> {
    let Asked { programs, engine } = parse(words)?;
    let running = engines::up(&[Name::Docker28])?;
    let theirs = running.socket("docker28").context("docker28 is not up")?;
    for program in &programs {
        program.prepare()?;
    }
    let own = || Ok::<_, anyhow::Error>(engines::sockets()?.join("docknet.sock"));
    let served = match &engine {
        Engine::Memory => Some(Served::start_at(Like::Docker28, own()?)?),
        Engine::Kernel => Some(Served::on_kernel_at(own()?)?),
        Engine::At(_) => None,
    };
    let ours = match (&engine, &served) {
        (Engine::At(socket), _) => socket,
        (_, Some(served)) => served.socket(),
        (_, None) => bail!("clients: no engine"),
    };

    let begun = Instant::now();
    let runs = transcripts(&programs, theirs, ours)?;
    let mut failures = Vec::new();
    for (program, (theirs, ours)) in programs.iter().zip(&runs) {
        failures.extend(compare(*program, theirs, ours));
    }
    eprintln!("clients: {:.1} s", begun.elapsed().as_secs_f32());
    ensure!(failures.is_empty(), "clients: {}", failures.join("\n               "));
    Ok(())
}

/// The clients side by side, each on the one engine and then on the other.
fn transcripts(
    programs: &[Program],
    theirs: &Path,
    ours: &Path,
) -> Result<Vec<(Transcript, Transcript)>> {
    thread::scope(|scope| {
        let runs: Vec<_> = programs
            .iter()
            .map(|program| scope.spawn(|| Ok((program.run(theirs)?, program.run(ours)?))))
            .collect();
        runs.into_iter()
            .map(|run| run.join().map_err(|_| anyhow!("clients: a thread ended"))?)
            .collect()
    })
}

/// Prints the steps that differ, and gives what must not be.
fn compare(program: Program, theirs: &Transcript, ours: &Transcript) -> Vec<String> {
    let differences = theirs.differences(ours);
    let known = |step: &str| {
        KNOWN.iter().find(|(of, pattern, _)| *of == program && crate::golden::fits(pattern, step))
    };
    let mut unexplained = 0_usize;
    for difference in &differences {
        println!("{program}: {difference}");
        match known(&difference.step) {
            Some((_, _, why)) => println!("  why: {why}\n"),
            None => {
                unexplained += 1;
                println!();
            }
        }
    }
    let steps = theirs.steps();
    println!("{program}: {steps} steps, {} of them alike", steps.saturating_sub(differences.len()));

    let mut failures = Vec::new();
    if unexplained > 0 {
        failures.push(format!("{program}: {unexplained} steps differ without a reason"));
    }
    let unused = KNOWN
        .iter()
        .filter(|(of, pattern, _)| {
            *of == program && !differences.iter().any(|d| crate::golden::fits(pattern, &d.step))
        })
        .map(|(_, pattern, _)| format!("{program}: no step that differs is '{pattern}'"));
    failures.extend(unused);
    failures
}

struct Asked {
    programs: Vec<Program>,
    engine: Engine,
}

/// The engine beside Docker's.
#[derive(Debug, PartialEq, Eq)]
enum Engine {
    Memory,
    Kernel,
    At(PathBuf),
}

fn parse(words: &[&str]) -> Result<Asked> {
    let mut asked = Asked { programs: Vec::new(), engine: Engine::Memory };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match Program::ALL.into_iter().find(|program| program.as_str() == *word) {
            Some(program) => asked.programs.push(program),
            None if *word == "--kernel" => asked.engine = Engine::Kernel,
            None if *word == "--socket" => {
                asked.engine = Engine::At(words.next().context("clients: which socket?")?.into());
            }
            None => bail!("clients: cannot make sense of '{word}' here\n\n{USAGE}"),
        }
    }
    if asked.programs.is_empty() {
        asked.programs.extend(Program::ALL);
    }
    Ok(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_clients_run_where_none_is_named() {
        let told = |words: &[&str]| parse(words).map(|asked| (asked.programs, asked.engine));
        assert_eq!(told(&[]).unwrap(), (Program::ALL.to_vec(), Engine::Memory));
        let bollard = vec![Program::Bollard];
        let elsewhere = told(&["bollard", "--socket", "/s"]).unwrap();
        assert_eq!(elsewhere, (bollard.clone(), Engine::At("/s".into())));
        assert_eq!(told(&["--kernel", "bollard"]).unwrap(), (bollard, Engine::Kernel));
        assert!(told(&["podman"]).unwrap_err().to_string().contains("'podman'"));
        told(&["--socket"]).unwrap_err();
    }
}
