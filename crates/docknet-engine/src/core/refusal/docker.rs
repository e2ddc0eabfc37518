//! How Docker words refusals. Docker 28.5 unless said otherwise.

use super::{MatchedBy, Refusal};
use crate::Profile;

const NO_MANAGER: &str = "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this node to swarm and try again.";

pub(super) fn answer(refusal: &Refusal, profile: Profile) -> (u16, String) {
    let is_20 = profile == Profile::Docker20_10;
    let is_26 = profile == Profile::Docker26;
    let is_28 = profile == Profile::Docker28;
    match refusal {
        Refusal::AddressInUse(_) => (403, "Address already in use".to_owned()),
        Refusal::AddressOutOfRange(ip) => {
            (500, format!("Invalid address {ip}: It does not belong to any of this network's subnets"))
        }
        Refusal::AddressesExhausted { v4, network, id } => {
            let family = if *v4 { "IPv4" } else { "IPv6" };
            (500, format!("no available {family} addresses on this network's address pools: {network} ({id})"))
        }
        Refusal::ActiveEndpoints { name, id, endpoint_name, endpoint } => {
            let which = match is_28 {
                true => {
                    let short = endpoint.get(..12).unwrap_or(endpoint);
                    format!("network {name} has active endpoints (name:\"{endpoint_name}\" id:\"{short}\")")
                }
                false => format!("network {name} id {id} has active endpoints"),
            };
            (403, format!("error while removing network: {which}"))
        }
        Refusal::AlreadyConnected { container, network } => {
            (403, format!("endpoint with name {container} already exists in network {network}"))
        }
        Refusal::BadAddress(text) => (500, format!("Invalid IPv4 address: {text})")),
        Refusal::BadLink(link) => (500, format!("bad format for links: {link}")),
        Refusal::BridgeName(why) if is_20 => {
            (500, format!("failed to check bridge interface existence: {why}"))
        }
        Refusal::BridgeName(why) => (500, (*why).to_owned()),
        Refusal::BridgeNameTaken { id, owner, name } => (
            403,
            format!(
                "cannot create network {id} ({name}): conflicts with network {owner} ({name}): networks have same bridge name"
            ),
        ),
        Refusal::Caused { status, message, .. } => (*status, message.clone()),
        Refusal::ConfigFromAndOptions => (
            403,
            "network driver options are not supported if the network depends on a configuration network".to_owned(),
        ),
        Refusal::ConfigFromAndOwn => (
            403,
            "user specified configurations are not supported if the network depends on a configuration network"
                .to_owned(),
        ),
        Refusal::ConfigFromConfig => {
            (403, "a configuration network cannot depend on another configuration network".to_owned())
        }
        Refusal::ConfigInUse(name) => {
            (403, format!("error while removing network: configuration network {name:?} is in use"))
        }
        Refusal::ConfigOnlyEndpoint => (403, "cannot create endpoint on configuration-only network".to_owned()),
        Refusal::ConfigOnlyOperator => (
            403,
            "configuration network can only contain network specific fields. Network operator fields like [ ingress | internal | attachable | scope ] are not supported.".to_owned(),
        ),
        Refusal::ConnectToHost | Refusal::DisconnectFromHost if !is_28 => (
            400,
            "container cannot be disconnected from host network or connected to host network".to_owned(),
        ),
        Refusal::ConnectToHost => (
            400,
            "cannot connect container to host network - container must be created in host network mode".to_owned(),
        ),
        Refusal::DisconnectFromHost => (
            400,
            "cannot disconnect container from host network - container was created in host network mode".to_owned(),
        ),
        Refusal::AlreadyPaused(id) => (409, format!("Container {id} is already paused")),
        Refusal::BadContainerName(name) => {
            (400, format!("Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"))
        }
        Refusal::BadImageReference(why) => (400, why.clone()),
        Refusal::BadSignal(why) => (400, why.clone()),
        Refusal::ContainerNameTaken { name, owner } => (
            409,
            format!(
                "Conflict. The container name \"/{name}\" is already in use by container \"{owner}\". You have to remove (or rename) that container to be able to reuse that name."
            ),
        ),
        Refusal::ContainerRuns { term, paused } => {
            let why = match paused {
                true => "container is paused and must be unpaused first",
                false => "container is running: stop the container before removing or force remove",
            };
            (409, format!("cannot remove container {term:?}: {why}"))
        }
        Refusal::ContainerAmbiguous(term) => {
            (400, format!("multiple IDs found with provided prefix: {term}"))
        }
        Refusal::ContainerNotFound(term) => (404, format!("No such container: {term}")),
        Refusal::DriverOption { key, value, why } => {
            (if is_20 { 500 } else { 400 }, format!("failed to parse {key} value: {value} ({why})"))
        }
        Refusal::EmptyReference => (400, "invalid name or ID supplied: \"\"".to_owned()),
        Refusal::EndpointSettings(lines) => (400, listed("invalid endpoint settings:", lines)),
        Refusal::Filter(refusal) => refusal.answer(profile),
        Refusal::ImageInUse(why) => (409, why.clone()),
        Refusal::ImageNotFound(name) => (404, format!("No such image: {name}")),
        Refusal::IngressIsGlobal => (403, "Ingress network can only be global scope network".to_owned()),
        Refusal::InvalidMtu(mtu) => (if is_20 { 500 } else { 400 }, format!("invalid MTU number: {mtu}")),
        Refusal::Ipam(refusal) => refusal.answer(profile),
        Refusal::IsolatedButNotInternal => {
            (500, "gateway mode 'isolated' can only be used for an internal network".to_owned())
        }
        Refusal::Kernel(words) => (500, (*words).to_owned()),
        Refusal::LinkLocalWithoutIpv6 { link, ip } => (
            500,
            format!(
                "failed to add interface {link} to sandbox: error setting interface \"{link}\" link local IPs to [{ip}/64]: permission denied"
            ),
        ),
        Refusal::LinkMode { driver, mode, default } => (
            500,
            format!("requested {driver} mode '{mode}' is not valid, '{default}' mode is the {driver} driver default"),
        ),
        Refusal::MulticastSubnet(address) if is_20 || is_26 => {
            (500, format!("failed to add IPv6 address {address} to bridge: cannot assign requested address"))
        }
        Refusal::MulticastSubnet(address) => (400, format!("multicast subnet '{address}' is not allowed")),
        Refusal::NameEmpty(name) => match profile {
            Profile::Docker20_10 => (500, format!("invalid name: {name}")),
            Profile::Docker26 => (400, format!("invalid name: {name}")),
            _ => (400, "invalid name: name is empty".to_owned()),
        },
        // The blank at the end is Docker's.
        Refusal::NamePredefined(name) => {
            (403, format!("operation is not permitted on predefined {name} network "))
        }
        Refusal::NameTaken(name) => (409, format!("network with name {name} already exists")),
        Refusal::NetworkAmbiguous { term, matches, by } => {
            (400, format!("network {term} is ambiguous ({matches} matches found based on {by})"))
        }
        Refusal::NetworkNotFound(term) => (404, format!("network {term} not found")),
        Refusal::NoAddressFamily => (400, "IPv4 or IPv6 must be enabled".to_owned()),
        Refusal::NoParentLink(link) => (500, format!("the requested parent interface {link} was not found on the Docker host")),
        Refusal::NoSuchConfig(name) => (404, format!("configuration network {name:?} does not exist")),
        Refusal::NoSuchDriver(name) => (404, format!("plugin {name:?} not found")),
        Refusal::NoSuchEndpoint(name) => (404, format!("endpoint {name} not found")),
        Refusal::NoSwarmForScope => {
            (403, "cannot create a swarm scoped network when swarm is not active".to_owned())
        }
        Refusal::NoneIsExclusive => (
            400,
            "container cannot be connected to multiple networks with one of the networks in private (none) mode"
                .to_owned(),
        ),
        Refusal::ParentTaken { link, parent } => {
            (500, format!("network {link} is already using parent interface {parent}"))
        }
        Refusal::NotABridge(link) => (500, format!("existing interface {link} is not a bridge")),
        Refusal::NotASwarmManager => (if is_20 { 500 } else { 403 }, NO_MANAGER.to_owned()),
        Refusal::NotConnected { container, network, the } => {
            (500, format!("container {container} is not connected to {the}network {network}"))
        }
        Refusal::NotLinkLocal(text) => (400, format!("invalid link local IP address: {text}")),
        Refusal::NotPaused(id) => (500, format!("Container {id} is not paused")),
        Refusal::NotRunning(id) => (409, format!("container {id} is not running")),
        Refusal::OnlyOneInstance(driver) => (403, format!("only one instance of {driver:?} network is allowed")),
        Refusal::ParentName(parent) => {
            (500, format!("invalid subinterface vlan name {parent}, example formatting is eth0.10"))
        }
        Refusal::PausedAtStart(_) => (409, "cannot start a paused container, try unpause instead".to_owned()),
        Refusal::RemovePredefined(name) => {
            (403, format!("{name} is a pre-defined network and cannot be removed"))
        }
        Refusal::Rename { from, to, why } => (
            500,
            format!("failed to add interface {from} to sandbox: error renaming interface {from:?} to {to:?}: {why}"),
        ),
        Refusal::SeveralSubnets => (403, "bridge driver doesn't support multiple subnets".to_owned()),
        Refusal::SharedNamespace => (
            400,
            "container sharing network namespace with another container or host cannot be connected to any other network"
                .to_owned(),
        ),
        Refusal::VlanId(id) => (500, format!("vlan id must be between 1-4094, received: {id}")),
        Refusal::Worded(status, message) => (*status, message.clone()),
        Refusal::While(what, cause) => {
            let (status, message) = answer(cause, profile);
            (status, format!("{what}: {message}"))
        }
        Refusal::Networking(cause) => {
            let (status, message) = answer(cause, profile);
            match is_28 {
                true => (status, format!("failed to set up container networking: {message}")),
                false => (status, message),
            }
        }
    }
}

/// A head and what follows: a single line as it is, several with a bullet each.
pub(super) fn listed(head: &str, lines: &[String]) -> String {
    match lines {
        [line] => format!("{head}\n{line}"),
        lines => lines.iter().fold(head.to_owned(), |text, line| format!("{text}\n* {line}")),
    }
}

impl std::fmt::Display for MatchedBy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::IdPrefix => "ID prefix",
            Self::Name => "name",
        })
    }
}
