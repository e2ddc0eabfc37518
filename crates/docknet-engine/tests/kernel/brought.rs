//! Network namespaces of others as containers.

use std::fs::File;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use docknet::{Client, ContainerSpec, ContainerStatus, EndpointSpec, NetworkMode};
use docknet_engine::{Engine, Sandbox};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde_json::json;

use crate::crash::daemon::{Daemon, State};
use crate::lab::{Lab, SERVER, StateDir, ask, assert_silent, ip, listen, next_engine, until};

const LABEL: &str = "docknet.namespace";

/// What `ip netns add` makes, with a link, an address and a rule of its own.
struct Brought(String);

impl Brought {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let brought = Self(format!("docknet-test-{}-{number}", std::process::id()));
        ip_here(&format!("netns add {}", brought.0));
        brought.ip("link set lo up");
        brought.ip("link add own0 type veth peer name own1");
        brought.ip("addr add 192.0.2.1/24 dev own0");
        brought.ip("link set own0 up");
        brought.ip("link set own1 up");
        brought.run("nft add table ip own");
        brought
    }

    fn path(&self) -> PathBuf {
        PathBuf::from("/run/netns").join(&self.0)
    }

    fn ip(&self, line: &str) {
        ip_here(&format!("-n {} {line}", self.0));
    }

    fn run(&self, line: &str) -> String {
        run("ip", &format!("netns exec {} {line}", self.0))
    }

    /// What a program of its own finds for a name, whose resolver is 127.0.0.11 as `ip netns` has it.
    fn look_up(&self, name: &str) -> String {
        std::fs::create_dir_all(self.settings()).unwrap();
        std::fs::write(self.settings().join("resolv.conf"), "nameserver 127.0.0.11\n").unwrap();
        self.run(&format!("getent ahostsv4 {name}"))
    }

    fn settings(&self) -> PathBuf {
        PathBuf::from("/etc/netns").join(&self.0)
    }

    /// Answers each connection to this port with these words, whatever engine there is, as long as the test runs.
    fn serve(&self, port: u16, words: &'static str) {
        let file = File::open(self.path()).unwrap();
        let listener = thread::spawn(move || {
            move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).unwrap()
        });
        let listener = listener.join().unwrap();
        thread::spawn(move || {
            while let Ok((mut connection, _)) = listener.accept() {
                let _ = connection.write_all(words.as_bytes());
            }
        });
    }

    /// All that is in it.
    fn told(&self) -> String {
        const SETTINGS: &str = "sysctl net.ipv4.conf.own0.arp_notify net.ipv4.conf.default.arp_notify \
                                net.ipv4.ip_unprivileged_port_start net.ipv4.ping_group_range";
        let lines = ["ip -br addr", "ip route", "ip -6 route", SETTINGS, "nft list ruleset"];
        let told = lines.map(|line| self.run(line)).join("\n");
        // A link that is new takes a moment.
        told.replace(" DOWN ", " UP   ")
    }

    fn label(&self) -> ContainerSpec {
        ContainerSpec::new("app").label(LABEL, self.path().display().to_string())
    }
}

impl Drop for Brought {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.settings());
        let _ = Command::new("ip").args(["netns", "del", &self.0]).output();
    }
}

fn ip_here(line: &str) {
    run("ip", line);
}

