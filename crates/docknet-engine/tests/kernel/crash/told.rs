//! All links, addresses, routes, rules and namespaces of a machine: as they should be, and as `ip` and `nft` tell them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use docknet_engine::Sandbox;
use serde_json::Value;

use super::Machine;
use super::daemon::State;
use super::observed::Observed;

#[derive(Debug, Default)]
pub(crate) struct Told {
    links: BTreeMap<String, Link>,
    /// Where the host sends packets: a subnet, and the link.
    routes: BTreeSet<(String, String)>,
    /// The elements of the firewall's sets.
    sets: BTreeMap<String, BTreeSet<String>>,
    /// Its rules, which never change.
    rules: Vec<String>,
    /// The namespaces of containers that run.
    containers: BTreeMap<String, Inside>,
    /// The files by which they are kept, each mounted once.
    mounts: Vec<String>,
    /// What the elements of published ports mean.
    published: Vec<Published>,
}

/// A port of the host's that leads to a container.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) at: SocketAddr,
    pub(crate) container: String,
    pub(crate) to: SocketAddr,
}

/// A link of the host's.
#[derive(Debug, PartialEq, Eq)]
struct Link {
    group: String,
    master: Option<String>,
    addresses: BTreeSet<String>,
    up: bool,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Inside {
    /// By hardware address: the link of the host's that it leads to, and its addresses.
    links: BTreeMap<String, (String, BTreeSet<String>)>,
    /// Gateways, and the hardware addresses of the links that lead there.
    default_routes: BTreeSet<(String, String)>,
}

/// The groups of links as `ip` tells them.
const OURS: u32 = u32::from_be_bytes(*b"dnet");
const GONE: u32 = u32::from_be_bytes(*b"dngo");

/// The rules as they were found first.
static RULES: OnceLock<Vec<String>> = OnceLock::new();

impl Told {
    /// What there should be of all that a client sees.
    pub(crate) fn expected(observed: &Observed) -> Self {
        let mut told = Self::default();
        for set in [
            "bridges",
            "closed",
            "within",
            "unprotected",
            "masquerade4",
            "masquerade6",
            "open4",
            "open6",
            "published4",
            "published6",
            "published4_at",
            "published6_at",
        ] {
            told.sets.insert(set.to_owned(), BTreeSet::new());
        }
        for network in observed.networks.values().filter(|all| all["Driver"] == "bridge") {
            told.expect_bridge(network);
        }
        for container in observed.containers.values().filter(|all| all["State"]["Running"] == true)
        {
            told.expect_container(container, observed);
        }
        told
    }

    fn expect_bridge(&mut self, network: &Value) {
        let bridge = bridge(network);
        let mut addresses = BTreeSet::new();
        for pool in network["IPAM"]["Config"].as_array().unwrap() {
            let subnet = text(&pool["Subnet"]);
            addresses.insert(format!("{}/{}", text(&pool["Gateway"]), prefix(&subnet)));
            if network["Internal"] == false {
                let set = if subnet.contains(':') { "masquerade6" } else { "masquerade4" };
                self.element(set, &subnet);
            }
            self.routes.insert((subnet, bridge.clone()));
        }
        self.links.insert(bridge.clone(), Link::ours(None, addresses));
        self.element("bridges", &bridge);
        self.element("within", &format!("{bridge} {bridge}"));
        if network["Internal"] == true {
            self.element("closed", &bridge);
        }
    }

    fn expect_container(&mut self, container: &Value, observed: &Observed) {
        let mut inside = Inside::default();
        // By their names: the first one that leads somewhere is the way out.
        for (name, endpoint) in container["NetworkSettings"]["Networks"].as_object().unwrap() {
            let network = &observed.networks[name];
            let other_end = match text(&network["Driver"]).as_str() {
                "bridge" => {
                    let port = format!("veth{}", &text(&endpoint["EndpointID"])[..11]);
                    let link = Link::ours(Some(bridge(network)), BTreeSet::new());
                    self.links.insert(port.clone(), link);
                    port
                }
                _ => text(&network["Options"]["parent"]),
            };
            let mac = text(&endpoint["MacAddress"]);
            let mut addresses = BTreeSet::new();
            for (family, keys) in [
                (4, ["Gateway", "IPAddress", "IPPrefixLen"]),
                (6, ["IPv6Gateway", "GlobalIPv6Address", "GlobalIPv6PrefixLen"]),
            ] {
                let [gateway, address, prefix] = keys.map(|key| &endpoint[key]);
                let (gateway, address) = (text(gateway), text(address));
                if !address.is_empty() {
                    addresses.insert(format!("{address}/{prefix}"));
                }
                let is_first =
                    !inside.default_routes.iter().any(|(to, _)| is_of(to) == is_of(&gateway));
                if !gateway.is_empty() && is_first {
                    inside.default_routes.insert((gateway, mac.clone()));
                    if network["Driver"] == "bridge" {
                        self.expect_ports(container, family, &address);
                    }
                }
            }
            inside.links.insert(mac, (other_end, addresses));
        }
        let id = text(&container["Id"]);
        self.mounts.push(id.clone());
        self.mounts.sort();
        self.containers.insert(id, inside);
    }

