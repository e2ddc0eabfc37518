//! What may help, by what happened.

use std::error::Error as _;
use std::io;

use docknet::{Error, ErrorKind};

/// The engine's words, or ours where there was no engine to speak, with the cause that they do not name.
pub(super) fn words(error: &Error) -> String {
    let mut words = error.message().to_owned();
    let mut cause = error.source();
    while let Some(next) = cause {
        let text = next.to_string();
        if !words.contains(&text) {
            words = format!("{words}: {text}");
        }
        cause = next.source();
    }
    words
}

pub(super) fn of(error: &Error) -> Vec<String> {
    let subject = error.subject().unwrap_or("NETWORK");
    let hint = match error.kind() {
        ErrorKind::AddressInUse => "who has which address: `docknet pools --addresses`".to_owned(),
        ErrorKind::AddressNotInPool => {
            "the subnets of each network: `docknet pools`; an address may be chosen only where `--subnet` was".to_owned()
        }
        ErrorKind::AddressesExhausted => "how full each network is: `docknet pools`".to_owned(),
        ErrorKind::AmbiguousName => format!("use an id: `docknet ls --no-trunc --filter name={subject}`"),
        ErrorKind::Connect => return reaching(error),
        ErrorKind::NameTaken => format!("what is there: `docknet inspect {subject}`"),
        ErrorKind::NoSuchDriver => "which drivers there are: `docker info --format '{{.Plugins.Network}}'`".to_owned(),
        ErrorKind::NoSwarm => "`docker swarm init` makes this engine the manager of a swarm".to_owned(),
        ErrorKind::PoolExhausted => {
            "who has the subnets: `docknet pools`; `docknet prune` frees those that nobody uses".to_owned()
        }
        ErrorKind::PoolOverlap => "who has the subnet: `docknet pools`; a free one: `docknet pools --next 24`".to_owned(),
        ErrorKind::Predefined => "the networks bridge, host and none are the engine's own, and stay".to_owned(),
        ErrorKind::NotFound => match error.message().to_lowercase() {
            // Docker's words, and Podman's.
            words if words.starts_with("no such container") || words.starts_with("no container") => {
                "what containers there are: `docker ps --all`"
            }
            words if words.starts_with("endpoint") => "who is connected where: `docknet ls --containers`",
            _ => "what networks there are: `docknet ls`",
        }
        .to_owned(),
        ErrorKind::NotConnected => "who is connected where: `docknet ls --containers`".to_owned(),
        ErrorKind::Timeout => "what the engine did of it is not known: look before you do it again".to_owned(),
        ErrorKind::UnsupportedApi => "what this engine speaks: `docknet version`".to_owned(),
        _ => return Vec::new(),
    };
    vec![hint]
}

/// The engine was not reached.
fn reaching(error: &Error) -> Vec<String> {
    const ELSEWHERE: &str = "another engine: `-H ADDRESS`, `-c CONTEXT` or DOCKER_HOST; `docknet demo` and `docknet serve` need none";
    let mut cause = error.source();
    while let Some(next) = cause {
        if next
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
        {
            return vec!["the socket is not yours to use: be root, or a member of the group that owns it (often `docker`)".to_owned()];
        }
        cause = next.source();
    }
    vec!["does the engine run?".to_owned(), ELSEWHERE.to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_that_is_not_ours_is_told_apart_from_an_engine_that_does_not_run() {
        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        let error = Error::new(ErrorKind::Connect, "cannot connect").with_source(denied);
        assert!(of(&error)[0].contains("group"));
        let error = Error::new(ErrorKind::Connect, "cannot connect");
        assert!(of(&error)[1].contains("docknet demo"));
    }

    #[test]
    fn a_cause_is_told_once() {
        let error = Error::new(ErrorKind::Connect, "cannot connect: gone")
            .with_source(io::Error::other("gone"));
        assert_eq!(words(&error), "cannot connect: gone");
        let error =
            Error::new(ErrorKind::Connect, "cannot connect").with_source(io::Error::other("gone"));
        assert_eq!(words(&error), "cannot connect: gone");
    }
}
