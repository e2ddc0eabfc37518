//! Making a container.

mod endpoints;
mod podman;

use std::collections::BTreeMap;
use std::sync::Arc;

use docknet_types::{ApiVersion, ContainerId};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Container, ContainerConfig, NAMESPACE, mounts, name, ports, security, signal, words};
use crate::Profile;
use crate::core::endpoint::EndpointConfig;
use crate::core::image;
use crate::core::refusal::Refusal;
use crate::core::tx::Tx;

/// From this version on networks have priorities (API changelog, 1.48).
const GATEWAY_PRIORITY: ApiVersion = ApiVersion::new(1, 48);
/// What an image runs in which nothing is.
const COMMAND: &str = "sh";

/// `POST /containers/create`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CreateContainer {
    /// Empty if any will do.
    pub(crate) name: String,
    /// The version in which it is asked for.
    pub(crate) version: ApiVersion,
    pub(crate) body: CreateBody,
}

/// Its body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct CreateBody {
    host_config: Option<Map<String, Value>>,
    networking_config: Option<NetworkingConfig>,
    #[serde(flatten)]
    config: Map<String, Value>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct NetworkingConfig {
    endpoints_config: Option<BTreeMap<String, Option<EndpointConfig>>>,
}

/// A container that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CreatedContainer {
    pub(crate) id: ContainerId,
    pub(crate) warnings: Vec<String>,
}

/// Makes a container, in Docker's order of checks.
pub(crate) fn create(tx: &mut Tx<'_>, wish: CreateContainer) -> Result<CreatedContainer, Refusal> {
    let CreateContainer { name: asked_name, version, body } = wish;
    let CreateBody { host_config, networking_config, mut config } = body;
    if config.is_empty() && host_config.is_none() && networking_config.is_none() {
        return Err(invalid("config cannot be empty in order to create a container"));
    }
    let mut host_config = host_config.unwrap_or_default();
    let mut endpoints =
        networking_config.and_then(|config| config.endpoints_config).unwrap_or_default();
    let mut mode = match text(&host_config, "NetworkMode") {
        "" | "default" => {
            if let Some(endpoint) = endpoints.remove("default") {
                endpoints.insert("bridge".to_owned(), endpoint);
            }
            // 20.10 shows it as it came.
            let is_20 = tx.given.profile == Profile::Docker20_10;
            if is_20 { "default".to_owned() } else { "bridge".to_owned() }
        }
        mode => mode.to_owned(),
    };
    endpoints::check_count(tx.given.profile, version, &endpoints)?;
    let mut warnings = endpoints::place_mac(tx, version, &mut config, &mode, &mut endpoints)?;
    if version < GATEWAY_PRIORITY {
        endpoints.values_mut().flatten().for_each(|endpoint| endpoint.gw_priority = 0);
    }
    check_options(&config, &host_config, &mode)?;
    check_namespace(&labels(&config), &mode)?;
    ports::check(&host_config)?;
    let name_of_image = text(&config, "Image").to_owned();
    let image = match name_of_image.as_str() {
        "" => None,
        name => Some(tx.state.images.find(name)?.clone()),
    };
    if let Some(image) = &image {
        image::settle(&mut config, image);
    }
    if words(config.get("Cmd")).is_empty() && words(config.get("Entrypoint")).is_empty() {
        match &image {
            Some(image) if !image.has_files => {
                config.insert("Cmd".to_owned(), Value::from(vec![COMMAND]));
            }
            _ => return Err(invalid("no command specified")),
        }
    }
    let image_id = image.as_ref().map(|image| image.id.clone()).unwrap_or_default();
    let runs = tx.given.host.is_real
        && image.is_some_and(|image| image.has_files || image::is_host(&image.id));
    if runs {
        mounts::check(&config, &host_config)?;
        security::check(&host_config)?;
    } else if tx.given.host.is_real && !labels(&config).contains_key(NAMESPACE) {
        let name = if name_of_image.is_empty() { "this image" } else { &name_of_image };
        warnings.push(format!(
            "{name} has no files here: nothing runs in this container, which is a place on networks. Bring an image along with \
             `docker load` or `docker import`, or take the image `host`"
        ));
    }
    endpoints::check(tx, &endpoints)?;
    let id = ContainerId::from(tx.given.draw.id());
    let name = match asked_name.strip_prefix('/').unwrap_or(&asked_name) {
        "" if asked_name.is_empty() => name::made_up(tx, id.as_str()),
        name => claim(tx, name, &asked_name)?,
    };
    if let Some(other) = mode.strip_prefix("container:")
        && let Ok(other) = tx.state.find_container(other)
    {
        mode = format!("container:{}", other.id);
    }
    let shown = match tx.given.profile {
        Profile::Podman5 => shown_by_podman(&mode),
        Profile::Docker20_10 | Profile::Docker26 | Profile::Docker28 => &mode,
    };
    host_config.insert("NetworkMode".to_owned(), Value::from(shown));
    let hostname = match text(&config, "Hostname") {
        "" => id.short().to_owned(),
        name => name.to_owned(),
    };
    let attachments = match tx.given.profile {
        Profile::Podman5 => podman::attachments(tx, &config, &mode, endpoints)?,
        Profile::Docker20_10 | Profile::Docker26 | Profile::Docker28 => {
            endpoints::attachments(tx, &config, &mode, endpoints)?
        }
    };
    let container = Container {
        id: id.clone(),
        name,
        created: tx.given.now,
        hostname,
        attachments,
        config: Arc::new(ContainerConfig {
            image: name_of_image,
            image_id,
            labels: labels(&config),
            network_mode: mode,
            runs,
            auto_remove: flag(&host_config, "AutoRemove"),
            config: Value::Object(config),
            host_config: Value::Object(host_config),
        }),
        ..Container::default()
    };
    tx.events.container_create(container.event_ref());
    tx.put_container(container);
    Ok(CreatedContainer { id, warnings })
}

