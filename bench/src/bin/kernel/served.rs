//! Our engine, in a process of its own, as `docknet serve --kernel --isolated` has it.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};
use docknet_engine::{Engine, ListenAddress};

use crate::contender::IMAGE;

pub struct Served {
    pub title: &'static str,
    pub socket: PathBuf,
    child: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// Where the state is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Each change is on the disk before it is answered, as with dockerd.
    OnDisk,
    InMemory,
}

impl Served {
    pub fn start(title: &'static str, dir: &Path, kept: Kept) -> Result<Self> {
        let name = title.replace([' ', ','], "-");
        let socket = dir.join(format!("{name}.sock"));
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("serve").arg(&socket);
        if kept == Kept::OnDisk {
            command.arg(dir.join(name));
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let asks = child.stdin.take().context("no input")?;
        let answers = BufReader::new(child.stdout.take().context("no output")?);
        let mut served = Self { title, socket, child, asks, answers };
        // It answers once it listens.
        served.ask("ready")?;
        Ok(served)
    }

    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// A process in a container's network namespace.
    pub fn inside(&mut self, container: &str) -> Result<u32> {
        Ok(self.ask(container)?.parse()?)
    }

    /// A process in the namespace that the bridges are in.
    pub fn host(&mut self) -> Result<u32> {
        Ok(self.ask("host")?.parse()?)
    }

    /// How many links there are beside the containers'.
    pub fn links(&mut self) -> Result<usize> {
        Ok(self.ask("links")?.parse()?)
    }

    fn ask(&mut self, what: &str) -> Result<String> {
        writeln!(self.asks, "{what}")?;
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            bail!("{} ended", self.title);
        }
        Ok(line.trim().to_owned())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves until its input ends or it is killed. A line asks for the number of links, or for a process in the host's namespace
/// or in the container of that name.
pub fn serve(socket: &str, state: Option<&String>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut builder = Engine::kernel().isolated();
    if let Some(dir) = state {
        builder = builder.state(dir);
    }
    let engine = runtime.block_on(builder.start())?;
    // What the others run in their containers, too.
    let archive =
        std::env::var_os("DOCKNET_KERNEL_IMAGE").context("DOCKNET_KERNEL_IMAGE is not set")?;
    let import = format!("/images/create?fromSrc=-&repo={IMAGE}&changes=CMD%20sh");
    let import = http::Request::post(import).body(std::fs::read(archive)?.into())?;
    let _progress: serde_json::Value = runtime.block_on(engine.client().request(import))?;
    let _server = runtime.block_on(engine.serve(&ListenAddress::unix(socket)?))?;
    let mut inside = Vec::new();
    for line in std::io::stdin().lines() {
        let name = line?;
        if name == "ready" {
            println!("ready");
            continue;
        }
        if name == "links" {
            let host = runtime.block_on(engine.host())?;
            let links = host.within(|| std::fs::read_to_string("/proc/thread-self/net/dev"))?;
            println!("{}", links.lines().count());
            continue;
        }
        let sandbox = match name.as_str() {
            "host" => runtime.block_on(engine.host())?,
            name => runtime.block_on(engine.sandbox(name))?,
        };
        // Its input ends with this process, and so does it.
        let child = sandbox.command("cat").with(|cat| {
            cat.stdin(Stdio::piped()).stdout(Stdio::null());
        });
        let child = child.spawn()?;
        println!("{}", child.id());
        inside.push(child);
    }
    Ok(())
}
