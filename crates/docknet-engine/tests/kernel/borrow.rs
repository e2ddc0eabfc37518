//! Containers whose network namespace is somebody else's.

use std::net::{IpAddr, Ipv4Addr};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use docknet::{Client, ContainerSpec, ContainerStatus, EndpointSpec, NetworkMode};
use docknet_engine::{Engine, NAMESPACE_LABEL};
use serde_json::json;

use crate::lab::{Lab, SERVER, ask, assert_silent, listen, until};
use crate::names::a;

const LOCALHOST: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// A process in a network namespace of its own, which knows nothing of us.
struct Stranger(Child);

impl Stranger {
    fn new() -> Self {
        let mut unshare = Command::new("unshare");
        let child = unshare.args(["--net", "sleep", "600"]).stdout(Stdio::null()).spawn().unwrap();
        let stranger = Self(child);
        let begun = Instant::now();
        let own = std::fs::read_link("/proc/self/ns/net").unwrap();
        while std::fs::read_link(stranger.path()).is_ok_and(|namespace| namespace == own) {
            assert!(begun.elapsed() < Duration::from_secs(5), "it stays where we are");
            std::thread::sleep(Duration::from_millis(5));
        }
        stranger
    }

    fn path(&self) -> String {
        format!("/proc/{}/ns/net", self.0.id())
    }

    fn spec(&self, name: &str) -> ContainerSpec {
        ContainerSpec::new("host").name(name).label(NAMESPACE_LABEL, self.path())
    }

