//! What a file says of networks: our own format, and the part that it shares with Compose.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use docknet::{Driver, EndpointSpec, Ipam, NetworkSpec, Pool, Scope};

use super::yaml::{self, Entry, Node, Problem, Value};
use super::{SET_LABEL, Wanted, WantedNetwork, compose};

/// What is known of a file besides its text.
#[derive(Debug, Default)]
pub(crate) struct Context {
    /// As it is named in errors.
    pub(crate) file: String,
    /// The set's or project's name, if it was given.
    pub(crate) project: Option<String>,
    /// The name if neither the caller nor the file has one.
    pub(crate) fallback: String,
    /// The name of the directory that it is in.
    pub(crate) directory: String,
    /// It is a Compose file, whatever it looks like.
    pub(crate) compose: bool,
    pub(crate) variables: BTreeMap<String, String>,
}

/// Reads a file. Everything that is wrong with it is told at once, in the order of the file.
pub(crate) fn read(text: &str, context: &Context) -> Result<Wanted, Vec<String>> {
    let told = |problem: &Problem| format!("{}:{}: {}", context.file, problem.place, problem.what);
    let document = yaml::parse(text).map_err(|problem| vec![told(&problem)])?;
    let mut problems = Vec::new();
    let wanted = match context.compose || compose::is_compose(&document, &context.file) {
        true => compose::read(&document, context, &mut problems),
        false => own(&document, context, &mut problems),
    };
    if problems.is_empty() {
        return Ok(wanted);
    }
    problems.sort_by_key(|problem| problem.place);
    Err(problems.iter().map(told).collect())
}

fn own(document: &Node, context: &Context, problems: &mut Vec<Problem>) -> Wanted {
    let mut set = None;
    let mut networks = Vec::new();
    for entry in fields(document, "the file", &["networks", "set"], problems) {
        match entry.key.as_str() {
            "set" => match text(&entry.value, "set", problems) {
                Some(name) if !name.is_empty() => set = Some(name),
                _ => problems
                    .push(Problem::new(entry.place, "`set` is the name of this set of networks")),
            },
            _ => {
                for entry in map(&entry.value, "networks", problems) {
                    let mut network = network(entry, Words::Own, problems);
                    network.place = format!("{}:{}", context.file, entry.place);
                    networks.push(network);
                }
            }
        }
    }
    if !has(document, "networks") {
        problems.push(Problem::new(document.place, "there is no `networks:`"));
    }
    let set = context.project.clone().or(set);
    let named = set.is_some();
    let mark = (SET_LABEL.to_owned(), set.unwrap_or_else(|| context.fallback.clone()));
    Wanted { mark, named, networks }
}

/// Which of the two formats it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Words {
    Compose,
    Own,
}

const NETWORK: [&str; 13] = [
    "attachable",
    "config_from",
    "config_only",
    "containers",
    "driver",
    "driver_opts",
    "enable_ipv4",
    "enable_ipv6",
    "internal",
    "ipam",
    "labels",
    "name",
    "scope",
];
const COMPOSE_NETWORK: [&str; 10] = [
    "attachable",
    "driver",
    "driver_opts",
    "enable_ipv4",
    "enable_ipv6",
    "external",
    "internal",
    "ipam",
    "labels",
    "name",
];

