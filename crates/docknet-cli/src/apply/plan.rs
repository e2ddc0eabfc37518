//! What has to be done so that networks are as a file says. It is decided here as a whole, before anything is done.

mod endpoints;
mod refusals;
mod restore;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use docknet::{
    Client, ContainerId, ContainerInfo, Difference, EndpointSpec, Engine, Flavour, NetworkInfo,
    NetworkSpec,
};

use super::{Wanted, WantedNetwork};
use crate::failure::Outcome;
use crate::survey::Survey;

/// What an engine has.
#[derive(Debug)]
pub(crate) struct Situation {
    pub(crate) engine: Engine,
    pub(crate) networks: Vec<NetworkInfo>,
    pub(crate) containers: Vec<ContainerInfo>,
}

/// What is to be done, network by network in the order of the file.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) changes: Vec<Change>,
}

#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) network: String,
    pub(crate) kind: Kind,
    /// Why it has to be made anew.
    pub(crate) differences: Vec<Why>,
    pub(crate) endpoints: Vec<EndpointChange>,
    /// What to send to get the one that is there.
    old: Option<NetworkSpec>,
    new: Option<NetworkSpec>,
}

impl Change {
    /// The subnets that the network will have, as far as they are asked for.
    pub(crate) fn subnets(&self) -> impl Iterator<Item = docknet::IpNet> {
        self.new.iter().flat_map(|spec| &spec.ipam.pools).map(|pool| pool.subnet)
    }
}

impl EndpointChange {
    /// What the endpoint will have.
    pub(crate) fn wanted(&self) -> &EndpointSpec {
        &self.new
    }
}

/// A field in which a network is not as the file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Why {
    pub(crate) field: String,
    pub(crate) found: String,
    pub(crate) wanted: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Create,
    Keep,
    Recreate,
    Remove,
}

#[derive(Debug)]
pub(crate) struct EndpointChange {
    pub(crate) container: Who,
    pub(crate) kind: EndpointKind,
    /// What is lost on the way, and why.
    pub(crate) notes: Vec<String>,
    /// What to ask for to get the one that is there, without and with the addresses that it has.
    old: Option<(EndpointSpec, EndpointSpec)>,
    new: EndpointSpec,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndpointKind {
    Connect,
    /// It goes with its network.
    Move,
    /// It has to be made anew.
    Reconnect,
}

/// A container, for the engine and for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Who {
    pub(crate) id: ContainerId,
    pub(crate) name: String,
}

/// One call that changes something. It knows what is needed to take it back.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    Connect { network: String, container: Who, spec: EndpointSpec },
    Create { spec: NetworkSpec },
    Disconnect { network: String, container: Who, plain: EndpointSpec, exact: EndpointSpec },
    Remove { network: String, spec: NetworkSpec },
}

/// Decides, or says everything that speaks against it.
pub(crate) fn plan(wanted: &Wanted, there: &Situation, prune: Prune) -> Result<Plan, Vec<String>> {
    let mut changes: Vec<_> =
        wanted.networks.iter().map(|network| change(network, &wanted.mark, there)).collect();
    follow_configurations(&mut changes, there);
    if prune == Prune::Leftovers {
        changes.extend(leftovers(wanted, there));
    }
    endpoints::decide(&mut changes, wanted, there);
    let refusals = refusals::all(&changes, wanted, there);
    if refusals.is_empty() { Ok(Plan { changes }) } else { Err(refusals) }
}

/// What becomes of networks that an earlier apply made, and that the file does not have any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prune {
    Leftovers,
    Nothing,
}

fn change(wanted: &WantedNetwork, mark: &(String, String), there: &Situation) -> Change {
    let mut change = Change {
        network: wanted.spec.name.clone(),
        kind: Kind::Keep,
        differences: Vec::new(),
        endpoints: Vec::new(),
        old: None,
        new: None,
    };
    if wanted.external {
        return change;
    }
    let mut spec = wanted.spec.clone();
    // What is made from a configuration has its labels from there, and may have none of its own.
    if spec.config_from.is_none() {
        spec = spec.label(&mark.0, &mark.1);
    }
    let Some(found) = there.network(&wanted.spec.name) else {
        return Change { kind: Kind::Create, new: Some(spec), ..change };
    };
    change.old = Some(restore::network(found));
    change.differences = whys(wanted.spec.differences(found, there.engine.flavour));
    if !change.differences.is_empty() {
        change.kind = Kind::Recreate;
    }
    change.new = Some(restore::with_what_is_open(spec, found));
    change
}

/// The differences in the words of the file. A subnet that is wanted says already which one is there instead.
fn whys(differences: Vec<Difference>) -> Vec<Why> {
    let replaced = differences
        .iter()
        .any(|difference| difference.field == "pool" && difference.wanted != "none other");
    differences
        .into_iter()
        .filter(|difference| {
            !(replaced && difference.field == "pool" && difference.wanted == "none other")
        })
        .map(|difference| {
            let field = match difference.field.as_str() {
                "ipv4" => "enable_ipv4".to_owned(),
                "ipv6" => "enable_ipv6".to_owned(),
                "pool" => "subnet".to_owned(),
                _ => difference.field,
            };
            Why { field, found: difference.found, wanted: difference.wanted }
        })
        .collect()
}

