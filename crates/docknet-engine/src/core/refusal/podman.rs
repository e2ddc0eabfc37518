//! How Podman words refusals: a message, and the last of the causes in it.

use super::{Refusal, docker};
use crate::Profile;

/// What Podman says of a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) status: u16,
    pub(crate) message: String,
    /// The end of the message, where that tells what is behind it; else all of it.
    pub(crate) cause: String,
}

impl Words {
    fn plain(status: u16, message: String) -> Self {
        Self { status, cause: message.clone(), message }
    }

    fn caused(status: u16, what: &str, cause: &str) -> Self {
        Self { status, message: format!("{what}: {cause}"), cause: cause.to_owned() }
    }
}

pub(super) fn answer(refusal: &Refusal) -> (u16, String) {
    let words = words(refusal);
    (words.status, words.message)
}

pub(super) fn words(refusal: &Refusal) -> Words {
    match refusal {
        Refusal::AlreadyPaused(id) => {
            Words::caused(500, &format!("{:?} is already paused", id.as_str()), STATE)
        }
        Refusal::BadContainerName(_) => Words::caused(
            400,
            "container create: names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*",
            "invalid argument",
        ),
        Refusal::Caused { status, message, cause } => {
            Words { status: *status, message: message.clone(), cause: cause.clone() }
        }
        Refusal::ContainerAmbiguous(term) => {
            Words::plain(500, format!("more than one result for container ID {term}"))
        }
        Refusal::ContainerNameTaken { name, owner } => Words::caused(
            409,
            &format!(
                "container create: creating container storage: the container name {name:?} is already in use by {owner}. You have to remove that container to be able to reuse that name"
            ),
            "that name is already in use",
        ),
        Refusal::ContainerNotFound(term) => Words::caused(
            404,
            &format!("no container with name or ID {term:?} found"),
            "no such container",
        ),
        Refusal::ContainerRuns { term, paused } => {
            let state = if *paused { "paused" } else { "running" };
            Words::caused(
                500,
                &format!(
                    "cannot remove container {term} as it is {state} - running or paused containers cannot be removed without force"
                ),
                STATE,
            )
        }
        Refusal::EmptyReference => Words::plain(500, "name or ID cannot be empty".to_owned()),
        Refusal::ImageNotFound(name) => {
            Words::caused(404, &format!("no such image: {name}"), "image not known")
        }
        Refusal::Ipam(refusal) => {
            let (status, message) = refusal.answer(Profile::Podman5);
            let cause = refusal.cause().map_or_else(|| message.clone(), str::to_owned);
            Words { status, message, cause }
        }
        Refusal::NameTaken(name) => Words::caused(
            409,
            &format!("network name {name} already used"),
            "network already exists",
        ),
        Refusal::NetworkAmbiguous { term, .. } => {
            Words::plain(500, format!("more than one result for network ID {term}"))
        }
        Refusal::NetworkNotFound(term) => Words::caused(
            404,
            &format!("unable to find network with name or ID {term}"),
            "network not found",
        ),
        Refusal::NoSuchDriver(driver) => {
            Words::plain(500, format!("failed to find driver or plugin {driver:?}"))
        }
        Refusal::NotPaused(id) => {
            Words::caused(500, &format!("{:?} is not paused, can't unpause", id.as_str()), STATE)
        }
        Refusal::NotRunning(id) => {
            Words::caused(409, &format!("container {id} is not running"), STATE)
        }
        Refusal::PausedAtStart(id) => Words::caused(
            500,
            &format!("container {id} must be in Created or Stopped state to be started"),
            STATE,
        ),
        // It does not say what it was about.
        Refusal::Networking(cause) | Refusal::While(_, cause) => words(cause),
        other => {
            let (status, message) = docker::answer(other, Profile::Podman5);
            Words::plain(status, message)
        }
    }
}

const STATE: &str = "container state improper";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_is_the_last_of_the_chain() {
        let missing = words(&Refusal::NetworkNotFound("n".to_owned()));
        assert_eq!(missing.cause, "network not found");
        assert_eq!(missing.message, "unable to find network with name or ID n: network not found");
        let plain = words(&Refusal::NoSuchDriver("d".to_owned()));
        assert_eq!(plain.message, plain.cause);
    }

    #[test]
    fn what_was_being_done_is_not_told() {
        let empty = Refusal::While("Cannot restart".to_owned(), Box::new(Refusal::EmptyReference));
        assert_eq!(answer(&empty), answer(&Refusal::EmptyReference));
    }
}