    /// What a program prints inside.
    fn sees(&self, line: &str) -> String {
        let mut nsenter = Command::new("nsenter");
        let output = nsenter.arg(format!("--net={}", self.path())).args(line.split(' ')).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn links(&self) -> Vec<String> {
        let shown = self.sees("ip -br link");
        let names = shown.lines().filter_map(|line| line.split(['@', ' ']).next());
        let mut names: Vec<_> = names.map(str::to_owned).collect();
        names.sort();
        names
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn start(client: &Client, spec: ContainerSpec) -> docknet::Container {
    let container = client.containers().create(spec).await.unwrap();
    container.start().await.unwrap();
    container
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_was_there_is_a_place_on_networks_until_it_is_left_as_it_was() {
    let lab = Lab::new().await;
    let internet = lab.internet().await;
    lab.network("front").await;
    lab.network("back").await;
    let web = lab.container("web", "front").await;
    listen(&web, 80, "web");
    listen(&internet.server, 80, "far away");
    let stranger = Stranger::new();
    stranger.sees("ip link add own0 type veth peer name own1");

    let ports = json!({ "80/tcp": [{ "HostPort": "8080" }] });
    let spec = stranger.spec("guest").network("front", EndpointSpec::new());
    let guest = start(&lab.client, spec.host_config("PortBindings", ports)).await;
    let inside = lab.engine.sandbox("guest").await.unwrap();
    listen(&inside, 80, "guest");
    let address = lab.ip("web", "front").await;
    assert_eq!(a(&inside, "web"), Ok(vec![address.to_string()]));
    assert_eq!(ask(&inside, (address, 80)), "web");
    assert_eq!(ask(&web, (lab.ip("guest", "front").await, 80)), "guest");
    assert_eq!(ask(&lab.host, (LOCALHOST, 8080)), "guest");
    assert_eq!(ask(&inside, (SERVER, 80)), "far away");
    let back = lab.client.networks().get("back").await.unwrap();
    back.connect("guest", EndpointSpec::new()).await.unwrap();
    assert!(stranger.sees("ip -br addr").contains("172.19.0.2/16"));

    guest.stop().await.unwrap();
    assert_silent(&lab.host, (LOCALHOST, 8080));
    // Links go behind the answer. The loopback has come up, for the resolver.
    until("the links", async || stranger.links() == ["lo", "own0", "own1"]).await;
    assert_eq!(stranger.sees("ip route show"), "");
    assert_eq!(stranger.sees("nft list ruleset"), "");
    guest.start().await.unwrap();
    assert_eq!(ask(&web, (lab.ip("guest", "front").await, 80)), "guest");
    drop((back, guest, inside, lab));
    until("the links", async || stranger.links() == ["lo", "own0", "own1"]).await;
    until("the rules", async || stranger.sees("nft list ruleset").is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_borrowed_is_refused_and_left_alone() {
    let lab = Lab::new().await;
    lab.network("front").await;
    let file = tempfile::NamedTempFile::new().unwrap();
    let file = file.path().to_str().unwrap();
    let spec = |path: &str| ContainerSpec::new("host").label(NAMESPACE_LABEL, path);
    let containers = lab.client.containers();
    for (spec, why) in [
        (spec("run/netns/x"), "is not an absolute path"),
        (spec("/run/netns/x").network_mode(NetworkMode::Host), "conflicting options"),
    ] {
        let refused = containers.create(spec).await.unwrap_err();
        assert!(refused.to_string().contains(why), "{refused}");
    }
    let [routed, named, taken] = [(); 3].map(|()| Stranger::new());
    routed.sees("ip link add own0 type veth peer name own1");
    routed.sees("ip addr add 10.9.0.1/24 dev own0");
    routed.sees("ip link set own0 up");
    routed.sees("ip link set own1 up");
    routed.sees("ip route add default via 10.9.0.2");
    named.sees("ip link add eth0 type veth peer name own1");
    start(&lab.client, taken.spec("taken").network("front", EndpointSpec::new())).await;
    let home = lab.host.command("sleep").arg("60").spawn().unwrap();
    let home = Stranger(home);
    for (path, why) in [
        ("/no/such/file", "No such file"),
        (file, "no namespace is kept there"),
        ("/proc/self/ns/uts", "Invalid argument"),
        (&home.path(), "the networks themselves are in it"),
        (&taken.path(), "has it"),
        (&routed.path(), "it has a default route"),
        (&named.path(), "has a link eth0 of its own"),
    ] {
        let spec = spec(path).name("guest").network("front", EndpointSpec::new());
        let guest = containers.create(spec).await.unwrap();
        let refused = guest.start().await.unwrap_err();
        assert!(refused.to_string().contains(why), "{path}: {refused}");
        guest.remove().await.unwrap();
    }
    assert_eq!(routed.links(), ["lo", "own0", "own1"]);
    assert_eq!(named.links(), ["eth0", "lo", "own1"]);
    for stranger in [&routed, &named] {
        assert_eq!(stranger.sees("nft list ruleset"), "");
    }
    // Under another name it can be had.
    let endpoint = EndpointSpec::new().driver_opt("com.docker.network.endpoint.ifname", "dn0");
    start(&lab.client, named.spec("guest").network("front", endpoint)).await;
    assert_eq!(named.links(), ["dn0", "eth0", "lo", "own1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_borrowed_outlives_the_engine_and_ends_with_the_machine() {
    let lab = Lab::new().await;
    let machine = lab.container("machine", "none").await;
    let dir = tempfile::tempdir().unwrap();
    let engine = async || {
        let engine = Engine::kernel().inside(&machine).state(dir.path()).image("app");
        engine.start().await.unwrap()
    };
    let stranger = Stranger::new();
    let first = engine().await;
    first.client().networks().create("front").await.unwrap();
    start(&first.client(), stranger.spec("guest").network("front", EndpointSpec::new())).await;
    let spec = ContainerSpec::new("app").name("web").network("front", EndpointSpec::new());
    start(&first.client(), spec).await;
    let inside = first.sandbox("guest").await.unwrap();
    listen(&inside, 80, "guest");
    drop(first);

    let second = engine().await;
    let web = second.sandbox("web").await.unwrap();
    assert_eq!(ask(&web, ("172.18.0.2".parse::<IpAddr>().unwrap(), 80)), "guest");
    assert_eq!(a(&inside, "web"), Ok(vec!["172.18.0.3".to_owned()]));
    let id = second.client().containers().get("guest").await.unwrap().id().to_string();
    drop((web, second));

    // As after the machine was started anew: what had this number may be another process by now.
    let pin = dir.path().join("namespaces").join(id);
    rustix::mount::unmount(&pin, rustix::mount::UnmountFlags::DETACH).unwrap();
    let third = engine().await;
    let guest = third.client().containers().get("guest").await.unwrap();
    assert_eq!(guest.info().status, ContainerStatus::Exited);
}
