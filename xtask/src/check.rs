//! `cargo xtask check`: everything about the code that needs no engine.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::step::Step;

/// How many crates `docknet` may pull in with its default features, itself included.
const MOST_CRATES: usize = 45;

/// Features of `docknet-engine` that are no default together.
const ENGINE_FEATURE_SETS: &[&str] = &["", "client", "disk", "kernel"];

/// Features of `docknet` beside its default ones; each set of them must build.
const FEATURE_SETS: &[&str] =
    &["", "blocking", "ssh", "tls", "native-roots", "blocking,ssh", "blocking,tls", "ssh,tls"];

pub(crate) fn run() -> Result<()> {
    Step::cargo("format").words("fmt --all --check").run()?;
    Step::cargo("clippy")
        .words("clippy --workspace --all-targets --all-features --locked -- -D warnings")
        .run()?;
    for features in FEATURE_SETS {
        check_features("docknet", features)?;
    }
    for features in ENGINE_FEATURE_SETS {
        check_features("docknet-engine", features)?;
    }
    Step::cargo("docs")
        .words("doc --workspace --no-deps --all-features --locked --quiet")
        .env("RUSTDOCFLAGS", "-D warnings")
        .run()?;
    tree()?;
    deny()?;
    eprintln!("all checks passed");
    Ok(())
}

fn check_features(package: &str, features: &str) -> Result<()> {
    Step::cargo(format!("{package} [{features}]"))
        .words("check --quiet --locked --no-default-features --package")
        .arg(package)
        .arg("--features")
        .arg(features)
        .env("RUSTFLAGS", "-D warnings")
        // Other flags make other artefacts: kept apart, they do not push out each other's.
        .env("CARGO_TARGET_DIR", "target/features")
        .run()
}

/// Dependencies are a cost that every user pays.
fn tree() -> Result<()> {
    let tree = Step::cargo("tree")
        .words("tree --package docknet --edges normal --prefix none --locked")
        .output()?;
    let crates: BTreeSet<&str> = tree
        .lines()
        .map(|line| line.trim_end_matches(" (*)"))
        .filter(|line| !line.is_empty())
        .collect();
    eprintln!("==> docknet's default tree has {} crates, of {MOST_CRATES}", crates.len());
    if crates.len() > MOST_CRATES {
        bail!(
            "docknet's default tree has {} crates, and may have {MOST_CRATES}:\n{tree}",
            crates.len()
        );
    }
    Ok(())
}

fn deny() -> Result<()> {
    let mut version = Command::new("cargo");
    let installed =
        version.args(["deny", "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    if !installed.success() {
        Step::cargo("install cargo-deny")
            .words("install cargo-deny --locked --debug --quiet")
            .run()?;
    }
    // The database of advisories is a repository elsewhere; yanked crates show in the registry, which is reached.
    Step::cargo("deny")
        .words("deny --locked check --hide-inclusion-graph bans licenses sources")
        .run()
}
