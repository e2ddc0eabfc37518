//! Our engine on a socket, for as long as it is looked at.

use std::fmt;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::str::FromStr;

use anyhow::{Context, Error, Result, bail};

use crate::engines::{self, PARENT, PARENT_ADDRESS};
use crate::step::{Step, root};

/// The engine that ours is to be like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Like {
    Docker20,
    Docker26,
    #[default]
    Docker28,
    Podman5,
}

/// An engine that ends with this value.
#[derive(Debug)]
pub(crate) struct Served {
    process: Child,
    socket: PathBuf,
    /// Kept open, for what it may say later.
    stdout: BufReader<ChildStdout>,
}

impl Like {
    pub(crate) const ALL: [Self; 4] =
        [Self::Docker20, Self::Docker26, Self::Docker28, Self::Podman5];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Docker20 => "docker20",
            Self::Docker26 => "docker26",
            Self::Docker28 => "docker28",
            Self::Podman5 => "podman5",
        }
    }

    /// As a document names it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Docker20 => "Docker 20.10",
            Self::Docker26 => "Docker 26.1",
            Self::Docker28 => "Docker 28.5",
            Self::Podman5 => "Podman 5.4",
        }
    }
}

impl Served {
    /// With its socket among the files that do not last.
    pub(crate) fn start(like: Like) -> Result<Self> {
        let name = format!("docknet-{}-{like}.sock", std::process::id());
        Self::start_at(like, std::env::temp_dir().join(name))
    }

    pub(crate) fn start_at(like: Like, socket: PathBuf) -> Result<Self> {
        let mut serve = serve(&socket)?;
        serve
            .args(["--like", like.as_str(), "--link"])
            .arg(format!("{PARENT}={PARENT_ADDRESS}/24"));
        Self::await_socket(serve, socket)
    }

    /// With real networks, on a machine that is played by a network namespace.
    pub(crate) fn on_kernel() -> Result<Self> {
        let name = format!("docknet-{}-kernel.sock", std::process::id());
        Self::on_kernel_at(std::env::temp_dir().join(name))
    }

    pub(crate) fn on_kernel_at(socket: PathBuf) -> Result<Self> {
        let mut serve = serve(&socket)?;
        serve.arg("--kernel");
        let machine = format!(
            "ip link add {PARENT} type veth peer name {PARENT}-far && \
             ip addr add {PARENT_ADDRESS}/24 dev {PARENT} && ip link set {PARENT} up && exec \"$@\""
        );
        let mut inside = Command::new("unshare");
        inside.args(["--net", "--", "sh", "-c", &machine, "sh"]);
        inside.arg(serve.get_program()).args(serve.get_args()).current_dir(root());
        let served = Self::await_socket(inside, socket)?;
        engines::load_busybox(&served.socket)?;
        Ok(served)
    }

    fn await_socket(mut command: Command, socket: PathBuf) -> Result<Self> {
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot run the engine")?;
        let output = process.stdout.take().context("the engine has no output")?;
        let mut served = Self { process, socket, stdout: BufReader::new(output) };
        let mut line = String::new();
        served.stdout.read_line(&mut line)?;
        if !line.starts_with("listening on ") {
            bail!("the engine does not begin to listen, but says {line:?}");
        }
        Ok(served)
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_file(&self.socket);
    }
}

/// Our program, which is to listen on this socket.
fn serve(socket: &Path) -> Result<Command> {
    const PROGRAM: &str = "--quiet --locked --package docknet-cli --bin docknet";
    Step::cargo("build docknet").words("build").words(PROGRAM).within(root()).run()?;
    // Cargo becomes the program that it runs, so that to end the one is to end the other.
    let mut command = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    command
        .arg("run")
        .args(PROGRAM.split_whitespace())
        .args(["--", "serve", "--host"])
        .arg(format!("unix://{}", socket.display()))
        // What real engines are given, too.
        .args(["--image", "busybox"])
        // One id in sixteen begins as that of another network does, and cases are about beginnings of ids.
        .args(["--seed", "1"])
        .current_dir(root());
    Ok(command)
}

impl FromStr for Like {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let Some(like) = Self::ALL.into_iter().find(|like| like.as_str() == text) else {
            let all = Self::ALL.map(Self::as_str).join(", ");
            bail!("no engine '{text}' to be like, only {all}");
        };
        Ok(like)
    }
}

impl fmt::Display for Like {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
