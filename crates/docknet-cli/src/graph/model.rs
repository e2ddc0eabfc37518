//! What is drawn.

use std::collections::{BTreeMap, BTreeSet};

use docknet::{Container as Found, Driver, EndpointInfo, Network as FoundNetwork};
use serde::Serialize;

use super::parts::parts;
use crate::output::natural;
use crate::survey::{Survey, addresses, subnets};

/// Networks and containers, in parts between which no packet passes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Graph {
    pub(crate) engine: String,
    pub(crate) parts: Vec<Part>,
    /// Networks that are not drawn: the engine's own that nobody uses.
    pub(crate) hidden: Vec<String>,
}

/// What can reach each other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Part {
    /// Those that share containers stand together.
    pub(crate) networks: Vec<Network>,
    /// By name.
    pub(crate) containers: Vec<Container>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Network {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) driver: String,
    pub(crate) scope: String,
    pub(crate) subnets: Vec<String>,
    pub(crate) gateways: Vec<String>,
    pub(crate) internal: bool,
    /// Whether packets leave it for other networks.
    pub(crate) leads_out: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Container {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) image: String,
    pub(crate) state: String,
    pub(crate) running: bool,
    pub(crate) endpoints: Vec<Endpoint>,
}

/// A container's place on a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Endpoint {
    /// The network's name.
    pub(crate) network: String,
    /// Without the lengths of prefixes; none for a container that does not run.
    pub(crate) addresses: Vec<String>,
    pub(crate) mac: Option<String>,
    /// Other names by which it is found there.
    pub(crate) aliases: Vec<String>,
    /// Whether the container's packets for elsewhere go this way.
    pub(crate) default_route: bool,
}

/// How much of what there is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    /// Stopped containers too, and the engine's own networks where nobody uses them.
    pub(crate) all: bool,
    /// These networks only, by name or id; all of them if none is named.
    pub(crate) networks: Vec<String>,
}

impl Graph {
    pub(crate) fn of(survey: &Survey, shown: &Shown, engine: String) -> Self {
        let chosen: Vec<_> = survey.networks.iter().filter(|network| shown.has(network)).collect();
        // Names may stand for several networks; what a container has by name only is the first of these.
        let by_id: BTreeMap<_, _> =
            chosen.iter().map(|network| (network.id().as_str(), *network)).collect();
        let mut by_name: BTreeMap<_, _> = BTreeMap::new();
        for network in &chosen {
            by_name.entry(network.name()).or_insert(*network);
        }
        let find = |name: &str, endpoint: &EndpointInfo| match endpoint.network_id.as_str() {
            "" => by_name.get(name).or_else(|| by_id.get(name)).copied(),
            id => by_id.get(id).copied(),
        };
        let mut containers = Vec::new();
        for container in
            survey.containers.iter().filter(|container| shown.all || container.info().is_running())
        {
            let mut endpoints: Vec<_> = container
                .endpoints()
                .iter()
                .filter_map(|(name, endpoint)| Some((find(name, endpoint)?, endpoint)))
                .collect();
            endpoints.sort_by(|(one, _), (other, _)| natural(one.name(), other.name()));
            if !endpoints.is_empty() {
                containers.push(self::container(container, &endpoints));
            }
        }
        let used: BTreeSet<_> = containers
            .iter()
            .flat_map(|container| &container.endpoints)
            .map(|endpoint| endpoint.network.as_str())
            .collect();
        let named = !shown.networks.is_empty();
        let (drawn, hidden): (Vec<_>, Vec<_>) = chosen.into_iter().partition(|network| {
            shown.all || named || !network.info().is_predefined() || used.contains(network.name())
        });
        let mut hidden: Vec<_> = hidden.iter().map(|network| network.name().to_owned()).collect();
        hidden.sort();
        let drawn = drawn.into_iter().map(|found| network(found, survey)).collect();
        Self { engine, parts: parts(drawn, containers), hidden }
    }
}

impl Shown {
    fn has(&self, network: &FoundNetwork) -> bool {
        self.networks.is_empty()
            || self.networks.iter().any(|wanted| {
                network.name() == wanted
                    || (wanted.len() >= 4 && network.id().as_str().starts_with(wanted))
            })
    }
}

fn network(network: &FoundNetwork, survey: &Survey) -> Network {
    let info = network.info();
    let mut gateways: Vec<_> = info.ipam.pools.iter().filter_map(|pool| pool.gateway).collect();
    // Docker lists none that nobody asked for; endpoints know them.
    if gateways.is_empty() {
        let first = survey
            .endpoints(network)
            .map(|(_, endpoint)| endpoint)
            .find(|endpoint| endpoint.is_up());
        gateways.extend(
            first
                .into_iter()
                .flat_map(|endpoint| [endpoint.gateway, endpoint.ipv6_gateway])
                .flatten(),
        );
    }
    Network {
        id: info.id.to_string(),
        name: info.name.clone(),
        driver: info.driver.to_string(),
        scope: info.scope.to_string(),
        subnets: subnets(info),
        gateways: gateways.iter().map(ToString::to_string).collect(),
        internal: info.internal,
        leads_out: !info.internal && !info.config_only && !matches!(info.driver, Driver::None),
    }
}

fn container(container: &Found, endpoints: &[(&FoundNetwork, &EndpointInfo)]) -> Container {
    let info = container.info();
    // As Docker chooses: the highest priority, and among equals the first name; an internal network leads nowhere.
    let way = endpoints
        .iter()
        .filter(|(network, _)| !network.info().internal)
        .max_by_key(|(network, endpoint)| {
            (endpoint.asked.gateway_priority.unwrap_or(0), std::cmp::Reverse(network.name()))
        })
        .map(|(network, _)| network.id());
    let endpoint = |(network, endpoint): &(&FoundNetwork, &EndpointInfo)| Endpoint {
        network: network.name().to_owned(),
        addresses: addresses(endpoint),
        mac: endpoint.mac().map(|mac| mac.to_string()),
        aliases: aliases(container, endpoint),
        default_route: endpoints.len() > 1 && way == Some(network.id()),
    };
    Container {
        id: info.id.to_string(),
        name: container.name().to_owned(),
        image: info.image.clone(),
        state: info.status.to_string(),
        running: info.is_running(),
        endpoints: endpoints.iter().map(endpoint).collect(),
    }
}

/// The names that it was given there, without those that every container has.
fn aliases(container: &Found, endpoint: &EndpointInfo) -> Vec<String> {
    let given = endpoint.aliases().iter().chain(&endpoint.dns_names);
    let mut aliases: Vec<String> = Vec::new();
    for alias in given.filter(|alias| *alias != container.name() && *alias != container.short_id())
    {
        if !aliases.contains(alias) {
            aliases.push(alias.clone());
        }
    }
    aliases
}
