//! `cargo xtask bench`: what everything costs, beside what else does it.

mod document;
mod profiles;
mod record;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::engines::{self, Name};
use crate::step::{Step, root};
use record::Record;

pub(crate) const USAGE: &str = "\
usage: cargo xtask bench [--quick] [--only CHAPTER[/PART]] [--write]
       cargo xtask bench instructions [--write]

CHAPTER   sdk       calls beside a bare socket, bollard, docker-py and the docker CLI
          program   `docknet` beside `docker network`, as whole processes
          engine    the engine in memory and on disk: many networks, many clients
          kernel    networks on the kernel beside dockerd, Podman and the least that the kernel takes
          build     what a dependency on docknet costs, beside one on bollard
PART      one case or part of a chapter: sdk/sdk_get, engine/clients, kernel/calls
--quick   fewer turns and smaller engines, of a build without optimisation across crates: minutes, not an hour
--write   what was measured becomes BENCHMARKS.md; of all chapters only

`instructions` counts what a few calls take, and holds them against bench/instructions.tsv; --write renews that.";

pub(crate) fn run(words: &[&str]) -> Result<()> {
    if let ["instructions", flags @ ..] = words {
        return instructions(flags);
    }
    let options = Options::read(words)?;
    let file = std::env::temp_dir().join(format!("docknet-bench-{}.jsonl", std::process::id()));
    let records = options.measure(&file).and_then(|()| record::read(&file));
    if file.exists() {
        fs::remove_file(&file)?;
    }
    let records = records?;
    summarize(&records);
    if options.write {
        fs::write(root().join("BENCHMARKS.md"), document::of(&records, options.quick)?)?;
    }
    Ok(())
}

/// Holds the instructions that calls take against their bounds.
pub(crate) fn instructions(flags: &[&str]) -> Result<()> {
    engines::install_tools()?;
    let step = Step::cargo("bench instructions")
        .words("run --quiet --profile count --locked --manifest-path bench/Cargo.toml --no-default-features --bin instructions --")
        .within(root());
    flags.iter().fold(step, |step, flag| step.arg(flag)).run()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chapter {
    Sdk,
    Program,
    Engine,
    Kernel,
    Build,
}

impl Chapter {
    const ALL: [Self; 5] = [Self::Sdk, Self::Program, Self::Engine, Self::Kernel, Self::Build];

    fn as_str(self) -> &'static str {
        match self {
            Self::Sdk => "sdk",
            Self::Program => "program",
            Self::Engine => "engine",
            Self::Kernel => "kernel",
            Self::Build => "build",
        }
    }
}

#[derive(Debug, Default)]
struct Options {
    quick: bool,
    write: bool,
    only: Option<(Chapter, Option<String>)>,
}

impl Options {
    fn read(words: &[&str]) -> Result<Self> {
        let mut options = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--quick" => options.quick = true,
                "--write" => options.write = true,
                "--only" => {
                    let what = words.next().context("--only wants a chapter")?;
                    let (name, part) = what.split_once('/').unzip();
                    let name = name.unwrap_or(what);
                    let chapter = Chapter::ALL.into_iter().find(|all| all.as_str() == name);
                    let chapter = chapter.with_context(|| format!("no chapter {name}"))?;
                    options.only = Some((chapter, part.map(str::to_owned)));
                }
                other => bail!("bench: cannot make sense of '{other}'\n\n{USAGE}"),
            }
        }
        if options.write && options.only.is_some() {
            bail!("bench: BENCHMARKS.md is of all chapters");
        }
        Ok(options)
    }

    fn measure(&self, file: &Path) -> Result<()> {
        let chapters = Chapter::ALL
            .into_iter()
            .filter(|chapter| self.only.as_ref().is_none_or(|(only, _)| only == chapter));
        for chapter in chapters {
            self.chapter(chapter, file)?;
        }
        Ok(())
    }

    fn chapter(&self, chapter: Chapter, file: &Path) -> Result<()> {
        match chapter {
            Chapter::Sdk => {
                let socket = docker28()?;
                self.step("sdk", chapter, file)
                    .arg("--engine")
                    .arg(socket)
                    .arg("--docker-cli")
                    .arg(engines::docker_cli()?)
                    .run()
            }
            Chapter::Program => {
                let socket = docker28()?;
                self.step("program", chapter, file)
                    .arg("--docknet")
                    .arg(docknet()?)
                    .arg("--docker-cli")
                    .arg(engines::docker_cli()?)
                    .arg("--engine")
                    .arg(socket)
                    .run()
            }
            Chapter::Engine => self.step("engine", chapter, file).run(),
            Chapter::Kernel => self.kernel(file),
            Chapter::Build => self.step("compile", chapter, file).run(),
        }
    }

    /// Beside the engines that others make networks with.
    fn kernel(&self, file: &Path) -> Result<()> {
        const OTHERS: [Name; 3] = [Name::Docker28, Name::Docker28Bare, Name::Podman5];
        let running = engines::reset(&OTHERS)?;
        let socket = |node: &str| {
            let socket = running.socket(node).with_context(|| format!("{node} is not up"))?;
            anyhow::Ok(format!("unix://{}", socket.display()))
        };
        let step = self.step("kernel", Chapter::Kernel, file);
        let step = step.arg("--docker").arg(socket("docker28")?);
        let step = step.arg("--docker-without-proxy").arg(socket("docker28bare")?);
        let step = step.arg("--podman").arg(socket("podman5")?);
        let ended = step.env("DOCKNET_KERNEL_IMAGE", engines::busybox()?).run();
        // They have a thousand networks now: to forget these is a matter of seconds, to remove them one of minutes.
        engines::forget(&OTHERS)?;
        ended
    }

    fn step(&self, program: &str, chapter: Chapter, file: &Path) -> Step {
        let mut step = Step::cargo(format!("bench {}", chapter.as_str()))
            .words("run --quiet --locked --manifest-path bench/Cargo.toml --profile")
            // What users have who set nothing is built in a third of the time.
            .arg(if self.quick { "count" } else { "release" })
            .arg("--bin")
            .arg(program)
            .arg("--")
            .env("DOCKNET_BENCH_REPORT", file)
            .within(root());
        if self.quick {
            step = step.arg("--quick");
        }
        match &self.only {
            Some((_, Some(part))) => step.arg("--only").arg(part),
            _ => step,
        }
    }
}

/// The program, as its users have it.
fn docknet() -> Result<PathBuf> {
    Step::cargo("build docknet")
        .words("build --quiet --release --locked --package docknet-cli")
        .within(root())
        .run()?;
    // This program is in `debug` beside it.
    let target = std::env::current_exe()?.parent().and_then(Path::parent).map(Path::to_owned);
    Ok(target.context("bench: where is the target directory?")?.join("release/docknet"))
}

fn docker28() -> Result<String> {
    let running = engines::up(&[Name::Docker28])?;
    let socket = running.socket("docker28").context("docker28 is not up")?;
    Ok(format!("unix://{}", socket.display()))
}

/// What falls short, after pages of figures.
fn summarize(records: &[Record]) {
    let verdicts = || records.iter().filter_map(Record::verdict);
    let short: Vec<_> = verdicts().filter(|(_, reached)| !reached).map(|(name, _)| name).collect();
    println!(
        "{} goals, {} of them not reached: {}",
        verdicts().count(),
        short.len(),
        short.join(" ")
    );
}
