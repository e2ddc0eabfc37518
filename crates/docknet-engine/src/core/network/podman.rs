//! Networks as Podman has them: names that are file names, no scopes and no configurations, and whoever was told to join a
//! network uses it, running or not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use docknet_types::{ContainerId, NetworkId};

use super::create::{CreateNetwork, Created, add, families};
use super::driver::{BRIDGE_NAME, DriverKind, MTU, PARENT};
use super::remove::{RemoveNetwork, take};
use super::{Network, NetworkConfig};
use crate::Profile;
use crate::core::container::{self, Remove};
use crate::core::filter::NetworkPruneFilter;
use crate::core::ipam::{self, Family, IpamRefusal};
use crate::core::refusal::Refusal;
use crate::core::state::{Map, State};
use crate::core::tx::{Supply, Touched, Tx};

/// The network that is there from the beginning, and that clients of Docker call `bridge`.
pub(crate) const DEFAULT: &str = "podman";
const DEFAULT_AS_ASKED: &str = "bridge";

/// Names of modes, which no network may have.
const MODES: [&str; 9] =
    ["none", "host", "bridge", "private", "slirp4netns", "pasta", "container", "ns", "default"];
/// A network is a file of this name, and a file's name has 255 bytes at the most.
const LONGEST_NAME: usize = 255 - ".json".len();
const FOLDER: &str = "/etc/containers/networks";
const PATTERN: &str = "names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*";
const INVALID: &str = "invalid argument";

/// The name of the network that a client means.
pub(crate) fn meant(term: &str) -> &str {
    if term == DEFAULT_AS_ASKED { DEFAULT } else { term }
}

/// Makes a network, in Podman's order of checks.
pub(super) fn create(tx: &mut Tx<'_>, wish: CreateNetwork) -> Result<Created, Refusal> {
    let driver = if wish.driver.is_empty() { "bridge" } else { &wish.driver }.to_owned();
    let kind = DriverKind::of(&driver);
    let (options, warning) = options(kind, &wish);
    let asked = wish.ipam.as_ref().and_then(|ipam| ipam.config.as_deref()).unwrap_or_default();
    let all = families(true, true, (true, true));
    let pools = ipam::validate(Profile::Podman5, asked, all).map_err(Refusal::Ipam)?;
    let name = claim(tx, &wish.name)?;
    let asks = |key: &str| wish.options.as_ref().and_then(|options| options.get(key));
    let bridge = match kind {
        DriverKind::Bridge => Some(bridge(tx, asks(BRIDGE_NAME))?),
        DriverKind::Macvlan | DriverKind::Ipvlan => {
            check_parent(tx, asks(PARENT))?;
            None
        }
        _ => return Err(Refusal::NoSuchDriver(driver)),
    };
    // Without subnets, whoever answers there gives the addresses.
    let dhcp = kind != DriverKind::Bridge && pools.is_empty();
    if dhcp && kind == DriverKind::Ipvlan {
        let why = "ipam driver dhcp is not supported with ipvlan";
        return Err(Refusal::Worded(500, why.to_owned()));
    }
    check_mtu(&options)?;
    let mut config = NetworkConfig {
        name,
        created: tx.given.now,
        driver,
        scope: "local".to_owned(),
        ipv4: true,
        ipv6: wish.ipv6.unwrap_or(false) || pools.iter().any(|pool| pool.subnet.addr().is_ipv6()),
        internal: wish.internal,
        ipam_driver: if dhcp { "dhcp" } else { "default" }.to_owned(),
        ipam_options: Some(ipam_options(if dhcp { "dhcp" } else { "host-local" })),
        given_pools: pools.len(),
        options,
        labels: wish.labels.clone().unwrap_or_default(),
        bridge,
        ..NetworkConfig::default()
    };
    let pools = if dhcp {
        config.pools = Some(Vec::new());
        Arc::from([])
    } else {
        let wanted = families(true, wish.ipv6.unwrap_or(false), (true, true));
        let wish = ipam::Wish {
            network: &config.name,
            driver: &config.ipam_driver,
            pools: &pools,
            families: wanted,
        };
        if tx.given.supply == Supply::Nothing {
            return Err(Refusal::Ipam(IpamRefusal::PoolsExhausted(Family::V4)));
        }
        let allocation =
            ipam::allocate(Profile::Podman5, &tx.state.subnets, &tx.given.host.routes, &wish)
                .map_err(Refusal::Ipam)?;
        config.pools = Some(ipam::shown(Profile::Podman5, &[], &allocation));
        let latest = allocation.subnets.latest();
        tx.state.subnets = allocation.subnets;
        if tx.state.engine.last_subnet != latest {
            tx.state.engine.last_subnet = latest;
            tx.touch(Touched::Engine);
        }
        allocation.v4.into_iter().chain(allocation.v6).collect()
    };
    if config.name.len() > LONGEST_NAME {
        let what = format!("open {FOLDER}/{}.json", config.name);
        return Err(Refusal::caused(500, what, "file name too long"));
    }
    let id = NetworkId::from(tx.given.draw.id());
    let network = Network { id, config: Arc::new(config), pools, endpoints: Map::new_sync() };
    Ok(Created { id: add(tx, network), warning })
}

/// What an inspection shows of who gives addresses.
pub(super) fn ipam_options(driver: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("driver".to_owned(), driver.to_owned())])
}

