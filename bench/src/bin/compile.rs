//! What a dependency costs those who build with it: crates, time, size.
//!
//! A program that lists networks is made twice, with docknet and with bollard, both as they come.
//!
//! ```text
//! cargo run --release --bin compile
//!     --quick     crates alone
//! ```

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use docknet_bench::cost::{Cost, measured_program};
use docknet_bench::locked;
use docknet_bench::report::{Goal, Report, Samples, Side};

/// How many crates docknet's default tree may have, itself included.
const MOST_CRATES: f64 = 45.0;
/// Who builds with docknet is not to wait longer, nor to ship more, than with bollard.
const NO_MORE: Goal = Goal::AtMost(1.0);
const TURNS: usize = 2;

const DOCKNET: &str = r#"
    for network in docknet::Client::from_env()?.networks().list().await? {
        println!("{}", network.name());
    }
"#;

const BOLLARD: &str = r#"
    for network in bollard::Docker::connect_with_defaults()?.list_networks(None).await? {
        println!("{}", network.name.unwrap_or_default());
    }
"#;

fn main() -> Result<()> {
    let quick = match std::env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => false,
        [flag] if flag == "--quick" => true,
        other => bail!("no such flags: {other:?}"),
    };
    let dir = tempfile::tempdir()?;
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/docknet").canonicalize()?;
    let version = locked("bollard").context("which bollard?")?;
    let programs = [
        Program::new(dir.path(), "docknet", &format!("path = {sdk:?}"), DOCKNET)?,
        Program::new(dir.path(), "bollard", &format!("version = \"={version}\""), BOLLARD)?,
    ];
    let mut report = Report::new("build");
    report.peer("bollard", version);
    for program in &programs {
        let crates = program.crates()? as f64;
        report.value("crates", program.name, crates, "");
        if program.name == "docknet" {
            report.bound("crates", crates, MOST_CRATES, "crates");
        }
    }
    if !quick {
        build(&programs, &mut report)?;
    }
    report.finish()
}

fn build(programs: &[Program; 2], report: &mut Report) -> Result<()> {
    let mut all = [(); 2].map(|()| (Samples::default(), Samples::default(), Samples::default()));
    for _ in 0..TURNS {
        for (program, (wall, cpu, size)) in programs.iter().zip(&mut all) {
            let cost = program.build()?;
            wall.add(cost.wall.as_secs_f64());
            cpu.add(cost.cpu.as_secs_f64());
            size.add(program.size()? / (1024.0 * 1024.0));
        }
    }
    for (program, (wall, cpu, size)) in programs.iter().zip(&all) {
        report.figure("clean_build", program.name, wall, "s");
        report.figure("clean_build_cpu", program.name, cpu, "s");
        report.figure("program_size", program.name, size, "MiB");
    }
    let [own, peer] = &all;
    for (name, own, peer, unit) in [
        ("clean_build", &own.0, &peer.0, "s"),
        ("clean_build_cpu", &own.1, &peer.1, "s"),
        ("program_size", &own.2, &peer.2, "MiB"),
    ] {
        let (own, peer) = (Side("docknet", own), Side("bollard", peer));
        report.ratio(&format!("{name}_to_bollard"), own, peer, unit, NO_MORE);
    }
    Ok(())
}

/// A program of a few lines that depends on one crate, and on a runtime for it.
struct Program {
    name: &'static str,
    dir: PathBuf,
}

impl Program {
    fn new(dir: &Path, name: &'static str, source: &str, body: &str) -> Result<Self> {
        let dir = dir.join(name);
        fs::create_dir_all(dir.join("src"))?;
        let manifest = format!(
            "[workspace]\n[package]\nname = \"with-{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[dependencies]\n\
             {name} = {{ {source} }}\ntokio = {{ version = \"1\", features = [\"rt\"] }}\n\
             [profile.release]\nstrip = true\n"
        );
        fs::write(dir.join("Cargo.toml"), manifest)?;
        // Without tokio's macros, which would be one more crate in both trees.
        let main = format!(
            "fn main() -> Result<(), Box<dyn std::error::Error>> {{\n\
             tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {{{body}Ok(())\n}})\n}}\n"
        );
        fs::write(dir.join("src/main.rs"), main)?;
        // The versions that everything else here is measured with.
        let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock");
        fs::copy(lock, dir.join("Cargo.lock"))?;
        let program = Self { name, dir };
        let fetched = program.cargo().arg("fetch").stderr(Stdio::null()).status()?;
        ensure!(fetched.success(), "{name}: cannot fetch what it needs");
        Ok(program)
    }

    fn cargo(&self) -> Command {
        let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
        cargo.current_dir(&self.dir).env("CARGO_TARGET_DIR", self.target());
        cargo
    }

    fn target(&self) -> PathBuf {
        self.dir.join("target")
    }

    /// How many crates the dependency is, with all that it takes.
    fn crates(&self) -> Result<usize> {
        let tree = ["tree", "--edges", "normal", "--prefix", "none", "--package", self.name];
        let output = self.cargo().args(tree).stderr(Stdio::inherit()).output()?;
        ensure!(output.status.success(), "{}: {}", self.name, output.status);
        let text = String::from_utf8(output.stdout)?;
        let lines = text.lines().map(|line| line.trim_end_matches(" (*)"));
        Ok(lines.filter(|line| !line.is_empty()).collect::<BTreeSet<_>>().len())
    }

    fn build(&self) -> Result<Cost> {
        if self.target().exists() {
            fs::remove_dir_all(self.target())?;
        }
        measured_program(self.cargo().args(["build", "--release", "--quiet"]))
    }

    fn size(&self) -> Result<f64> {
        let program = self.target().join(format!("release/with-{}", self.name));
        Ok(fs::metadata(program)?.len() as f64)
    }
}
