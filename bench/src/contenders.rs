//! Those who call: the bare socket, docknet, bollard, docker-py.

use std::hint::black_box;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::runtime::Runtime;

use crate::measure::{Cost, measured};

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// One network.
    Get,
    /// Every network.
    List,
    /// Every network, and each read into types.
    ListTyped,
    /// Every network, and each read into a tree.
    ListTrees,
}

pub trait Contender {
    fn name(&self) -> &'static str;

    /// Whether it has this task; who always reads everything into types or trees has only the plain ones.
    fn has(&self, task: Task) -> bool {
        matches!(task, Task::Get | Task::List)
    }

    /// Does the task so many times.
    fn run(&mut self, task: Task, calls: u32) -> Result<Cost>;
}

/// Writes and reads the same bytes as docknet, each answer into memory of its own, and looks at none of them.
pub struct Floor {
    stream: UnixStream,
    network: String,
}

impl Floor {
    pub fn new(socket: &Path, network: &str) -> Result<Self> {
        Ok(Self { stream: UnixStream::connect(socket)?, network: network.to_owned() })
    }

    /// The length of the answer, found out once: the rest of the rounds only count bytes.
    fn length(&mut self, request: &[u8]) -> Result<usize> {
        self.stream.write_all(request)?;
        let (mut answer, mut piece) = (Vec::new(), vec![0; 64 * 1024]);
        loop {
            let read = self.stream.read(&mut piece)?;
            ensure!(read > 0, "the engine closed the connection");
            answer.extend_from_slice(&piece[..read]);
            if let Some(length) = whole_length(&answer)? {
                return Ok(length);
            }
        }
    }
}

impl Contender for Floor {
    fn name(&self) -> &'static str {
        "bare socket"
    }

    fn has(&self, _: Task) -> bool {
        true
    }

    fn run(&mut self, task: Task, calls: u32) -> Result<Cost> {
        let target = if task == Task::Get {
            format!("/networks/{}", self.network)
        } else {
            "/networks".to_owned()
        };
        let request = format!(
            "GET /v1.51{target} HTTP/1.1\r\nuser-agent: docknet/0.1.0\r\nhost: localhost\r\n\r\n"
        );
        let length = self.length(request.as_bytes())?;
        measured(|| {
            for _ in 0..calls {
                self.stream.write_all(request.as_bytes())?;
                let mut answer = Vec::with_capacity(length);
                (&self.stream).take(length as u64).read_to_end(&mut answer)?;
                drop(black_box(answer));
            }
            Ok(())
        })
    }
}

/// The length of an answer, head and body, if all of it is there.
fn whole_length(bytes: &[u8]) -> Result<Option<usize>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&bytes[..end])?.to_ascii_lowercase();
    ensure!(head.starts_with("http/1.1 200"), "{head}");
    if let Some((_, rest)) = head.split_once("content-length: ") {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let whole = end + 4 + digits.parse::<usize>()?;
        return Ok((bytes.len() >= whole).then_some(whole));
    }
    Ok(bytes.ends_with(b"\r\n0\r\n\r\n").then_some(bytes.len()))
}

pub struct Docknet {
    runtime: Runtime,
    client: docknet::Client,
    network: String,
}

impl Docknet {
    pub fn new(socket: &Path, network: &str) -> Result<Self> {
        let client =
            docknet::Client::builder().host(format!("unix://{}", socket.display())).build()?;
        Ok(Self { runtime: runtime()?, client, network: network.to_owned() })
    }
}