/// Networks that are made from a configuration have to be made anew with it.
fn follow_configurations(changes: &mut [Change], there: &Situation) {
    let anew: BTreeSet<_> = changes
        .iter()
        .filter(|change| change.kind == Kind::Recreate)
        .map(|change| change.network.clone())
        .collect();
    for change in
        changes.iter_mut().filter(|change| change.kind == Kind::Keep && change.new.is_some())
    {
        let from = there.network(&change.network).and_then(|found| found.config_from.as_ref());
        if let Some(from) = from.filter(|from| anew.contains(*from)) {
            change.kind = Kind::Recreate;
            change.differences = vec![Why {
                field: "config_from".to_owned(),
                found: from.clone(),
                wanted: format!("{from}, made anew"),
            }];
        }
    }
}

fn leftovers(wanted: &Wanted, there: &Situation) -> impl Iterator<Item = Change> {
    let (label, set) = &wanted.mark;
    there
        .networks
        .iter()
        .filter(move |found| found.labels.get(label) == Some(set) && found.config_from.is_none())
        .filter(|found| !wanted.networks.iter().any(|network| network.spec.name == found.name))
        .map(|found| Change {
            network: found.name.clone(),
            kind: Kind::Remove,
            differences: Vec::new(),
            endpoints: Vec::new(),
            old: Some(restore::network(found)),
            new: None,
        })
}

impl Plan {
    /// Whether everything is as the file says.
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.iter().all(|change| change.kind == Kind::Keep && change.endpoints.is_empty())
    }

    /// Whether something that is there goes, if only for a moment.
    pub(crate) fn disturbs(&self) -> bool {
        self.changes.iter().any(|change| {
            matches!(change.kind, Kind::Recreate | Kind::Remove)
                || change.endpoints.iter().any(|endpoint| endpoint.kind != EndpointKind::Connect)
        })
    }

    /// The calls in their order: what is in the way goes first, so that networks may exchange their subnets.
    pub(crate) fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for change in &self.changes {
            for endpoint in &change.endpoints {
                if let Some((plain, exact)) = endpoint.old.clone() {
                    let (network, container) = (change.network.clone(), endpoint.container.clone());
                    steps.push(Step::Disconnect { network, container, plain, exact });
                }
            }
        }
        let goes = |change: &&Change| matches!(change.kind, Kind::Recreate | Kind::Remove);
        let mut going: Vec<_> = self.changes.iter().filter(goes).collect();
        going.sort_by_key(|change| change.old.as_ref().and_then(|spec| spec.config_only));
        steps.extend(going.iter().filter_map(|change| {
            Some(Step::Remove { network: change.network.clone(), spec: change.old.clone()? })
        }));
        let comes = |change: &&Change| matches!(change.kind, Kind::Create | Kind::Recreate);
        let mut coming: Vec<_> =
            self.changes.iter().filter(comes).filter_map(|change| change.new.clone()).collect();
        coming.sort_by_key(|spec| spec.config_only != Some(true));
        steps.extend(coming.into_iter().map(|spec| Step::Create { spec }));
        for change in &self.changes {
            // Whoever wants a certain address comes first, before the engine gives it to another one.
            let mut endpoints: Vec<_> = change.endpoints.iter().collect();
            endpoints
                .sort_by_key(|endpoint| endpoint.new.ipv4.is_none() && endpoint.new.ipv6.is_none());
            steps.extend(endpoints.into_iter().map(|endpoint| Step::Connect {
                network: change.network.clone(),
                container: endpoint.container.clone(),
                spec: endpoint.new.clone(),
            }));
        }
        steps
    }
}

impl Situation {
    /// Reads what there is. Lists leave out what endpoints asked for, so the containers concerned are looked at one by one.
    pub(crate) async fn take(
        client: &Client,
        wanted: &Wanted,
    ) -> Outcome<(Self, Vec<docknet::Network>)> {
        let engine = client.engine().await?;
        let survey = Survey::take(client).await?;
        let networks: Vec<_> =
            survey.networks.iter().map(|network| network.info().clone()).collect();
        let mut there = Self { engine, networks, containers: Vec::new() };
        for mut container in survey.containers {
            let info = container.info();
            let concerned = wanted.networks.iter().any(|network| {
                let found = there.network(&network.spec.name);
                found.is_some_and(|found| endpoints::endpoint(info, found).is_some())
                    || network.containers.keys().any(|who| endpoints::is(info, who))
            });
            if concerned {
                match container.reload().await {
                    // It went meanwhile.
                    Err(error) if error.is_not_found() => continue,
                    outcome => outcome?,
                }
            }
            there.containers.push(container.info().clone());
        }
        Ok((there, survey.networks))
    }

    fn network(&self, name: &str) -> Option<&NetworkInfo> {
        self.networks.iter().find(|network| network.name == name)
    }

    fn is_predefined(&self, name: &str) -> bool {
        match self.engine.flavour {
            Flavour::Podman => matches!(name, "host" | "none" | "podman" | "bridge" | "default"),
            _ => matches!(name, "bridge" | "default" | "host" | "none"),
        }
    }
}
