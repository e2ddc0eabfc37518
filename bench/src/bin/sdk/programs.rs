//! Those in other languages: docker-py in a Python that stays, and the docker CLI as a process a call.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use docknet_bench::cost::{Cost, measured_program, peak_of_programs};

use super::{Contender, Memory, Task};

/// Does as many calls as it is told, and says what they cost.
pub struct DockerPy {
    child: Child,
    orders: ChildStdin,
    costs: BufReader<ChildStdout>,
}

pub const DOCKER_PY: &str = "7.1.0";

const SCRIPT: &str = r#"
import sys, time, tracemalloc, docker
from concurrent.futures import ThreadPoolExecutor
client = docker.DockerClient(base_url="unix://" + sys.argv[1], version="1.51", max_pool_size=64)
name = sys.argv[2]
network = client.networks.get(name)
threads = ThreadPoolExecutor(64)
tasks = {
    "Get": lambda: client.networks.get(name),
    "GetMany": lambda: list(threads.map(client.networks.get, [name] * 64)),
    "List": client.networks.list,
    "CreateRemove": lambda: client.networks.create("made").remove(),
    "Containers": lambda: network.containers,
}
for order in sys.stdin:
    task, calls = order.split()
    call = tasks[task]
    if calls == "peak":
        tracemalloc.start()
        before, _ = tracemalloc.get_traced_memory()
        call()
        print(tracemalloc.get_traced_memory()[1] - before, 0, flush=True)
        tracemalloc.stop()
        continue
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

    fn ask(&mut self, task: Task, order: &str) -> Result<(u64, u64)> {
        writeln!(self.orders, "{task:?} {order}")?;
        let mut line = String::new();
        self.costs.read_line(&mut line)?;
        let (wall, cpu) = line.trim().split_once(' ').context("docker-py ended")?;
        Ok((wall.parse()?, cpu.parse()?))
    }
}

/// A Python with docker-py, made at the first run.
fn python() -> Result<PathBuf> {
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/venv");
    let python = venv.join("bin/python");
    if !venv.join("ready").exists() {
        let made = Command::new("python3").args(["-m", "venv"]).arg(&venv).status()?;
        ensure!(made.success(), "python3 cannot make {}", venv.display());
        let pip = Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .arg(format!("docker=={DOCKER_PY}"))
            .status()?;
        ensure!(pip.success(), "pip cannot install docker-py");
        std::fs::write(venv.join("ready"), "")?;
    }
    Ok(python)
}

impl Contender for DockerPy {
    fn name(&self) -> &'static str {
        "docker-py"
    }

    fn has(&self, task: Task) -> bool {
        !matches!(task, Task::ListTyped | Task::ListTrees)
    }

    fn run(&mut self, task: Task, calls: u32) -> Result<Cost> {
        let (wall, cpu) = self.ask(task, &calls.to_string())?;
        Ok(Cost { wall: Duration::from_nanos(wall), cpu: Duration::from_nanos(cpu) })
    }

    fn share(&self, calls: u32) -> u32 {
        calls.div_ceil(4)
    }

    fn memory(&mut self, task: Task) -> Result<Memory> {
        Ok(Memory { allocations: None, peak: self.ask(task, "peak")?.0 })
    }
}

impl Drop for DockerPy {
    fn drop(&mut self) {
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

pub struct DockerCli {
    command: Vec<String>,
    socket: PathBuf,
    network: String,
}

impl DockerCli {
    /// The command is words, divided by blanks.
    pub fn new(command: &str, socket: &Path, network: &str) -> Self {
        let command = command.split_whitespace().map(str::to_owned).collect();
        Self { command, socket: socket.to_owned(), network: network.to_owned() }
    }

    fn network(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.command[0]);
        command
            .args(&self.command[1..])
            .arg("network")
            .args(words)
            .env("DOCKER_HOST", format!("unix://{}", self.socket.display()));
        command
    }

    fn commands(&self, task: Task) -> Vec<Command> {
        match task {
            Task::Get => vec![self.network(&["inspect", &self.network])],
            Task::CreateRemove => {
                vec![self.network(&["create", "made"]), self.network(&["rm", "made"])]
            }
            _ => vec![self.network(&["ls"])],
        }
    }
}

impl Contender for DockerCli {
    fn name(&self) -> &'static str {
        "docker CLI"
    }

    fn has(&self, task: Task) -> bool {
        matches!(task, Task::Get | Task::List | Task::CreateRemove)
    }

    fn run(&mut self, task: Task, calls: u32) -> Result<Cost> {
        let mut cost = Cost::default();
        for mut command in (0..calls).flat_map(|_| self.commands(task)) {
            cost += measured_program(&mut command)?;
        }
        Ok(cost)
    }

    fn share(&self, calls: u32) -> u32 {
        calls.div_ceil(100)
    }

    /// All that the process has, in a process that waits for no other.
    fn memory(&mut self, task: Task) -> Result<Memory> {
        let mut peak = 0;
        for command in self.commands(task) {
            let mut apart = Command::new(std::env::current_exe()?);
            apart.arg("peak").arg(command.get_program()).args(command.get_args());
            let host = format!("unix://{}", self.socket.display());
            let output = apart.env("DOCKER_HOST", host).output()?;
            ensure!(output.status.success(), "{apart:?}: {}", output.status);
            peak = peak.max(String::from_utf8(output.stdout)?.trim().parse()?);
        }
        Ok(Memory { allocations: None, peak })
    }
}

/// Runs a program, and prints the most memory that it had.
pub fn peak(words: &[String]) -> Result<()> {
    let (program, arguments) = words.split_first().context("peak: of what?")?;
    measured_program(Command::new(program).args(arguments))?;
    println!("{}", peak_of_programs()?);
    Ok(())
}