/// A network, by the name that the map has for it.
pub(super) fn network(entry: &Entry, words: Words, problems: &mut Vec<Problem>) -> WantedNetwork {
    let mut network =
        WantedNetwork { spec: NetworkSpec::new(&entry.key), ..WantedNetwork::default() };
    let what = format!("network `{}`", entry.key);
    let known: &[&str] = if words == Words::Own { &NETWORK } else { &COMPOSE_NETWORK };
    let mut spec = NetworkSpec::new(&entry.key);
    for Entry { key, value, .. } in fields(&entry.value, &what, known, problems) {
        let spec = &mut spec;
        match key.as_str() {
            "attachable" => spec.attachable = truth(value, key, problems),
            "config_from" => spec.config_from = text(value, key, problems),
            "config_only" => spec.config_only = truth(value, key, problems),
            "containers" => {
                for entry in map(value, key, problems) {
                    network.containers.insert(entry.key.clone(), endpoint(entry, problems));
                }
            }
            "driver" => {
                spec.driver = text(value, key, problems).map(|text| Driver::from(text.as_str()))
            }
            "driver_opts" => spec.options = settings(value, key, problems),
            "enable_ipv4" => spec.ipv4 = truth(value, key, problems),
            "enable_ipv6" => spec.ipv6 = truth(value, key, problems),
            "external" => network.external = external(value, spec, problems),
            "internal" => spec.internal = truth(value, key, problems),
            "ipam" => spec.ipam = ipam(value, problems),
            "labels" => spec.labels = settings(value, key, problems),
            "name" => {
                if let Some(name) = text(value, key, problems) {
                    spec.name = name;
                }
            }
            "scope" => {
                spec.scope = text(value, key, problems).and_then(|text| {
                    if ["local", "swarm", "global"].contains(&text.as_str()) {
                        return Some(Scope::from(text.as_str()));
                    }
                    let what = format!("`scope` is local, swarm or global, not `{text}`");
                    problems.push(Problem::new(value.place, what));
                    None
                });
            }
            _ => {}
        }
    }
    network.spec = spec;
    network
}

/// `external: true`, or as it was in older files, `external: {name: NAME}`.
fn external(node: &Node, spec: &mut NetworkSpec, problems: &mut Vec<Problem>) -> bool {
    if let Value::Map(_) = node.value {
        for entry in fields(node, "external", &["name"], problems) {
            if let Some(name) = text(&entry.value, "name", problems) {
                spec.name = name;
            }
        }
        return true;
    }
    truth(node, "external", problems).unwrap_or_default()
}

fn ipam(node: &Node, problems: &mut Vec<Problem>) -> Ipam {
    let mut ipam = Ipam::new();
    for Entry { key, value, .. } in fields(node, "ipam", &["config", "driver", "options"], problems)
    {
        match key.as_str() {
            "driver" => ipam.driver = text(value, key, problems),
            "options" => ipam.options = settings(value, key, problems),
            _ => {
                ipam.pools = list(value, key, problems)
                    .into_iter()
                    .filter_map(|node| pool(node, problems))
                    .collect()
            }
        }
    }
    ipam
}

fn pool(node: &Node, problems: &mut Vec<Problem>) -> Option<Pool> {
    let (mut subnet, mut range, mut gateway, mut reserved) = (None, None, None, BTreeMap::new());
    for Entry { key, value, .. } in fields(
        node,
        "a pool of `ipam.config`",
        &["aux_addresses", "gateway", "ip_range", "subnet"],
        problems,
    ) {
        match key.as_str() {
            "aux_addresses" => {
                for entry in map(value, key, problems) {
                    if let Some(ip) = parsed(&entry.value, key, "192.168.52.9", problems) {
                        reserved.insert(entry.key.clone(), ip);
                    }
                }
            }
            "gateway" => gateway = parsed(value, key, "192.168.52.1", problems),
            "ip_range" => range = parsed(value, key, "192.168.52.128/25", problems),
            _ => subnet = parsed(value, key, "192.168.52.0/24", problems),
        }
    }
    if !has(node, "subnet") && matches!(node.value, Value::Map(_)) {
        problems.push(Problem::new(node.place, "a pool of `ipam.config` has to have a `subnet`"));
    }
    let mut pool = Pool::new(subnet?);
    (pool.range, pool.gateway, pool.reserved) = (range, gateway, reserved);
    Some(pool)
}

const ENDPOINT: [&str; 7] = [
    "aliases",
    "driver_opts",
    "gw_priority",
    "ipv4_address",
    "ipv6_address",
    "link_local_ips",
    "mac_address",
];

