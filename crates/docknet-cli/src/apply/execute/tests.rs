use docknet::{Container, ContainerSpec, EndpointSpec, NetworkSpec, Pool};
use docknet_engine::{Engine, Fault};

use super::*;
use crate::apply::{Context, Plan, Prune, Situation, plan, read};

/// Interrupts after so many steps.
struct After(usize);

impl Watcher for After {
    fn begins(&mut self, what: &str) {
        if !what.starts_with("undo") {
            self.0 = self.0.saturating_sub(1);
        }
    }

    fn interrupted(&self) -> bool {
        self.0 == 0
    }
}

const NEVER: After = After(usize::MAX);

const FILE: &str = "
set: shop
networks:
  a:
    internal: true
    ipam: {config: [{subnet: 10.2.0.0/24}]}
    containers: {late: {aliases: [l]}}
  b:
    ipam: {config: [{subnet: 10.1.0.0/24}]}
  fresh:
  kept:
    containers: {one: {aliases: [k], ipv4_address: 10.3.0.77}}
";

fn pool(subnet: &str) -> Pool {
    Pool::new(subnet.parse().unwrap())
}

/// Networks whose subnets are to be exchanged, with endpoints of every kind.
async fn engine() -> (Engine, Client) {
    let engine = Engine::memory().image("busybox").start().await.unwrap();
    let client = engine.client();
    let networks = client.networks();
    let mut a =
        NetworkSpec::new("a").pool(pool("10.1.0.0/24").range("10.1.0.128/25".parse().unwrap()));
    a = a.label("keep", "me").option("com.docker.network.driver.mtu", "1400");
    let a = networks.create(a).await.unwrap();
    let b = networks.create(NetworkSpec::new("b").pool(pool("10.2.0.0/24"))).await.unwrap();
    let kept = networks.create(NetworkSpec::new("kept").pool(pool("10.3.0.0/24"))).await.unwrap();
    let leftover =
        NetworkSpec::new("leftover").label("docknet.apply", "shop").pool(pool("10.4.0.0/24"));
    networks.create(leftover).await.unwrap();
    for name in ["one", "two", "late", "stopped"] {
        let container =
            client.containers().create(ContainerSpec::new("busybox").name(name)).await.unwrap();
        if name != "stopped" {
            container.start().await.unwrap();
        }
    }
    a.connect("one", EndpointSpec::new().alias("x").ipv4("10.1.0.9".parse().unwrap()))
        .await
        .unwrap();
    a.connect("two", EndpointSpec::new().alias("y").gateway_priority(7)).await.unwrap();
    b.connect("one", EndpointSpec::new()).await.unwrap();
    b.connect("stopped", EndpointSpec::new().alias("s")).await.unwrap();
    kept.connect("one", EndpointSpec::new().alias("old")).await.unwrap();
    (engine, client)
}

async fn prepared(client: &Client, file: &str) -> (Plan, Vec<Network>) {
    let wanted = read(file, &Context::default()).unwrap();
    let (there, networks) = Situation::take(client, &wanted).await.unwrap();
    (plan(&wanted, &there, Prune::Leftovers).unwrap(), networks)
}

/// Everything that may not change, ids and hardware addresses left out.
async fn picture(client: &Client) -> Vec<String> {
    let mut lines = Vec::new();
    for network in client.networks().list().await.unwrap() {
        let info = network.info();
        lines.push(format!(
            "{} {} {} {:?} {:?} {:?}",
            info.name, info.driver, info.internal, info.ipam, info.labels, info.options
        ));
    }
    for listed in client.containers().list_all(&docknet::Filters::new()).await.unwrap() {
        let container: Container = client.containers().get(listed.id().as_str()).await.unwrap();
        for (network, endpoint) in container.endpoints() {
            let mut aliases = endpoint.to_spec(container.short_id()).aliases;
            aliases.sort();
            lines.push(format!(
                "{} on {network}: {:?} {:?} {aliases:?} {:?}",
                container.name(),
                endpoint.ipv4(),
                endpoint.ipv6(),
                endpoint.asked.gateway_priority.unwrap_or_default()
            ));
        }
    }
    lines.sort();
    lines
}

#[tokio::test]
async fn networks_become_what_the_file_says_and_then_there_is_nothing_to_do() {
    let (_engine, client) = engine().await;
    let (plan, networks) = prepared(&client, FILE).await;
    execute(&client, networks, &plan.steps(), &mut { NEVER }).await.unwrap();
    let after = picture(&client).await.join("\n");
    for line in [
        "one on a: Some(10.2.0.",
        "two on a: Some(10.2.0.",
        "late on a: Some(10.2.0.",
        "one on b: Some(10.1.0.",
        "stopped on b: None None [\"s\"] 0",
        "one on kept: Some(10.3.0.77/24) None [\"k\"] 0",
        "fresh bridge false",
    ] {
        assert!(after.contains(line), "{line} is not in\n{after}");
    }
    assert!(!after.contains("leftover"), "{after}");
    let (plan, _) = prepared(&client, FILE).await;
    assert!(plan.is_empty(), "{plan:?}");
}

