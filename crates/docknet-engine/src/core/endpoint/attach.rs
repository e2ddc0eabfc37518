//! Giving a running container its place on a network, and taking it back.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use docknet_types::MacAddr;

use super::{Endpoint, EndpointConfig};
use crate::Profile;
use crate::core::container::Container;
use crate::core::host::Inside;
use crate::core::ipam::{self, AddressRefusal, Configured, EndpointIpam, PoolState};
use crate::core::network::Network;
use crate::core::refusal::Refusal;
use crate::core::step::{Outlook, Plug, Step};
use crate::core::tx::{Supply, Tx};

const IFNAME: &str = "com.docker.network.endpoint.ifname";
const IFACE_PREFIX: &str = "com.docker.network.container_iface_prefix";
/// The kernel's limit for the name of a link.
const LONGEST_LINK_NAME: usize = 15;

/// Puts a container on a network: addresses, a link, names. The container must run, or be about to.
///
/// `container` is changed and not taken in: the caller has more to change, and tells of it.
pub(crate) fn attach(
    tx: &mut Tx<'_>,
    container: &mut Container,
    key: &str,
    network: &Arc<Network>,
    mac: Option<MacAddr>,
) -> Result<(), Refusal> {
    if network.config.config_only {
        return Err(Refusal::ConfigOnlyEndpoint);
    }
    if network.endpoints.contains_key(&container.id) {
        return Err(Refusal::AlreadyConnected {
            container: container.name.clone(),
            network: network.config.name.clone(),
        });
    }
    let mut attachment = container.attachments.remove(key).unwrap_or_default();
    check_links(&attachment.config)?;
    let id = tx.given.draw.id();
    let (network, endpoint) = match network.kind().has_endpoint_links() {
        true => linked(tx, container, &attachment.config, network, id, mac)?,
        false => (network.clone(), bare(container, id)),
    };
    let endpoint = Arc::new(endpoint);
    attachment.network = Some(network.id.clone());
    attachment.dns_names = dns_names(container, &network, &attachment.config);
    attachment.endpoint = Some(endpoint.clone());
    tx.step(Plug::of(&network, &endpoint, &attachment.config).map(Step::Attach));
    container.attachments.insert(network.config.name.clone(), attachment);
    tx.put_network(network.clone());
    tx.put_endpoint(&network.id, endpoint);
    Ok(())
}

/// Takes a container off a network; what it asked for stays, for the next time it runs.
pub(crate) fn detach(tx: &mut Tx<'_>, container: &mut Container, key: &str) {
    let Some(attachment) = container.attachments.get_mut(key) else { return };
    let Some(endpoint) = attachment.endpoint.take() else { return };
    let Some(network) = attachment.network.as_ref().and_then(|id| tx.state.network(id)).cloned()
    else {
        return;
    };
    tx.step(Plug::of(&network, &endpoint, &attachment.config).map(Step::Detach));
    tx.remove_endpoint(&network.id, &container.id);
}

/// Takes a container off a network for good.
pub(crate) fn leave(tx: &mut Tx<'_>, container: &mut Container, key: &str) {
    let before = Outlook::of(&tx.state, container);
    let attachment = container.attachments.remove(key);
    if container.is_running() {
        // It looks elsewhere before what it looked at is gone.
        tx.turn(container, before);
    }
    container.attachments.extend(attachment.map(|attachment| (key.to_owned(), attachment)));
    detach(tx, container, key);
    container.attachments.remove(key);
}

/// The names by which the others on a network find a container, each once: its own, its aliases, its short id and its host
/// name. The default bridge resolves none.
pub(crate) fn dns_names(
    container: &Container,
    network: &Network,
    config: &EndpointConfig,
) -> Option<Vec<String>> {
    (!network.is_predefined()).then(|| names(container, config))
}

/// The same, whatever the network is.
pub(crate) fn names(container: &Container, config: &EndpointConfig) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let aliases = config.aliases.iter().flatten().map(String::as_str);
    let hostname = Some(container.hostname.as_str()).filter(|name| !name.is_empty());
    std::iter::once(container.name.as_str())
        .chain(aliases)
        .chain(std::iter::once(container.id.short()))
        .chain(hostname)
        .filter(|name| seen.insert(name.to_owned()))
        .map(str::to_owned)
        .collect()
}

fn check_links(config: &EndpointConfig) -> Result<(), Refusal> {
    let bad = |link: &&String| link.matches(':').count() > 1 || link.is_empty();
    match config.links.iter().flatten().find(bad) {
        Some(link) => Err(Refusal::BadLink(link.clone())),
        None => Ok(()),
    }
}

/// An endpoint on a network that gives no links: the host's own, or none.
fn bare(container: &Container, id: String) -> Endpoint {
    Endpoint {
        id,
        container: container.id.clone(),
        name: container.name.clone(),
        interface: None,
        mac: None,
        ipv4: None,
        ipv6: None,
        gateway4: None,
        gateway6: None,
    }
}

