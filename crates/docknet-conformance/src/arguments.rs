//! The program's arguments.

use docknet_engine::Profile;

pub(crate) const HELP: &str = "\
Usage: docknet-conformance --engine NAME=URL[+URL] ... --embedded NAME[=PROFILE] ... [OPTIONS]

Runs every behaviour against every engine. Several addresses of one engine are the nodes of its swarm; workers that are
given by themselves are put to their manager.

  --engine NAME=URL  an engine, as in docker28=unix:///run/docker.sock; more of them in
                     DOCKNET_ENGINES=NAME=URL,NAME=URL
  --embedded NAME[=PROFILE]
                     our own engine in this process, like docker20, docker26, docker28 (if none is named) or podman5
  --only TEXT        only the behaviours that have this in their name; all of several
  --jobs N           behaviours at a time on each engine (2)
  --table FILE       writes the table of behaviours and engines, as Markdown
  --json FILE        writes everything, as JSON
  --again            gives what failed a second try, alone and at the end; both are printed
  --complete         fails if there are behaviours that none of the engines can show
";

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) engines: Vec<(String, Place)>,
    pub(crate) only: Vec<String>,
    pub(crate) jobs: usize,
    pub(crate) table: Option<String>,
    pub(crate) json: Option<String>,
    pub(crate) complete: bool,
    pub(crate) again: bool,
}

/// Where an engine is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// At these addresses: one, or one a node of a swarm.
    At(Vec<String>),
    /// In this process, and like this one.
    Here(Profile),
}

impl Arguments {
    /// The arguments and the environment; none if help is wanted.
    pub(crate) fn read(arguments: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let from_environment = std::env::var("DOCKNET_ENGINES").unwrap_or_default();
        Self::parse(arguments, &from_environment)
    }

    fn parse(
        mut arguments: impl Iterator<Item = String>,
        from_environment: &str,
    ) -> Result<Option<Self>, String> {
        let mut found = Self {
            engines: Vec::new(),
            only: Vec::new(),
            jobs: 2,
            table: None,
            json: None,
            complete: false,
            again: false,
        };
        while let Some(argument) = arguments.next() {
            let (name, inline) = match argument.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
                _ => (argument.as_str(), None),
            };
            let mut value = || {
                inline
                    .clone()
                    .or_else(|| arguments.next())
                    .ok_or_else(|| format!("{name} wants a value"))
            };
            match name {
                "--engine" => found.engines.push(engine(&value()?)?),
                "--embedded" => found.engines.push(embedded(&value()?)?),
                "--only" => found.only.push(value()?),
                "--jobs" => {
                    let text = value()?;
                    found.jobs =
                        text.parse().ok().filter(|jobs| *jobs > 0).ok_or_else(|| {
                            format!("--jobs wants a number from 1 on, not {text:?}")
                        })?;
                }
                "--table" => found.table = Some(value()?),
                "--json" => found.json = Some(value()?),
                "--again" => found.again = true,
                "--complete" => found.complete = true,
                "--help" | "-h" => return Ok(None),
                _ => return Err(format!("unknown argument {argument:?}")),
            }
        }
        for text in from_environment.split(',').filter(|text| !text.is_empty()) {
            found.engines.push(engine(text)?);
        }
        if found.engines.is_empty() {
            return Err("no engine is given".to_owned());
        }
        Ok(Some(found))
    }
}

fn engine(text: &str) -> Result<(String, Place), String> {
    match text.split_once('=') {
        Some((name, hosts)) if !name.is_empty() && !hosts.is_empty() => {
            let hosts = hosts.split('+').map(str::to_owned).collect();
            Ok((name.to_owned(), Place::At(hosts)))
        }
        _ => Err(format!("an engine is NAME=URL, not {text:?}")),
    }
}

fn embedded(text: &str) -> Result<(String, Place), String> {
    let (name, profile) = text.split_once('=').unwrap_or((text, "docker28"));
    let profile = match profile {
        "docker20" => Profile::Docker20_10,
        "docker26" => Profile::Docker26,
        "docker28" => Profile::Docker28,
        "podman5" => Profile::Podman5,
        _ => return Err(format!("no engine {profile:?} to be like")),
    };
    match name {
        "" => Err(format!("an engine in this process is NAME or NAME=PROFILE, not {text:?}")),
        name => Ok((name.to_owned(), Place::Here(profile))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str], environment: &str) -> Result<Option<Arguments>, String> {
        Arguments::parse(arguments.iter().map(|text| (*text).to_owned()), environment)
    }

    #[test]
    fn reads_both_spellings_and_the_environment() {
        let arguments = [
            "--engine",
            "a=unix:///a",
            "--engine=s=unix:///1+unix:///2",
            "--embedded=o=docker26",
            "--jobs=4",
        ];
        let found = parse(&arguments, "b=unix:///b").unwrap().unwrap();
        let names: Vec<_> =
            found.engines.iter().map(|(name, place)| (name.as_str(), place)).collect();
        let at = |hosts: &[&str]| Place::At(hosts.iter().map(|&host| host.to_owned()).collect());
        let wanted =
            [at(&["unix:///a"]), at(&["unix:///1", "unix:///2"]), Place::Here(Profile::Docker26)];
        assert_eq!(
            names,
            [("a", &wanted[0]), ("s", &wanted[1]), ("o", &wanted[2]), ("b", &at(&["unix:///b"]))]
        );
        assert_eq!((found.jobs, found.complete), (4, false));
    }

    #[test]
    fn says_what_is_wrong() {
        for (arguments, words) in [
            (&["--engine", "a"][..], "an engine is NAME=URL, not \"a\""),
            (&["--jobs", "0"], "--jobs wants a number from 1 on, not \"0\""),
            (&["--embedded", "o=docker27"], "no engine \"docker27\" to be like"),
            (&["--only"], "--only wants a value"),
            (&["--colour"], "unknown argument \"--colour\""),
            (&[], "no engine is given"),
        ] {
            assert_eq!(parse(arguments, "").unwrap_err(), words);
        }
        assert_eq!(parse(&["--help"], "").unwrap(), None);
    }
}
