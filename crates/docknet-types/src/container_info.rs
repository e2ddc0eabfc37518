//! A container as an engine describes it, as far as networks need it.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::decode::{forgiving, null_default};
use crate::endpoint_info::Endpoints;
use crate::text::wire_text;
use crate::{ContainerId, EndpointInfo};

/// What an engine says of a container. The two forms it has, in a list and in an inspection, read alike.
///
/// ```
/// use docknet_types::{ContainerInfo, ContainerStatus};
///
/// let listed = ContainerInfo::from_json(r#"{"Id":"4f66","Names":["/web"],"Image":"busybox","State":"running"}"#);
/// let inspected = ContainerInfo::from_json(
///     r#"{"Id":"4f66","Name":"/web","Config":{"Image":"busybox"},"State":{"Status":"running"}}"#,
/// );
/// assert_eq!(listed, inspected);
/// assert_eq!(listed.status, ContainerStatus::Running);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContainerInfo {
    /// The id.
    pub id: ContainerId,
    /// The name, without the slash that engines put before it.
    pub name: String,
    /// The image, as it was named when the container was made.
    pub image: String,
    /// What it does now.
    pub status: ContainerStatus,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// `HostConfig.NetworkMode`: a network's name or id, `container:ID`, `host`, `none` or `default`.
    pub network_mode: String,
    /// Its connections, by the network's name.
    pub endpoints: BTreeMap<String, EndpointInfo>,
    /// How the process ended, if the answer says.
    pub exit_code: Option<i64>,
    /// Fields that did not read as they should, and so are at their default here; the engine's own JSON has them.
    pub undecoded: Vec<String>,
}

impl ContainerInfo {
    /// Reads an engine's answer, from a list or from an inspection.
    #[must_use]
    pub fn from_json(json: &str) -> Self {
        let (wire, undecoded): (Wire, _) = forgiving(json);
        // Podman's list has both, and an empty one in the singular.
        let name = wire.name.filter(|name| !name.is_empty());
        let name = name.or_else(|| own_name(&wire.names)).unwrap_or_default();
        let (status, exit_code) = match wire.state {
            State::Listed(status) => (status, None),
            State::Inspected { status, exit_code } => (status, exit_code),
        };
        Self {
            id: wire.id,
            name: name.trim_start_matches('/').to_owned(),
            // An inspection has the image's id at the top and its name in Config.
            image: wire.config.image.unwrap_or(wire.image),
            status,
            labels: wire.config.labels.unwrap_or(wire.labels),
            network_mode: wire.host_config.network_mode,
            endpoints: wire.network_settings.networks,
            exit_code,
            undecoded,
        }
    }

    /// Whether it has a process now.
    #[must_use]
    pub fn is_running(&self) -> bool {
        matches!(
            self.status,
            ContainerStatus::Paused | ContainerStatus::Restarting | ContainerStatus::Running
        )
    }
}

/// A list shows a container under its own name, `/web`, and under those that links give it, `/other/alias`.
fn own_name(names: &[String]) -> Option<String> {
    let own = |name: &&String| !name.trim_start_matches('/').contains('/');
    names.iter().find(own).or_else(|| names.first()).cloned()
}

/// What a container does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ContainerStatus {
    /// Made, and never started.
    #[default]
    Created,
    /// Beyond repair.
    Dead,
    /// Ended.
    Exited,
    /// Halted in the middle.
    Paused,
    /// Going away.
    Removing,
    /// Between two runs.
    Restarting,
    /// At work.
    Running,
    /// A state newer than this crate.
    Other(String),
}

wire_text!(ContainerStatus {
    Created = "created",
    Dead = "dead",
    Exited = "exited",
    Paused = "paused",
    Removing = "removing",
    Restarting = "restarting",
    Running = "running",
});

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Wire {
    #[serde(deserialize_with = "null_default")]
    id: ContainerId,
    name: Option<String>,
    #[serde(deserialize_with = "null_default")]
    names: Vec<String>,
    #[serde(deserialize_with = "null_default")]
    image: String,
    state: State,
    #[serde(deserialize_with = "null_default")]
    labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "null_default")]
    config: Config,
    #[serde(deserialize_with = "null_default")]
    host_config: HostConfig,
    #[serde(deserialize_with = "null_default")]
    network_settings: NetworkSettings,
}

enum State {
    Listed(ContainerStatus),
    Inspected { status: ContainerStatus, exit_code: Option<i64> },
}

impl Default for State {
    fn default() -> Self {
        Self::Listed(ContainerStatus::default())
    }
}

impl<'de> Deserialize<'de> for State {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Text(ContainerStatus),
            #[serde(rename_all = "PascalCase")]
            Object {
                #[serde(default)]
                status: ContainerStatus,
                exit_code: Option<i64>,
            },
        }
        Ok(match Either::deserialize(deserializer)? {
            Either::Text(status) => Self::Listed(status),
            Either::Object { status, exit_code } => Self::Inspected { status, exit_code },
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Config {
    image: Option<String>,
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct HostConfig {
    #[serde(deserialize_with = "null_default")]
    network_mode: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct NetworkSettings {
    #[serde(deserialize_with = "null_default")]
    networks: Endpoints,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linked_container_keeps_its_own_name() {
        let info = ContainerInfo::from_json(r#"{"Names":["/web/db","/db"]}"#);
        assert_eq!(info.name, "db");
    }

    #[test]
    fn an_empty_name_is_none() {
        let info = ContainerInfo::from_json(r#"{"Names":["/db"],"Name":"","Config":null}"#);
        assert_eq!((info.name.as_str(), info.undecoded.is_empty()), ("db", true));
    }

    #[test]
    fn an_inspection_names_the_image_not_its_id() {
        let info = ContainerInfo::from_json(
            r#"{"Image":"sha256:1","Config":{"Image":"busybox","Labels":{"a":"b"}},"State":{"Status":"exited","ExitCode":3},
                "HostConfig":{"NetworkMode":"n1"},"NetworkSettings":{"Networks":{"n1":{"NetworkID":"8dc8","Aliases":null}}}}"#,
        );
        assert_eq!(
            (info.image.as_str(), info.exit_code, &info.status),
            ("busybox", Some(3), &ContainerStatus::Exited)
        );
        assert_eq!(info.labels["a"], "b");
        assert_eq!(info.endpoints["n1"].network_id, "8dc8");
        assert!(info.undecoded.is_empty(), "{:?}", info.undecoded);
    }
}
