//! Commands that look.

use docknet::{EndpointSpec, NetworkSpec, Pool};

use crate::lab::Lab;

/// A shop: a front and an internal back, one container on both, one that does not run.
pub(crate) fn shop() -> Lab {
    let lab = Lab::start();
    let pool = |subnet: &str, gateway: &str| {
        Pool::new(subnet.parse().unwrap()).gateway(gateway.parse().unwrap())
    };
    lab.network(
        NetworkSpec::new("front")
            .pool(pool("10.7.0.0/24", "10.7.0.1"))
            .pool(pool("fd00:7::/64", "fd00:7::1"))
            .ipv6(true)
            .label("app", "shop"),
    );
    lab.network(NetworkSpec::new("back").pool(pool("10.8.0.0/28", "10.8.0.1")).internal(true));
    lab.network("unused");
    for name in ["web", "db", "old"] {
        lab.container(name);
    }
    lab.connect("front", "web", EndpointSpec::new().alias("www").ipv4("10.7.0.9".parse().unwrap()));
    lab.connect("back", "web", EndpointSpec::new().alias("app"));
    lab.connect("back", "db", EndpointSpec::new().alias("postgres"));
    lab.connect("front", "old", EndpointSpec::new());
    lab.stop("old");
    lab
}

#[test]
fn ls() {
    let mut lab = shop();
    for words in [
        "ls",
        "list",
        "ls -q",
        "ls -q --no-trunc",
        "ls --no-trunc",
        "ls -f driver=bridge",
        "ls -f name=back -f name=front",
        "ls -f label=app=shop --format '{{.Name}} {{.Label \"app\"}} {{.IPv6}} {{.Internal}}'",
        "ls --format 'table {{.Name}}\\t{{.Driver}}\\t{{.Labels}}'",
        "ls --format json",
        "ls --format '{{json .Name}}'",
        "ls --containers",
        "ls --containers --format json",
        "ls -f dangling=true",
        "ls -f color=red",
        "ls -f nonsense",
        "ls --format '{{.Nope}}'",
        "ls --format '{{.Name'",
    ] {
        lab.run(words);
    }
    insta::assert_snapshot!(lab.transcript());
}

#[test]
fn inspect() {
    let mut lab = shop();
    for words in [
        "inspect back",
        "inspect nope",
        "inspect front nope unused --format '{{.Name}}'",
        "inspect --format '{{json .IPAM.Config}}' front",
        "inspect --format '{{range .IPAM.Config}}{{.Subnet}} {{end}}' front",
        "inspect --format '{{index .Labels \"app\"}}' front",
        "inspect --format '{{len .Containers}}{{if .Internal}} internal{{else}} open{{end}}' front",
        "inspect --format '{{.IPAM}}' front",
        "inspect --format json unused",
        "inspect --scope swarm front",
        "inspect --format '{{.Nope}}' front",
    ] {
        lab.run(words);
    }
    insta::assert_snapshot!(lab.transcript());
}

#[test]
fn pools() {
    let mut lab = shop();
    for words in
        ["pools", "pools --format json", "pools --addresses", "pools --next 24", "pools --next 31"]
    {
        lab.run(words);
    }
    insta::assert_snapshot!(lab.transcript());
}

#[test]
fn doctor() {
    let mut lab = shop();
    // What this machine's firewall and routes are is not for a snapshot: a remote engine has neither.
    for words in
        ["doctor", "doctor --format json", "doctor --fail-on note", "doctor --fail-on never"]
    {
        lab.run_remote(words);
    }
    insta::assert_snapshot!(lab.transcript());
}

#[test]
fn events() {
    let mut lab = shop();
    for words in [
        "events --since 1h --until 0s --filter network=back",
        "events --since 1h --until 0s --filter event=create --format '{{.Type}} {{.Action}} {{.Actor.Attributes.name}}'",
        "events --since 1h --until 0s --containers --filter container=old --filter event=die --format json",
        "events --since yesterday",
        "events --filter nonsense",
        "events --format '{{.Type'",
    ] {
        lab.run(words);
    }
    insta::assert_snapshot!(lab.transcript());
}

#[test]
fn graph() {
    let mut lab = shop();
    for words in [
        "graph",
        "graph --format dot",
        "graph --format mermaid",
        "graph --format json",
        "graph --format pdf",
        "graph back",
        "graph nope",
    ] {
        lab.run(words);
    }
    insta::assert_snapshot!(lab.transcript());
}

#[test]
fn graph_as_a_picture() {
    let mut lab = shop();
    lab.run("graph -o shop.svg");
    lab.run("graph --format svg");
    assert_eq!(lab.transcript().matches("<svg").count(), 1);
    let picture = std::fs::read_to_string(lab.path("shop.svg")).unwrap();
    assert!(picture.starts_with("<svg") && picture.ends_with("</svg>\n"));
    insta::assert_snapshot!(lab.transcript());
}

#[test]
fn version() {
    let mut lab = shop();
    for words in ["version", "version --format json", "-H unix:///nowhere.sock version"] {
        lab.run(words);
    }
    insta::assert_snapshot!(lab.transcript());
}
