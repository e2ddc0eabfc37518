//! What is true of every state.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use docknet_types::IpNet;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Profile;
use crate::core::container::Container;
use crate::core::ipam::{Family, HostRoutes};
use crate::core::network::Network;
use crate::core::restore::{Contradiction, Kept, restore};
use crate::core::state::State;

/// Panics where a state contradicts itself.
pub(super) fn check(profile: Profile, state: &State) {
    subnets(profile, state);
    for network in state.networks() {
        named(profile, state, network);
        addresses(profile, network);
        for (id, endpoint) in network.endpoints.iter() {
            assert_eq!(*id, endpoint.container, "an endpoint under another id");
            let container = state.container(id).unwrap_or_else(|| panic!("no container {id}"));
            assert!(container.is_running(), "{} has an endpoint and does not run", container.name);
            let mut on = container.attachments.values();
            let attachment = on.find(|attachment| attachment.network.as_ref() == Some(&network.id));
            let held = attachment.and_then(|attachment| attachment.endpoint.as_ref());
            assert_eq!(held, Some(endpoint), "{} knows another endpoint", container.name);
        }
    }
    for container in state.containers() {
        attached(state, container);
    }
}

/// Panics where a state would be another one after it was kept and read again.
pub(super) fn check_restored(profile: Profile, state: &State) {
    let restored = reread(profile, state);
    let restored = restored.unwrap_or_else(|why| panic!("it cannot be read again: {why:?}"));
    check(profile, &restored);
    same(profile, state, &restored);
}

/// Panics where two states differ in what is seen of them.
pub(super) fn same(profile: Profile, one: &State, other: &State) {
    assert_eq!(one.engine, other.engine);
    assert_eq!(one.networks().count(), other.networks().count());
    for (a, b) in one.networks().zip(other.networks()) {
        assert_eq!((&a.id, &a.config), (&b.id, &b.config));
        assert_eq!(a.endpoints, b.endpoints, "of {}", a.config.name);
        assert_eq!(a.pools.len(), b.pools.len(), "of {}", a.config.name);
        for (x, y) in a.pools.iter().zip(b.pools.iter()) {
            assert_eq!((x.subnet, x.range, x.gateway), (y.subnet, y.range, y.gateway));
            assert_eq!(x.aux, y.aux, "of {}", x.subnet);
            assert_eq!(x.addresses.used(), y.addresses.used(), "of {}", x.subnet);
            assert_eq!(x.addresses.free(), y.addresses.free(), "of {}", x.subnet);
            if profile != Profile::Podman5 {
                // Podman goes on after the last one, which nobody keeps.
                let next = |mut addresses: crate::core::ipam::Addresses| addresses.take_next();
                assert_eq!(next(x.addresses.clone()), next(y.addresses.clone()), "of {}", x.subnet);
            }
        }
        let owner = |state: &State| state.bridge_owner(a.config.bridge.as_ref()?).cloned();
        assert_eq!(owner(one), owner(other), "of {}", a.config.name);
    }
    let containers = |state: &State| state.containers().cloned().collect::<Vec<_>>();
    assert_eq!(containers(one), containers(other));
    let images = |state: &State| state.images.iter().cloned().collect::<Vec<_>>();
    assert_eq!(images(one), images(other));
    for family in [Family::V4, Family::V6] {
        let next = |state: &State| state.subnets.next_default(family, &HostRoutes::default());
        assert_eq!(next(one), next(other), "the next subnet");
    }
}

/// No subnet overlaps with another, and the engine knows of each.
fn subnets(profile: Profile, state: &State) {
    let mut all: Vec<(IpNet, &str)> = Vec::new();
    for network in state.networks() {
        let before = all.len();
        for subnet in network.subnets() {
            assert_eq!(subnet, subnet.trunc(), "of {}", network.config.name);
            assert!(state.subnets.overlap(subnet), "{subnet} is of a network, and free");
            // Podman lets two of one network overlap.
            let others = if profile == Profile::Podman5 { before } else { all.len() };
            let other = all.iter().take(others).find(|(other, _)| overlap(*other, subnet));
            assert!(other.is_none(), "{subnet} of {}: {other:?}", network.config.name);
            all.push((subnet, &network.config.name));
        }
    }
}

