//! A container as one asks for it, as far as networks need it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{ApiVersion, EndpointSpec};

/// From this version on a container may be created with several endpoints, each with its own hardware address
/// (API changelog, 1.44).
const SEVERAL_ENDPOINTS: ApiVersion = ApiVersion::new(1, 44);

/// A container to create: an image, a command, and the networks it joins.
///
/// ```
/// use docknet_types::{ContainerSpec, EndpointSpec};
///
/// let spec = ContainerSpec::new("busybox")
///     .name("web")
///     .command(["sleep", "1000"])
///     .network("backend", EndpointSpec::new().alias("api"))
///     .label("app", "shop");
/// assert_eq!(spec.networks.len(), 1);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
#[non_exhaustive]
pub struct ContainerSpec {
    /// The image.
    pub image: String,
    /// The name; the engine makes one up if none is given.
    pub name: Option<String>,
    /// The command and its arguments; the image's own if empty.
    pub command: Vec<String>,
    /// The entrypoint; the image's own if none is given.
    pub entrypoint: Option<Vec<String>>,
    /// Environment variables, as `NAME=value`.
    pub env: Vec<String>,
    /// The host name inside.
    pub hostname: Option<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// The network mode; the first of `networks` if none is given.
    pub network_mode: Option<NetworkMode>,
    /// The networks it joins, in this order.
    pub networks: Vec<(String, EndpointSpec)>,
    /// Whether it goes when it ends.
    pub auto_remove: bool,
    /// Further fields of the request, by their names on the wire.
    pub extra: BTreeMap<String, Value>,
    /// Further fields of the request's `HostConfig`, by their names on the wire.
    pub host_config: BTreeMap<String, Value>,
}

impl ContainerSpec {
    /// A container of this image.
    pub fn new(image: impl Into<String>) -> Self {
        Self { image: image.into(), ..Self::default() }
    }

    /// Sets the name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the command and its arguments.
    pub fn command<S: Into<String>>(mut self, command: impl IntoIterator<Item = S>) -> Self {
        self.command = command.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the entrypoint.
    pub fn entrypoint<S: Into<String>>(mut self, entrypoint: impl IntoIterator<Item = S>) -> Self {
        self.entrypoint = Some(entrypoint.into_iter().map(Into::into).collect());
        self
    }

    /// Adds an environment variable.
    pub fn env(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.env.push(format!("{}={}", name.as_ref(), value.as_ref()));
        self
    }

    /// Sets the host name inside.
    pub fn hostname(mut self, hostname: impl Into<String>) -> Self {
        self.hostname = Some(hostname.into());
        self
    }

    /// Adds a label.
    pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(key.into(), value.into());
        self
    }

    /// Sets the network mode.
    pub fn network_mode(mut self, mode: impl Into<NetworkMode>) -> Self {
        self.network_mode = Some(mode.into());
        self
    }

    /// Joins a network, by name or id.
    pub fn network(mut self, network: impl Into<String>, endpoint: EndpointSpec) -> Self {
        self.networks.push((network.into(), endpoint));
        self
    }

    /// Whether it goes when it ends.
    pub fn auto_remove(mut self, auto_remove: bool) -> Self {
        self.auto_remove = auto_remove;
        self
    }

    /// Sets any other field of the request, by its name on the wire.
    pub fn extra(mut self, field: impl Into<String>, value: impl Into<Value>) -> Self {
        self.extra.insert(field.into(), value.into());
        self
    }

    /// Sets any other field of the request's `HostConfig`, by its name on the wire.
    pub fn host_config(mut self, field: impl Into<String>, value: impl Into<Value>) -> Self {
        self.host_config.insert(field.into(), value.into());
        self
    }

