//! What commands cost as whole processes: `docknet` beside `docker network`, in turns, on the same engine.
//!
//! ```text
//! cargo run --release --bin program -- --docknet target/release/docknet --docker-cli docker --engine unix:///run/docker.sock
//!     --quick     fewer turns
//! ```

use std::process::Command;

use anyhow::{Context, Result, bail};
use docknet_bench::cost::measured_program;
use docknet_bench::report::{Goal, Report, Samples, Side};

/// How many times as fast as docker's.
const GOAL: Goal = Goal::Faster(5.0);

const COMMANDS: [(&str, &[&str], &[&str]); 4] = [
    ("program_ls", &["ls"], &["network", "ls"]),
    ("program_ls_quiet", &["ls", "--quiet"], &["network", "ls", "--quiet"]),
    ("program_inspect", &["inspect", "bridge"], &["network", "inspect", "bridge"]),
    ("program_help", &["--help"], &["network", "--help"]),
];

fn main() -> Result<()> {
    let options = Options::read(std::env::args().skip(1))?;
    let mut report = Report::new("program");
    report.peer("docker CLI", &options.docker_version()?);
    for (name, docknet, docker) in COMMANDS {
        let mut both = [(); 2].map(|()| (Samples::default(), Samples::default()));
        // The first one is to warm up.
        for turn in 0..options.turns + 1 {
            let programs = [(&options.docknet, docknet), (&options.docker, docker)];
            for ((program, arguments), (wall, cpu)) in programs.into_iter().zip(&mut both) {
                let (program, first) = program.split_first().context("which program?")?;
                let mut command = Command::new(program);
                command.args(first).args(arguments).env("DOCKER_HOST", &options.engine);
                let cost = measured_program(&mut command)?;
                if turn > 0 {
                    wall.add_time(cost.wall);
                    cpu.add_time(cost.cpu);
                }
            }
        }
        let [own, docker] = &both;
        for (title, (wall, cpu)) in [("docknet", own), ("docker CLI", docker)] {
            report.figure(name, title, wall, "ms");
            report.figure(&format!("{name}_cpu"), title, cpu, "ms");
        }
        let sides = (Side("docknet", &own.0), Side("docker CLI", &docker.0));
        report.ratio(&format!("{name}_docker_to_docknet"), sides.0, sides.1, "ms", GOAL);
    }
    report.finish()
}

struct Options {
    docknet: Vec<String>,
    docker: Vec<String>,
    engine: String,
    turns: usize,
}

impl Options {
    fn docker_version(&self) -> Result<String> {
        let (program, first) = self.docker.split_first().context("--docker-cli: which one?")?;
        let output = Command::new(program).args(first).arg("--version").output()?;
        let text = String::from_utf8(output.stdout)?;
        // Docker version 28.5.2, build ecc6942
        let version = text.split([' ', ',']).nth(2).context("docker has no version")?;
        Ok(version.to_owned())
    }

    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let words = |text: String| text.split_whitespace().map(str::to_owned).collect();
        let mut options =
            Self { docknet: Vec::new(), docker: Vec::new(), engine: String::new(), turns: 60 };
        while let Some(flag) = arguments.next() {
            let mut value = || arguments.next().with_context(|| format!("{flag} wants a value"));
            match flag.as_str() {
                "--docknet" => options.docknet = words(value()?),
                "--docker-cli" => options.docker = words(value()?),
                "--engine" => options.engine = value()?,
                "--quick" => options.turns = 15,
                other => bail!("no such flag: {other}"),
            }
        }
        Ok(options)
    }
}
