//! Endpoints as Podman has them. Of what a client asks for it takes names and addresses; an address may stand in either
//! field.

use std::net::IpAddr;
use std::sync::Arc;

use docknet_types::MacAddr;

use super::connect::Connect;
use super::disconnect::Disconnect;
use super::{Attachment, EndpointConfig, attach, leave};
use crate::Profile;
use crate::core::container::Container;
use crate::core::event::Occasion;
use crate::core::ipam::{self, Configured, EndpointIpam};
use crate::core::network::Network;
use crate::core::refusal::Refusal;
use crate::core::step::Outlook;
use crate::core::tx::Tx;

/// Connects a container to a network, in Podman's order of checks.
pub(super) fn connect(tx: &mut Tx<'_>, term: &str, wish: Connect) -> Result<(), Refusal> {
    let config = taken(wish.endpoint_config.unwrap_or_default())?;
    let mut container = found(tx, &wish.container)?;
    let network = tx.state.find_network(term)?.clone();
    let key = network.config.name.clone();
    let running = container.is_running();
    if container.attachments.contains_key(&key) {
        return match running {
            true => Err(Refusal::caused(
                403,
                format!("container {} is already connected to network {key}", container.id),
                "network is already connected",
            )),
            false => Ok(()),
        };
    }
    let attachment =
        Attachment { config, network: Some(network.id.clone()), ..Attachment::default() };
    container.attachments.insert(key.clone(), attachment);
    let occasion = if running { Occasion::Running } else { Occasion::Stopped };
    if running {
        let before = Outlook::of(&tx.state, &container);
        join(tx, &mut container, &key, &network)?;
        tx.turn(&container, before);
    }
    tx.events.network_connect(network.event_ref(), container.event_ref(), occasion);
    tx.put_container(container);
    Ok(())
}

/// Cuts a container off a network. Force makes no difference.
pub(super) fn disconnect(tx: &mut Tx<'_>, term: &str, wish: &Disconnect) -> Result<(), Refusal> {
    let mut container = found(tx, &wish.container)?;
    let network = tx.state.find_network(term)?.clone();
    let key = &network.config.name;
    if !container.attachments.contains_key(key) {
        let why = format!("container {} is not connected to network {key}", container.name);
        return Err(Refusal::Worded(500, why));
    }
    let occasion = if container.is_running() { Occasion::Running } else { Occasion::Stopped };
    leave(tx, &mut container, key);
    tx.events.network_disconnect(network.event_ref(), container.event_ref(), occasion);
    tx.put_container(container);
    Ok(())
}

/// A container that may join networks. A name with a slash finds none.
fn found(tx: &Tx<'_>, term: &str) -> Result<Container, Refusal> {
    if term.starts_with('/') {
        return Err(Refusal::ContainerNotFound(term.to_owned()));
    }
    let container = Container::clone(tx.state.find_container(term)?);
    if container.shares_a_namespace() || container.config.network_mode == "none" {
        return Err(Refusal::caused(500, "\"\" is not supported", "invalid network mode"));
    }
    Ok(container)
}

/// What of a wish counts, each address in the field of its family.
pub(crate) fn taken(wish: EndpointConfig) -> Result<EndpointConfig, Refusal> {
    let asked = wish.ipam.unwrap_or_default();
    if let Some((status, why)) = ipam::refused_when_asked(Profile::Podman5, &asked, None) {
        return Err(Refusal::Worded(status, why));
    }
    if let Some(why) = ipam::mac_mistake(&wish.mac_address) {
        return Err(Refusal::Worded(500, why));
    }
    let mut addresses = EndpointIpam::default();
    let texts = [&wish.ip_address, &asked.v4, &asked.v6];
    for text in texts.into_iter().filter(|text| !text.is_empty()) {
        match ipam::parse_ip(text) {
            Some(IpAddr::V4(ip)) => addresses.v4 = ip.to_string(),
            Some(IpAddr::V6(ip)) => addresses.v6 = ip.to_string(),
            None => {}
        }
    }
    Ok(EndpointConfig {
        ipam: Some(addresses),
        aliases: wish.aliases,
        mac_address: wish.mac_address,
        ..EndpointConfig::default()
    })
}

/// Puts a running container on a network; what it asked for is with its attachment.
pub(crate) fn join(
    tx: &mut Tx<'_>,
    container: &mut Container,
    key: &str,
    network: &Arc<Network>,
) -> Result<(), Refusal> {
    let Some(attachment) = container.attachments.get(key) else {
        return Err(Refusal::NetworkNotFound(key.to_owned()));
    };
    let asked = attachment.config.ipam.clone().unwrap_or_default();
    check_addresses(network, &asked)?;
    let wanted = Some(attachment.config.mac_address.as_str()).filter(|mac| !mac.is_empty());
    let mac = match wanted {
        Some(text) => Some(hardware_address(text)?),
        None => attachment.wanted_mac,
    };
    attach(tx, container, key, network, mac).map_err(|refusal| match refusal {
        Refusal::AddressesExhausted { v4, .. } => exhausted(network, v4),
        other => other,
    })
}

fn check_addresses(network: &Network, asked: &EndpointIpam) -> Result<(), Refusal> {
    let (v4, v6): (Vec<_>, Vec<_>) = network.subnets().partition(|net| net.addr().is_ipv4());
    let all = Configured { v4: &v4, v6: &v6 };
    let name = &network.config.name;
    if let Some((status, why)) = ipam::refused_at_start(Profile::Podman5, name, asked, all) {
        return Err(Refusal::Worded(status, why));
    }
    for ip in [&asked.v4, &asked.v6].into_iter().filter_map(|text| ipam::parse_ip(text)) {
        let owner =
            network.endpoints.values().find(|endpoint| endpoint.addresses().any(|own| own == ip));
        if let Some(owner) = owner {
            let why = format!(
                "IPAM error: requested ip address {ip} is already allocated to container ID {}",
                owner.container
            );
            return Err(Refusal::Worded(500, why));
        }
    }
    Ok(())
}

/// A link takes one that is of Ethernet's length and no group's.
fn hardware_address(text: &str) -> Result<MacAddr, Refusal> {
    let refused = |why: String| Refusal::Worded(500, format!("netavark: {why}"));
    let Ok(mac) = text.parse::<MacAddr>() else {
        return Err(refused(format!("IO error: invalid mac length for address: {text}")));
    };
    let shown = mac.to_string();
    let first = u8::from_str_radix(shown.get(..2).unwrap_or_default(), 16).unwrap_or_default();
    if first & 1 == 1 || shown.chars().all(|digit| matches!(digit, '0' | ':')) {
        let why = "create veth pair: Netlink error: Cannot assign requested address (os error 99)";
        return Err(refused(why.to_owned()));
    }
    Ok(mac)
}

fn exhausted(network: &Network, v4: bool) -> Refusal {
    let pool = network.pools.iter().find(|pool| pool.subnet.addr().is_ipv4() == v4);
    let range = pool.map(|pool| pool.addresses.bounds());
    let range = range.map_or_else(String::new, |(first, last)| format!("{first} - {last}"));
    Refusal::Worded(500, format!("IPAM error: failed to find free IP in range: {range}"))
}
