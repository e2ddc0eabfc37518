//! Checks of networks among each other.

use std::collections::BTreeMap;

use super::{Facts, Finding, Severity};
use crate::pools::{Report, With};

pub(super) fn overlaps(facts: &Facts) -> Vec<Finding> {
    let report = report(facts);
    let among = report.overlaps.iter().filter_map(|overlap| match &overlap.with {
        With::Network(other) => Some((overlap, other)),
        With::Route { .. } => None,
    });
    among
        .map(|(overlap, other)| Finding {
            severity: Severity::Error,
            check: "network-overlap",
            what: format!("networks `{}` and `{other}` have addresses in common", overlap.network),
            evidence: vec![format!("{} and {}", overlap.subnet, overlap.other)],
            advice: format!("make one of them anew with another subnet: `docknet create --subnet $(docknet pools --next {}) NAME`", overlap.other.prefix_len()),
        })
        .collect()
}

pub(super) fn default_pools(facts: &Facts) -> Vec<Finding> {
    let report = report(facts);
    let (mut total, mut free) = (0_u128, 0_u128);
    for pool in report.defaults.iter().filter(|pool| pool.base.addr().is_ipv4()) {
        total += pool.total;
        free += pool.free;
    }
    // A tenth, and with few subnets two: the next `compose up` takes one or two.
    let low = (total / 10).max(2);
    if total == 0 || free > low {
        return Vec::new();
    }
    let (severity, what) = match free {
        0 => (
            Severity::Error,
            "the default address pools are used up: a network without `--subnet` cannot be made"
                .to_owned(),
        ),
        _ => (
            Severity::Warning,
            format!(
                "the default address pools are nearly used up: {free} of {total} subnets are free"
            ),
        ),
    };
    vec![Finding {
        severity,
        check: "default-pools",
        what,
        evidence: report.defaults.iter().map(|pool| format!("{}: {} of {} subnets of /{} are free", pool.base, pool.free, pool.total, pool.size)).collect(),
        advice: "`docknet prune --dry-run` shows what nobody uses; `default-address-pools` in the engine's configuration adds pools".to_owned(),
    }]
}

pub(super) fn addresses(facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    for pool in report(facts).pools {
        let (severity, what) = match pool.free() {
            0 => (Severity::Error, format!("network `{}` has no address left", pool.network)),
            _ if pool.percent() >= 90 => {
                (Severity::Warning, format!("network `{}` has few addresses left", pool.network))
            }
            _ => continue,
        };
        let part =
            pool.range.map_or_else(String::new, |range| format!(", of which {range} is given"));
        findings.push(Finding {
            severity,
            check: "addresses",
            what,
            evidence: vec![format!("{}{part}: {} of {} are taken", pool.subnet, pool.used, pool.usable)],
            advice: format!("`docknet pools --addresses` shows by whom; `docknet apply` makes `{}` anew with a larger subnet", pool.network),
        });
    }
    findings
}

pub(super) fn names(facts: &Facts) -> Vec<Finding> {
    let networks = &facts.survey.networks;
    let mut findings = Vec::new();
    let mut by_name: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for network in networks {
        by_name.entry(network.name()).or_default().push(network.short_id());
    }
    for (name, ids) in by_name.iter().filter(|(_, ids)| ids.len() > 1) {
        findings.push(Finding {
            severity: Severity::Warning,
            check: "names",
            what: format!("{} networks are named `{name}`: the name says nothing", ids.len()),
            evidence: ids.iter().map(|id| format!("{id} {name}")).collect(),
            advice: "remove those that are not needed, by their ids".to_owned(),
        });
    }
    // As long as one of that name is there the name wins; when it is gone, the other one is meant.
    for network in networks.iter().filter(|network| is_hex(network.name())) {
        let like = networks.iter().filter(|other| {
            other.id() != network.id() && other.id().as_str().starts_with(network.name())
        });
        for other in like {
            findings.push(Finding {
                severity: Severity::Warning,
                check: "names",
                what: format!(
                    "the name `{}` is the beginning of the id of network `{}`",
                    network.name(),
                    other.name()
                ),
                evidence: vec![other.id().to_string()],
                advice: format!(
                    "when `{}` is gone, its name will mean `{}`: rename it",
                    network.name(),
                    other.name()
                ),
            });
        }
    }
    findings
}

pub(super) fn swarm(facts: &Facts) -> Vec<Finding> {
    let state = facts.swarm.as_deref().unwrap_or_default();
    if !matches!(state, "error" | "locked") {
        return Vec::new();
    }
    vec![Finding {
        severity: Severity::Error,
        check: "swarm",
        what: format!(
            "this engine's part of the swarm is in state `{state}`: its networks cannot be used"
        ),
        evidence: vec![format!("LocalNodeState: {state}")],
        advice: match state {
            "locked" => "`docker swarm unlock`".to_owned(),
            _ => "the engine's log says why; `docker swarm leave` and join again".to_owned(),
        },
    }]
}

fn is_hex(name: &str) -> bool {
    name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn report(facts: &Facts) -> Report {
    Report::new(&facts.survey, facts.default_pools.as_deref(), facts.host.as_ref().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::lab;
    use super::*;

    #[test]
    fn subnets_in_common_are_found() {
        let facts = lab::facts(
            &json!([lab::network("a", "1", "10.7.0.0/16"), lab::network("b", "2", "10.7.5.0/24")]),
            &json!([]),
        );
        let found = overlaps(&facts);
        assert_eq!(found[0].what, "networks `a` and `b` have addresses in common");
    }

    #[test]
    fn pools_are_used_up_when_no_subnet_is_left() {
        let networks = json!([lab::network("a", "1", "10.99.0.0/24")]);
        let mut facts = lab::facts(&networks, &json!([]));
        assert_eq!(default_pools(&facts), []);
        facts.default_pools = Some(vec![("10.99.0.0/24".parse().unwrap(), 24)]);
        assert_eq!(default_pools(&facts)[0].severity, Severity::Error);
        facts.default_pools = Some(vec![("10.99.0.0/23".parse().unwrap(), 24)]);
        assert_eq!(default_pools(&facts)[0].severity, Severity::Warning);
    }

    #[test]
    fn a_network_without_addresses_is_found() {
        let networks = json!([lab::network("a", "1", "10.7.0.0/30")]);
        let full = [("a", "1", "10.7.0.1"), ("x", "1", "10.7.0.2")];
        let found =
            addresses(&lab::facts(&networks, &json!([lab::container("web", "running", &full)])));
        assert_eq!(
            (found[0].severity, found[0].evidence[0].as_str()),
            (Severity::Error, "10.7.0.0/30: 2 of 2 are taken")
        );
        assert_eq!(addresses(&lab::facts(&networks, &json!([]))), []);
    }

    #[test]
    fn names_that_say_nothing_are_found() {
        let networks = json!([
            lab::network("dup", "1", "10.7.0.0/24"),
            lab::network("dup", "2", "10.8.0.0/24"),
            lab::network("aaa", "3", "10.9.0.0/24"),
            lab::network("other", "a", "10.10.0.0/24"),
        ]);
        let found = names(&lab::facts(&networks, &json!([])));
        assert_eq!(found.len(), 2);
        assert!(found[1].what.contains("`aaa`"), "{found:?}");
    }

    #[test]
    fn a_swarm_that_is_locked_is_found_and_one_that_is_not_there_is_not() {
        let mut facts = lab::facts(&json!([]), &json!([]));
        assert_eq!(swarm(&facts), []);
        facts.swarm = Some("locked".to_owned());
        assert_eq!(swarm(&facts)[0].advice, "`docker swarm unlock`");
    }
}
