//! The clients, and what it takes to run them.

use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::transcript::Transcript;
use crate::engines;
use crate::step::{Step, root};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Program {
    Docker,
    DockerPy,
    Bollard,
}

/// The version that `bench` measures too.
const DOCKER_PY: &str = "docker==7.1.0";

const BOLLARD: &str = "--quiet --locked --manifest-path tests/clients/bollard/Cargo.toml";

impl Program {
    pub(super) const ALL: [Self; 3] = [Self::Docker, Self::DockerPy, Self::Bollard];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::DockerPy => "docker-py",
            Self::Bollard => "bollard",
        }
    }

    /// Installs or builds it.
    pub(super) fn prepare(self) -> Result<()> {
        match self {
            // It comes with docker28.
            Self::Docker => Ok(()),
            Self::DockerPy => install_docker_py(),
            Self::Bollard => Step::cargo("build the client of bollard")
                .words("build")
                .words(BOLLARD)
                .within(root())
                .run(),
        }
    }

    /// Runs it to its end, whatever that is.
    pub(super) fn run(self, socket: &Path) -> Result<Transcript> {
        let mut command = match self {
            Self::Docker => docker(socket)?,
            Self::DockerPy => {
                let mut command = Command::new(python());
                command.arg(root().join("tests/clients/docker_py.py")).arg(url(socket));
                command.stdin(Stdio::null());
                command
            }
            Self::Bollard => {
                let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
                let mut command = Command::new(cargo);
                command.arg("run").args(BOLLARD.split_whitespace()).arg("--").arg(socket);
                command.current_dir(root()).stdin(Stdio::null());
                command
            }
        };
        let output =
            command.stderr(Stdio::inherit()).output().with_context(|| format!("run {self}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(Transcript::of(&text, output.status))
    }
}

/// The CLI of the release that our engine is like is in that engine's root. It runs there, as it
/// is linked to libraries newer than those of this machine may be.
fn docker(socket: &Path) -> Result<Command> {
    let sockets = engines::sockets()?;
    let seen = socket.strip_prefix(&sockets).with_context(|| {
        format!("clients: for the docker CLI the socket must be in {}", sockets.display())
    })?;
    let script = File::open(root().join("tests/clients/docker.sh"))?;
    let mut command = engines::inside("docker28")?;
    command
        .arg(format!("DOCKER_HOST=unix://{}/{}", engines::SOCKETS_INSIDE, seen.display()))
        .args(["sh", "-s"])
        .stdin(script);
    Ok(command)
}

fn url(socket: &Path) -> String {
    format!("unix://{}", socket.display())
}

/// A Python of its own, made at the first run.
fn install_docker_py() -> Result<()> {
    let venv = venv();
    let ready = venv.join(DOCKER_PY);
    if ready.exists() {
        return Ok(());
    }
    let made = Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv).status();
    let made = made.context("clients: cannot run python3 (Debian's python3 and python3-venv)")?;
    ensure!(made.success(), "clients: python3 makes no venv (Debian's python3-venv)");
    Step::new("install docker-py", &python().display().to_string())
        .words("-m pip install --quiet --disable-pip-version-check")
        .arg(DOCKER_PY)
        .run()?;
    fs::write(ready, "")?;
    Ok(())
}

fn venv() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target.unwrap_or_else(|| root().join("target")).join("clients-venv")
}

fn python() -> PathBuf {
    venv().join("bin/python")
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
