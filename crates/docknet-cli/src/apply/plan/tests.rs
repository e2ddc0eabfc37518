//! What is decided, without an engine.

use docknet::{ApiVersion, ContainerInfo, NetworkInfo};
use serde_json::{Value, json};

use super::*;
use crate::apply::{Context, lines, read};

fn there(networks: &[Value], containers: &[Value]) -> Situation {
    Situation {
        engine: Engine::new(Flavour::Docker, ApiVersion::NEWEST),
        networks: networks
            .iter()
            .map(|network| NetworkInfo::from_json(&network.to_string()))
            .collect(),
        containers: containers
            .iter()
            .map(|container| ContainerInfo::from_json(&container.to_string()))
            .collect(),
    }
}

fn network(name: &str, subnet: &str) -> Value {
    json!({
        "Name": name, "Id": format!("{name}-id"), "Driver": "bridge", "Scope": "local", "EnableIPv4": true,
        "IPAM": { "Driver": "default", "Config": [{ "Subnet": subnet }] },
        "Labels": { "docknet.apply": "set" },
    })
}

/// A container on a network, at this address, which it asked for.
fn container(name: &str, on: &str, address: &str) -> Value {
    let endpoint = json!({
        "NetworkID": format!("{on}-id"), "IPAddress": address, "IPPrefixLen": 24, "Aliases": [format!("{name}-alias")],
        "IPAMConfig": { "IPv4Address": address },
    });
    json!({ "Id": format!("{name:0<64}"), "Name": format!("/{name}"), "State": { "Status": "running" }, "NetworkSettings": { "Networks": { on: endpoint } } })
}

fn wanted(text: &str) -> Wanted {
    read(
        text,
        &Context {
            file: "f".to_owned(),
            fallback: "set".to_owned(),
            directory: "shop".to_owned(),
            ..Context::default()
        },
    )
    .unwrap()
}

fn planned(text: &str, there: &Situation, prune: Prune) -> Vec<String> {
    let plan = plan(&wanted(text), there, prune).unwrap();
    lines(&plan).into_iter().map(|line| line.text).collect()
}

fn refused(text: &str, there: &Situation) -> Vec<String> {
    plan(&wanted(text), there, Prune::Nothing).map(|_| ()).unwrap_err()
}

const A: &str = "networks: {a: {ipam: {config: [{subnet: 10.7.0.0/24}]}}}";

#[test]
fn what_is_missing_is_made_and_what_is_there_is_kept() {
    assert_eq!(planned(A, &there(&[], &[]), Prune::Nothing), ["+ network a (10.7.0.0/24)"]);
    let there = there(&[network("a", "10.7.0.0/24"), network("left", "10.8.0.0/24")], &[]);
    assert_eq!(planned(A, &there, Prune::Nothing), [""; 0]);
    assert_eq!(planned(A, &there, Prune::Leftovers), ["- network left"]);
}

#[test]
fn only_networks_of_the_same_set_are_removed() {
    let mut other = network("other", "10.8.0.0/24");
    other["Labels"] = json!({ "docknet.apply": "another" });
    let mut nobodys = network("nobodys", "10.9.0.0/24");
    nobodys["Labels"] = json!({});
    let there = there(&[network("a", "10.7.0.0/24"), other, nobodys], &[]);
    assert_eq!(planned(A, &there, Prune::Leftovers), [""; 0]);
}

#[test]
fn a_difference_is_a_network_made_anew_with_its_endpoints() {
    let there = there(&[network("a", "10.6.0.0/24")], &[container("web", "a", "10.6.0.9")]);
    assert_eq!(
        planned(A, &there, Prune::Nothing),
        [
            "~ network a (made anew: subnet 10.6.0.0/24 → 10.7.0.0/24; 1 endpoint moves with its settings)",
            "    ~ container web aka web-alias",
            "      its address 10.6.0.9 is not in the new subnets, so it gets another one",
        ]
    );
}

#[test]
fn an_address_that_still_fits_is_kept() {
    let text = "networks: {a: {internal: true, ipam: {config: [{subnet: 10.7.0.0/24}]}}}";
    let there = there(&[network("a", "10.7.0.0/24")], &[container("web", "a", "10.7.0.9")]);
    let lines = planned(text, &there, Prune::Nothing);
    assert_eq!(
        lines[0],
        "~ network a (made anew: internal false → true; 1 endpoint moves with its settings)"
    );
    assert_eq!(lines[1], "    ~ container web 10.7.0.9 aka web-alias");
}

#[test]
fn endpoints_are_connected_and_connected_anew() {
    let text = "networks: {a: {containers: {web: {aliases: [www]}, db: {ipv4_address: 10.7.0.9}}}}";
    let there = there(
        &[network("a", "10.7.0.0/24"), network("b", "10.8.0.0/24")],
        &[container("web", "a", "10.7.0.2"), container("db", "b", "10.8.0.2")],
    );
    let lines = planned(text, &there, Prune::Nothing);
    assert_eq!(
        lines,
        [
            "  network a",
            "    ~ container web (connected anew) 10.7.0.2 aka www",
            "    + container db 10.7.0.9"
        ]
    );
}

#[test]
fn everything_that_speaks_against_it_is_said_at_once() {
    let there = there(
        &[
            network("stays", "10.7.0.0/16"),
            network("twice", "10.1.0.0/24"),
            network("twice", "10.2.0.0/24"),
        ],
        &[],
    );
    let text = "
networks:
  bridge: {}
  twice: {}
  a: {ipam: {config: [{subnet: 10.7.5.0/24}]}}
  b: {ipam: {config: [{subnet: 10.9.0.0/24}]}}
  c: {ipam: {config: [{subnet: 10.9.0.128/25, gateway: 10.8.0.1}]}}
  d: {containers: {nobody: {}}}
";
    let refusals = refused(text, &there).join("\n");
    for part in [
        "the engine's own",
        "2 networks of this name",
        "subnet 10.7.5.0/24 overlaps with 10.7.0.0/16 of network `stays`",
        "subnet 10.9.0.128/25 overlaps with 10.9.0.0/24 of network `b`",
        "gateway 10.8.0.1 is not in subnet 10.9.0.128/25",
        "there is no container `nobody`",
    ] {
        assert!(refusals.contains(part), "{part}: {refusals}");
    }
}

#[test]
fn an_external_network_has_to_be_there_and_is_left_as_it_is() {
    let text = "{services: {web: {image: x, networks: [ext]}}, networks: {ext: {external: true}}}";
    assert!(refused(text, &there(&[], &[]))[0].contains("it is external"));
    assert_eq!(
        planned(text, &there(&[network("ext", "10.7.0.0/24")], &[]), Prune::Leftovers),
        [""; 0]
    );
}

#[test]
fn networks_may_exchange_their_subnets() {
    let text = "networks: {a: {ipam: {config: [{subnet: 10.8.0.0/24}]}}, b: {ipam: {config: [{subnet: 10.7.0.0/24}]}}}";
    let there = there(&[network("a", "10.7.0.0/24"), network("b", "10.8.0.0/24")], &[]);
    let steps: Vec<_> = plan(&wanted(text), &there, Prune::Nothing)
        .unwrap()
        .steps()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        steps,
        ["remove network `a`", "remove network `b`", "create network `a`", "create network `b`"]
    );
}