fn run(program: &str, line: &str) -> String {
    let done = Command::new(program).args(line.split(' ')).output().unwrap();
    assert!(done.status.success(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

async fn stop(client: &Client, name: &str) {
    client.containers().get(name).await.unwrap().stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_has_what_a_container_has_and_is_left_as_it_was() {
    let lab = Lab::new().await;
    lab.network("front").await;
    let api = lab.container("api", "front").await;
    listen(&api, 80, "api");
    let brought = Brought::new();
    let before = brought.told();

    let web = lab.engine.adopt("web", brought.path()).await.unwrap();
    listen(&web, 80, "web");
    let front = lab.client.networks().get("front").await.unwrap();
    front.connect("web", EndpointSpec::new()).await.unwrap();
    assert_eq!(ask(&api, (address("172.18.0.3"), 80)), "web");
    assert_eq!(ask(&web, (address("172.18.0.2"), 80)), "api");
    // A program that asks 127.0.0.11, as it would there.
    assert!(brought.run("ip route").contains("default via 172.18.0.1 dev eth0"));
    assert!(brought.look_up("api").starts_with("172.18.0.2 "));
    assert_eq!(crate::names::a(&api, "web"), Ok(vec!["172.18.0.3".to_owned()]));

    front.disconnect("web").await.unwrap();
    assert_silent(&api, (address("172.18.0.3"), 80));
    assert!(!brought.run("ip link").contains("eth0"));
    front.connect("web", EndpointSpec::new()).await.unwrap();
    stop(&lab.client, "web").await;
    assert_eq!(brought.told(), before);
    // It is used again by its name.
    let web = lab.client.containers().get("web").await.unwrap();
    web.start().await.unwrap();
    assert_eq!(ask(&api, (address("172.18.0.3"), 80)), "web");
    stop(&lab.client, "web").await;
    web.remove().await.unwrap();
    assert_eq!(brought.told(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_brings_one_by_a_label_and_publishes_its_ports() {
    let lab = Lab::new().await;
    lab.network("front").await;
    let internet = lab.internet().await;
    let brought = Brought::new();
    let spec =
        brought.label().host_config("PortBindings", json!({ "80/tcp": [{ "HostPort": "8080" }] }));
    let web = lab.run("web", "front", spec).await;
    listen(&web, 80, "web");
    listen(&internet.server, 80, "internet");
    assert_eq!(ask(&internet.server, (crate::lab::HOST, 8080)), "web");
    assert_eq!(ask(&web, (SERVER, 80)), "internet");
    // A program of the image `host` runs there, and finds names.
    lab.container("api", "front").await;
    let shared = NetworkMode::Container("web".to_owned());
    let spec =
        ContainerSpec::new("host").name("tool").command(["sleep", "600"]).network_mode(shared);
    let tool = lab.client.containers().create(spec).await.unwrap();
    tool.start().await.unwrap();
    let found = tool.exec(["getent", "ahostsv4", "api"]).await.unwrap();
    assert!(found.stdout_text().starts_with("172.18.0.3 "), "{}", found.stdout_text());
}

#[tokio::test(flavor = "multi_thread")]
async fn links_and_routes_that_were_there_stay() {
    let lab = Lab::new().await;
    lab.network("front").await;
    lab.network("back").await;
    let brought = Brought::new();
    brought.ip("link set own0 down");
    brought.ip("link set own0 name eth0");
    brought.ip("link set eth0 up");
    brought.ip("route add default via 192.0.2.9 metric 7");
    let routes = |word: &str| {
        let routes = brought.run("ip route");
        routes.lines().filter(|line| line.contains(word)).map(str::to_owned).collect::<Vec<_>>()
    };
    let default = routes("default");
    let links = brought.run("ip -br link show eth0");

    let web = lab.run("web", "front", brought.label()).await;
    let api = lab.container("api", "front").await;
    listen(&web, 80, "web");
    assert_eq!(ask(&api, (address("172.18.0.2"), 80)), "web");
    assert_eq!(routes("172.18.0.0").len(), 1);
    assert!(brought.run("ip -br addr show eth1").contains("172.18.0.2/16"));
    assert_eq!(routes("default"), default);
    let back = lab.client.networks().get("back").await.unwrap();
    back.connect("web", EndpointSpec::new()).await.unwrap();
    assert!(brought.run("ip -br addr show eth2").contains("172.19.0.2/16"));
    assert_eq!(routes("default"), default);
    let restart = http::Request::post("/containers/web/restart").body(bytes::Bytes::new());
    let restarted = lab.client.send(restart.unwrap()).await.unwrap();
    assert_eq!(restarted.status().as_u16(), 204);
    assert!(brought.run("ip -br addr show eth1").contains("172.1"));
    stop(&lab.client, "web").await;
    assert_eq!((routes("default"), routes("172.18")), (default, Vec::new()));
    assert_eq!(brought.run("ip -br link show eth0"), links);

    let ports = json!({ "80/tcp": [{ "HostPort": "8080" }] });
    let spec = brought.label().host_config("PortBindings", ports).name("published");
    let spec = spec.network("front", EndpointSpec::new());
    let published = lab.client.containers().create(spec).await.unwrap();
    let error = published.start().await.unwrap_err().to_string();
    assert!(error.contains("has a default route of its own"), "{error}");

    // Ours is made where there is none, and one that took its place is not ours to take away.
    brought.ip("route del default");
    lab.client.containers().get("web").await.unwrap().start().await.unwrap();
    assert_eq!(routes("default").len(), 1);
    brought.ip("route replace default via 192.0.2.9");
    stop(&lab.client, "web").await;
    assert_eq!(routes("default"), ["default via 192.0.2.9 dev eth0 "]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_its_owner_moved_elsewhere_goes_all_the_same() {
    let lab = Lab::new().await;
    lab.network("front").await;
    let (brought, other) = (Brought::new(), Brought::new());
    let before = (brought.told(), other.told());
    lab.run("web", "front", brought.label()).await;
    brought.ip(&format!("link set eth0 netns {}", other.0));
    let front = lab.client.networks().get("front").await.unwrap();
    front.disconnect("web").await.unwrap();
    until("the link", async || other.told() == before.1).await;
    stop(&lab.client, "web").await;
    assert_eq!(brought.told(), before.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_namespace_of_ones_own_is_refused() {
    let lab = Lab::new().await;
    let brought = Brought::new();
    let refused = async |path: &str| {
        let error = lab.engine.adopt("other", path).await.unwrap_err().to_string();
        assert!(lab.client.containers().get("other").await.is_err(), "{path}");
        error
    };
    let web = lab.engine.adopt("web", brought.path()).await.unwrap();
    let mut holder = web.command("sleep").arg("600").spawn().unwrap();
    let of_web = format!("/proc/{}/ns/net", holder.id());
    let mut at_home = lab.host.command("sleep").arg("600").spawn().unwrap();
    let of_home = format!("/proc/{}/ns/net", at_home.id());
    let file = tempfile::NamedTempFile::new().unwrap();
    for (path, why) in [
        (of_web.as_str(), "it is that of container"),
        (of_home.as_str(), "it is where the engine has its networks"),
        ("/proc/self/ns/net", "it is the engine's own"),
        ("/proc/self/ns/uts", "it is no network namespace"),
        ("/proc/self/ns/nobody", "there is no network namespace"),
        ("/run/netns/docknet-nobody", "there is no network namespace"),
        (file.path().to_str().unwrap(), "there is no network namespace"),
        ("run/netns/x", "is no absolute path"),
    ] {
        let error = refused(path).await;
        assert!(error.contains(why), "{path}: {error}");
    }
    // A pipe that nobody writes to does not hold the engine up.
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe");
    run("mkfifo", pipe.to_str().unwrap());
    let refusal = tokio::time::timeout(Duration::from_secs(5), refused(pipe.to_str().unwrap()));
    assert!(refusal.await.unwrap().contains("there is no network namespace"));
    let other = Lab::new().await;
    let error = other.engine.adopt("web", brought.path()).await.unwrap_err().to_string();
    assert!(error.contains("it is that of another container"), "{error}");
    let both = brought.label().network_mode(NetworkMode::Host);
    let error = lab.client.containers().create(both).await.unwrap_err().to_string();
    assert!(error.contains("conflicting options"), "{error}");
    for child in [&mut holder, &mut at_home] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    // Once the one has let it go, the other may have it.
    stop(&lab.client, "web").await;
    other.engine.adopt("web", brought.path()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_is_found_again_after_a_crash() {
    let lab = Lab::new().await;
    let machine = lab.container("machine", "none").await;
    let state = State::new();
    let brought = Brought::new();
    let before = brought.told();
    let daemon = start(&machine, &state);
    let client = daemon.client();
    client.networks().create("front").await.unwrap();
    let spec =
        |name: &str, spec: ContainerSpec| spec.name(name).network("front", EndpointSpec::new());
    let busybox = || {
        ContainerSpec::new("busybox").command([
            "sh",
            "-c",
            "trap exit TERM; while :; do sleep 0.1; done",
        ])
    };
    let here = busybox().label(LABEL, brought.path().display().to_string());
    for spec in [spec("web", here), spec("api", busybox())] {
        client.containers().create(spec).await.unwrap().start().await.unwrap();
    }
    brought.serve(80, "web");
    assert_eq!(ask(&machine, (address("172.18.0.2"), 80)), "web");
    let running = brought.told();
    daemon.kill();
    assert_eq!(ask(&machine, (address("172.18.0.2"), 80)), "web");

    let daemon = start(&machine, &state);
    let client = daemon.client();
    let without_ports = |told: String| told.split("dnat to").next().unwrap().to_owned();
    assert_eq!(without_ports(brought.told()), without_ports(running));
    assert_eq!(ask(&machine, (address("172.18.0.2"), 80)), "web");
    assert!(brought.look_up("api").starts_with("172.18.0.3 "));
    stop(&client, "web").await;
    assert_eq!(brought.told(), before);

    // What was made and not committed: the link of another endpoint is in the way.
    client.containers().get("web").await.unwrap().start().await.unwrap();
    daemon.kill();
    let port = run_in(&machine, "ip -br link show type veth");
    let port = port.lines().last().unwrap().split('@').next().unwrap().to_owned();
    ip(&machine, &format!("link set {port} name veth00000000000"));
    let daemon = start(&machine, &state);
    let renamed = async || !run_in(&machine, "ip -br link").contains("veth00000000000");
    until("the other's link", renamed).await;
    assert_eq!(ask(&machine, (address("172.18.0.2"), 80)), "web");

    // Gone with the machine: the container does not run any more, and the engine starts.
    daemon.kill();
    state.release();
    run("ip", &format!("netns del {}", brought.0));
    let daemon = start(&machine, &state);
    let web = daemon.client().containers().get("web").await.unwrap();
    assert_eq!(web.status(), &ContainerStatus::Exited);
    until("its link", async || run_in(&machine, "ip -br link show type veth").lines().count() == 1)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_ends_leaves_nothing_in_it() {
    let lab = Lab::new().await;
    let machine = lab.container("machine", "none").await;
    let brought = Brought::new();
    let before = brought.told();
    ip(&machine, "link add parent0 type veth peer name parent1");
    ip(&machine, "link set parent0 up");
    for isolated in [true, false] {
        let builder = Engine::kernel().image("app");
        let builder = if isolated { builder.isolated() } else { builder.inside(&machine) };
        let engine = builder.start().await.unwrap();
        let client = engine.client();
        engine.adopt("web", brought.path()).await.unwrap();
        let front = client.networks().create("front").await.unwrap();
        front.connect("web", EndpointSpec::new()).await.unwrap();
        if !isolated {
            let spec =
                docknet::NetworkSpec::new("beside").driver("macvlan").option("parent", "parent0");
            let beside = client.networks().create(spec).await.unwrap();
            beside.connect("web", EndpointSpec::new()).await.unwrap();
        }
        assert_ne!(brought.told(), before);
        drop((client, front));
        drop(engine);
        until("its links", async || brought.told() == before).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_whose_engine_ended_leaves_nothing_in_it() {
    let lab = Lab::new().await;
    let machine = lab.container("machine", "none").await;
    let dir = StateDir::new();
    let brought = Brought::new();
    let before = brought.told();
    let engine = async || next_engine(|| Engine::kernel().inside(&machine).state(dir.path())).await;
    let first = engine().await;
    let spec = ContainerSpec::new("host").name("tool").command(["sleep", "600"]);
    let spec = spec.label(LABEL, brought.path().display().to_string());
    first.client().containers().create(spec).await.unwrap().start().await.unwrap();
    assert!(brought.run("ip -br addr show eth0").contains("172.17.0.2/16"));
    drop(first);
    let _second = engine().await;
    until("its links", async || brought.told() == before).await;
}

fn start(machine: &Sandbox, state: &State) -> Daemon {
    let daemon = Daemon::start(machine, state);
    daemon.wait_until_it_answers();
    daemon
}

fn run_in(sandbox: &Sandbox, line: &str) -> String {
    let mut words = line.split(' ');
    let output = sandbox.command(words.next().unwrap()).args(words).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}
