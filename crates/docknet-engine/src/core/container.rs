//! A container: a state, a name, places on networks, and what is to be run in it.

mod create;
mod manage;
mod mounts;
mod name;
pub(crate) mod ports;
mod program;
mod run;
mod security;
mod shown;
mod signal;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use docknet_types::ContainerId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use self::create::{CreateBody, CreateContainer, adopt, create};
pub(crate) use self::manage::{Remove, attach, exec, prune, remove, rename, resize, update};
pub(crate) use self::mounts::{Mount, Mounted};
pub(crate) use self::ports::{Port, Protocol, Publication};
pub(crate) use self::program::{Capabilities, Command, Files, Program, Root, Whose};
pub(crate) use self::run::{
    Asked, Changed, StopWish, ask_to_stop, end_stop, ended, kill, pause, restart, start, unpause,
};
pub(crate) use self::security::Confinement;
pub(crate) use self::shown::{CONFIG, HOST_CONFIG, Shown};
pub(crate) use self::signal::KILL;
use super::endpoint::Attachment;
use super::event::ContainerRef;
use crate::Profile;

/// The exit code of a program of which nobody knows how it ended, as Docker has it.
pub(crate) const LOST: i64 = 255;

/// The label by which a container brings a network namespace along.
pub(crate) const NAMESPACE: &str = "docknet.namespace";

/// A container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Container {
    pub(crate) id: ContainerId,
    /// Without the slash that inspections put before it.
    pub(crate) name: String,
    pub(crate) created: Timestamp,
    /// What it was made with. It never changes.
    pub(crate) config: Arc<ContainerConfig>,
    /// The host name inside.
    pub(crate) hostname: String,
    pub(crate) status: Status,
    /// Of the last time it ended.
    pub(crate) exit_code: i64,
    pub(crate) started: Option<Timestamp>,
    pub(crate) finished: Option<Timestamp>,
    pub(crate) restarts: u64,
    /// While it runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) published: Vec<Publication>,
    /// By the name of the network, or by what was asked for where there is no such network yet.
    pub(crate) attachments: BTreeMap<String, Attachment>,
}

/// What a container was made with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ContainerConfig {
    /// The image, as it was asked for.
    pub(crate) image: String,
    /// The image's id.
    pub(crate) image_id: String,
    pub(crate) labels: BTreeMap<String, String>,
    /// `host`, `none`, `container:ID`, or a network's name or id.
    pub(crate) network_mode: String,
    pub(crate) auto_remove: bool,
    /// Whether a program runs in it. Where none does, it is a place on networks until it is stopped.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) runs: bool,
    /// `Config` as far as it was asked for: an inspection adds the defaults.
    pub(crate) config: Value,
    /// `HostConfig` as far as it was asked for: an inspection adds the defaults.
    pub(crate) host_config: Value,
}

/// What a container does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    #[default]
    Created,
    Exited,
    Paused,
    Running,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Exited => "exited",
            Self::Paused => "paused",
            Self::Running => "running",
        }
    }
}

impl Container {
    /// Whether it has its places on networks: a paused one does.
    pub(crate) fn is_running(&self) -> bool {
        matches!(self.status, Status::Running | Status::Paused)
    }

    /// With what it ended the last time it ran.
    pub(crate) fn last_exit(&self) -> Option<i64> {
        self.finished.map(|_| self.exit_code)
    }

    pub(crate) fn event_ref(&self) -> ContainerRef<'_> {
        ContainerRef {
            id: self.id.as_str(),
            name: &self.name,
            image: &self.config.image,
            labels: &self.config.labels,
        }
    }

    /// The network that a mode stands for.
    pub(crate) fn network_of_mode(profile: Profile, mode: &str) -> &str {
        match (profile, mode) {
            (Profile::Podman5, "default" | "bridge") => "podman",
            (_, "default") => "bridge",
            (_, mode) => mode,
        }
    }

    pub(crate) fn mode_is_host(&self) -> bool {
        self.config.network_mode == "host"
    }

    /// The container whose namespace it shares, as it was asked for or by its id.
    pub(crate) fn namespace_of(&self) -> Option<&str> {
        self.config.network_mode.strip_prefix("container:")
    }

    /// Where the network namespace is that it is to have, if not one that is made for it.
    pub(crate) fn brings(&self) -> Option<&str> {
        self.config.labels.get(NAMESPACE).map(String::as_str)
    }

    /// The program and its arguments.
    pub(crate) fn command(&self) -> impl Iterator<Item = &str> {
        ["Entrypoint", "Cmd"].into_iter().flat_map(|key| words(self.config.config.get(key)))
    }

    /// Whether its network is the host's or another container's.
    pub(crate) fn shares_a_namespace(&self) -> bool {
        self.mode_is_host() || self.config.network_mode.starts_with("container:")
    }
}

/// A string or a list of them, as a program may be given.
fn words(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(word)) => vec![word],
        Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}