/// The options that it takes, as it calls them, and a warning for one that it does not.
fn options(kind: DriverKind, wish: &CreateNetwork) -> (BTreeMap<String, String>, String) {
    let mut taken = BTreeMap::new();
    let mut warning = String::new();
    for (key, value) in wish.options.iter().flatten() {
        match key.as_str() {
            "mtu" | MTU => {
                taken.insert("mtu".to_owned(), value.clone());
            }
            BRIDGE_NAME if kind == DriverKind::Bridge => {}
            PARENT if kind != DriverKind::Bridge => {}
            _ => warning = format!("\"{key}: {value}\" is not a recognized option"),
        }
    }
    (taken, warning)
}

/// A name that is no mode's, can be a file's, and finds nothing yet: not even as the beginning of an id.
fn claim(tx: &Tx<'_>, name: &str) -> Result<String, Refusal> {
    if MODES.contains(&name) {
        let why = format!(
            "cannot create network with name {name:?} because it conflicts with a valid network mode"
        );
        return Err(Refusal::Worded(500, why));
    }
    if name.is_empty() {
        return Ok(free(tx, |name| tx.state.networks_named(name).next().is_some()));
    }
    if !is_valid(name) {
        let what = format!("network name {name} invalid: {PATTERN}");
        return Err(Refusal::caused(500, what, INVALID));
    }
    match tx.state.find_network(name) {
        Ok(_) => Err(Refusal::NameTaken(name.to_owned())),
        Err(_) => Ok(name.to_owned()),
    }
}

fn is_valid(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// The first of `podman1`, `podman2`, … that is not taken, be it by a bridge.
fn free(tx: &Tx<'_>, taken: impl Fn(&str) -> bool) -> String {
    let names = (1..).map(|number: usize| format!("podman{number}"));
    let mut free = names.filter(|name| !taken(name) && tx.state.bridge_owner(name).is_none());
    free.next().unwrap_or_default()
}

fn bridge(tx: &Tx<'_>, asked: Option<&String>) -> Result<String, Refusal> {
    let Some(name) = asked.filter(|name| !name.is_empty()) else {
        return Ok(free(tx, |_| false));
    };
    if tx.state.bridge_owner(name).is_some() {
        return Err(Refusal::Worded(500, format!("bridge name {name} already in use")));
    }
    if !is_valid(name) {
        return Err(Refusal::caused(
            500,
            format!("bridge name {name} invalid: {PATTERN}"),
            INVALID,
        ));
    }
    Ok(name.clone())
}

fn check_parent(tx: &Tx<'_>, asked: Option<&String>) -> Result<(), Refusal> {
    match asked.filter(|parent| !parent.is_empty()) {
        Some(parent) if !tx.given.host.links.contains_key(parent) => {
            Err(Refusal::Worded(500, format!("parent interface {parent} does not exist")))
        }
        _ => Ok(()),
    }
}

fn check_mtu(options: &BTreeMap<String, String>) -> Result<(), Refusal> {
    let Some(text) = options.get("mtu").filter(|text| !text.is_empty()) else { return Ok(()) };
    match text.parse::<i64>() {
        Ok(mtu) if mtu < 0 => Err(Refusal::Worded(500, format!("mtu {mtu} is less than zero"))),
        Ok(_) => Ok(()),
        Err(_) => {
            let what = format!("strconv.Atoi: parsing {text:?}");
            Err(Refusal::caused(500, what, "invalid syntax"))
        }
    }
}

/// Removes a network; with force, every container that uses it, too.
pub(super) fn remove(tx: &mut Tx<'_>, term: &str, wish: RemoveNetwork) -> Result<(), Refusal> {
    let network = match tx.state.find_network(meant(term)) {
        Ok(network) => network.clone(),
        Err(Refusal::NetworkNotFound(_)) => {
            return Err(Refusal::Worded(404, "network not found".to_owned()));
        }
        Err(other) => return Err(other),
    };
    if network.config.name == DEFAULT {
        let why = format!("default network {DEFAULT} cannot be removed");
        return Err(Refusal::Worded(500, why));
    }
    let users = users(&tx.state, &network);
    if !wish.force && !users.is_empty() {
        let what = format!(
            "{term:?} has associated containers with it. Use -f to forcibly delete containers and pods"
        );
        return Err(Refusal::caused(500, what, "network is being used"));
    }
    for user in users {
        container::remove(tx, user.as_str(), Remove { force: true })?;
    }
    // Its users are gone from it.
    let network = tx.state.network(&network.id).cloned().unwrap_or(network);
    take(tx, &network);
    tx.events.network_remove(network.event_ref());
    Ok(())
}

/// Removes every network that matches and that nobody uses; gives their names, in order.
pub(super) fn prune(tx: &mut Tx<'_>, filter: &NetworkPruneFilter) -> Vec<String> {
    let used = used(&tx.state);
    let pruned: Vec<Arc<Network>> = tx
        .state
        .networks()
        .filter(|network| network.config.name != DEFAULT && !used.contains(&network.id))
        .filter(|network| filter.matches(network.config.created, &network.config.labels))
        .cloned()
        .collect();
    for network in &pruned {
        take(tx, network);
    }
    tx.events.networks_prune(pruned.iter().map(|network| network.event_ref()));
    let mut names: Vec<_> = pruned.iter().map(|network| network.config.name.clone()).collect();
    names.sort();
    names
}

/// Every network that a container was told to join.
pub(crate) fn used(state: &State) -> BTreeSet<NetworkId> {
    let attachments = state.containers().flat_map(|container| container.attachments.values());
    attachments.filter_map(|attachment| attachment.network.clone()).collect()
}

fn users(state: &State, network: &Network) -> Vec<ContainerId> {
    let uses = |container: &&Arc<container::Container>| {
        container
            .attachments
            .values()
            .any(|attachment| attachment.network.as_ref() == Some(&network.id))
    };
    state.containers().filter(uses).map(|container| container.id.clone()).collect()
}