    fn expect_ports(&mut self, container: &Value, family: u8, address: &str) {
        let ports = container["NetworkSettings"]["Ports"].as_object().unwrap();
        for (port, bindings) in ports {
            let (port, protocol) = port.split_once('/').unwrap();
            for binding in bindings.as_array().into_iter().flatten() {
                let [ip, at] = ["HostIp", "HostPort"].map(|key| text(&binding[key]));
                if is_of(&ip) != family {
                    continue;
                }
                self.published.push(Published {
                    at: SocketAddr::new(ip.parse().unwrap(), at.parse().unwrap()),
                    container: text(&container["Id"]),
                    to: SocketAddr::new(address.parse().unwrap(), port.parse().unwrap()),
                });
                if matches!(ip.as_str(), "0.0.0.0" | "::") {
                    let set = format!("published{family}");
                    self.element(&set, &format!("{protocol} {at} {address} {port}"));
                } else {
                    let set = format!("published{family}_at");
                    self.element(&set, &format!("{ip} {protocol} {at} {address} {port}"));
                }
            }
        }
    }

    pub(crate) fn published(&self) -> &[Published] {
        &self.published
    }

    fn element(&mut self, set: &str, element: &str) {
        let new = self.sets.get_mut(set).unwrap().insert(element.to_owned());
        assert!(new, "{set} would have {element} twice");
    }

    /// What there is.
    pub(crate) fn found(machine: &Machine, state: &State) -> Self {
        let [links, routes] = machine.host.within(|| Ok(links_and_routes())).unwrap();
        let names = names(&links);
        let mut told = Self::default();
        for link in list(&links).filter(|link| text(&link["ifname"]) != "lo") {
            let name = text(&link["ifname"]);
            // The test's own.
            if name.starts_with("parent") {
                continue;
            }
            told.links.insert(name, Link::found(link));
        }
        for route in list(&routes).filter(|route| is_of_interest(route)) {
            told.routes.insert((text(&route["dst"]), text(&route["dev"])));
        }
        told.find_rules(&machine.host, &names);
        for container in state.containers() {
            let [links, routes] = state.within(&container, links_and_routes);
            told.containers.insert(container, Inside::found(&links, &routes, &names));
        }
        told.mounts = state.mounts();
        told.mounts.sort();
        told
    }

    fn find_rules(&mut self, machine: &Sandbox, names: &BTreeMap<u64, String>) {
        // The machine is a container of the engine of the test, which has a table for IPv4 in it.
        let output =
            machine.command("nft").args(["-j", "list", "ruleset", "inet"]).output().unwrap();
        let all: Value = serde_json::from_slice(&output.stdout).unwrap();
        for object in list(&all["nftables"]) {
            if let Some(rule) = object.get("rule") {
                self.rules.push(format!("{} {}", rule["chain"], rule["expr"]));
            }
            let Some(set) = object.get("set").or_else(|| object.get("map")) else { continue };
            let elements: Vec<String> = set
                .get("elem")
                .into_iter()
                .flat_map(list)
                .map(|element| words(element, names))
                .collect();
            let count = elements.len();
            let elements = BTreeSet::from_iter(elements);
            assert_eq!(elements.len(), count, "an element is there twice: {set}");
            self.sets.insert(text(&set["name"]), elements);
        }
    }