/// Fails at one call after the other, in one way, until there is no call left to fail at.
async fn fails_everywhere(fault: fn() -> Fault) {
    let mut failed = 0;
    for (method, path) in [
        ("POST", "/networks/*/disconnect"),
        ("DELETE", "/networks/*"),
        ("POST", "/networks/create"),
        ("POST", "/networks/*/connect"),
    ] {
        for after in 0.. {
            let (engine, client) = engine().await;
            let before = picture(&client).await;
            let (plan, networks) = prepared(&client, FILE).await;
            engine.faults().add(fault().on(method, path).after(after));
            match execute(&client, networks, &plan.steps(), &mut { NEVER }).await {
                Ok(()) => {
                    assert!(after > 0, "{method} {path} is never called");
                    break;
                }
                Err(halted) => {
                    assert_eq!(halted.left, [""; 0], "{method} {path} {after}");
                    assert!(halted.cause.is_some());
                    assert_eq!(picture(&client).await, before, "{method} {path} {after}");
                    failed += 1;
                }
            }
        }
    }
    let (_engine, client) = engine().await;
    assert_eq!(failed, prepared(&client, FILE).await.0.steps().len());
}

#[tokio::test]
async fn whatever_step_is_refused_everything_is_as_it_was() {
    fails_everywhere(|| Fault::refuse(500, "no")).await;
}

#[tokio::test]
async fn whatever_answer_is_lost_everything_is_as_it_was() {
    fails_everywhere(Fault::drop_after).await;
}

#[tokio::test]
async fn whenever_it_is_interrupted_everything_is_as_it_was() {
    let (_engine, client) = engine().await;
    let steps = prepared(&client, FILE).await.0.steps().len();
    for after in 0..steps {
        let (_engine, client) = engine().await;
        let before = picture(&client).await;
        let (plan, networks) = prepared(&client, FILE).await;
        let halted =
            execute(&client, networks, &plan.steps(), &mut After(after)).await.unwrap_err();
        assert_eq!((halted.cause.is_none(), halted.undone, halted.left), (true, after, Vec::new()));
        assert_eq!(picture(&client).await, before, "after {after} steps");
    }
}

#[tokio::test]
async fn what_cannot_be_undone_is_said() {
    let (engine, client) = engine().await;
    let (plan, networks) = prepared(&client, FILE).await;
    engine.faults().add(Fault::refuse(500, "no").on("POST", "/networks/create").always());
    let halted = execute(&client, networks, &plan.steps(), &mut { NEVER }).await.unwrap_err();
    assert!(
        halted.left.contains(&"network `a` is gone and cannot be made again: no".to_owned()),
        "{:?}",
        halted.left
    );
    assert!(
        halted
            .left
            .iter()
            .any(|left| left
                .starts_with("container `one` is not connected to network `a` any more: ")),
        "{:?}",
        halted.left
    );
}

#[tokio::test]
async fn what_somebody_else_made_meanwhile_is_left_alone() {
    let (_engine, client) = engine().await;
    let (plan, networks) = prepared(&client, FILE).await;
    let theirs = client.networks().create("fresh").await.unwrap();
    let before = picture(&client).await;
    let halted = execute(&client, networks, &plan.steps(), &mut { NEVER }).await.unwrap_err();
    assert_eq!(halted.cause.unwrap().1.kind(), docknet::ErrorKind::NameTaken);
    assert_eq!(halted.left, [""; 0]);
    assert_eq!(picture(&client).await, before);
    assert_eq!(client.networks().get("fresh").await.unwrap(), theirs);
}

#[tokio::test]
async fn an_address_that_no_call_brings_back_is_said() {
    let engine = Engine::memory().image("busybox").start().await.unwrap();
    let client = engine.client();
    // The engine picks the subnet, and gives no chosen address in it.
    let network = client.networks().create("auto").await.unwrap();
    for name in ["one", "two"] {
        let container =
            client.containers().create(ContainerSpec::new("busybox").name(name)).await.unwrap();
        container.start().await.unwrap();
        network.connect(name, EndpointSpec::new().alias("kept")).await.unwrap();
    }
    let before = picture(&client).await;
    let (plan, networks) = prepared(&client, "networks: {auto: {internal: true}}").await;
    engine.faults().add(Fault::refuse(500, "no").on("POST", "/networks/*/disconnect").after(1));
    let halted = execute(&client, networks, &plan.steps(), &mut { NEVER }).await.unwrap_err();
    // Whether it is said or not, it is true.
    assert_eq!(halted.left.is_empty(), picture(&client).await == before, "{:?}", halted.left);
    for left in &halted.left {
        assert!(left.contains("on network `auto`, and had 172.18.0."), "{left}");
    }
    assert!(
        picture(&client)
            .await
            .iter()
            .all(|line| !line.contains("on auto") || line.contains("kept"))
    );
}
