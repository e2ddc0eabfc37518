//! `cargo xtask compare`: `docker network` and `docknet`, word for word, on the same Docker 28.5.
//!
//! Each file of `crates/docknet-cli/tests/compare` is a script. A line is the arguments of a command that both programs are given,
//! as a shell splits them; a line that begins with `$` is for the docker CLI alone and sets something up (`$?`: if it can). What both
//! print on stdout, and their exit codes, must be the same. On stderr both must say something, or both nothing: the words are our own.
//!
//! A script is played by each program as a whole, from the beginning, and ids and times are left out of the comparison. With the line
//! `#! one state` its commands change nothing: it is played once, each command by both programs, and every byte counts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::clients::plain;
use crate::engines::{self, Name};
use crate::step::{Step, root};

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
    let (mut lines, mut different) = (0_usize, 0_usize);
    for script in &scripts {
        let commands = fs::read_to_string(script)?;
        let (theirs, ours) =
            programs.play(&commands).with_context(|| script.display().to_string())?;
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
            different += 1;
        }
    }
    println!("compare: {lines} commands, {different} of them differ");
    ensure!(different == 0, "compare: {different} commands differ");
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
    /// What came of each command of a script, by docker's CLI and by docknet.
    fn play(&self, script: &str) -> Result<(Vec<Ran>, Vec<Ran>)> {
        let lines = || script.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let (mut theirs, mut ours) = (Vec::new(), Vec::new());
        if script.lines().any(|line| line == "#! one state") {
            for line in lines() {
                if !self.set_up(line)? {
                    theirs.push(self.command(Program::Docker, line)?);
                    ours.push(self.command(Program::Docknet, line)?);
                }
            }
            return Ok((theirs, ours));
        }
        for (program, ran) in [(Program::Docker, &mut theirs), (Program::Docknet, &mut ours)] {
            for line in lines() {
                if !self.set_up(line)? {
                    ran.push(self.command(program, line)?.plain());
                }
            }
        }
        Ok((theirs, ours))
    }

    /// Whether the line sets something up. It is done then.
    fn set_up(&self, line: &str) -> Result<bool> {
        let Some(command) = line.strip_prefix('$') else { return Ok(false) };
        let ran = outcome(self.docker()?.args(words(command)?), line)?;
        ensure!(ran.code == Some(0) || command.starts_with('?'), "'{line}': {}", ran.stderr);
        Ok(true)
    }

    fn command(&self, program: Program, line: &str) -> Result<Ran> {
        let mut command = match program {
            Program::Docker => self.docker()?,
            Program::Docknet => Command::new(&self.docknet),
        };
        if program == Program::Docker {
            command.arg("network");
        }
        outcome(command.args(words(line)?).env("DOCKER_HOST", &self.host), line)
    }

    /// The docker CLI of the engine's own root.
    fn docker(&self) -> Result<Command> {
        let mut command = engines::inside("docker28")?;
        command
            .arg(format!("DOCKER_HOST=unix://{}/docker28.sock", engines::SOCKETS_INSIDE))
            .arg("docker");
        Ok(command)
    }
}

fn outcome(command: &mut Command, line: &str) -> Result<Ran> {
    let output = command.env("TZ", "UTC").stdin(Stdio::null()).output()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Ran {
        line: line.to_owned(),
        code: output.status.code(),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    })
}

impl Ran {
    /// Without what no two runs have in common.
    fn plain(mut self) -> Self {
        self.stdout = self.stdout.lines().map(plain).collect::<Vec<_>>().join("\n");
        self
    }

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
