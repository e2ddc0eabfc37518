//! What calls of the SDK cost, beside the bare socket, bollard, docker-py and the docker CLI, in one run and in turns.
//!
//! ```text
//! cargo run --release --bin sdk                     against canned answers
//!     --engine unix:///run/docker.sock   against an engine as well
//!     --docker-cli "docker"              the docker CLI as well: how it is called
//!     --quick                            fewer turns
//!     --only sdk_get                     one case alone
//! ```

#[path = "sdk/contenders.rs"]
mod contenders;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use docknet_bench::allocations::Counting;
use docknet_bench::canned::Held;
use docknet_bench::cost::Cost;
use docknet_bench::locked;
use docknet_bench::report::{Goal, Report, Samples, Side};
use docknet_bench::server::{self, Server};

use crate::contenders::{
    Blocking, Bollard, Contender, DOCKER_PY, DockerCli, DockerPy, Docknet, Floor, Task,
};

#[global_allocator]
static COUNTING: Counting = Counting;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [serve, socket, networks, members] if serve == "serve" => {
            let held = Held { networks: networks.parse()?, members: members.parse()? };
            return server::serve(Path::new(socket), held);
        }
        [peak, words @ ..] if peak == "peak" => return contenders::peak(words),
        _ => {}
    }
    let options = Options::read(arguments)?;
    let directory = tempfile::tempdir()?;
    let mut report = Report::new("sdk");
    report.peer("bollard", locked("bollard").unwrap_or("unknown"));
    report.peer("docker-py", DOCKER_PY);
    for (held, cases) in
        [(FEW, SMALL.as_slice()), (MANY, LARGE.as_slice()), (CROWDED, CONTAINERS.as_slice())]
    {
        let server = Server::start(directory.path(), held)?;
        let mut all = contenders(&server.socket, "x", &options)?;
        for case in cases.iter().filter(|case| options.wants(case)) {
            run(case, &mut all, &options, Some(&server), &mut report)?;
        }
    }
    if let Some(socket) = &options.engine {
        let mut all = contenders(socket, "bridge", &options)?;
        for case in REAL.iter().filter(|case| options.wants(case)) {
            run(case, &mut all, &options, None, &mut report)?;
        }
    }
    report.finish()
}

struct Options {
    engine: Option<PathBuf>,
    docker_cli: Option<String>,
    only: Option<String>,
    rounds: u32,
}

impl Options {
    fn read(arguments: Vec<String>) -> Result<Self> {
        let mut options = Self { engine: None, docker_cli: None, only: None, rounds: 40 };
        let mut arguments = arguments.into_iter();
        while let Some(flag) = arguments.next() {
            let mut value = || arguments.next().with_context(|| format!("{flag} wants a value"));
            match flag.as_str() {
                "--engine" => options.engine = Some(value()?.trim_start_matches("unix://").into()),
                "--docker-cli" => options.docker_cli = Some(value()?),
                "--only" => options.only = Some(value()?),
                "--quick" => options.rounds = 10,
                other => bail!("no such flag: {other}"),
            }
        }
        Ok(options)
    }

    fn wants(&self, case: &Case) -> bool {
        self.only.as_deref().is_none_or(|only| only == case.figure)
    }
}

/// A task, how often a round does it, and how many times the bare socket it may take.
struct Case {
    figure: &'static str,
    task: Task,
    calls: u32,
    goal: Option<f64>,
}

const fn case(figure: &'static str, task: Task, calls: u32, goal: Option<f64>) -> Case {
    Case { figure, task, calls, goal }
}

const FEW: Held = Held { networks: 3, members: 10 };
const SMALL: [Case; 4] = [
    case("sdk_get", Task::Get, 200, Some(1.6)),
    case("sdk_list_3", Task::List, 200, None),
    case("sdk_create_remove", Task::CreateRemove, 100, None),
    case("sdk_get_64_at_once", Task::GetMany, 4, None),
];

const MANY: Held = Held { networks: 1000, members: 10 };
const LARGE: [Case; 3] = [
    case("sdk_list_1000", Task::List, 8, Some(1.7)),
    case("sdk_list_1000_info", Task::ListTyped, 4, None),
    case("sdk_list_1000_attrs", Task::ListTrees, 4, None),
];

const CROWDED: Held = Held { networks: 1, members: 100 };
const CONTAINERS: [Case; 1] = [case("sdk_containers_100", Task::Containers, 20, None)];