impl Contender for Docknet {
    fn name(&self) -> &'static str {
        "docknet"
    }

    fn has(&self, _: Task) -> bool {
        true
    }

    fn run(&mut self, task: Task, calls: u32) -> Result<Cost> {
        let networks = self.client.networks();
        let work = async {
            for _ in 0..calls {
                match task {
                    Task::Get => drop(black_box(networks.get(&self.network).await?)),
                    Task::List => drop(black_box(networks.list().await?)),
                    Task::ListTyped => {
                        networks
                            .list()
                            .await?
                            .iter()
                            .for_each(|network| drop(black_box(network.info().clone())));
                    }
                    Task::ListTrees => {
                        networks.list().await?.iter().for_each(|network| {
                            black_box(network.attrs());
                        });
                    }
                }
            }
            Ok(())
        };
        measured(|| self.runtime.block_on(work))
    }
}

pub struct Bollard {
    runtime: Runtime,
    docker: bollard::Docker,
    network: String,
}

impl Bollard {
    pub fn new(socket: &Path, network: &str) -> Result<Self> {
        let socket = socket.to_str().context("a path that is not UTF-8")?;
        let runtime = runtime()?;
        let docker = bollard::Docker::connect_with_unix(socket, 120, bollard::API_DEFAULT_VERSION)?;
        Ok(Self { runtime, docker, network: network.to_owned() })
    }
}

impl Contender for Bollard {
    fn name(&self) -> &'static str {
        "bollard"
    }

    fn run(&mut self, task: Task, calls: u32) -> Result<Cost> {
        let work = async {
            for _ in 0..calls {
                match task {
                    Task::Get => {
                        drop(black_box(self.docker.inspect_network(&self.network, None).await?))
                    }
                    _ => drop(black_box(self.docker.list_networks(None).await?)),
                }
            }
            Ok(())
        };
        measured(|| self.runtime.block_on(work))
    }
}

fn runtime() -> Result<Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// docker-py in a Python of its own, which does as many calls as it is told and says what they cost.
pub struct DockerPy {
    child: Child,
    orders: ChildStdin,
    costs: BufReader<ChildStdout>,
}

const SCRIPT: &str = r#"
import sys, time, docker
client = docker.DockerClient(base_url="unix://" + sys.argv[1], version="1.51")
for order in sys.stdin:
    task, calls = order.split()
    call = (lambda: client.networks.get(sys.argv[2])) if task == "Get" else client.networks.list
    wall, cpu = time.perf_counter_ns(), time.process_time_ns()
    for _ in range(int(calls)):
        call()
    print(time.perf_counter_ns() - wall, time.process_time_ns() - cpu, flush=True)
"#;

impl DockerPy {
    pub fn new(socket: &Path, network: &str) -> Result<Self> {
        let mut child = Command::new(python()?)
            .args(["-c", SCRIPT])
            .arg(socket)
            .arg(network)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let orders = child.stdin.take().context("no input")?;
        let costs = BufReader::new(child.stdout.take().context("no output")?);
        Ok(Self { child, orders, costs })
    }
}

/// A Python with docker-py, made at the first run.
fn python() -> Result<PathBuf> {
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/venv");
    let python = venv.join("bin/python");
    if !venv.join("ready").exists() {
        let made = Command::new("python3").args(["-m", "venv"]).arg(&venv).status()?;
        ensure!(made.success(), "python3 cannot make {}", venv.display());
        let pip =
            ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "docker==7.1.0"];
        ensure!(
            Command::new(&python).args(pip).status()?.success(),
            "pip cannot install docker-py"
        );
        std::fs::write(venv.join("ready"), "")?;
    }
    Ok(python)
}

impl Contender for DockerPy {
    fn name(&self) -> &'static str {
        "docker-py"
    }

    fn run(&mut self, task: Task, calls: u32) -> Result<Cost> {
        writeln!(self.orders, "{task:?} {calls}")?;
        let mut line = String::new();
        self.costs.read_line(&mut line)?;
        let (wall, cpu) = line.trim().split_once(' ').context("docker-py ended")?;
        Ok(Cost {
            wall: Duration::from_nanos(wall.parse()?),
            cpu: Duration::from_nanos(cpu.parse()?),
        })
    }
}

impl Drop for DockerPy {
    fn drop(&mut self) {
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}
