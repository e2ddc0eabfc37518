//! Checks of what is connected, or believes to be.

use std::collections::{BTreeMap, BTreeSet};

use docknet::ContainerStatus;

use super::{Facts, Finding, Severity};

/// Endpoints that a network knows of and no container has: their addresses stay taken, and the network cannot be removed.
pub(super) fn stale_endpoints(facts: &Facts) -> Vec<Finding> {
    let known: BTreeSet<_> =
        facts.survey.containers.iter().map(|container| container.id()).collect();
    let mut findings = Vec::new();
    for network in &facts.survey.networks {
        let members = facts.members.get(network.id()).into_iter().flatten();
        for (id, member) in
            members.filter(|(id, _)| !known.contains(id) && is_containers(id.as_str()))
        {
            let address = member
                .ipv4
                .map(|net| net.to_string())
                .or_else(|| member.ipv6.map(|net| net.to_string()));
            findings.push(Finding {
                severity: Severity::Error,
                check: "stale-endpoints",
                what: format!(
                    "network `{}` holds an endpoint `{}` whose container is gone",
                    network.name(),
                    member.name
                ),
                evidence: vec![
                    format!("{id} {}", address.unwrap_or_default()).trim_end().to_owned(),
                ],
                advice: format!("`docknet disconnect --force {} {}`", network.name(), member.name),
            });
        }
    }
    findings
}