/// An endpoint with a link: addresses out of the network's pools, which are changed.
fn linked(
    tx: &mut Tx<'_>,
    container: &Container,
    config: &EndpointConfig,
    network: &Arc<Network>,
    id: String,
    mac: Option<MacAddr>,
) -> Result<(Arc<Network>, Endpoint), Refusal> {
    let asked = config.ipam.as_ref();
    if tx.given.supply == Supply::Nothing {
        return Err(exhausted(network, network.config.ipv4));
    }
    if let Some(asked) = asked.filter(|_| tx.given.profile.checks_endpoints_late()) {
        check_addresses(tx.given.profile, network, asked)?;
    }
    let mut pools = network.pools.to_vec();
    let v4 = address(&mut pools, network, true, asked.map(|ipam| ipam.v4.as_str()))?;
    let v6 = address(&mut pools, network, false, asked.map(|ipam| ipam.v6.as_str()))?;
    let options = config.driver_opts.as_ref().filter(|_| tx.given.profile.has_link_options());
    let interface = interface(container, &tx.inside, options, network, &id)?;
    link_local(network, asked, &id)?;
    let mut endpoint = bare(container, id);
    endpoint.interface = Some(interface);
    for (ip, prefix, gateway) in [v4, v6].into_iter().flatten() {
        // An internal network leads nowhere.
        let leads_out = !network.config.internal || tx.given.profile.has_internal_gateways();
        let gateway = gateway.filter(|to| leads_out && !tx.inside.leads_out(*to));
        match ip {
            IpAddr::V4(ip) => {
                endpoint.ipv4 = Some((ip, prefix));
                endpoint.gateway4 = gateway.and_then(|ip| match ip {
                    IpAddr::V4(ip) => Some(ip),
                    IpAddr::V6(_) => None,
                });
            }
            IpAddr::V6(ip) => {
                endpoint.ipv6 = Some((ip, prefix));
                endpoint.gateway6 = gateway.and_then(|ip| match ip {
                    IpAddr::V6(ip) => Some(ip),
                    IpAddr::V4(_) => None,
                });
            }
        }
    }
    // Where packets pass, neighbours remember who has an address: who comes back to it is who they know.
    let derives = tx.given.profile.derives_macs() || tx.given.host.is_real;
    let derived = endpoint.ipv4.filter(|_| derives);
    let mac = mac.or_else(|| derived.map(|(ip, _)| MacAddr::from_ipv4(ip)));
    endpoint.mac = Some(mac.unwrap_or_else(|| tx.given.draw.mac()));
    let network = Arc::new(Network { pools: pools.into(), ..Network::clone(network) });
    Ok((network, endpoint))
}

/// What is looked at only now, before it is looked whether the addresses are free.
fn check_addresses(
    profile: Profile,
    network: &Network,
    asked: &EndpointIpam,
) -> Result<(), Refusal> {
    let (v4, v6): (Vec<_>, Vec<_>) = network.subnets().partition(|net| net.addr().is_ipv4());
    let subnets = Configured { v4: &v4, v6: &v6 };
    match ipam::refused_at_start(profile, &network.config.name, asked, subnets) {
        Some((status, why)) => Err(Refusal::Worded(status, why)),
        None => Ok(()),
    }
}

/// An address of one family, with the length of its prefix and the gateway; none if the network has no such pool.
fn address(
    pools: &mut [PoolState],
    network: &Network,
    v4: bool,
    asked: Option<&str>,
) -> Result<Option<(IpAddr, u8, Option<IpAddr>)>, Refusal> {
    let asked = match asked.filter(|text| !text.is_empty()) {
        Some(text) => {
            Some(text.parse::<IpAddr>().map_err(|_| Refusal::BadAddress(text.to_owned()))?)
        }
        None => None,
    };
    let of_family: Vec<usize> = (0..pools.len())
        .filter(|at| pools.get(*at).is_some_and(|pool| pool.subnet.addr().is_ipv4() == v4))
        .collect();
    if of_family.is_empty() {
        return Ok(None);
    }
    for at in of_family {
        let given = match asked {
            Some(ip) => take(pools, at, ip)?,
            None => take_next(pools, at),
        };
        if let (Some(ip), Some(pool)) = (given, pools.get(at)) {
            return Ok(Some((ip, pool.subnet.prefix_len(), pool.gateway)));
        }
    }
    match asked {
        Some(ip) => Err(Refusal::AddressOutOfRange(ip)),
        None => Err(exhausted(network, v4)),
    }
}

