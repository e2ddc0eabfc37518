//! Steps of a command: what is done is said, and what it costs.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// The workspace, wherever in it cargo was called.
pub(crate) fn root() -> PathBuf {
    let xtask = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    xtask.as_deref().and_then(Path::parent).map_or_else(|| ".".into(), Path::to_owned)
}

/// A program to run, with its output where the user sees it.
#[derive(Debug)]
pub(crate) struct Step {
    title: String,
    command: Command,
}

impl Step {
    pub(crate) fn new(title: impl Into<String>, program: &str) -> Self {
        let mut command = Command::new(program);
        command.stdin(Stdio::null());
        Self { title: title.into(), command }
    }

    /// A step of the cargo that runs us.
    pub(crate) fn cargo(title: impl Into<String>) -> Self {
        Self::new(title, &std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
    }

    /// Arguments, divided by blanks.
    pub(crate) fn words(mut self, words: &str) -> Self {
        self.command.args(words.split_whitespace());
        self
    }

    /// One argument, as it is.
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    pub(crate) fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(key, value);
        self
    }

    pub(crate) fn envs(mut self, variables: &[(&'static str, String)]) -> Self {
        self.command.envs(variables.iter().map(|(key, value)| (key, value)));
        self
    }

    /// Where it runs.
    pub(crate) fn within(mut self, dir: impl AsRef<Path>) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Runs it.
    pub(crate) fn run(mut self) -> Result<()> {
        eprintln!("==> {}", self.title);
        let begun = Instant::now();
        let status =
            self.command.status().with_context(|| format!("{}: cannot run it", self.title))?;
        let seconds = begun.elapsed().as_secs_f32();
        if !status.success() {
            bail!("{}: {status} after {seconds:.1} s", self.title);
        }
        eprintln!("    {} in {seconds:.1} s", self.title);
        Ok(())
    }

    /// Runs it, and gives what it printed.
    pub(crate) fn output(mut self) -> Result<String> {
        let output = self
            .command
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("{}: cannot run it", self.title))?;
        if !output.status.success() {
            bail!("{}: {}", self.title, output.status);
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}
