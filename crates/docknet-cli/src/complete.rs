//! What fits where the cursor is: asked by the shells' scripts that `docknet completion` prints.

use std::env;
use std::path::PathBuf;
use std::time::Duration;

use clap::CommandFactory;
use clap_complete::CompleteEnv;
use clap_complete::engine::CompletionCandidate;
use docknet::{Client, Container, Filters, Network, Result};

use crate::cli::Cli;
use crate::survey::subnets;

/// Answers and ends the program, if a shell asks.
pub(crate) fn answer() {
    CompleteEnv::with_factory(Cli::command).complete();
}

/// Longer than this nobody waits for a list of names.
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) fn networks() -> Vec<CompletionCandidate> {
    let networks = ask(async |client| client.networks().list().await);
    networks.iter().map(network).collect()
}

pub(crate) fn containers() -> Vec<CompletionCandidate> {
    all_containers().iter().map(container).collect()
}

/// Containers on the network that was typed before.
pub(crate) fn connected() -> Vec<CompletionCandidate> {
    on_the_network(true)
}

/// Containers that are not on the network that was typed before.
pub(crate) fn unconnected() -> Vec<CompletionCandidate> {
    on_the_network(false)
}

pub(crate) fn drivers() -> Vec<CompletionCandidate> {
    ["bridge", "host", "ipvlan", "macvlan", "none", "overlay"].map(CompletionCandidate::new).into()
}

pub(crate) fn scopes() -> Vec<CompletionCandidate> {
    ["local", "swarm"].map(CompletionCandidate::new).into()
}

pub(crate) fn list_filters() -> Vec<CompletionCandidate> {
    let keys = [
        "dangling=false",
        "dangling=true",
        "driver=",
        "id=",
        "label=",
        "name=",
        "scope=local",
        "scope=swarm",
        "type=builtin",
        "type=custom",
    ];
    keys.map(CompletionCandidate::new).into()
}

pub(crate) fn event_filters() -> Vec<CompletionCandidate> {
    let keys = [
        "container=",
        "event=connect",
        "event=create",
        "event=destroy",
        "event=disconnect",
        "event=prune",
        "event=remove",
        "label=",
        "network=",
        "scope=",
        "type=",
    ];
    keys.map(CompletionCandidate::new).into()
}

pub(crate) fn prune_filters() -> Vec<CompletionCandidate> {
    ["label=", "label!=", "until="].map(CompletionCandidate::new).into()
}

/// The contexts of the docker CLI, from its directory.
pub(crate) fn contexts() -> Vec<CompletionCandidate> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Meta {
        name: String,
    }

    let config = env::var_os("DOCKER_CONFIG")
        .map(PathBuf::from)
        .or_else(|| Some(env::home_dir()?.join(".docker")));
    let found = config.and_then(|dir| std::fs::read_dir(dir.join("contexts/meta")).ok());
    let mut names: Vec<_> = found
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            serde_json::from_slice(&std::fs::read(entry.ok()?.path().join("meta.json")).ok()?).ok()
        })
        .map(|meta: Meta| meta.name)
        .collect();
    names.push("default".to_owned());
    names.sort();
    names.into_iter().map(CompletionCandidate::new).collect()
}

fn on_the_network(connected: bool) -> Vec<CompletionCandidate> {
    let Some(network) = Line::current().network() else { return containers() };
    let all = all_containers();
    let those =
        all.iter().filter(|container| container.endpoints().contains_key(&network) == connected);
    those.map(container).collect()
}

fn all_containers() -> Vec<Container> {
    ask(async |client| client.containers().list_all(&Filters::new()).await)
}

fn network(network: &Network) -> CompletionCandidate {
    let info = network.info();
    let subnets = subnets(info).join(" ");
    CompletionCandidate::new(network.name())
        .help(Some(format!("{} {subnets}", info.driver).trim_end().to_owned().into()))
}

fn container(container: &Container) -> CompletionCandidate {
    let info = container.info();
    CompletionCandidate::new(container.name())
        .help(Some(format!("{} {}", info.status, info.image).into()))
}

/// Asks the engine that the line names. Whatever goes wrong, nothing is said: a shell would show it in the middle of the line.
fn ask<T>(question: impl AsyncFnOnce(&Client) -> Result<Vec<T>>) -> Vec<T> {
    let answer = || {
        let client = Line::current().client()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
        let answer =
            runtime.block_on(async { tokio::time::timeout(PATIENCE, question(&client)).await });
        answer.ok()?.ok()
    };
    answer().unwrap_or_default()
}

/// The line that is being completed: the words after the `--` that the shells' scripts put before it.
struct Line(Vec<String>);

impl Line {
    fn current() -> Self {
        let words = env::args_os().map(|word| word.to_string_lossy().into_owned());
        Self(words.skip_while(|word| word != "--").skip(2).collect())
    }

    fn client(&self) -> Option<Client> {
        let builder = match (self.value("-H", "--host"), self.value("-c", "--context")) {
            (Some(host), _) => Client::builder().host(host),
            (None, Some(context)) => Client::builder().context(context),
            (None, None) => Client::builder(),
        };
        builder.build().ok()
    }

    /// The value of a flag: behind it, or behind an equals sign.
    fn value(&self, short: &str, long: &str) -> Option<&str> {
        let mut words = self.0.iter();
        while let Some(word) = words.next() {
            if word == short || word == long {
                return words.next().map(String::as_str);
            }
            if let Some(value) = word.strip_prefix(long).and_then(|rest| rest.strip_prefix('=')) {
                return Some(value);
            }
        }
        None
    }

    /// The first word behind the command that is no flag, and no flag's value as far as that shows.
    fn network(&self) -> Option<String> {
        let mut words = self
            .0
            .iter()
            .skip_while(|word| !matches!(word.as_str(), "connect" | "disconnect"))
            .skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                "-f" | "--force" => {}
                flag if flag.starts_with('-') => {
                    if !flag.contains('=') {
                        words.next();
                    }
                }
                network => return Some(network.to_owned()),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(words: &str) -> Line {
        Line(words.split(' ').map(str::to_owned).collect())
    }

    #[test]
    fn the_network_is_found_among_flags() {
        assert_eq!(line("connect --ip 10.7.0.9 backend").network().unwrap(), "backend");
        assert_eq!(line("-H tcp://x disconnect -f backend ").network().unwrap(), "backend");
        assert_eq!(line("connect --alias=x").network(), None);
    }

    #[test]
    fn the_engine_is_the_one_that_the_line_names() {
        assert_eq!(line("-H tcp://build1:2375 ls").client().unwrap().host(), "tcp://build1:2375");
        assert_eq!(
            line("ls --host=tcp://build1:2375").client().unwrap().host(),
            "tcp://build1:2375"
        );
    }
}
