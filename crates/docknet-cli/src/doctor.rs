//! What is wrong with an engine's networks: facts in, findings out.

mod containers;
mod host;
mod networks;

use std::collections::BTreeMap;

use docknet::{ContainerId, IpNet, Member, NetworkId};
use serde::Serialize;

use crate::host::Host;
use crate::survey::Survey;

/// All that the checks look at.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) survey: Survey,
    /// Who is connected by the networks' own account, which may know of endpoints that no container has.
    pub(crate) members: BTreeMap<NetworkId, BTreeMap<ContainerId, Member>>,
    /// What the engine says of its default pools.
    pub(crate) default_pools: Option<Vec<(IpNet, u8)>>,
    /// This machine, if the engine is on it; or why nothing is known of it.
    pub(crate) host: Result<Host, String>,
    /// The rules for packets that are passed on, as `iptables -S FORWARD` lists them; or why they are not known.
    pub(crate) forward_rules: Result<String, String>,
    /// The state of the swarm, as the engine has it: `active`, `inactive`, `error`, …
    pub(crate) swarm: Option<String>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// Worth knowing.
    Note,
    /// It will go wrong.
    Warning,
    /// It does not work.
    Error,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    /// The check's name: it does not change.
    pub(crate) check: &'static str,
    pub(crate) what: String,
    pub(crate) evidence: Vec<String>,
    pub(crate) advice: String,
}

/// What came of a check that could not be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Skipped {
    pub(crate) check: &'static str,
    pub(crate) reason: String,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Diagnosis {
    /// The worst first.
    pub(crate) findings: Vec<Finding>,
    pub(crate) skipped: Vec<Skipped>,
    pub(crate) checked: Vec<&'static str>,
}

/// A check: what it finds, or why it cannot look.
type Check = fn(&Facts) -> Result<Vec<Finding>, String>;

const CHECKS: &[(&str, Check)] = &[
    ("network-overlap", |facts| Ok(networks::overlaps(facts))),
    ("route-overlap", host::overlaps),
    ("default-pools", |facts| Ok(networks::default_pools(facts))),
    ("addresses", |facts| Ok(networks::addresses(facts))),
    ("names", |facts| Ok(networks::names(facts))),
    ("stale-endpoints", |facts| Ok(containers::stale_endpoints(facts))),
    ("lost-networks", |facts| Ok(containers::lost_networks(facts))),
    ("stopped-only", |facts| Ok(containers::stopped_only(facts))),
    ("default-route", |facts| Ok(containers::default_route(facts))),
    ("mtu", host::mtu),
    ("parent-link", host::parents),
    ("forwarding", host::forwarding),
    ("firewall", host::firewall),
    ("swarm", |facts| Ok(networks::swarm(facts))),
];

pub(crate) fn diagnose(facts: &Facts) -> Diagnosis {
    let mut diagnosis = Diagnosis::default();
    for (name, check) in CHECKS {
        match check(facts) {
            Ok(findings) => {
                diagnosis.checked.push(name);
                diagnosis.findings.extend(findings);
            }
            Err(reason) => diagnosis.skipped.push(Skipped { check: name, reason }),
        }
    }
    diagnosis.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    diagnosis
}

#[cfg(test)]
mod lab {
    //! Facts for tests.

    use docknet::{Container, Network, Script, expect};
    use serde_json::{Value, json};

    use super::*;

    /// Facts of these networks and containers, as the API shows them, and nothing of a host.
    pub(super) fn facts(networks: &Value, containers: &Value) -> Facts {
        let (networks, containers) = parsed(networks, containers);
        Facts {
            survey: Survey { networks, containers },
            members: BTreeMap::new(),
            default_pools: None,
            host: Err("no host".to_owned()),
            forward_rules: Err("no host".to_owned()),
            swarm: Some("inactive".to_owned()),
        }
    }

    /// A bridge network, as it is listed.
    pub(super) fn network(name: &str, id: &str, subnet: &str) -> Value {
        json!({ "Name": name, "Id": id.repeat(64), "Driver": "bridge", "Scope": "local", "IPAM": { "Config": [{ "Subnet": subnet }] } })
    }

    /// A container, as it is listed, with its address on each of these networks; none for one that does not run.
    pub(super) fn container(name: &str, state: &str, on: &[(&str, &str, &str)]) -> Value {
        let endpoint = |id: &str, address: &str| json!({ "NetworkID": id.repeat(64), "IPAddress": address, "IPPrefixLen": 24 });
        let networks: serde_json::Map<_, _> = on
            .iter()
            .map(|(name, id, address)| ((*name).to_owned(), endpoint(id, address)))
            .collect();
        json!({ "Id": name.repeat(8), "Names": [format!("/{name}")], "State": state, "NetworkSettings": { "Networks": networks } })
    }

    fn parsed(networks: &Value, containers: &Value) -> (Vec<Network>, Vec<Container>) {
        let script = Script::new([
            expect("GET /networks").reply(200, networks.to_string()),
            expect("GET /containers/json?all=true").reply(200, containers.to_string()),
        ]);
        let client = script.client();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let survey = runtime.block_on(Survey::take(&client)).unwrap();
        (survey.networks, survey.containers)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_healthy_engine_has_no_findings() {
        let facts = lab::facts(
            &json!([
                lab::network("bridge", "1", "172.17.0.0/16"),
                lab::network("front", "2", "172.18.0.0/16")
            ]),
            &json!([lab::container("web", "running", &[("front", "2", "172.18.0.2")])]),
        );
        let diagnosis = diagnose(&facts);
        assert_eq!(diagnosis.findings, []);
        assert_eq!(diagnosis.checked.len() + diagnosis.skipped.len(), CHECKS.len());
        assert!(diagnosis.skipped.iter().all(|skipped| skipped.reason == "no host"));
    }

    #[test]
    fn the_worst_comes_first() {
        let facts = lab::facts(
            &json!([
                lab::network("full", "1", "10.7.0.0/30"),
                lab::network("old", "2", "10.8.0.0/24")
            ]),
            &json!([
                lab::container(
                    "web",
                    "running",
                    &[("full", "1", "10.7.0.1"), ("x", "1", "10.7.0.2")]
                ),
                lab::container("off", "exited", &[("old", "2", "")]),
            ]),
        );
        let severities: Vec<_> =
            diagnose(&facts).findings.iter().map(|finding| finding.severity).collect();
        assert!(severities.len() > 1 && severities.is_sorted_by(|a, b| a >= b), "{severities:?}");
    }
}