/// Makes a container of a namespace that is there. It is on no network yet.
pub(crate) fn adopt(
    tx: &mut Tx<'_>,
    name: String,
    namespace: &str,
) -> Result<ContainerId, Refusal> {
    let config = [
        ("Cmd", Value::from(vec![COMMAND])),
        ("NetworkDisabled", Value::from(true)),
        ("Labels", Value::Object(Map::from_iter([(NAMESPACE.to_owned(), namespace.into())]))),
    ];
    let config = config.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    let body = CreateBody { config, ..CreateBody::default() };
    let wish = CreateContainer { name, version: ApiVersion::new(1, 44), body };
    create(tx, wish).map(|created| created.id)
}

/// To Podman, to be on networks is one mode, whichever they are.
fn shown_by_podman(mode: &str) -> &str {
    match mode {
        "host" | "none" => mode,
        other if other.starts_with("container:") => other,
        _ => "bridge",
    }
}

/// A name that may be used and is free. `shown` is how it is repeated if it may not.
pub(super) fn claim(tx: &Tx<'_>, name: &str, shown: &str) -> Result<String, Refusal> {
    if !name::is_valid(name) {
        return Err(Refusal::BadContainerName(shown.to_owned()));
    }
    match tx.state.container_named(name) {
        Some(owner) => {
            Err(Refusal::ContainerNameTaken { name: name.to_owned(), owner: owner.id.clone() })
        }
        None => Ok(name.to_owned()),
    }
}

fn invalid(why: &str) -> Refusal {
    Refusal::Worded(400, why.to_owned())
}

fn text<'a>(map: &'a Map<String, Value>, key: &str) -> &'a str {
    map.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn flag(map: &Map<String, Value>, key: &str) -> bool {
    map.get(key).and_then(Value::as_bool).unwrap_or_default()
}

fn labels(config: &Map<String, Value>) -> BTreeMap<String, String> {
    let pairs = config.get("Labels").and_then(Value::as_object).into_iter().flatten();
    pairs.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
}

/// A namespace that a container brings along is one that can be found, and its only one.
fn check_namespace(labels: &BTreeMap<String, String>, mode: &str) -> Result<(), Refusal> {
    let Some(path) = labels.get(NAMESPACE) else { return Ok(()) };
    if !path.starts_with('/') || path.contains('\0') {
        return Err(invalid(&format!("label {NAMESPACE}: {path:?} is no absolute path")));
    }
    match mode == "host" || mode.starts_with("container:") {
        true => {
            Err(invalid(&format!("conflicting options: label {NAMESPACE} and the network mode")))
        }
        false => Ok(()),
    }
}

/// Options that exclude one another.
fn check_options(
    config: &Map<String, Value>,
    host_config: &Map<String, Value>,
    mode: &str,
) -> Result<(), Refusal> {
    let filled = |map: &Map<String, Value>, key: &str| match map.get(key) {
        Some(Value::Object(map)) => !map.is_empty(),
        Some(Value::Array(list)) => !list.is_empty(),
        Some(Value::String(text)) => !text.is_empty(),
        _ => false,
    };
    if let Some(other) = mode.strip_prefix("container:") {
        let conflicts = [
            (config, "Hostname", "hostname and the network mode"),
            (
                host_config,
                "Links",
                "container type network can't be used with links. This would result in undefined behavior",
            ),
            (host_config, "Dns", "dns and the network mode"),
            (host_config, "ExtraHosts", "custom host-to-IP mapping and the network mode"),
            (host_config, "PortBindings", "port publishing and the container type network mode"),
            (config, "ExposedPorts", "port exposing and the container type network mode"),
        ];
        if other.is_empty() {
            return Err(invalid(
                "invalid network mode: invalid container format container:<name|id>",
            ));
        }
        if let Some((_, _, what)) = conflicts.iter().find(|(map, key, _)| filled(map, key)) {
            return Err(invalid(&format!("conflicting options: {what}")));
        }
    }
    if mode == "host" && filled(host_config, "Links") {
        return Err(invalid(
            "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
        ));
    }
    let policy = host_config
        .get("RestartPolicy")
        .and_then(|policy| policy.get("Name")?.as_str())
        .unwrap_or_default();
    if flag(host_config, "AutoRemove") && !matches!(policy, "" | "no") {
        return Err(invalid("can't create 'AutoRemove' container with restart policy"));
    }
    match text(config, "StopSignal") {
        "" => Ok(()),
        signal => signal::parse(signal).map(drop).map_err(Refusal::BadSignal),
    }
}
