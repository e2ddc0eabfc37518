//! What is there, as a client sees it, and what must hold of it whatever happened before.

use std::collections::{BTreeMap, BTreeSet};

use docknet::{Client, IpNet};
use serde_json::Value;

use super::work::{Owned, Place};

/// Every network and every container.
#[derive(PartialEq)]
pub(crate) struct Observed {
    /// As inspections show them, by name.
    pub(crate) networks: BTreeMap<String, Value>,
    pub(crate) containers: BTreeMap<String, Value>,
}

impl Observed {
    pub(crate) async fn read(client: &Client) -> Self {
        let mut observed = Self { networks: BTreeMap::new(), containers: BTreeMap::new() };
        for network in objects(&value(client, "/networks").await) {
            let path = format!("/networks/{}", text(&network["Id"]));
            let whole = value(client, &path).await;
            let former = observed.networks.insert(text(&whole["Name"]), whole);
            assert_eq!(former, None, "two networks of one name");
        }
        for container in objects(&value(client, "/containers/json?all=1").await) {
            let path = format!("/containers/{}/json", text(&container["Id"]));
            let whole = value(client, &path).await;
            let name = text(&whole["Name"]).trim_start_matches('/').to_owned();
            let former = observed.containers.insert(name, whole);
            assert_eq!(former, None, "two containers of one name");
        }
        observed
    }

    /// What one client has made.
    pub(crate) fn of_task(&self, task: usize) -> Owned {
        let prefix = format!("t{task}-");
        let networks = self.networks.keys().filter(|name| name.starts_with(&prefix)).cloned();
        let containers = self.containers.iter().filter(|(name, _)| name.starts_with(&prefix));
        let place = |container: &Value| Place {
            running: container["State"]["Running"].as_bool().unwrap(),
            on: endpoints(container).map(|(name, _)| name.clone()).collect(),
        };
        Owned {
            networks: networks.collect(),
            containers: containers.map(|(name, all)| (name.clone(), place(all))).collect(),
        }
    }

    pub(crate) fn network_id(&self, name: &str) -> Option<&str> {
        self.networks.get(name)?["Id"].as_str()
    }

    pub(crate) fn is_free(&self, subnet: &IpNet) -> bool {
        self.subnets().all(|(_, other)| !overlap(subnet, &other))
    }

    /// No subnet overlaps another, no address is there twice, and networks and running containers agree on who is where.
    pub(crate) fn check_invariants(&self, context: &str) {
        let subnets: Vec<_> = self.subnets().collect();
        for (at, (name, subnet)) in subnets.iter().enumerate() {
            for (other, other_subnet) in &subnets[at + 1..] {
                assert!(!overlap(subnet, other_subnet), "{context}: {name} and {other} overlap");
            }
        }
        let mut members = BTreeSet::new();
        for (network, all) in &self.networks {
            let mut addresses = BTreeSet::new();
            for (id, member) in all["Containers"].as_object().unwrap() {
                for address in ["IPv4Address", "IPv6Address"].map(|key| text(&member[key])) {
                    let new = address.is_empty() || addresses.insert(address.clone());
                    assert!(new, "{context}: {address} is there twice on {network}");
                }
                let address = text(&member["IPv4Address"]);
                let ip = address.split('/').next().unwrap().to_owned();
                members.insert((network.clone(), id.clone(), text(&member["EndpointID"]), ip));
            }
        }
        let mut joined = BTreeSet::new();
        for container in self.containers.values() {
            if container["State"]["Running"] == true {
                for (network, endpoint) in endpoints(container) {
                    let [endpoint, ip] =
                        ["EndpointID", "IPAddress"].map(|key| text(&endpoint[key]));
                    joined.insert((network.clone(), text(&container["Id"]), endpoint, ip));
                }
            }
        }
        assert_eq!(members, joined, "{context}: networks and containers disagree");
    }

    fn subnets(&self) -> impl Iterator<Item = (&str, IpNet)> {
        self.networks.iter().flat_map(|(name, network)| {
            let pools = network["IPAM"]["Config"].as_array().into_iter().flatten();
            pools.map(|pool| (name.as_str(), text(&pool["Subnet"]).parse().unwrap()))
        })
    }
}

async fn value(client: &Client, path: &str) -> Value {
    client.request(http::Request::get(path).body("".into()).unwrap()).await.unwrap()
}

fn objects(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().unwrap().iter()
}

fn endpoints(container: &Value) -> impl Iterator<Item = (&String, &Value)> {
    container["NetworkSettings"]["Networks"].as_object().unwrap().iter()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn overlap(a: &IpNet, b: &IpNet) -> bool {
    a.contains(b) || b.contains(a)
}