fn endpoint(entry: &Entry, problems: &mut Vec<Problem>) -> EndpointSpec {
    let mut spec = EndpointSpec::new();
    let what = format!("container `{}`", entry.key);
    for Entry { key, value, .. } in fields(&entry.value, &what, &ENDPOINT, problems) {
        match key.as_str() {
            "aliases" => {
                spec.aliases = list(value, key, problems)
                    .into_iter()
                    .filter_map(|node| text(node, key, problems))
                    .collect();
            }
            "driver_opts" => spec.driver_opts = settings(value, key, problems),
            "gw_priority" => spec.gateway_priority = parsed(value, key, "100", problems),
            "ipv4_address" => spec.ipv4 = parsed(value, key, "192.168.52.9", problems),
            "ipv6_address" => spec.ipv6 = parsed(value, key, "2001:db8::9", problems),
            "link_local_ips" => {
                spec.link_local = list(value, key, problems)
                    .into_iter()
                    .filter_map(|node| parsed(node, key, "169.254.34.68", problems))
                    .collect();
            }
            _ => spec.mac = parsed(value, key, "02:42:c0:a8:34:09", problems),
        }
    }
    spec
}

/// The entries of a map whose keys are known; the others are told of. Keys that begin with `x-` are anybody's.
pub(super) fn fields<'a>(
    node: &'a Node,
    what: &str,
    known: &[&str],
    problems: &mut Vec<Problem>,
) -> Vec<&'a Entry> {
    let mut entries = map(node, what, problems);
    entries.retain(|entry| {
        let fits = known.contains(&entry.key.as_str());
        if !fits && !entry.key.starts_with("x-") {
            let problem =
                format!("`{}` is no key of {what}, which has {}", entry.key, one_of(known));
            problems.push(Problem::new(entry.place, problem));
        }
        fits
    });
    entries
}

fn one_of(words: &[&str]) -> String {
    match words {
        [] => "none".to_owned(),
        [only] => (*only).to_owned(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

/// The entries of a map; nothing at all is an empty one.
pub(super) fn map<'a>(node: &'a Node, what: &str, problems: &mut Vec<Problem>) -> Vec<&'a Entry> {
    match &node.value {
        Value::Map(entries) => entries.iter().collect(),
        Value::Null => Vec::new(),
        _ => {
            problems.push(Problem::new(
                node.place,
                format!("{what} has to be a map, as in `key: value`"),
            ));
            Vec::new()
        }
    }
}

fn list<'a>(node: &'a Node, what: &str, problems: &mut Vec<Problem>) -> Vec<&'a Node> {
    match &node.value {
        Value::List(nodes) => nodes.iter().map(|node| &**node).collect(),
        Value::Null => Vec::new(),
        _ => {
            problems.push(Problem::new(node.place, format!("`{what}` has to be a list")));
            Vec::new()
        }
    }
}

/// A map, or a list of `key=value`.
fn settings(node: &Node, what: &str, problems: &mut Vec<Problem>) -> BTreeMap<String, String> {
    let Value::List(_) = node.value else {
        return map(node, what, problems)
            .into_iter()
            .filter_map(|entry| match &entry.value.value {
                Value::Null => Some((entry.key.clone(), String::new())),
                _ => Some((entry.key.clone(), text(&entry.value, &entry.key, problems)?)),
            })
            .collect();
    };
    let pair = |text: String| match text.split_once('=') {
        Some((key, value)) => (key.to_owned(), value.to_owned()),
        None => (text, String::new()),
    };
    list(node, what, problems)
        .into_iter()
        .filter_map(|node| text(node, what, problems))
        .map(pair)
        .collect()
}

pub(super) fn text(node: &Node, what: &str, problems: &mut Vec<Problem>) -> Option<String> {
    match &node.value {
        Value::Text(text) => Some(text.clone()),
        Value::Null => None,
        _ => {
            problems.push(Problem::new(node.place, format!("`{what}` has to be a single value")));
            None
        }
    }
}

fn truth(node: &Node, what: &str, problems: &mut Vec<Problem>) -> Option<bool> {
    let text = text(node, what, problems)?;
    match text.as_str() {
        "true" | "True" | "TRUE" | "yes" | "on" => Some(true),
        "false" | "False" | "FALSE" | "no" | "off" => Some(false),
        _ => {
            problems
                .push(Problem::new(node.place, format!("`{what}` is true or false, not `{text}`")));
            None
        }
    }
}