/// Takes an address that was asked for, if it is one of this pool's.
fn take(pools: &mut [PoolState], at: usize, ip: IpAddr) -> Result<Option<IpAddr>, Refusal> {
    let Some(pool) = pools.get_mut(at).filter(|pool| pool.subnet.contains(&ip)) else {
        return Ok(None);
    };
    match pool.addresses.take(ip) {
        Ok(()) => {}
        Err(AddressRefusal::InUse) => return Err(Refusal::AddressInUse(ip)),
        Err(AddressRefusal::OutOfRange) => return Err(Refusal::AddressOutOfRange(ip)),
    }
    match take_beside(pools, at, ip) {
        true => Ok(Some(ip)),
        false => Err(Refusal::AddressInUse(ip)),
    }
}

/// Takes the next address of this pool.
fn take_next(pools: &mut [PoolState], at: usize) -> Option<IpAddr> {
    loop {
        let ip = pools.get_mut(at)?.addresses.take_next()?;
        if take_beside(pools, at, ip) {
            return Some(ip);
        }
    }
}

/// Takes an address in the other pools that have it, too, unless somebody has it there: Podman has networks whose subnets
/// overlap.
fn take_beside(pools: &mut [PoolState], at: usize, ip: IpAddr) -> bool {
    let is_other =
        |(place, pool): &(usize, &mut PoolState)| *place != at && pool.subnet.contains(&ip);
    let taken =
        pools.iter_mut().enumerate().filter(is_other).any(|(_, pool)| pool.addresses.is_taken(ip));
    if !taken {
        for (_, pool) in pools.iter_mut().enumerate().filter(is_other) {
            // It is free, as was just seen.
            let _ = pool.addresses.take(ip);
        }
    }
    !taken
}

fn exhausted(network: &Network, v4: bool) -> Refusal {
    Refusal::AddressesExhausted { v4, network: network.config.name.clone(), id: network.id.clone() }
}

/// The name of the link inside: the one asked for, or the first of `eth0`, `eth1`, … that is free.
fn interface(
    container: &Container,
    inside: &Inside,
    options: Option<&BTreeMap<String, String>>,
    network: &Network,
    endpoint: &str,
) -> Result<String, Refusal> {
    let taken: BTreeSet<&str> = container
        .attachments
        .values()
        .filter_map(|attachment| attachment.endpoint.as_ref()?.interface.as_deref())
        .chain(inside.links.iter().map(String::as_str))
        .collect();
    let outside = format!("veth{}", &endpoint.get(..7).unwrap_or_default());
    let asked = options.and_then(|opts| opts.get(IFNAME)).filter(|name| !name.is_empty());
    if let Some(name) = asked {
        let refused = |why| Refusal::Rename { from: outside.clone(), to: name.clone(), why };
        if name.len() > LONGEST_LINK_NAME {
            return Err(refused("numerical result out of range"));
        }
        if name.contains('/') || name.contains(char::is_whitespace) || name.contains(':') {
            return Err(refused("invalid argument"));
        }
        if name == "lo" || taken.contains(name.as_str()) {
            return Err(refused("file exists"));
        }
        return Ok(name.clone());
    }
    let prefix = network.config.options.get(IFACE_PREFIX).map_or("eth", String::as_str);
    let free =
        (0..).map(|number| format!("{prefix}{number}")).find(|name| !taken.contains(name.as_str()));
    Ok(free.unwrap_or_default())
}

/// Link-local addresses must be such, and an IPv6 one needs IPv6.
fn link_local(
    network: &Network,
    asked: Option<&EndpointIpam>,
    endpoint: &str,
) -> Result<(), Refusal> {
    let texts = asked.into_iter().flat_map(|ipam| &ipam.link_local);
    for text in texts.filter(|text| !text.is_empty()) {
        let ip: IpAddr = text.parse().map_err(|_| Refusal::BadAddress(text.clone()))?;
        let is_link_local = match ip {
            IpAddr::V4(ip) => ip.is_link_local(),
            IpAddr::V6(ip) => ip.is_unicast_link_local(),
        };
        if !is_link_local {
            return Err(Refusal::NotLinkLocal(text.clone()));
        }
        if ip.is_ipv6() && !network.config.ipv6 {
            let link = format!("veth{}", endpoint.get(..7).unwrap_or_default());
            return Err(Refusal::LinkLocalWithoutIpv6 { link, ip });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_pools_that_overlap_no_address_is_given_twice() {
        let pool = |subnet: &str| PoolState::new(Profile::Podman5, subnet.parse().unwrap(), None);
        let mut pools = [pool("10.1.0.0/30"), pool("10.1.0.0/29")];
        let mut given = BTreeSet::new();
        while let Some(ip) = take_next(&mut pools, 0).or_else(|| take_next(&mut pools, 1)) {
            assert!(given.insert(ip), "{ip} is given twice");
        }
        assert!(given.len() > 4, "{given:?}");
        let first = *given.first().unwrap();
        assert_eq!(take(&mut pools, 1, first), Err(Refusal::AddressInUse(first)));
    }
}
