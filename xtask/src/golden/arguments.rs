//! The command line.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::engines::Name;
use crate::served::Like;

pub(crate) const USAGE: &str = "\
usage: cargo xtask golden [FLAGS...]     ask our engine what real ones were asked
       cargo xtask golden --write        bring DIFFERENCES.md up to date with the known differences
       cargo xtask golden --record NAME  record a real engine anew; all that is in it is lost

--like NAME     compare with docker28 (which is the default), docker26, docker20 or podman5
--only GROUP    only these cases; may be given again. Docker 20.10 and 26.1 hand out default pools in
                turns, so that these differ where groups before them are left out.
--all           with the groups that need a swarm or a look into a container
--kernel        ask ours with real networks, on the kernel; else in memory. It is like docker28
--socket PATH   ask the engine there, not one started for this. EVERY CONTAINER AND NETWORK in it
                is removed.";

#[derive(Debug)]
pub(super) enum Job {
    Replay(Arguments),
    Record(Name),
    Write,
}

#[derive(Debug, Default)]
pub(super) struct Arguments {
    pub(super) like: Like,
    pub(super) only: Vec<String>,
    pub(super) all: bool,
    pub(super) kernel: bool,
    pub(super) socket: Option<PathBuf>,
}

pub(super) fn parse(words: &[&str]) -> Result<Job> {
    match words {
        ["--write"] => return Ok(Job::Write),
        ["--record", name] => return Ok(Job::Record(name.parse()?)),
        _ => {}
    }
    let mut arguments = Arguments::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().with_context(|| format!("golden: {word} what?\n\n{USAGE}"));
        match *word {
            "--like" => arguments.like = value()?.parse()?,
            "--only" => arguments.only.push((*value()?).to_owned()),
            "--socket" => arguments.socket = Some(value()?.into()),
            "--all" => arguments.all = true,
            "--kernel" => arguments.kernel = true,
            other => bail!("golden: cannot make sense of '{other}' here\n\n{USAGE}"),
        }
    }
    if arguments.kernel && (arguments.like != Like::Docker28 || arguments.socket.is_some()) {
        bail!("golden: --kernel is for ours, and like docker28\n\n{USAGE}");
    }
    Ok(Job::Replay(arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_may_come_in_any_order_and_again() {
        let words = ["--only", "list", "--like", "podman5", "--all", "--only", "get"];
        let Job::Replay(arguments) = parse(&words).unwrap() else { panic!("not a replay") };
        assert_eq!(arguments.only, ["list", "get"]);
        assert_eq!((arguments.like, arguments.all), (Like::Podman5, true));
        assert!(arguments.socket.is_none());
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (words, named) in [
            (&["--like"][..], "--like what?"),
            (&["--like", "docker1"], "docker1"),
            (&["--what"], "--what"),
            (&["--kernel", "--like", "podman5"], "--kernel is for ours"),
            (&["--record", "docker1"], "docker1"),
        ] {
            let error = parse(words).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }
}
