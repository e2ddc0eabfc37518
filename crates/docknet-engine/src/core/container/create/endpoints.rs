//! Where a new container is to be.

use std::collections::BTreeMap;

use docknet_types::ApiVersion;
use serde_json::{Map, Value};

use super::{flag, invalid, text};
use crate::Profile;
use crate::core::container::Container;
use crate::core::endpoint::{Attachment, EndpointConfig, check_settings};
use crate::core::ipam;
use crate::core::refusal::Refusal;
use crate::core::tx::Tx;

/// From this version on a container may be made with several networks, and a hardware address belongs to one of them
/// (API changelog, 1.44).
const SEVERAL_ENDPOINTS: ApiVersion = ApiVersion::new(1, 44);
const MAC_WARNING: &str = "The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead.";

/// Clients of old name one network at most.
pub(super) fn check_count(
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
pub(super) fn place_mac(
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
pub(super) fn check(
    tx: &Tx<'_>,
    endpoints: &BTreeMap<String, Option<EndpointConfig>>,
) -> Result<(), Refusal> {
    if tx.given.profile == Profile::Podman5 {
        return Ok(());
    }
    let mut mistakes = Vec::new();
    for (name, endpoint) in endpoints {
        let refused = match (endpoint, tx.given.profile) {
            // 20.10 looks at the rest when the container starts.
            (Some(endpoint), Profile::Docker20_10) => {
                let mistakes =
                    endpoint.ipam.as_ref().map(|ipam| ipam::endpoint_mistakes(ipam, None));
                match mistakes.unwrap_or_default().first() {
                    Some(mistake) => return Err(invalid(mistake)),
                    None => continue,
                }
            }
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
    if let Some(mistake) = ipam::mac_mistake(&endpoint.mac_address) {
        return Some(Refusal::Worded(400, format!("invalid endpoint settings:\n{mistake}")));
    }
    match tx.state.find_network(name) {
        Ok(network) => check_settings(tx.given.profile, network, endpoint).err(),
        Err(_) => {
            let mistakes = ipam::endpoint_mistakes(endpoint.ipam.as_ref()?, None);
            (!mistakes.is_empty()).then_some(Refusal::EndpointSettings(mistakes))
        }
    }
}

/// Where the container will be when it runs.
pub(super) fn attachments(
    tx: &Tx<'_>,
    config: &Map<String, Value>,
    mode: &str,
    mut endpoints: BTreeMap<String, Option<EndpointConfig>>,
) -> Result<BTreeMap<String, Attachment>, Refusal> {
    if mode.starts_with("container:") || flag(config, "NetworkDisabled") {
        return Ok(BTreeMap::new());
    }
    let mode = Container::network_of_mode(tx.given.profile, mode);
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
    let mut attachments = BTreeMap::new();
    for (name, endpoint) in endpoints {
        let config = endpoint.unwrap_or_default();
        let asked =
            Some(config.mac_address.as_str()).filter(|mac| uses_endpoints && !mac.is_empty());
        let wanted_mac =
            asked.or_else(|| own.filter(|_| name == key)).and_then(|mac| mac.parse().ok());
        attachments.insert(name, Attachment { config, wanted_mac, ..Attachment::default() });
    }
    Ok(attachments)
}
