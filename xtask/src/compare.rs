//! `cargo xtask compare`: `docker network` and `docknet`, word for word, on the same Docker 28.5.
//!
//! Each file of `crates/docknet-cli/tests/compare` is a script. A line is the arguments of a command that both programs are given,
//! as a shell splits them; a line that begins with `$` is for the docker CLI alone and sets something up. What both print on stdout,
//! and their exit codes, must be the same. On stderr both must say something, or both nothing: the words are our own.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::clients::plain;
use crate::engines::{self, Name};
use crate::step::{Step, root};

/// Lines whose outcome differs on purpose: the line, and why.
const KNOWN: &[(&str, &str)] = &[];

pub(crate) fn run(words: &[&str]) -> Result<()> {
    Step::cargo("build docknet")
        .words("build --quiet --locked --package docknet-cli")
        .within(root())
        .run()?;
    let running = engines::up(&[Name::Docker28])?;
    let socket = running.socket("docker28").context("docker28 is not up")?;
    let programs = Programs { docknet: docknet()?, host: format!("unix://{}", socket.display()) };

    let mut scripts: Vec<_> = fs::read_dir(root().join("crates/docknet-cli/tests/compare"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    scripts.retain(|path| {
        words.is_empty()
            || path.file_stem().is_some_and(|name| words.iter().any(|word| name == *word))
    });
    scripts.sort();
    ensure!(!scripts.is_empty(), "compare: no such script");
    let (mut lines, mut used, mut unexplained) = (0_usize, BTreeSet::new(), 0_usize);
    for script in &scripts {
        let commands = fs::read_to_string(script)?;
        let theirs = programs
            .play(Program::Docker, &commands)
            .with_context(|| script.display().to_string())?;
        let ours = programs
            .play(Program::Docknet, &commands)
            .with_context(|| script.display().to_string())?;
        lines += theirs.len();
        for (theirs, ours) in theirs.iter().zip(&ours) {
            if theirs.alike(ours) {
                continue;
            }
            println!(
                "{}: {}\n  docker   {}\n  docknet  {}",
                script_name(script),
                theirs.line,
                theirs.shown(),
                ours.shown()
            );
            if let Some((line, why)) = KNOWN.iter().find(|(line, _)| *line == theirs.line) {
                println!("  why: {why}");
                used.insert(*line);
            } else {
                unexplained += 1;
            }
        }
    }
    println!("compare: {lines} commands, {unexplained} of them differ without a reason");
    let stale: Vec<_> =
        KNOWN.iter().filter(|(line, _)| words.is_empty() && !used.contains(line)).collect();
    ensure!(stale.is_empty(), "compare: these do not differ: {stale:?}");
    ensure!(unexplained == 0, "compare: {unexplained} commands differ without a reason");
    Ok(())
}

/// Beside this program: both are built into the same directory.
fn docknet() -> Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name("docknet");
    ensure!(path.exists(), "compare: no {}", path.display());
    Ok(path)
}

fn script_name(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    Docker,
    Docknet,
}

#[derive(Debug)]
struct Programs {
    docknet: PathBuf,
    host: String,
}

/// What came of a command.
#[derive(Debug)]
struct Ran {
    line: String,
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Programs {
    /// Each line of a script, one after the other.
    fn play(&self, program: Program, script: &str) -> Result<Vec<Ran>> {
        let mut ran = Vec::new();
        for line in script.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some(set_up) = line.strip_prefix('$') {
                let output = self.run(self.docker()?.args(words(set_up)?))?;
                ensure!(
                    output.code == Some(0) || set_up.starts_with('?'),
                    "'{line}': {}",
                    output.stderr
                );
                continue;
            }
            let mut command = match program {
                Program::Docker => self.docker()?,
                Program::Docknet => Command::new(&self.docknet),
            };
            if program == Program::Docker {
                command.arg("network");
            }
            let mut output = self.run(command.args(words(line)?))?;
            line.clone_into(&mut output.line);
            ran.push(output);
        }
        Ok(ran)
    }

    /// The docker CLI of the engine's own root.
    fn docker(&self) -> Result<Command> {
        let mut command = engines::inside("docker28")?;
        command
            .arg(format!("DOCKER_HOST=unix://{}/docker28.sock", engines::SOCKETS_INSIDE))
            .arg("docker");
        Ok(command)
    }

    fn run(&self, command: &mut Command) -> Result<Ran> {
        let output = command
            .env("DOCKER_HOST", &self.host)
            .env("TZ", "UTC")
            .stdin(Stdio::null())
            .output()?;
        let text = |bytes: &[u8]| {
            String::from_utf8_lossy(bytes).lines().map(plain).collect::<Vec<_>>().join("\n")
        };
        Ok(Ran {
            line: String::new(),
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        })
    }
}

impl Ran {
    fn alike(&self, other: &Self) -> bool {
        self.code == other.code
            && self.stdout == other.stdout
            && self.stderr.is_empty() == other.stderr.is_empty()
    }

    fn shown(&self) -> String {
        format!("exit {:?} stdout {:?} stderr {:?}", self.code, self.stdout, self.stderr)
    }
}

fn words(line: &str) -> Result<Vec<String>> {
    match shlex::split(line.trim_start_matches('?')) {
        Some(words) => Ok(words),
        None => bail!("'{line}': its quotes do not close"),
    }
}