/// A swarm's networks have endpoints of the engine's own, too.
fn is_containers(id: &str) -> bool {
    id.strip_prefix("ep-").unwrap_or(id).bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Containers that do not run and cannot be started, because a network that they need is gone.
pub(super) fn lost_networks(facts: &Facts) -> Vec<Finding> {
    let networks = &facts.survey.networks;
    let mut findings = Vec::new();
    for container in
        facts.survey.containers.iter().filter(|container| !container.info().is_running())
    {
        for (name, endpoint) in container.endpoints() {
            let id = endpoint.network_id.as_str();
            let there = networks.iter().any(|network| match id {
                // It never ran: the name is all it knows.
                "" => network.name() == name || network.id().as_str() == name,
                id => network.id().as_str() == id,
            });
            if there || is_engines(name) {
                continue;
            }
            let again = networks.iter().any(|network| network.name() == name);
            findings.push(Finding {
                severity: Severity::Error,
                check: "lost-networks",
                what: format!(
                    "container `{}` cannot be started: its network `{name}` is gone",
                    container.name()
                ),
                evidence: vec![match (id, again) {
                    ("", _) => format!("no network is named `{name}`"),
                    (id, true) => format!(
                        "it had {}; the network that is named `{name}` now is another one",
                        short(id)
                    ),
                    (id, false) => format!("it had {}", short(id)),
                }],
                advice: format!(
                    "`docknet disconnect --force {name} {0}`, then `docknet connect NETWORK {0}`",
                    container.name()
                ),
            });
        }
    }
    findings
}

/// Modes that are written where a network's name stands.
fn is_engines(name: &str) -> bool {
    matches!(name, "bridge" | "default" | "host" | "none" | "nat")
}

fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

/// Networks that a prune removes, though somebody needs them to start again.
pub(super) fn stopped_only(facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    for network in facts.survey.networks.iter().filter(|network| !network.info().is_predefined()) {
        let containers: Vec<_> =
            facts.survey.endpoints(network).map(|(container, _)| container).collect();
        if containers.is_empty() || containers.iter().any(|container| container.info().is_running())
        {
            continue;
        }
        let names: Vec<_> =
            containers.iter().map(|container| container.name().to_owned()).collect();
        findings.push(Finding {
            severity: Severity::Note,
            check: "stopped-only",
            what: format!("network `{}` is used by stopped containers only: a prune removes it, and they cannot be started again", network.name()),
            evidence: vec![names.join(", ")],
            advice: "`docknet prune --keep-stopped` keeps it".to_owned(),
        });
    }
    findings
}

/// Containers whose way out depends on the alphabet.
pub(super) fn default_route(facts: &Facts) -> Vec<Finding> {
    let open: BTreeMap<_, _> = facts
        .survey
        .networks
        .iter()
        .filter(|network| !network.info().internal)
        .map(|network| (network.id().as_str(), network.name()))
        .collect();
    let mut findings = Vec::new();
    for container in facts
        .survey
        .containers
        .iter()
        .filter(|container| *container.status() == ContainerStatus::Running)
    {
        let ways: Vec<_> = container
            .endpoints()
            .values()
            .filter_map(|endpoint| {
                Some((
                    *open.get(endpoint.network_id.as_str())?,
                    endpoint.asked.gateway_priority.unwrap_or(0),
                ))
            })
            .collect();
        let best = ways.iter().map(|(_, priority)| *priority).max();
        let equal: Vec<_> = ways
            .iter()
            .filter(|(_, priority)| Some(*priority) == best)
            .map(|(name, _)| *name)
            .collect();
        if equal.len() < 2 {
            continue;
        }
        findings.push(Finding {
            severity: Severity::Note,
            check: "default-route",
            what: format!("container `{}` has {} networks that lead out, and their names decide which one it takes", container.name(), equal.len()),
            evidence: vec![equal.join(", ")],
            advice: "`docknet connect --gw-priority 1 NETWORK CONTAINER` (API 1.48) chooses one".to_owned(),
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::lab;
    use super::*;

    #[test]
    fn an_endpoint_without_a_container_is_found() {
        let mut facts = lab::facts(
            &json!([lab::network("a", "1", "10.7.0.0/24")]),
            &json!([lab::container("ab", "running", &[])]),
        );
        let id = facts.survey.networks[0].id().clone();
        let member = |name: &str| {
            serde_json::from_value(json!({ "Name": name, "IPv4Address": "10.7.0.2/24" })).unwrap()
        };
        facts.members.insert(
            id.clone(),
            [("abababababababab".into(), member("ab")), ("lb-a".into(), member("lb"))].into(),
        );
        assert_eq!(stale_endpoints(&facts), []);
        facts.members.insert(id, [("dead".into(), member("gone"))].into());
        assert_eq!(stale_endpoints(&facts)[0].advice, "`docknet disconnect --force a gone`");
    }

    #[test]
    fn a_stopped_container_whose_network_is_gone_is_found() {
        let networks = json!([lab::network("a", "1", "10.7.0.0/24")]);
        let stopped =
            |name: &str, id: &str| json!([lab::container("off", "exited", &[(name, id, "")])]);
        assert_eq!(lost_networks(&lab::facts(&networks, &stopped("a", "1"))), []);
        assert!(
            lost_networks(&lab::facts(&networks, &stopped("a", "2")))[0].evidence[0]
                .contains("another one")
        );
        assert_eq!(lost_networks(&lab::facts(&networks, &stopped("b", "2"))).len(), 1);
        assert_eq!(lost_networks(&lab::facts(&networks, &stopped("host", "2"))), []);
    }

    #[test]
    fn a_network_of_stopped_containers_is_noted() {
        let networks = json!([lab::network("a", "1", "10.7.0.0/24")]);
        let of = |state: &str| {
            lab::facts(&networks, &json!([lab::container("box", state, &[("a", "1", "")])]))
        };
        assert_eq!(stopped_only(&of("exited"))[0].evidence, ["box"]);
        assert_eq!(stopped_only(&of("running")), []);
        assert_eq!(stopped_only(&lab::facts(&networks, &json!([]))), []);
    }

    #[test]
    fn two_ways_out_of_equal_priority_are_noted() {
        let networks =
            json!([lab::network("a", "1", "10.7.0.0/24"), lab::network("b", "2", "10.8.0.0/24")]);
        let on = [("a", "1", "10.7.0.2"), ("b", "2", "10.8.0.2")];
        let mut box_ = lab::container("box", "running", &on);
        assert_eq!(default_route(&lab::facts(&networks, &json!([box_]))).len(), 1);
        box_["NetworkSettings"]["Networks"]["b"]["GwPriority"] = json!(5);
        assert_eq!(default_route(&lab::facts(&networks, &json!([box_]))), []);
        let mut inner = networks;
        inner[1]["Internal"] = json!(true);
        let box_ = lab::container("box", "running", &on);
        assert_eq!(default_route(&lab::facts(&inner, &json!([box_]))), []);
    }
}
