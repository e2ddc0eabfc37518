//! Networks outlive the engine, and what somebody takes away comes back.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use docknet::{Client, ContainerSpec, EndpointSpec, NetworkSpec};
use docknet_engine::{Engine, Sandbox};
use serde_json::json;

use crate::lab::{Lab, StateDir, ask, ask_for, ip, listen, next_engine, until};

/// An engine whose state is in a directory, on a machine that the test plays.
async fn engine(machine: &Sandbox, dir: &Path) -> Engine {
    next_engine(|| Engine::kernel().inside(machine).state(dir).image("app")).await
}

async fn run(client: &Client, name: &str, network: &str) {
    let spec = ContainerSpec::new("app").name(name).network(network, EndpointSpec::new());
    let spec = match name {
        "web" => spec.host_config("PortBindings", json!({ "80/tcp": [{ "HostPort": "8080" }] })),
        _ => spec,
    };
    client.containers().create(spec).await.unwrap().start().await.unwrap();
}

/// All links and rules of a machine, as `ip` and `nft` tell them. Counters of the bridge's timers are left out.
fn told(machine: &Sandbox) -> String {
    let run = |program: &str, line: &str| {
        let output = machine.command(program).args(line.split(' ')).output().unwrap();
        assert!(output.status.success(), "{program} {line}");
        String::from_utf8(output.stdout).unwrap()
    };
    // Without those that are gone and not yet taken away; and without what the kernel says up to a
    // second late: that a bridge has no ports, that a veth has carrier and an address.
    let is_late =
        |word: &str| matches!(word, "UP" | "DOWN" | "UNKNOWN") || word.starts_with("fe80:");
    let links = |line: &str| {
        let told = run("ip", line).replace("NO-CARRIER,", "").replace(",LOWER_UP", "");
        let lines = told.lines().filter(|line| !line.starts_with("dngone"));
        let words = lines.flat_map(|line| line.split(' ').chain(["\n"]));
        words.filter(|word| !word.is_empty() && !is_late(word)).collect::<Vec<_>>().join(" ")
    };
    [links("-br link show"), links("-br addr show"), run("nft", "list ruleset inet")].join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_outlive_the_engine() {
    let lab = Lab::new().await;
    let machine = lab.container("machine", "none").await;
    let dir = StateDir::new();
    let first = engine(&machine, dir.path()).await;
    let client = first.client();
    client.networks().create(NetworkSpec::new("front").ipv6(true)).await.unwrap();
    run(&client, "web", "front").await;
    run(&client, "api", "front").await;
    let (web, api) = (first.sandbox("web").await.unwrap(), first.sandbox("api").await.unwrap());
    let address: IpAddr = "172.18.0.2".parse().unwrap();
    let listener = web.within(|| TcpListener::bind((address, 81))).unwrap();
    let mut connection = api.within(|| TcpStream::connect((address, 81))).unwrap();
    let mut accepted = listener.accept().unwrap().0;
    let mut talk = |words: &[u8; 4]| {
        connection.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        connection.write_all(words).unwrap();
        let mut heard = [0; 4];
        accepted.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, words);
    };
    talk(b"once");
    listen(&web, 80, "web");
    let before = told(&machine);
    drop((client, first));
    talk(b"then");
    assert_eq!(ask(&machine, (address, 80)), "web");
    assert_eq!(told(&machine), before);

    let second = engine(&machine, dir.path()).await;
    talk(b"this");
    assert_eq!(told(&machine), before);
    assert_eq!(ask(&machine, ("127.0.0.1".parse::<IpAddr>().unwrap(), 8080)), "web");
    let client = second.client();
    let front = client.networks().get("front").await.unwrap();
    assert_eq!(front.containers().await.unwrap().len(), 2);
    front.disconnect("api").await.unwrap();
    front.connect("api", EndpointSpec::new()).await.unwrap();
    for name in ["web", "api"] {
        client.containers().get(name).await.unwrap().stop().await.unwrap();
    }
    front.remove().await.unwrap();
    let empty = told(&machine);
    assert!(!empty.contains("br-"), "{empty}");
    until("the links", async || !told(&machine).contains("veth")).await;
    assert_eq!(std::fs::read_dir(dir.path().join("namespaces")).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_takes_away_is_made_again() {
    let lab = Lab::new().await;
    let machine = lab.container("machine", "none").await;
    let dir = StateDir::new();
    let engine = engine(&machine, dir.path()).await;
    let client = engine.client();
    let front = client.networks().create("front").await.unwrap();
    run(&client, "web", "front").await;
    run(&client, "api", "front").await;
    let (web, api) = (engine.sandbox("web").await.unwrap(), engine.sandbox("api").await.unwrap());
    listen(&web, 80, "web");
    let address: IpAddr = "172.18.0.2".parse().unwrap();
    let before = told(&machine);
    let answers = || ask_for(&api, (address, 80).into(), Duration::from_millis(100)).is_ok();

    let flushed = machine.command("nft").args(["flush", "ruleset"]).status().unwrap();
    assert!(flushed.success());
    until("the rules", async || told(&machine) == before).await;

    let bridge = format!("br-{}", front.short_id());
    ip(&machine, &format!("link del {bridge}"));
    until("the bridge", async || answers()).await;
    let port = told(&machine);
    let port = port.lines().find_map(|line| line.trim().strip_prefix("veth")).unwrap();
    let port = port.split(['@', ' ']).next().unwrap().to_owned();
    ip(&machine, &format!("link del veth{port}"));
    until("a port", async || answers()).await;
    assert!(answers());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_wrong_meanwhile_is_mended_at_the_start() {
    let lab = Lab::new().await;
    let machine = lab.container("machine", "none").await;
    let dir = StateDir::new();
    let first = engine(&machine, dir.path()).await;
    let client = first.client();
    let front = client.networks().create("front").await.unwrap().short_id().to_owned();
    client.networks().create("back").await.unwrap();
    run(&client, "web", "front").await;
    run(&client, "api", "front").await;
    let before = told(&machine);
    drop((client, first));

    // Gone, changed, and left over.
    ip(&machine, "addr add 172.18.7.7/32 dev docker0");
    ip(&machine, &format!("link del br-{front}"));
    ip(&machine, "link add left type veth peer name over");
    ip(&machine, &format!("link set left group {}", u32::from_be_bytes(*b"dnet")));
    machine.command("nft").args(["flush", "ruleset"]).status().unwrap();
    std::fs::write(dir.path().join("namespaces").join("nobody"), "").unwrap();

    let second = engine(&machine, dir.path()).await;
    // A link that is made again may have another number, and so another place in a list.
    let words = |told: &str| -> BTreeSet<String> {
        let words = told.split([' ', '\t', '\n', ',', '@', '{', '}']);
        let is_number = |word: &str| word.parse::<u32>().is_ok_and(|number| number > 1 << 16);
        words
            .filter(|word| !is_number(word) && !word.starts_with("if"))
            .map(str::to_owned)
            .collect()
    };
    until("what is left over", async || !told(&machine).contains("left")).await;
    assert_eq!(words(&told(&machine)), words(&before));
    assert_eq!(std::fs::read_dir(dir.path().join("namespaces")).unwrap().count(), 2);
    let (web, api) = (second.sandbox("web").await.unwrap(), second.sandbox("api").await.unwrap());
    listen(&web, 80, "web");
    assert_eq!(ask(&api, ("172.18.0.2".parse::<IpAddr>().unwrap(), 80)), "web");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_container_did_to_its_links_stays() {
    let lab = Lab::new().await;
    let machine = lab.container("machine", "none").await;
    let dir = StateDir::new();
    let first = engine(&machine, dir.path()).await;
    let client = first.client();
    for (network, pool) in [("front", "10.7.0.0/24"), ("back", "10.8.0.0/24")] {
        let pool = docknet::Pool::new(pool.parse().unwrap());
        let spec = NetworkSpec::new(network).ipv6(network == "back").pool(pool);
        client.networks().create(spec).await.unwrap();
    }
    run(&client, "api", "front").await;
    let back = client.networks().get("back").await.unwrap();
    back.connect("api", EndpointSpec::new()).await.unwrap();
    let api = first.sandbox("api").await.unwrap();
    // A link that goes down for a moment loses them.
    ip(&api, "route add 192.0.2.0/24 via 10.7.0.9");
    ip(&api, "route add 198.51.100.0/24 via 10.8.0.9");
    let routes = || api.command("ip").args(["route", "show"]).output().unwrap().stdout;
    let routes_before = routes();
    drop((client, back, first));
    let second = engine(&machine, dir.path()).await;
    let routes = String::from_utf8(routes()).unwrap();
    assert_eq!(routes, String::from_utf8(routes_before).unwrap());
    assert!(routes.contains("192.0.2.0/24") && routes.contains("198.51.100.0/24"), "{routes}");
    second.client().containers().get("api").await.unwrap().stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_on_top_of_one_of_the_hosts_goes_when_it_is_taken_off() {
    let lab = Lab::new().await;
    ip(&lab.host, "link add parent0 type veth peer name parent1");
    let pool = docknet::Pool::new("10.7.0.0/24".parse().unwrap());
    let spec = NetworkSpec::new("beside").driver("macvlan").option("parent", "parent0").pool(pool);
    let beside = lab.client.networks().create(spec).await.unwrap();
    let web = lab.container("web", "beside").await;
    assert_eq!(links(&web), ["eth0", "lo"]);
    beside.disconnect("web").await.unwrap();
    assert_eq!(links(&web), ["lo"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_looks_sees_no_link_that_a_container_was_taken_off() {
    let lab = Lab::new().await;
    let front = lab.client.networks().create("front").await.unwrap();
    let web = lab.container("web", "front").await;
    for _ in 0..5 {
        assert_eq!(links(&web), ["eth0", "lo"]);
        front.disconnect("web").await.unwrap();
        assert_eq!(links(&web), ["lo"]);
        front.connect("web", EndpointSpec::new()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lost_its_address_can_be_taken_away() {
    let lab = Lab::new().await;
    let front = lab.client.networks().create(NetworkSpec::new("front").ipv6(true)).await.unwrap();
    let web = lab.container("web", "front").await;
    let (v4, v6) = lab.ips("web", "front").await;
    ip(&web, &format!("addr del {v4}/16 dev eth0"));
    ip(&web, &format!("addr del {}/64 dev eth0", v6.unwrap()));
    front.disconnect("web").await.unwrap();
    assert_eq!(links(&web), ["lo"]);
    ip(&lab.host, &format!("addr flush dev br-{}", front.short_id()));
    front.remove().await.unwrap();
}

/// The names of a namespace's links.
fn links(inside: &Sandbox) -> Vec<String> {
    let shown = inside.command("ip").args(["-br", "link"]).output().unwrap().stdout;
    let shown = String::from_utf8(shown).unwrap();
    let names = shown.lines().filter_map(|line| line.split(['@', ' ']).next());
    let mut names: Vec<_> = names.map(str::to_owned).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_was_made_and_not_committed_makes_room() {
    let lab = Lab::new().await;
    let machine = lab.container("machine", "none").await;
    let dir = StateDir::new();
    let first = engine(&machine, dir.path()).await;
    let client = first.client();
    client.networks().create("front").await.unwrap();
    run(&client, "api", "front").await;
    run(&client, "db", "front").await;
    let api = first.sandbox("api").await.unwrap();
    drop((client, first));
    // As if it had been taken off, and put on again, and then the power had failed.
    ip(&api, "link del eth0");
    ip(&api, "link add eth0 type veth peer name other");

    let second = engine(&machine, dir.path()).await;
    let db = second.sandbox("db").await.unwrap();
    listen(&api, 80, "api");
    assert_eq!(ask(&db, ("172.18.0.2".parse::<IpAddr>().unwrap(), 80)), "api");
    for name in ["api", "db"] {
        second.client().containers().get(name).await.unwrap().stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_engine_has_a_namespace() {
    let lab = Lab::new().await;
    let error = Engine::kernel().inside(&lab.host).start().await.unwrap_err().to_string();
    assert!(error.contains("another docknet engine has its networks here"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_without_a_state_leaves_nothing() {
    let lab = Lab::new().await;
    let machine = lab.container("machine", "none").await;
    let before = told(&machine);
    let engine = Engine::kernel().inside(&machine).image("app").start().await.unwrap();
    let client = engine.client();
    client.networks().create("front").await.unwrap();
    run(&client, "web", "front").await;
    assert_ne!(told(&machine), before);
    drop((client, engine));
    assert_eq!(told(&machine), before);
}
