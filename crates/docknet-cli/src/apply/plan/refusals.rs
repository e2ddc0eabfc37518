//! What speaks against a plan: told all at once, before anything is done.

use std::collections::BTreeMap;
use std::net::IpAddr;

use docknet::{Driver, IpNet, NetworkInfo, NetworkSpec, Scope};

use super::endpoints::{endpoint, is};
use super::{Change, EndpointKind, Kind, Situation};
use crate::apply::{Wanted, WantedNetwork};

pub(super) fn all(changes: &[Change], wanted: &Wanted, there: &Situation) -> Vec<String> {
    let mut found = Vec::new();
    for (at, network) in wanted.networks.iter().enumerate() {
        let Some(change) = changes.get(at) else { continue };
        let mut refuse = |what: String| {
            found.push(format!("{}: network `{}`: {what}", network.place, network.spec.name))
        };
        let twin = wanted.networks[..at].iter().find(|other| other.spec.name == network.spec.name);
        if let Some(twin) = twin {
            refuse(format!("the file has this name twice: first at {}", twin.place));
            continue;
        }
        names(network, there, &mut refuse);
        if !network.external {
            spec(network, wanted, there, &mut refuse);
        }
        containers(network, there, &mut refuse);
        if matches!(change.kind, Kind::Create | Kind::Recreate) {
            subnets(change, changes, there, &mut refuse);
        }
        addresses(change, there, &mut refuse);
    }
    for change in changes {
        going(change, changes, there, &mut found);
    }
    found
}

fn names(network: &WantedNetwork, there: &Situation, refuse: &mut impl FnMut(String)) {
    let name = &network.spec.name;
    let count = there.networks.iter().filter(|found| found.name == *name).count();
    if network.external && count == 0 {
        refuse("it is external, so it has to be there already, and it is not".to_owned());
    }
    if !network.external && there.is_predefined(name) {
        refuse("it is the engine's own: it can be neither made nor changed".to_owned());
    }
    if count > 1 {
        refuse(format!("the engine has {count} networks of this name"));
    }
}

fn spec(
    network: &WantedNetwork,
    wanted: &Wanted,
    there: &Situation,
    refuse: &mut impl FnMut(String),
) {
    network.spec.problems().iter().for_each(|problem| refuse(problem.to_string()));
    for dropped in there.engine.would_drop_of_network(&network.spec) {
        refuse(format!("the engine would drop {dropped} without a word"));
    }
    if let Some(from) = &network.spec.config_from {
        let in_file = wanted.networks.iter().any(|other| other.spec.name == *from);
        if !in_file && there.network(from).is_none() {
            refuse(format!(
                "there is no configuration `{from}`, neither in the file nor on the engine"
            ));
        }
        let ipam = &network.spec.ipam;
        if !ipam.is_empty() || !network.spec.labels.is_empty() || !network.spec.options.is_empty() {
            refuse(format!(
                "with `config_from` its pools, options and labels come from `{from}`, and it has none of its own"
            ));
        }
    }
}

fn containers(network: &WantedNetwork, there: &Situation, refuse: &mut impl FnMut(String)) {
    for (who, spec) in &network.containers {
        let matching: Vec<_> = there.containers.iter().filter(|info| is(info, who)).collect();
        match matching.as_slice() {
            [] => refuse(format!("there is no container `{who}`")),
            [info] => {
                let mode = &info.network_mode;
                if matches!(mode.as_str(), "host" | "none") || mode.starts_with("container:") {
                    refuse(format!(
                        "container `{who}` has network mode `{mode}`, and cannot be connected"
                    ));
                }
            }
            _ => refuse(format!("`{who}` is {} containers", matching.len())),
        }
        for dropped in there.engine.would_drop_of_endpoint(spec) {
            refuse(format!("container `{who}`: the engine would drop {dropped} without a word"));
        }
    }
}

/// Subnets overlap neither with those of the file nor with those that stay.
fn subnets(
    change: &Change,
    changes: &[Change],
    there: &Situation,
    refuse: &mut impl FnMut(String),
) {
    let Some(spec) = &change.new else { return };
    let Some(space) = space_of_spec(spec) else { return };
    for pool in &spec.ipam.pools {
        let before = changes.iter().take_while(|other| other.network != change.network);
        for other in before.filter(|other| matches!(other.kind, Kind::Create | Kind::Recreate)) {
            let Some(theirs) = other.new.as_ref().filter(|spec| space_of_spec(spec) == Some(space))
            else {
                continue;
            };
            if let Some(theirs) =
                theirs.ipam.pools.iter().find(|theirs| overlap(&theirs.subnet, &pool.subnet))
            {
                refuse(format!(
                    "subnet {} overlaps with {} of network `{}`",
                    pool.subnet, theirs.subnet, other.network
                ));
            }
        }
        let stays = |found: &&NetworkInfo| {
            !changes.iter().any(|other| {
                other.network == found.name && matches!(other.kind, Kind::Recreate | Kind::Remove)
            })
        };
        for found in
            there.networks.iter().filter(stays).filter(|found| space_of(found) == Some(space))
        {
            let mut theirs = found.ipam.pools.iter().filter_map(|pool| pool.subnet);
            if let Some(theirs) = theirs.find(|theirs| overlap(theirs, &pool.subnet)) {
                refuse(format!(
                    "subnet {} overlaps with {theirs} of network `{}`",
                    pool.subnet, found.name
                ));
            }
        }
    }
}

