//! Making a container.

use std::collections::BTreeMap;
use std::sync::Arc;

use docknet_types::{ApiVersion, ContainerId};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Container, ContainerConfig, name, signal, words};
use crate::Profile;
use crate::core::endpoint::{Attachment, EndpointConfig, check_settings};
use crate::core::ipam;
use crate::core::refusal::Refusal;
use crate::core::tx::Tx;

/// From this version on a container may be made with several networks, and a hardware address belongs to one of them
/// (API changelog, 1.44).
const SEVERAL_ENDPOINTS: ApiVersion = ApiVersion::new(1, 44);
/// From this version on networks have priorities (API changelog, 1.48).
const GATEWAY_PRIORITY: ApiVersion = ApiVersion::new(1, 48);
const MAC_WARNING: &str = "The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead.";
/// What an image runs if nothing else is asked for: nobody looks into images here.
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
            "bridge".to_owned()
        }
        mode => mode.to_owned(),
    };
    check_count(tx.given.profile, version, &endpoints)?;
    let warnings = place_mac(tx, version, &mut config, &mode, &mut endpoints)?;
    if version < GATEWAY_PRIORITY {
        endpoints.values_mut().flatten().for_each(|endpoint| endpoint.gw_priority = 0);
    }
    check_options(&config, &host_config, &mode)?;
    let image = text(&config, "Image").to_owned();
    let image_id = match image.as_str() {
        "" if words(config.get("Cmd")).is_empty() && words(config.get("Entrypoint")).is_empty() => {
            return Err(invalid("no command specified"));
        }
        "" => String::new(),
        image => tx.state.images.find(image)?.id.clone(),
    };
    check_endpoints(tx, &endpoints)?;
    if words(config.get("Cmd")).is_empty() && words(config.get("Entrypoint")).is_empty() {
        config.insert("Cmd".to_owned(), Value::from(vec![COMMAND]));
    }
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
    host_config.insert("NetworkMode".to_owned(), Value::from(mode.clone()));
    let hostname = match text(&config, "Hostname") {
        "" => id.short().to_owned(),
        name => name.to_owned(),
    };
    let container = Container {
        id: id.clone(),
        name,
        created: tx.given.now,
        hostname,
        attachments: attachments(tx, &config, &mode, endpoints),
        config: Arc::new(ContainerConfig {
            image,
            image_id,
            labels: labels(&config),
            network_mode: mode,
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

/// Clients of old name one network at most.
fn check_count(
    profile: Profile,
    version: ApiVersion,
    endpoints: &BTreeMap<String, Option<EndpointConfig>>,
) -> Result<(), Refusal> {
    if endpoints.len() < 2 || version >= SEVERAL_ENDPOINTS || profile == Profile::Podman5 {
        return Ok(());
    }
    let names: Vec<&str> = endpoints.keys().map(String::as_str).collect();
    let names = names.join(", ");
    Err(invalid(&match profile {
        Profile::Docker20_10 => {
            format!("Container cannot be connected to network endpoints: {names}")
        }
        _ => format!("Container cannot be created with multiple network endpoints: {names}"),
    }))
}

/// A hardware address of the whole container belongs to the network of its mode.
fn place_mac(
    tx: &Tx<'_>,
    version: ApiVersion,
    config: &mut Map<String, Value>,
    mode: &str,
    endpoints: &mut BTreeMap<String, Option<EndpointConfig>>,
) -> Result<Vec<String>, Refusal> {
    let mac = text(config, "MacAddress").to_owned();
    if matches!(tx.given.profile, Profile::Docker20_10 | Profile::Podman5) {
        return Ok(Vec::new());
    }
    let old = version < SEVERAL_ENDPOINTS;
    if mac.is_empty() {
        if old {
            endpoints.values_mut().flatten().for_each(|endpoint| endpoint.mac_address.clear());
        }
        return Ok(Vec::new());
    }
    let has_links = !matches!(mode, "host" | "none") && !mode.starts_with("container:");
    if !has_links {
        return match old {
            true => Err(invalid("conflicting options: mac-address and the network mode")),
            false => {
                config.remove("MacAddress");
                Ok(vec![MAC_WARNING.to_owned()])
            }
        };
    }
    if endpoints.is_empty() {
        endpoints.insert(mode.to_owned(), Some(EndpointConfig::default()));
    }
    let endpoint = match old {
        true => endpoints.values_mut().next(),
        false => endpoints.get_mut(mode),
    };
    let Some(Some(endpoint)) = endpoint else {
        return Err(invalid(
            "unable to migrate container-wide MAC address to a specific network: HostConfig.NetworkMode must match the identity of a network in NetworkSettings.Networks",
        ));
    };
    if old {
        endpoint.mac_address = mac;
        return Ok(Vec::new());
    }
    if endpoint.mac_address.is_empty() {
        endpoint.mac_address = mac;
    } else if endpoint.mac_address != mac {
        return Err(invalid(
            "the container-wide MAC address must match the endpoint-specific MAC address for the main network, or be left empty",
        ));
    }
    config.remove("MacAddress");
    Ok(vec![MAC_WARNING.to_owned()])
}

/// Endpoints are checked on the networks that there are; others may be there when the container starts.
fn check_endpoints(
    tx: &Tx<'_>,
    endpoints: &BTreeMap<String, Option<EndpointConfig>>,
) -> Result<(), Refusal> {
    if tx.given.profile == Profile::Podman5 {
        return Ok(());
    }
    let mut mistakes = Vec::new();
    for (name, endpoint) in endpoints {
        let refused = match (endpoint, tx.given.profile) {
            (None, Profile::Docker20_10) => {
                return Err(invalid(&format!("no EndpointSettings for {name}")));
            }
            (None, _) => Some("EndpointsConfig is nil".to_owned()),
            (Some(endpoint), _) => {
                wrong(tx, name, endpoint).map(|refusal| refusal.answer(tx.given.profile).1)
            }
        };
        mistakes.extend(refused.map(|why| format!("invalid config for network {name}: {why}")));
    }
    match mistakes.as_slice() {
        [] => Ok(()),
        [only] => Err(invalid(only)),
        several => {
            let lines: Vec<String> = several
                .iter()
                .map(|mistake| format!("* {}", mistake.replace('\n', "\n\t")))
                .collect();
            Err(invalid(&lines.join("\n")))
        }
    }
}

fn wrong(tx: &Tx<'_>, name: &str, endpoint: &EndpointConfig) -> Option<Refusal> {
    if let Some(mistake) = ipam::mac_mistake(&endpoint.mac_address)
        .filter(|_| tx.given.profile != Profile::Docker20_10)
    {
        return Some(Refusal::Worded(400, format!("invalid endpoint settings:\n{mistake}")));
    }
    match tx.state.find_network(name) {
        Ok(network) => check_settings(network, endpoint).err(),
        Err(_) => {
            let mistakes = ipam::endpoint_mistakes(endpoint.ipam.as_ref()?, None);
            (!mistakes.is_empty()).then_some(Refusal::EndpointSettings(mistakes))
        }
    }
}

/// Where the container will be when it runs.
fn attachments(
    tx: &Tx<'_>,
    config: &Map<String, Value>,
    mode: &str,
    mut endpoints: BTreeMap<String, Option<EndpointConfig>>,
) -> BTreeMap<String, Attachment> {
    if mode.starts_with("container:") || flag(config, "NetworkDisabled") {
        return BTreeMap::new();
    }
    let network = tx.state.find_network(mode).ok().cloned();
    let key = network.as_ref().map_or(mode, |network| &network.config.name);
    if endpoints.is_empty() {
        endpoints.insert(key.to_owned(), Some(EndpointConfig::default()));
    }
    // The mode's own network goes by its name, whatever it was called.
    if let Some(network) = &network
        && !endpoints.contains_key(key)
        && let Some(endpoint) = endpoints.remove(network.id.as_str())
    {
        endpoints.insert(key.to_owned(), endpoint);
    }
    // Engines of old have one address for the container, and use it on the mode's network alone.
    let own = Some(text(config, "MacAddress")).filter(|mac| !mac.is_empty());
    let uses_endpoints = tx.given.profile != Profile::Docker20_10;
    endpoints
        .into_iter()
        .map(|(name, endpoint)| {
            let config = endpoint.unwrap_or_default();
            let asked =
                Some(config.mac_address.as_str()).filter(|mac| uses_endpoints && !mac.is_empty());
            let wanted_mac = asked.or(own.filter(|_| name == key)).and_then(|mac| mac.parse().ok());
            (name, Attachment { config, wanted_mac, ..Attachment::default() })
        })
        .collect()
}
