//! Who is connected, who is to be, and with what settings.

use std::collections::BTreeSet;
use std::net::IpAddr;

use docknet::{ContainerInfo, EndpointInfo, EndpointSpec, NetworkInfo, NetworkSpec};

use super::{Change, EndpointChange, EndpointKind, Kind, Situation, Who};
use crate::apply::Wanted;

/// Adds to each change what becomes of its endpoints.
pub(super) fn decide(changes: &mut [Change], wanted: &Wanted, there: &Situation) {
    for change in changes {
        let found = there.network(&change.network);
        let of_file = wanted.networks.iter().find(|network| network.spec.name == change.network);
        for info in &there.containers {
            let asked = of_file.and_then(|network| {
                network.containers.iter().find(|(who, _)| is(info, who)).map(|(_, spec)| spec)
            });
            let endpoint = found.and_then(|found| endpoint(info, found));
            change.endpoints.extend(decide_one(change, info, endpoint, asked));
        }
    }
}

fn decide_one(
    change: &Change,
    info: &ContainerInfo,
    endpoint: Option<&EndpointInfo>,
    asked: Option<&EndpointSpec>,
) -> Option<EndpointChange> {
    let container = Who { id: info.id.clone(), name: info.name.clone() };
    let Some(endpoint) = endpoint else {
        let new = asked?.clone();
        return Some(EndpointChange {
            container,
            kind: EndpointKind::Connect,
            notes: Vec::new(),
            old: None,
            new,
        });
    };
    let plain = endpoint.to_spec(info.id.short());
    let kind = match change.kind {
        Kind::Recreate => EndpointKind::Move,
        Kind::Keep if !fits(endpoint, asked?, info) => EndpointKind::Reconnect,
        Kind::Create | Kind::Keep | Kind::Remove => return None,
    };
    let mut new = plain.clone();
    if let Some(asked) = asked {
        overlay(&mut new, asked);
    }
    let mut notes = Vec::new();
    if let (EndpointKind::Move, Some(spec)) = (kind, &change.new) {
        notes = drop_outside(&mut new, asked, spec);
    }
    let exact = exact(&plain, endpoint);
    Some(EndpointChange { container, kind, notes, old: Some((plain, exact)), new })
}

/// With the addresses that it has, whoever chose them.
fn exact(plain: &EndpointSpec, endpoint: &EndpointInfo) -> EndpointSpec {
    let mut exact = plain.clone();
    exact.ipv4 = exact.ipv4.or_else(|| endpoint.ipv4().map(|net| net.addr()));
    exact.ipv6 = exact.ipv6.or_else(|| endpoint.ipv6().map(|net| net.addr()));
    exact
}

/// Whether an endpoint is what the file asks for. What the file leaves open may be anything.
fn fits(endpoint: &EndpointInfo, asked: &EndpointSpec, info: &ContainerInfo) -> bool {
    let there = endpoint.to_spec(info.id.short());
    let own = |alias: &&String| **alias == info.name || **alias == info.id.short();
    let names = |spec: &EndpointSpec| -> BTreeSet<String> {
        spec.aliases.iter().filter(|alias| !own(alias)).cloned().collect()
    };
    let has_ipv4 =
        || there.ipv4 == asked.ipv4 || endpoint.ipv4().map(|net| net.addr()) == asked.ipv4;
    let has_ipv6 =
        || there.ipv6 == asked.ipv6 || endpoint.ipv6().map(|net| net.addr()) == asked.ipv6;
    (asked.aliases.is_empty() || names(&there) == names(asked))
        && (asked.ipv4.is_none() || has_ipv4())
        && (asked.ipv6.is_none() || has_ipv6())
        && (asked.link_local.is_empty() || there.link_local == asked.link_local)
        && (asked.mac.is_none() || endpoint.mac() == asked.mac)
        && asked.driver_opts.iter().all(|(key, value)| there.driver_opts.get(key) == Some(value))
        && asked
            .gateway_priority
            .is_none_or(|priority| there.gateway_priority.unwrap_or_default() == priority)
}

/// What the file says goes before what is there.
fn overlay(spec: &mut EndpointSpec, asked: &EndpointSpec) {
    if !asked.aliases.is_empty() {
        spec.aliases.clone_from(&asked.aliases);
    }
    if !asked.link_local.is_empty() {
        spec.link_local.clone_from(&asked.link_local);
    }
    spec.ipv4 = asked.ipv4.or(spec.ipv4);
    spec.ipv6 = asked.ipv6.or(spec.ipv6);
    spec.mac = asked.mac.or(spec.mac);
    spec.gateway_priority = asked.gateway_priority.or(spec.gateway_priority);
    spec.driver_opts.extend(asked.driver_opts.clone());
}

/// Static addresses that do not fit the new network are given up, unless the file asks for them: then they are refused.
fn drop_outside(
    spec: &mut EndpointSpec,
    asked: Option<&EndpointSpec>,
    network: &NetworkSpec,
) -> Vec<String> {
    let inside = |ip: IpAddr| network.ipam.pools.iter().any(|pool| pool.subnet.contains(&ip));
    let mut notes = Vec::new();
    let mut drop = |ip: IpAddr| {
        let gone = !inside(ip);
        if gone {
            notes.push(format!(
                "its address {ip} is not in the new subnets, so it gets another one"
            ));
        }
        gone
    };
    if asked.is_none_or(|asked| asked.ipv4.is_none()) && spec.ipv4.is_some_and(|ip| drop(ip.into()))
    {
        spec.ipv4 = None;
    }
    if asked.is_none_or(|asked| asked.ipv6.is_none()) && spec.ipv6.is_some_and(|ip| drop(ip.into()))
    {
        spec.ipv6 = None;
    }
    notes
}

/// The connection of a container to a network. Before it first runs a container knows its networks by name only.
pub(super) fn endpoint<'a>(
    info: &'a ContainerInfo,
    network: &NetworkInfo,
) -> Option<&'a EndpointInfo> {
    let by_id = info.endpoints.values().find(|endpoint| endpoint.network_id == network.id);
    by_id.or_else(|| {
        info.endpoints
            .iter()
            .find(|(name, endpoint)| {
                endpoint.network_id.as_str().is_empty()
                    && (**name == network.name || *name == network.id.as_str())
            })
            .map(|(_, endpoint)| endpoint)
    })
}

/// Whether this is the container of this name or id.
pub(super) fn is(info: &ContainerInfo, who: &str) -> bool {
    info.name == who
        || info.id.as_str() == who
        || (who.len() >= 12 && info.id.as_str().starts_with(who))
}