const REAL: [Case; 2] =
    [case("dockerd_get", Task::Get, 50, None), case("dockerd_list", Task::List, 50, None)];

fn contenders(socket: &Path, network: &str, options: &Options) -> Result<Vec<Box<dyn Contender>>> {
    let mut all: Vec<Box<dyn Contender>> = vec![
        Box::new(Floor::new(socket, network)?),
        Box::new(Docknet::new(socket, network)?),
        Box::new(Blocking::new(socket, network)?),
        Box::new(Bollard::new(socket, network)?),
        Box::new(DockerPy::new(socket, network)?),
    ];
    if let Some(command) = &options.docker_cli {
        all.push(Box::new(DockerCli::new(command, socket, network)));
    }
    Ok(all)
}

/// What one of them took, in microseconds a call.
#[derive(Default)]
struct Taken {
    wall: Samples,
    cpu: Samples,
}

impl Taken {
    fn add(&mut self, cost: Cost, calls: u32) {
        self.wall.add(cost.wall.as_secs_f64() * 1e6 / f64::from(calls));
        self.cpu.add(cost.cpu.as_secs_f64() * 1e6 / f64::from(calls));
    }
}

/// Lets all of them do it in turns, so that what else the machine does hits all alike.
fn run(
    case: &Case,
    all: &mut [Box<dyn Contender>],
    options: &Options,
    server: Option<&Server>,
    report: &mut Report,
) -> Result<()> {
    let mut rows: Vec<_> = all
        .iter_mut()
        .filter(|contender| contender.has(case.task))
        .map(|contender| (contender, Taken::default()))
        .collect();
    for (contender, _) in &mut rows {
        // The first call connects and finds out the version.
        contender.run(case.task, 2)?;
    }
    for _ in 0..options.rounds {
        for (contender, taken) in &mut rows {
            let calls = contender.share(case.calls);
            taken.add(contender.run(case.task, calls)?, calls);
        }
    }
    let name = case.figure;
    for (contender, taken) in &rows {
        report.figure(name, contender.name(), &taken.wall, "µs");
        report.figure(&format!("{name}_cpu"), contender.name(), &taken.cpu, "µs");
    }
    for (contender, _) in &mut rows {
        let whose = contender.name();
        if let Some(server) = server {
            let before = server.requests()?;
            contender.run(case.task, 1)?;
            let sent = server.requests()? - before;
            report.value(&format!("{name}_requests"), whose, sent as f64, "");
            if case.task == Task::Containers && whose == "docknet" {
                report.bound(&format!("{name}_requests"), sent as f64, 1.0, "requests");
            }
        }
        let memory = contender.memory(case.task)?;
        if let Some(times) = memory.allocations {
            report.value(&format!("{name}_allocations"), whose, times as f64, "");
        }
        report.value(&format!("{name}_peak"), whose, memory.peak as f64 / 1024.0, "KiB");
    }
    compare(case, &rows, report);
    Ok(())
}

/// At most so many times the bare socket, and no slower than anybody else.
fn compare(case: &Case, rows: &[(&mut Box<dyn Contender>, Taken)], report: &mut Report) {
    let find = |name: &str| rows.iter().find(|(contender, _)| contender.name() == name);
    let Some((_, floor)) = find(Floor::NAME) else { return };
    let goal = case.goal.map_or(Goal::None, Goal::AtMost);
    for (title, short) in [("docknet", ""), ("docknet blocking", "_blocking")] {
        let Some((_, own)) = find(title) else { continue };
        let name = format!("{}{short}", case.figure);
        report.ratio(&name, Side(title, &own.wall), Side(Floor::NAME, &floor.wall), "µs", goal);
        let (own, floor) = (Side(title, &own.cpu), Side(Floor::NAME, &floor.cpu));
        report.ratio(&format!("{name}_cpu"), own, floor, "µs", goal);
    }
    let Some((_, own)) = find("docknet") else { return };
    for title in ["bollard", "docker-py", "docker CLI"] {
        let Some((_, peer)) = find(title) else { continue };
        let name = format!("{}_{}_to_docknet", case.figure, title.replace(' ', "-"));
        let (own, peer) = (Side("docknet", &own.wall), Side(title, &peer.wall));
        report.ratio(&name, own, peer, "µs", Goal::Faster(1.0));
    }
}