fn parsed<T: FromStr<Err: Display>>(
    node: &Node,
    what: &str,
    example: &str,
    problems: &mut Vec<Problem>,
) -> Option<T> {
    let text = text(node, what, problems)?;
    text.trim()
        .parse()
        .map_err(|error| {
            let what =
                format!("`{what}` cannot be `{text}`: {error}; it is written as in `{example}`");
            problems.push(Problem::new(node.place, what));
        })
        .ok()
}

pub(super) fn has(node: &Node, key: &str) -> bool {
    matches!(&node.value, Value::Map(entries) if entries.iter().any(|entry| entry.key == key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> Context {
        Context { file: "n.yaml".into(), fallback: "n".into(), ..Context::default() }
    }

    fn errors(text: &str) -> Vec<String> {
        read(text, &context()).unwrap_err()
    }

    #[test]
    fn every_key_is_read() {
        let text = "
set: shop
x-anything: [1]
networks:
  all:
    name: other
    driver: macvlan
    driver_opts: {parent: eth0}
    internal: true
    attachable: false
    enable_ipv4: true
    enable_ipv6: 'true'
    scope: local
    labels: [a=b, c]
    ipam:
      driver: default
      options: {o: 1}
      config: [{subnet: 10.0.0.0/24, ip_range: 10.0.0.128/25, gateway: 10.0.0.254, aux_addresses: {r: 10.0.0.2}}]
    containers:
      web: {aliases: [w], ipv4_address: 10.0.0.9, ipv6_address: 'fd00::9', link_local_ips: [169.254.1.1],
        mac_address: '02:42:0a:00:00:09', driver_opts: {k: v}, gw_priority: 5}
";
        let wanted = read(text, &context()).unwrap();
        assert_eq!(wanted.mark, (SET_LABEL.to_owned(), "shop".to_owned()));
        assert_eq!(
            serde_json::to_value(&wanted.networks[0].spec).unwrap(),
            serde_json::json!({
                "Name": "other", "Driver": "macvlan", "Scope": "local", "Internal": true, "Attachable": false,
                "IPAM": {"Driver": "default", "Options": {"o": "1"}, "Config": [{
                    "Subnet": "10.0.0.0/24", "IPRange": "10.0.0.128/25", "Gateway": "10.0.0.254",
                    "AuxiliaryAddresses": {"r": "10.0.0.2"},
                }]},
                "EnableIPv4": true, "EnableIPv6": true, "Options": {"parent": "eth0"}, "Labels": {"a": "b", "c": ""},
            })
        );
        assert_eq!(
            serde_json::to_value(&wanted.networks[0].containers["web"]).unwrap(),
            serde_json::json!({
                "IPAMConfig": {"IPv4Address": "10.0.0.9", "IPv6Address": "fd00::9", "LinkLocalIPs": ["169.254.1.1"]},
                "Aliases": ["w"], "DriverOpts": {"k": "v"}, "MacAddress": "02:42:0a:00:00:09", "GwPriority": 5,
            })
        );
    }

    #[test]
    fn json_is_read_as_well() {
        let wanted =
            read(r#"{"networks": {"a": {"internal": true, "labels": {"k": "v"}}}}"#, &context())
                .unwrap();
        assert_eq!(wanted.networks[0].spec, NetworkSpec::new("a").internal(true).label("k", "v"));
        assert_eq!(wanted.mark.1, "n");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place_all_at_once() {
        assert_eq!(
            errors(
                "networks:\n  a:\n    internal: maybe\n    labels: x\n    ipam: {config: [{subnet: 10.0.0.0/99}, {gateway: 10.0.0.1}], conf: 1}\n  b: {scope: moon}\n"
            ),
            [
                "n.yaml:3:15: `internal` is true or false, not `maybe`",
                "n.yaml:4:13: labels has to be a map, as in `key: value`",
                "n.yaml:5:30: `subnet` cannot be `10.0.0.0/99`: invalid IP address syntax; it is written as in `192.168.52.0/24`",
                "n.yaml:5:44: a pool of `ipam.config` has to have a `subnet`",
                "n.yaml:5:66: `conf` is no key of ipam, which has config, driver and options",
                "n.yaml:6:14: `scope` is local, swarm or global, not `moon`",
            ]
        );
        assert_eq!(errors("set: a\n"), ["n.yaml:1:1: there is no `networks:`"]);
    }
}