pub(super) fn overlap(one: IpNet, other: IpNet) -> bool {
    one.contains(&other) || other.contains(&one)
}

fn named(profile: Profile, state: &State, network: &Arc<Network>) {
    let name = &network.config.name;
    assert!(!name.is_empty(), "a network without a name");
    let of_name = state.networks_named(name).filter(|other| other.id == network.id).count();
    assert_eq!(of_name, 1, "{name} is not found by its name");
    if profile != Profile::Docker20_10 {
        assert_eq!(state.networks_named(name).count(), 1, "{name} is the name of several");
    }
    let found = state.find_network(network.id.as_str()).map(|found| &found.id);
    assert_eq!(found.ok(), Some(&network.id), "{name} is not found by its id");
    if let Some(bridge) = &network.config.bridge {
        assert_eq!(state.bridge_owner(bridge), Some(&network.id), "the bridge of {name}");
    }
}

/// No address belongs to two, each belongs to a subnet, and the pools know of it.
fn addresses(profile: Profile, network: &Network) {
    let name = &network.config.name;
    let mut owners: BTreeMap<IpAddr, String> = BTreeMap::new();
    let mut own = |ip: IpAddr, owner: String| {
        let pool = network.pools.iter().find(|pool| pool.subnet.contains(&ip));
        let pool = pool.unwrap_or_else(|| panic!("{ip} of {owner} is of no subnet of {name}"));
        let is_podmans = profile == Profile::Podman5 && owner == "gateway";
        assert!(is_podmans || pool.addresses.is_taken(ip), "{ip} of {owner} is free on {name}");
        if !is_podmans {
            let other = owners.insert(ip, owner.clone());
            assert_eq!(other, None, "{ip} of {owner} on {name}");
        }
    };
    for pool in network.pools.iter() {
        if let Some(gateway) = pool.gateway {
            own(gateway, "gateway".to_owned());
        }
        for (aux, ip) in &pool.aux {
            own(*ip, format!("aux {aux}"));
        }
    }
    for endpoint in network.endpoints.values() {
        for ip in endpoint.addresses() {
            own(ip, endpoint.name.clone());
        }
    }
}

/// A container is found by its name, and has the endpoints that networks have of it.
fn attached(state: &State, container: &Arc<Container>) {
    let name = &container.name;
    let found = state.container_named(name).map(|found| &found.id);
    assert_eq!(found, Some(&container.id), "{name} is not found by its name");
    for (key, attachment) in &container.attachments {
        let Some(endpoint) = &attachment.endpoint else { continue };
        assert!(container.is_running(), "{name} does not run, and is on {key}");
        let network = attachment.network.as_ref().and_then(|id| state.network(id));
        let network = network.unwrap_or_else(|| panic!("{name} is on {key}, which is gone"));
        assert_eq!(network.endpoints.get(&container.id), Some(endpoint), "{name} on {key}");
    }
}

/// The state as its records give it.
fn reread(profile: Profile, state: &State) -> Result<State, Contradiction> {
    let networks = state.networks();
    let endpoints = state.networks().flat_map(|network| {
        network.endpoints.iter().map(|(container, endpoint)| {
            (format!("{}/{container}", network.id), copied(&**endpoint))
        })
    });
    let containers = state.containers();
    let kept = Kept {
        engine: copied(&state.engine),
        networks: networks.map(|one| (one.id.to_string(), copied(&one.record()))).collect(),
        endpoints: endpoints.collect(),
        containers: containers.map(|one| (one.id.to_string(), copied(&**one))).collect(),
        images: state.images.iter().map(|one| (one.id.clone(), copied(&**one))).collect(),
    };
    restore(profile, kept)
}

fn copied<T: DeserializeOwned>(record: &impl Serialize) -> T {
    let json = serde_json::to_vec(record).expect("a record is JSON");
    serde_json::from_slice(&json).unwrap_or_else(|why| {
        panic!("a record does not fit itself: {why}: {}", String::from_utf8_lossy(&json))
    })
}
