//! `cargo xtask golden`: what real engines answered, asked of ours again.
//!
//! The cases are programs in `tests/golden`, and so are the answers of four real engines. The same
//! program asks the engine under test, and every answer that is another needs a row in
//! [`known`], with its reason.

mod arguments;
mod diff;
mod known;
mod recording;
mod report;
mod verdict;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use crate::engines::{self, Name};
use crate::served::{Like, Served};
use crate::step::root;
use arguments::{Arguments, Job};
use recording::Recording;
use verdict::Verdict;

pub(crate) use arguments::USAGE;
pub(crate) use known::fits;

/// Groups left out, as they need what our engine in memory does not have: a swarm, or programs
/// that run in containers and look around.
const ELSEWHERE: [&str; 3] = ["swarm", "inside", "hijack"];

/// Of a thousand cases so many must agree, in status and message and in all of the body.
const fn least(like: Like) -> (usize, usize) {
    match like {
        Like::Docker28 => (970, 950),
        Like::Docker26 => (980, 975),
        Like::Docker20 => (975, 970),
        Like::Podman5 => (985, 960),
    }
}

pub(crate) fn run(words: &[&str]) -> Result<()> {
    match arguments::parse(words)? {
        Job::Replay(arguments) => replay(&arguments),
        Job::Record(name) => record_real(name),
        Job::Write => report::write_document(&root().join("DIFFERENCES.md"), known::KNOWN),
    }
}

fn replay(arguments: &Arguments) -> Result<()> {
    let recording = recording_of(arguments.like);
    let recorded = Recording::read(&recording)?;
    let groups = groups(arguments, &recorded)?;
    let ours = std::env::temp_dir().join(format!("docknet-golden-{}.json", std::process::id()));
    let served = match &arguments.socket {
        Some(_) => None,
        None if arguments.kernel => Some(Served::on_kernel()?),
        None => Some(Served::start(arguments.like)?),
    };
    let socket = arguments.socket.as_deref().or_else(|| served.as_ref().map(Served::socket));
    let begun = Instant::now();
    let asked = record(socket.context("golden: no engine")?, &ours, &groups, Some(&recording));
    let seconds = begun.elapsed().as_secs_f32();
    let answered = asked.and_then(|()| Recording::read(&ours));
    let _ = std::fs::remove_file(&ours);
    let answered = answered?;

    let verdict = Verdict::of(&recorded, &answered, &groups, arguments.like, known::KNOWN);
    print!("{}", report::text(&verdict));
    println!(
        "{} cases in {:.1} s, compared with {} {}",
        answered.len(),
        seconds,
        arguments.like,
        recorded.version()
    );
    pass(&verdict, arguments)
}

/// Whether the run is as it must be.
fn pass(verdict: &Verdict<'_>, arguments: &Arguments) -> Result<()> {
    let mut failures = Vec::new();
    let unexplained = verdict.unexplained().count();
    if unexplained > 0 {
        failures.push(format!("{unexplained} differences without a reason"));
    }
    // What networks of a driver can be had depends on the kernel of the machine.
    for pattern in verdict.unused.iter().filter(|_| !arguments.kernel) {
        failures.push(format!("no difference is '{pattern}', which the table of known ones has"));
    }
    let total = verdict.total();
    if arguments.only.is_empty() {
        let (words, body) = least(arguments.like);
        if total.words * 1000 < total.cases * words {
            failures.push(format!("less than {words} ‰ agree in status and message"));
        }
        if total.body * 1000 < total.cases * body {
            failures.push(format!("less than {body} ‰ agree in body"));
        }
    }
    if !failures.is_empty() {
        bail!("golden: {}", failures.join("\n              "));
    }
    Ok(())
}

/// The groups to ask: those named, or all those that are not to be found elsewhere.
fn groups(arguments: &Arguments, recorded: &Recording) -> Result<Vec<String>> {
    let all = recorded.groups();
    for group in &arguments.only {
        ensure!(all.contains(group), "golden: no group '{group}', only {}", all.join(", "));
    }
    let wanted = |group: &String| match arguments.only.as_slice() {
        [] => arguments.all || !ELSEWHERE.contains(&group.as_str()),
        only => only.contains(group),
    };
    Ok(all.into_iter().filter(wanted).collect())
}

/// Records a real engine, which is given its first state before and after.
fn record_real(name: Name) -> Result<()> {
    let Some(like) = Like::ALL.into_iter().find(|like| like.as_str() == name.as_str()) else {
        bail!("golden: a swarm is not recorded");
    };
    let running = engines::reset(&[name])?;
    let socket = running.socket(name.as_str()).with_context(|| format!("{name} is not up"))?;
    let file = recording_of(like);
    let recorded = match like {
        // What its bridges leave behind, after some failures, spoils the groups that follow.
        Like::Podman5 => Recording::read(&file)?.groups().into_iter().try_for_each(|group| {
            engines::reset(&[name])?;
            record(socket, &file, &[group], None)
        }),
        // Those that hand out default pools in turns have to do it in the order of a replay.
        _ => record(socket, &file, &[], None),
    };
    engines::reset(&[name])?;
    recorded?;
    eprintln!("golden: {} is new", file.display());
    Ok(())
}

/// Asks an engine all cases of these groups, or of all where none is named. A replay follows a recording in how it goes on
/// after some failures.
fn record(socket: &Path, file: &Path, groups: &[String], replayed: Option<&Path>) -> Result<()> {
    let status = Command::new("python3")
        .arg(root().join("tests/golden/record.py"))
        .args([socket, file])
        .args(groups)
        // Its folder is under version control.
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("GOLDEN_RECORDED", replayed.unwrap_or_else(|| Path::new("")))
        .status()
        .context("golden: cannot run python3 (Debian's package python3; no other is needed)")?;
    ensure!(status.success(), "golden: the recorder ended with {status}");
    Ok(())
}

fn recording_of(like: Like) -> PathBuf {
    root().join(format!("tests/golden/{like}.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_has_a_recording_with_the_groups_left_out_here() {
        for like in Like::ALL {
            let recording = Recording::read(&recording_of(like)).unwrap();
            assert!(recording.len() > 1000, "{like}");
            assert!(recording.groups().iter().any(|group| group == "swarm"), "{like}");
        }
    }

    #[test]
    fn the_document_is_what_the_table_says() {
        let document = std::fs::read_to_string(root().join("DIFFERENCES.md")).unwrap_or_default();
        let written = report::with_section(&document, known::KNOWN);
        assert_eq!(document, written, "`cargo xtask golden --write` brings it up to date");
    }
}