    pub(crate) fn has_links_that_are_gone(&self) -> bool {
        let gone = GONE.to_string();
        let inside = self.containers.values().flat_map(|inside| inside.links.values());
        self.links.values().any(|link| link.group == gone)
            || inside.into_iter().any(|(other_end, _)| other_end == &gone)
    }
}

/// Tells only of what is not the same.
pub(crate) fn assert_same(when: &str, expected: &Told, found: &Told) {
    assert_eq!(found.links, expected.links, "{when}: links");
    assert_eq!(found.routes, expected.routes, "{when}: routes");
    assert_eq!(found.sets, expected.sets, "{when}: sets");
    assert_eq!(&found.rules, RULES.get_or_init(|| found.rules.clone()), "{when}: rules");
    assert!(!found.rules.is_empty(), "{when}: no rules");
    assert_eq!(found.mounts, expected.mounts, "{when}: files with namespaces");
    for (id, inside) in &found.containers {
        assert_eq!(Some(inside), expected.containers.get(id), "{when}: inside {id}");
    }
    assert_eq!(found.containers.len(), expected.containers.len(), "{when}: namespaces");
}

impl Link {
    fn ours(master: Option<String>, addresses: BTreeSet<String>) -> Self {
        Self { group: OURS.to_string(), master, addresses, up: true }
    }

    fn found(link: &Value) -> Self {
        Self {
            group: text(&link["group"]),
            master: link["master"].as_str().map(str::to_owned),
            addresses: addresses(link),
            up: list(&link["flags"]).any(|flag| flag == "UP"),
        }
    }
}

impl Inside {
    fn found(links: &Value, routes: &Value, outside: &BTreeMap<u64, String>) -> Self {
        let mut inside = Self::default();
        let mut macs = BTreeMap::new();
        for link in list(links).filter(|link| text(&link["ifname"]) != "lo") {
            let mac = text(&link["address"]);
            macs.insert(text(&link["ifname"]), mac.clone());
            let other_end = match link["link_index"].as_u64().and_then(|at| outside.get(&at)) {
                _ if text(&link["group"]) == GONE.to_string() => GONE.to_string(),
                Some(other_end) => other_end.clone(),
                None => format!("nowhere: {link}"),
            };
            inside.links.insert(mac, (other_end, addresses(link)));
        }
        for route in list(routes).filter(|route| is_of_interest(route)) {
            if route["dst"] == "default" {
                let link = macs[&text(&route["dev"])].clone();
                inside.default_routes.insert((text(&route["gateway"]), link));
            }
        }
        inside
    }
}

fn links_and_routes() -> [Value; 2] {
    let mut ip = Command::new("ip")
        .args(["-j", "-batch", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    ip.stdin.take().unwrap().write_all(b"addr show\nroute show table all\n").unwrap();
    let output = ip.wait_with_output().unwrap();
    assert!(output.status.success());
    let mut lists = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>();
    [lists.next().unwrap().unwrap(), lists.next().unwrap().unwrap()]
}

/// The names of links by their numbers.
fn names(links: &Value) -> BTreeMap<u64, String> {
    list(links).map(|link| (link["ifindex"].as_u64().unwrap(), text(&link["ifname"]))).collect()
}

/// An element's parts. `nft` tells a link that is the whole of it as a number in the wrong order.
fn words(element: &Value, names: &BTreeMap<u64, String>) -> String {
    match element {
        Value::Array(parts) => {
            let parts: Vec<String> = parts.iter().map(|part| words(part, names)).collect();
            parts.join(" ")
        }
        Value::Object(object) if object.contains_key("concat") => words(&object["concat"], names),
        Value::Object(object) if object.contains_key("prefix") => {
            let prefix = &object["prefix"];
            format!("{}/{}", text(&prefix["addr"]), prefix["len"])
        }
        Value::String(text) => match text.parse::<i32>() {
            Ok(number) => match names.get(&u64::from(number.cast_unsigned().swap_bytes())) {
                Some(name) => name.clone(),
                None => format!("no link: {number}"),
            },
            Err(_) => text.clone(),
        },
        other => other.to_string(),
    }
}

/// Those that the kernel gives itself are not.
fn addresses(link: &Value) -> BTreeSet<String> {
    let all = list(&link["addr_info"]).filter(|address| address["scope"] != "link");
    all.map(|address| format!("{}/{}", text(&address["local"]), address["prefixlen"])).collect()
}

fn is_of_interest(route: &Value) -> bool {
    route.get("table").is_none() && !text(&route["dst"]).starts_with("fe80:")
}

fn bridge(network: &Value) -> String {
    match network["Options"]["com.docker.network.bridge.name"].as_str() {
        Some(name) => name.to_owned(),
        None => format!("br-{}", &text(&network["Id"])[..12]),
    }
}

fn is_of(address: &str) -> u8 {
    if address.contains(':') { 6 } else { 4 }
}

fn prefix(subnet: &str) -> &str {
    subnet.split_once('/').unwrap().1
}

pub(crate) fn list(value: &Value) -> std::slice::Iter<'_, Value> {
    value.as_array().unwrap().iter()
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
