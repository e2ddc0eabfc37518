//! What happens on an engine.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Deserializer};

use crate::decode::null_default;
use crate::text::wire_text;
use crate::{ContainerId, NetworkId};

/// One event.
///
/// ```
/// use docknet_types::{Action, Event, EventKind};
///
/// let event: Event = serde_json::from_str(
///     r#"{"Type":"network","Action":"connect","Actor":{"ID":"8dc8","Attributes":{"container":"4f66","name":"backend","type":"bridge"}},
///         "scope":"local","time":1700000000,"timeNano":1700000000000000005}"#,
/// )?;
/// assert_eq!(event.kind, EventKind::Network);
/// let network = event.as_network().expect("an event of a network");
/// assert_eq!(network.action, Action::Connect);
/// assert_eq!(network.name.as_deref(), Some("backend"));
/// assert_eq!(network.container.as_ref().map(|id| id.as_str()), Some("4f66"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// What it is about.
    pub kind: EventKind,
    /// What happened.
    pub action: Action,
    /// The id of what it is about; empty for a prune.
    pub id: String,
    /// Further facts, by name.
    pub attributes: BTreeMap<String, String>,
    /// `local` or `swarm`.
    pub scope: String,
    /// When, by the engine's clock, in nanoseconds since 1970.
    pub time_nano: i64,
}

impl Event {
    /// When, by the engine's clock.
    #[must_use]
    pub fn time(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_nanos(self.time_nano.unsigned_abs())
    }

    /// The same as an event of a network, in the one form for all engines: Podman puts the container's id where Docker
    /// puts the network's.
    #[must_use]
    pub fn as_network(&self) -> Option<NetworkEvent> {
        if self.kind != EventKind::Network {
            return None;
        }
        let attribute =
            |key: &str| self.attributes.get(key).filter(|value| !value.is_empty()).cloned();
        let about_container = matches!(self.action, Action::Connect | Action::Disconnect);
        let podman = !self.attributes.contains_key("type");
        let id = Some(self.id.clone()).filter(|id| !id.is_empty());
        let (network, container) = if podman && about_container {
            (None, id.map(ContainerId::from))
        } else {
            (id.map(NetworkId::from), attribute("container").map(ContainerId::from))
        };
        let name = if podman { attribute("network") } else { attribute("name") };
        Some(NetworkEvent { action: self.action.clone(), network, name, container })
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Wire {
            r#type: EventKind,
            action: Action,
            #[serde(default, deserialize_with = "null_default")]
            actor: Actor,
            #[serde(rename = "scope", default, deserialize_with = "null_default")]
            scope: String,
            #[serde(rename = "time", default)]
            time: i64,
            #[serde(rename = "timeNano", default)]
            time_nano: i64,
        }

        #[derive(Default, Deserialize)]
        #[serde(rename_all = "PascalCase", default)]
        struct Actor {
            #[serde(rename = "ID", deserialize_with = "null_default")]
            id: String,
            #[serde(deserialize_with = "null_default")]
            attributes: BTreeMap<String, String>,
        }

        let wire = Wire::deserialize(deserializer)?;
        let time_nano = if wire.time_nano == 0 {
            wire.time.saturating_mul(1_000_000_000)
        } else {
            wire.time_nano
        };
        Ok(Self {
            kind: wire.r#type,
            action: wire.action,
            id: wire.actor.id,
            attributes: wire.actor.attributes,
            scope: wire.scope,
            time_nano,
        })
    }
}

/// An event of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NetworkEvent {
    /// What happened.
    pub action: Action,
    /// The network's id; Podman does not give it when a container comes or goes.
    pub network: Option<NetworkId>,
    /// The network's name.
    pub name: Option<String>,
    /// The container that came or went.
    pub container: Option<ContainerId>,
}

/// What an event is about.
///
/// ```
/// use docknet_types::EventKind;
///
/// assert_eq!(EventKind::from("network"), EventKind::Network);
/// assert_eq!(EventKind::from("pod"), EventKind::Other("pod".into()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// A container.
    Container,
    /// The engine itself.
    Daemon,
    /// An image.
    Image,
    /// A network.
    Network,
    /// A node of the swarm.
    Node,
    /// A service of the swarm.
    Service,
    /// A volume.
    Volume,
    /// A kind newer than this crate.
    Other(String),
}

wire_text!(EventKind {
    Container = "container",
    Daemon = "daemon",
    Image = "image",
    Network = "network",
    Node = "node",
    Service = "service",
    Volume = "volume",
});

/// What happened.
///
/// ```
/// use docknet_types::Action;
///
/// assert_eq!(Action::from("connect"), Action::Connect);
/// assert_eq!(Action::from("exec_start: ls"), Action::Other("exec_start: ls".into()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// A container joined a network.
    Connect,
    /// Something was made.
    Create,
    /// Something is gone.
    Destroy,
    /// A container's process ended.
    Die,
    /// A container left a network.
    Disconnect,
    /// A container got a signal.
    Kill,
    /// A container was halted.
    Pause,
    /// What nobody used was removed.
    Prune,
    /// Something is gone: Podman, and networks of a swarm.
    Remove,
    /// A container got another name.
    Rename,
    /// A container's process began.
    Start,
    /// A container was stopped.
    Stop,
    /// A container goes on.
    Unpause,
    /// Something changed.
    Update,
    /// Anything else.
    Other(String),
}

wire_text!(Action {
    Connect = "connect",
    Create = "create",
    Destroy = "destroy",
    Die = "die",
    Disconnect = "disconnect",
    Kill = "kill",
    Pause = "pause",
    Prune = "prune",
    Remove = "remove",
    Rename = "rename",
    Start = "start",
    Stop = "stop",
    Unpause = "unpause",
    Update = "update",
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn podman_puts_the_container_where_docker_puts_the_network() {
        let event: Event = serde_json::from_str(
            r#"{"Type":"network","Action":"connect","id":"4f66","status":"connect","scope":"local",
                "Actor":{"ID":"4f66","Attributes":{"image":"","name":"box","network":"n2","podId":""}},"time":1,"timeNano":2}"#,
        )
        .unwrap();
        let network = event.as_network().unwrap();
        assert_eq!((network.network, network.name), (None, Some("n2".to_owned())));
        assert_eq!(network.container, Some(ContainerId::new("4f66")));
    }

    #[test]
    fn a_prune_has_no_id() {
        let event: Event = serde_json::from_str(
            r#"{"Type":"network","Action":"prune","Actor":{"ID":"","Attributes":{"reclaimed":"0"}},"scope":"local","time":3}"#,
        )
        .unwrap();
        assert_eq!(event.time_nano, 3_000_000_000);
        assert_eq!(event.as_network().unwrap().network, None);
    }
}