/// Addresses are in their subnets, and nobody else's.
fn addresses(change: &Change, there: &Situation, refuse: &mut impl FnMut(String)) {
    let found = there.network(&change.network);
    let made = matches!(change.kind, Kind::Create | Kind::Recreate);
    // The subnets, and who has which address.
    let (mut subnets, mut taken) = (Vec::new(), BTreeMap::<IpAddr, String>::new());
    if let Some(spec) = change.new.as_ref().filter(|_| made) {
        for pool in &spec.ipam.pools {
            subnets.push(pool.subnet);
            taken.extend(never_given(pool.gateway, &pool.reserved));
        }
    } else if let Some(found) = found {
        for pool in &found.ipam.pools {
            subnets.extend(pool.subnet);
            taken.extend(never_given(pool.gateway, &pool.reserved));
        }
        let stays = |id| !change.endpoints.iter().any(|endpoint| endpoint.container.id == id);
        for info in there.containers.iter().filter(|info| stays(info.id.clone())) {
            let Some(endpoint) = endpoint(info, found) else { continue };
            let (ipv4, ipv6) =
                (endpoint.ipv4().map(|net| net.addr()), endpoint.ipv6().map(|net| net.addr()));
            taken.extend(ipv4.map(|ip| (ip.into(), format!("container `{}`", info.name))));
            taken.extend(ipv6.map(|ip| (ip.into(), format!("container `{}`", info.name))));
        }
    }
    for endpoint in &change.endpoints {
        let name = &endpoint.container.name;
        let asked = [endpoint.new.ipv4.map(IpAddr::from), endpoint.new.ipv6.map(IpAddr::from)];
        for ip in asked.into_iter().flatten() {
            if made && subnets.is_empty() && endpoint.kind != EndpointKind::Move {
                refuse(format!(
                    "{ip} of container `{name}` needs a subnet in the file: the engine picks one"
                ));
            } else if !subnets.iter().any(|subnet| subnet.contains(&ip)) {
                let all: Vec<_> = subnets.iter().map(ToString::to_string).collect();
                let all = if all.is_empty() { "no subnet".to_owned() } else { all.join(", ") };
                refuse(format!("{ip} of container `{name}` is not in {all}"));
            } else if let Some(other) = taken.get(&ip) {
                refuse(format!("{ip} of container `{name}` belongs to {other}"));
            }
            taken.entry(ip).or_insert_with(|| format!("container `{name}`"));
        }
    }
}

/// The addresses of a pool that no container gets, each with whom it belongs to.
fn never_given(
    gateway: Option<IpAddr>,
    reserved: &BTreeMap<String, IpAddr>,
) -> impl Iterator<Item = (IpAddr, String)> {
    let reserved =
        reserved.iter().map(|(name, ip)| (*ip, format!("`{name}`, for whom it is reserved")));
    gateway.map(|ip| (ip, "the gateway".to_owned())).into_iter().chain(reserved)
}

/// What goes is used by nobody who stays.
fn going(change: &Change, changes: &[Change], there: &Situation, found: &mut Vec<String>) {
    if !matches!(change.kind, Kind::Recreate | Kind::Remove) {
        return;
    }
    let Some(network) = there.network(&change.network) else { return };
    let what = if change.kind == Kind::Remove { "removed" } else { "made anew" };
    for other in
        there.networks.iter().filter(|other| other.config_from.as_ref() == Some(&network.name))
    {
        let goes = |change: &Change| {
            change.network == other.name && matches!(change.kind, Kind::Recreate | Kind::Remove)
        };
        if !changes.iter().any(goes) {
            found.push(format!(
                "network `{}` cannot be {what}: network `{}` is made from it",
                network.name, other.name
            ));
        }
    }
    if change.kind == Kind::Remove {
        let connected = there.containers.iter().filter(|info| endpoint(info, network).is_some());
        let names: Vec<_> = connected.map(|info| format!("`{}`", info.name)).collect();
        if !names.is_empty() {
            found.push(format!(
                "network `{}` cannot be removed: {} is connected",
                network.name,
                names.join(", ")
            ));
        }
    }
}

/// Within which networks subnets may not overlap: those of one host, or those of a swarm. None for a network without addresses.
fn space_of_spec(spec: &NetworkSpec) -> Option<bool> {
    let driver = spec.driver.as_ref().unwrap_or(&Driver::Bridge);
    let default_ipam = spec.ipam.driver.as_deref().is_none_or(|driver| driver == "default");
    let scope = spec.scope.as_ref().unwrap_or(&Scope::Local);
    (default_ipam && spec.config_only != Some(true))
        .then(|| *driver == Driver::Overlay || *scope == Scope::Swarm)
}

fn space_of(info: &NetworkInfo) -> Option<bool> {
    let default_ipam = matches!(info.ipam.driver.as_str(), "" | "default");
    (default_ipam && !info.config_only)
        .then(|| info.driver == Driver::Overlay || info.scope == Scope::Swarm)
}

fn overlap(one: &IpNet, other: &IpNet) -> bool {
    one.contains(&other.network()) || other.contains(&one.network())
}