    /// The body of `POST /containers/create` for an engine of this version, and the networks that have to be connected
    /// after it, since engines before API 1.44 take one.
    pub fn body(&self, version: ApiVersion) -> (Value, &[(String, EndpointSpec)]) {
        let at_once = if version < SEVERAL_ENDPOINTS {
            self.networks.len().min(1)
        } else {
            self.networks.len()
        };
        let (with, after) = self.networks.split_at(at_once);
        let mut body: Map<String, Value> = self.extra.clone().into_iter().collect();
        let mut set = |field: &str, value: Value| body.insert(field.to_owned(), value);
        set("Image", json!(self.image));
        if !self.command.is_empty() {
            set("Cmd", json!(self.command));
        }
        if let Some(entrypoint) = &self.entrypoint {
            set("Entrypoint", json!(entrypoint));
        }
        if !self.env.is_empty() {
            set("Env", json!(self.env));
        }
        if let Some(hostname) = &self.hostname {
            set("Hostname", json!(hostname));
        }
        if !self.labels.is_empty() {
            set("Labels", json!(self.labels));
        }
        if !with.is_empty() {
            let endpoints: Map<_, _> =
                with.iter().map(|(name, spec)| (name.clone(), json!(spec))).collect();
            set("NetworkingConfig", json!({ "EndpointsConfig": endpoints }));
        }
        // Before 1.44 a hardware address is the container's, not the endpoint's.
        if let Some(mac) =
            with.first().and_then(|(_, spec)| spec.mac).filter(|_| version < SEVERAL_ENDPOINTS)
        {
            set("MacAddress", json!(mac));
        }
        let host: Map<String, Value> = self.host_fields();
        if !host.is_empty() {
            set("HostConfig", Value::Object(host));
        }
        (Value::Object(body), after)
    }

    fn host_fields(&self) -> Map<String, Value> {
        let mut host: Map<String, Value> = self.host_config.clone().into_iter().collect();
        let first = || self.networks.first().map(|(name, _)| name.clone());
        if let Some(mode) = self.network_mode.as_ref().map(ToString::to_string).or_else(first) {
            host.insert("NetworkMode".to_owned(), json!(mode));
        }
        if self.auto_remove {
            host.insert("AutoRemove".to_owned(), json!(true));
        }
        host
    }
}

impl From<&Self> for ContainerSpec {
    fn from(spec: &Self) -> Self {
        spec.clone()
    }
}

/// Where a container's network comes from.
///
/// ```
/// use docknet_types::NetworkMode;
///
/// assert_eq!(NetworkMode::Container("web".into()).to_string(), "container:web");
/// assert_eq!(NetworkMode::from("none"), NetworkMode::None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum NetworkMode {
    /// The network namespace of another container.
    Container(String),
    /// The engine's own default.
    #[default]
    Default,
    /// The host's network.
    Host,
    /// A network, by name or id; `bridge` is the engine's own.
    Network(String),
    /// None but a loopback.
    None,
}

impl std::fmt::Display for NetworkMode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Container(container) => write!(f, "container:{container}"),
            Self::Default => f.write_str("default"),
            Self::Host => f.write_str("host"),
            Self::Network(network) => f.write_str(network),
            Self::None => f.write_str("none"),
        }
    }
}

impl From<&str> for NetworkMode {
    fn from(text: &str) -> Self {
        match (text, text.strip_prefix("container:")) {
            (_, Some(container)) => Self::Container(container.to_owned()),
            ("" | "default", _) => Self::Default,
            ("host", _) => Self::Host,
            ("none", _) => Self::None,
            (network, _) => Self::Network(network.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_networks() -> ContainerSpec {
        ContainerSpec::new("busybox")
            .command(["sleep", "9"])
            .network("n1", EndpointSpec::new().mac("02:00:00:00:00:01".parse().unwrap()))
            .network("n2", EndpointSpec::new().alias("x"))
            .auto_remove(true)
    }

    #[test]
    fn one_request_where_the_engine_takes_several_endpoints() {
        let spec = two_networks();
        let (body, after) = spec.body(ApiVersion::new(1, 44));
        assert_eq!(
            body,
            json!({
                "Image": "busybox", "Cmd": ["sleep", "9"],
                "HostConfig": {"NetworkMode": "n1", "AutoRemove": true},
                "NetworkingConfig": {"EndpointsConfig": {
                    "n1": {"MacAddress": "02:00:00:00:00:01"}, "n2": {"Aliases": ["x"]},
                }},
            })
        );
        assert!(after.is_empty());
    }

    #[test]
    fn the_first_network_only_where_it_takes_one() {
        let spec = two_networks();
        let (body, after) = spec.body(ApiVersion::new(1, 41));
        assert_eq!(body["NetworkingConfig"]["EndpointsConfig"].as_object().unwrap().len(), 1);
        assert_eq!(body["MacAddress"], "02:00:00:00:00:01");
        assert_eq!(after, &spec.networks[1..]);
    }

    #[test]
    fn a_mode_of_its_own_wins() {
        let spec = ContainerSpec::new("busybox").network_mode(NetworkMode::None).extra("Tty", true);
        assert_eq!(
            spec.body(ApiVersion::NEWEST).0,
            json!({"Image": "busybox", "Tty": true, "HostConfig": {"NetworkMode": "none"}})
        );
    }
}
