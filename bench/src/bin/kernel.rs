//! What networks on the kernel cost: ours, dockerd's, Podman's, and the least that the kernel itself takes, in one run and
//! in turns.
//!
//! ```text
//! cargo run --release --bin kernel -- --docker unix:///run/docker.sock
//!     --docker-without-proxy unix:///run/bare.sock   one with --userland-proxy=false as well
//!     --podman unix:///run/podman.sock               and Podman
//!     --dir DIR         where our engine has its state: on the same disk as theirs
//!     --quick           fewer turns, nothing with 100 networks, and dockerd with ten only
//!     --only calls      one chapter alone: processes, calls, prune, churn, start, traffic, names
//!     --largest 1000    no more networks than that
//! ```
//!
//! All engines are asked by docknet's SDK over a Unix socket, one request at a time. Those of dockerd and Podman must be
//! new: they are filled, and left as they are.

#[path = "kernel/calls.rs"]
mod calls;
#[path = "kernel/contender.rs"]
mod contender;
#[path = "kernel/floor.rs"]
mod floor;
#[path = "kernel/many.rs"]
mod many;
#[path = "kernel/names.rs"]
mod names;
#[path = "kernel/namespace.rs"]
mod namespace;
#[path = "kernel/processes.rs"]
mod processes;
#[path = "kernel/served.rs"]
mod served;
#[path = "kernel/traffic.rs"]
mod traffic;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::calls::Pace;
use crate::contender::Contender;
use crate::floor::Floor;
use crate::served::{Kept, Served};
use docknet_bench::report::Report;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [serve, socket, state @ ..] = arguments.as_slice()
        && serve == "serve"
    {
        return served::serve(socket, state.first());
    }
    let options = Options::read(arguments)?;
    let dir = tempfile::tempdir_in(&options.dir)?;
    let mut field = Field::gather(&options, dir.path().to_owned())?;
    let mut report = Report::new("kernel");
    for contender in &field.contenders {
        if !contender.is_ours() {
            report.peer(contender.title, &contender.version()?);
        }
    }
    for size in SIZES.into_iter().filter(|size| options.takes(*size)) {
        field.stage(size, &options, &mut report)?;
    }
    report.finish()
}

/// How many networks there are.
const SIZES: [usize; 3] = [10, 100, 1000];
/// Podman reads all there are for each that it makes.
const MOST_OF_PODMAN: usize = 100;
pub const WITHOUT_PROXY: &str = "dockerd, no proxy";

struct Options {
    docker: String,
    docker_without_proxy: Option<String>,
    podman: Option<String>,
    dir: PathBuf,
    quick: bool,
    only: Option<String>,
    largest: usize,
}

impl Options {
    fn read(arguments: Vec<String>) -> Result<Self> {
        let mut docker = None;
        let mut options = Self {
            docker: String::new(),
            docker_without_proxy: None,
            podman: None,
            dir: "/var/tmp".into(),
            quick: false,
            only: None,
            largest: 1000,
        };
        let mut arguments = arguments.into_iter();
        while let Some(flag) = arguments.next() {
            let mut value = || arguments.next().with_context(|| format!("{flag} wants a value"));
            match flag.as_str() {
                "--docker" => docker = Some(value()?),
                "--docker-without-proxy" => options.docker_without_proxy = Some(value()?),
                "--podman" => options.podman = Some(value()?),
                "--dir" => options.dir = value()?.into(),
                "--quick" => options.quick = true,
                "--only" => options.only = Some(value()?),
                "--largest" => options.largest = value()?.parse()?,
                other => bail!("no such flag: {other}"),
            }
        }
        options.docker = docker.context("--docker: where is dockerd?")?;
        Ok(options)
    }

    fn wants(&self, chapter: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == chapter)
    }

    fn takes(&self, size: usize) -> bool {
        size <= self.largest && !(self.quick && size == SIZES[1])
    }

    fn turns(&self, turns: usize) -> usize {
        if self.quick { turns.div_ceil(3) } else { turns }
    }

    fn most_of_dockerd(&self) -> usize {
        if self.quick { SIZES[0] } else { usize::MAX }
    }
}

/// Everybody, each with a network namespace of its own.
struct Field {
    contenders: Vec<Contender>,
    floor: Floor,
}

impl Field {
    fn gather(options: &Options, dir: PathBuf) -> Result<Self> {
        let ours = |title, kept| Served::start(title, &dir, kept).and_then(Contender::ours);
        let mut contenders = vec![
            ours("docknet", Kept::OnDisk)?.grows(usize::MAX),
            ours("docknet, few", Kept::OnDisk)?.grows(SIZES[0]),
            ours("docknet, no disk", Kept::InMemory)?.grows(usize::MAX),
            ours("docknet, no disk, few", Kept::InMemory)?.grows(SIZES[0]),
            Contender::at("dockerd", &options.docker)?.grows(options.most_of_dockerd()),
        ];
        if let Some(bare) = &options.docker_without_proxy {
            contenders.push(Contender::at(WITHOUT_PROXY, bare)?.grows(SIZES[0]));
        }
        if let Some(podman) = &options.podman {
            contenders.push(Contender::at("podman", podman)?.grows(MOST_OF_PODMAN));
        }
        Ok(Self { contenders, floor: Floor::new()? })
    }

    fn stage(&mut self, size: usize, options: &Options, report: &mut Report) -> Result<()> {
        let begun = Instant::now();
        for contender in &mut self.contenders {
            contender.fill(size)?;
        }
        self.floor.fill(size)?;
        eprintln!("{size} networks each after {:.1} s", begun.elapsed().as_secs_f64());
        // With the most networks that they can have.
        self.contenders.retain(|contender| size <= SIZES[0] || contender.stays(size));
        if size == SIZES[0] {
            if options.wants("processes") {
                processes::count(&mut self.contenders, report)?;
            }
            if options.wants("start") {
                calls::starts(&mut self.contenders, options.turns(8), report)?;
            }
            if options.wants("names") {
                names::measure(&mut self.contenders, options.quick, report)?;
            }
        }
        if options.wants("calls") {
            let turns = options.turns(if size < SIZES[2] { 24 } else { 15 });
            for (pace, turns) in [(Pace::Rested, turns), (Pace::Row, turns.div_ceil(3).max(4))] {
                calls::measure(&mut self.contenders, &mut self.floor, size, pace, turns, report)?;
            }
        }
        if options.wants("churn") {
            many::churn(&mut self.contenders, size, options.turns(3), report)?;
        }
        if options.wants("prune") {
            many::prune(&mut self.contenders, size, report)?;
        }
        if options.wants("traffic") && size != SIZES[1] {
            traffic::measure(&mut self.contenders, size, options.quick, report)?;
        }
        eprintln!("measured with {size} after {:.1} s", begun.elapsed().as_secs_f64());
        Ok(())
    }
}
