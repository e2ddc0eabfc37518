//! What a contributor runs: `cargo xtask check`, `cargo xtask test`, `cargo xtask engines up`.

mod bench;
mod check;
mod clients;
mod compare;
mod engines;
mod golden;
mod served;
mod step;
mod test;

use std::env;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use engines::Name;

const USAGE: &str = "\
usage: cargo xtask check                     format, clippy, features, docs, dependencies
       cargo xtask test                      every tier of tests, on real engines too
       cargo xtask bench [FLAGS...]          what everything costs beside what else does it; --quick
       cargo xtask bench instructions        how many instructions calls take, beside their bounds
       cargo xtask quickstart                the main job on an engine that this brings up
       cargo xtask golden [FLAGS...]         ask our engine what real ones were asked
       cargo xtask clients [FLAGS...]        docker, docker-py and bollard on our engine
       cargo xtask compare [SCRIPT...]       `docker network` and `docknet` on Docker 28.5
       cargo xtask engines up [NAME...]      start real engines (those of the tests without a name)
       cargo xtask engines down [NAME...]    stop them; images, networks and containers stay
       cargo xtask engines reset [NAME...]   stop them, forget their state, start them
       cargo xtask engines purge             stop all of them and delete all there is on disk
       cargo xtask engines status            one line per engine
       cargo xtask engines env               how to reach those that are up, for a shell's eval
       cargo xtask engines sh NODE [CMD...]  run CMD (default: bash) in an engine's namespaces

NAME   docker20, docker26, docker28, docker28bare (without a proxy for ports), podman5 or swarm
NODE   the same, but swarm1 or swarm2 in place of swarm

Engines live in /var/tmp/docknet-engines, or in $DOCKNET_ENGINES_DIR. Debian packages come
from the mirror in this machine's apt sources, or from $DOCKNET_DEBIAN_MIRROR.";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<()> {
    match words {
        [] | ["help" | "-h" | "--help"] => println!("{USAGE}"),
        ["check"] => check::run()?,
        ["test"] => test::run()?,
        ["bench", "help" | "-h" | "--help"] => println!("{}", bench::USAGE),
        ["bench", flags @ ..] => bench::run(flags)?,
        ["golden", "help" | "-h" | "--help"] => println!("{}", golden::USAGE),
        ["golden", flags @ ..] => golden::run(flags)?,
        ["clients", "help" | "-h" | "--help"] => println!("{}", clients::USAGE),
        ["clients", flags @ ..] => clients::run(flags)?,
        ["compare", scripts @ ..] => compare::run(scripts)?,
        ["quickstart"] => test::quickstart()?,
        ["engines", rest @ ..] => run_engines(rest)?,
        [other, ..] => bail!("no command '{other}'\n\n{USAGE}"),
    }
    Ok(())
}

fn run_engines(words: &[&str]) -> Result<()> {
    match words {
        [] | ["help" | "-h" | "--help"] => println!("{USAGE}"),
        ["up", names @ ..] => {
            engines::up(&parse(names, &Name::TESTED)?)?;
        }
        ["down", names @ ..] => engines::down(&parse(names, &Name::ALL)?)?,
        ["reset", names @ ..] => {
            engines::reset(&parse(names, &Name::TESTED)?)?;
        }
        ["purge"] => engines::purge()?,
        ["status"] => print!("{}", engines::status()?),
        ["env"] => print!("{}", engines::running(&Name::TESTED)?.exports()),
        ["sh", node, command @ ..] => engines::enter(node, command)?,
        ["sh"] => bail!("engines sh: in which engine?\n\n{USAGE}"),
        [verb, ..] => bail!("engines: cannot make sense of '{verb}' here\n\n{USAGE}"),
    }
    Ok(())
}

/// The engines asked for, or these where none is named.
fn parse(names: &[&str], default: &[Name]) -> Result<Vec<Name>> {
    if names.is_empty() {
        return Ok(default.to_vec());
    }
    names.iter().map(|name| name.parse().context("engines")).collect()
}
