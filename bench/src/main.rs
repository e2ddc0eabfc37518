//! What calls of docknet cost, beside the bare socket, bollard and docker-py, in one run and in turns.
//!
//! ```text
//! cargo run --release --bin peers                                    against canned answers
//! cargo run --release --bin peers -- --docker unix:///run/docker.sock  against an engine as well
//!     --only docknet     these alone, beside the bare socket
//!     --case sdk_get     this case alone
//!     --rounds 40        how often everything is done in turns
//! ```

mod canned;
mod contenders;
mod measure;
mod server;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::contenders::{Bollard, Contender, DockerPy, Docknet, Floor, Task};
use crate::measure::Samples;
use crate::server::Server;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [serve, socket, networks] = arguments.as_slice()
        && serve == "serve"
    {
        return server::serve(Path::new(socket), networks.parse()?);
    }
    let options = Options::read(arguments)?;
    let directory = std::env::temp_dir().join(format!("docknet-bench-{}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    let compared = compare(&options, &directory);
    std::fs::remove_dir_all(&directory)?;
    compared
}

struct Options {
    docker: Option<PathBuf>,
    only: Option<String>,
    case: Option<String>,
    rounds: usize,
}

impl Options {
    fn read(arguments: Vec<String>) -> Result<Self> {
        let mut options = Self { docker: None, only: None, case: None, rounds: 15 };
        let mut arguments = arguments.into_iter();
        while let Some(flag) = arguments.next() {
            let value = arguments.next().with_context(|| format!("{flag} wants a value"))?;
            match flag.as_str() {
                "--docker" => options.docker = Some(value.trim_start_matches("unix://").into()),
                "--only" => options.only = Some(value),
                "--case" => options.case = Some(value),
                "--rounds" => options.rounds = value.parse()?,
                other => bail!("no such flag: {other}"),
            }
        }
        Ok(options)
    }
}

/// A task against one server, how often a round does it, and what is wanted of docknet: at most so many times the bare
/// socket.
struct Case {
    figure: &'static str,
    title: &'static str,
    task: Task,
    calls: u32,
    goal: Option<f64>,
}

const SMALL: [Case; 2] = [
    Case { figure: "sdk_get", title: "get, 3 KB", task: Task::Get, calls: 200, goal: Some(1.6) },
    Case {
        figure: "sdk_list_3",
        title: "list of 3 networks, 9 KB",
        task: Task::List,
        calls: 200,
        goal: None,
    },
];

const LARGE: [Case; 3] = [
    Case {
        figure: "sdk_list_1000",
        title: "list of 1,000 networks, 3 MB",
        task: Task::List,
        calls: 8,
        goal: Some(1.7),
    },
    Case {
        figure: "sdk_list_1000_info",
        title: "list of 1,000 and info() of each",
        task: Task::ListTyped,
        calls: 8,
        goal: None,
    },
    Case {
        figure: "sdk_list_1000_attrs",
        title: "list of 1,000 and attrs() of each",
        task: Task::ListTrees,
        calls: 8,
        goal: None,
    },
];

const REAL: [Case; 2] = [
    Case {
        figure: "dockerd_get",
        title: "dockerd: get bridge",
        task: Task::Get,
        calls: 50,
        goal: None,
    },
    Case {
        figure: "dockerd_list",
        title: "dockerd: list",
        task: Task::List,
        calls: 50,
        goal: None,
    },
];

fn compare(options: &Options, directory: &Path) -> Result<()> {
    let mut figures = Vec::new();
    for (networks, cases) in [(3, SMALL.as_slice()), (1000, &LARGE)] {
        let server = Server::start(directory, networks)?;
        let mut all = contenders(&server.socket, "x", options)?;
        for case in cases {
            figures.extend(run(case, &mut all, options, || server.requests())?);
        }
    }
    if let Some(socket) = &options.docker {
        let mut all = contenders(socket, "bridge", options)?;
        for case in &REAL {
            figures.extend(run(case, &mut all, options, || Ok(0))?);
        }
    }
    println!();
    figures.iter().for_each(|figure| println!("{figure}"));
    Ok(())
}

fn contenders(socket: &Path, network: &str, options: &Options) -> Result<Vec<Box<dyn Contender>>> {
    let wanted = |name: &str| options.only.as_deref().is_none_or(|only| only == name);
    let mut all: Vec<Box<dyn Contender>> = vec![Box::new(Floor::new(socket, network)?)];
    if wanted("docknet") {
        all.push(Box::new(Docknet::new(socket, network)?));
    }
    if wanted("bollard") {
        all.push(Box::new(Bollard::new(socket, network)?));
    }
    if wanted("docker-py") {
        all.push(Box::new(DockerPy::new(socket, network)?));
    }
    Ok(all)
}

/// Lets all of them do it in turns, so that what else the machine does hits all alike.
fn run(
    case: &Case,
    all: &mut [Box<dyn Contender>],
    options: &Options,
    requests: impl Fn() -> Result<u64>,
) -> Result<Vec<String>> {
    if options.case.as_deref().is_some_and(|only| only != case.figure) {
        return Ok(Vec::new());
    }
    let mut rows = Vec::new();
    for contender in all.iter_mut().filter(|contender| contender.has(case.task)) {
        // The first call connects and finds out the version.
        contender.run(case.task, 2)?;
        let before = requests()?;
        contender.run(case.task, 10)?;
        // The bare socket takes one more to learn the length.
        let extra = u64::from(contender.name() == "bare socket");
        let sent = (requests()? - before).saturating_sub(extra) as f64 / 10.0;
        rows.push((contender, sent, Samples::default()));
    }
    for _ in 0..options.rounds {
        for (contender, _, samples) in &mut rows {
            samples.add(contender.run(case.task, case.calls)?, case.calls);
        }
    }
    println!("\n{}", case.title);
    println!(
        "  {:<12} {:>10} {:>21} {:>10} {:>8} {:>8} {:>9}",
        "", "wall µs", "spread", "CPU µs", "× wall", "× CPU", "requests"
    );
    let floor = &rows[0].2;
    let mut figures = Vec::new();
    for (contender, sent, samples) in &rows {
        let (low, high) = samples.spread();
        let (wall, cpu) = samples.times(floor);
        println!(
            "  {:<12} {:>10.1} {:>10.1}–{:<10.1} {:>10.1} {wall:>8.2} {cpu:>8.2} {sent:>9.1}",
            contender.name(),
            samples.wall(),
            low,
            high,
            samples.cpu(),
        );
        if contender.name() == "docknet" {
            figures.push(figure(case.figure, wall, case.goal));
            figures.push(figure(&format!("{}_cpu", case.figure), cpu, case.goal));
        }
    }
    Ok(figures)
}

fn figure(name: &str, ratio: f64, goal: Option<f64>) -> String {
    match goal {
        Some(goal) => format!(
            "{name} ratio={ratio:.2} goal={goal} {}",
            if ratio <= goal { "ok" } else { "SHORT" }
        ),
        None => format!("{name} ratio={ratio:.2}"),
    }
}
