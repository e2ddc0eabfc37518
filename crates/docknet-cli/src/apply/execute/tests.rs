//! On an engine in memory that fails at every step there is.

use std::collections::BTreeMap;

use docknet::{Client, ContainerSpec, EndpointSpec, Filters, NetworkSpec, Pool};
use docknet_engine::{Engine, Fault};
use serde_json::{Value, json};

use super::*;
use crate::apply::plan::{Prune, Situation, plan};
use crate::apply::{Context, Wanted, read};

const FILE: &str = "
set: shop
networks:
  back:
    ipam: {config: [{subnet: 10.9.0.0/24}]}
    internal: true
  new:
    ipam: {config: [{subnet: 10.8.0.0/24}]}
    containers:
      web: {ipv4_address: 10.8.0.9, aliases: [www]}
      off: {aliases: [later]}
";

/// An engine that is not as the file says: `back` is not internal and has another subnet, `old` is left over, `new` is missing.
async fn engine() -> (Engine, Client) {
    let engine = Engine::memory().image("busybox").start().await.unwrap();
    let client = engine.client();
    let networks = client.networks();
    let pool = Pool::new("10.8.0.0/24".parse().unwrap()).gateway("10.8.0.254".parse().unwrap());
    let back =
        NetworkSpec::new("back").pool(pool).label("docknet.apply", "shop").label("team", "a");
    let back = networks.create(back).await.unwrap();
    networks.create(NetworkSpec::new("old").label("docknet.apply", "shop")).await.unwrap();
    networks.create("other").await.unwrap();
    for name in ["web", "db", "off"] {
        let container =
            client.containers().create(ContainerSpec::new("busybox").name(name)).await.unwrap();
        if name != "off" {
            container.start().await.unwrap();
        }
    }
    back.connect("web", EndpointSpec::new().alias("api").ipv4("10.8.0.77".parse().unwrap()))
        .await
        .unwrap();
    back.connect("db", EndpointSpec::new().alias("sql").gateway_priority(7)).await.unwrap();
    back.connect("off", EndpointSpec::new().alias("asleep")).await.unwrap();
    (engine, client)
}

fn wanted() -> Wanted {
    read(FILE, &Context { file: "shop.yaml".to_owned(), ..Context::default() }).unwrap()
}

async fn steps(client: &Client) -> Vec<Step> {
    let wanted = wanted();
    let (there, _) = Situation::take(client, &wanted).await.unwrap();
    plan(&wanted, &there, Prune::Leftovers).unwrap().steps()
}

/// Everything that a user can tell, without what is drawn anew: ids, times, hardware addresses.
async fn state(client: &Client) -> Value {
    let mut networks = BTreeMap::new();
    for network in client.networks().list().await.unwrap() {
        let info = network.info();
        let pools: Vec<_> = info.ipam.pools.iter().map(|pool| format!("{pool:?}")).collect();
        networks
            .insert(info.name.clone(), json!([info.internal, info.labels, info.options, pools]));
    }
    let mut containers = BTreeMap::new();
    for mut container in client.containers().list_all(&Filters::new()).await.unwrap() {
        container.reload().await.unwrap();
        let short = container.short_id().to_owned();
        let endpoints: BTreeMap<_, _> = container
            .endpoints()
            .iter()
            .map(|(name, endpoint)| {
                let spec = endpoint.to_spec(&short);
                (name.clone(), json!([endpoint.ipv4(), spec.aliases, spec.gateway_priority]))
            })
            .collect();
        containers.insert(container.name().to_owned(), endpoints);
    }
    json!([networks, containers])
}

#[tokio::test]
async fn everything_is_as_the_file_says_and_stays_so() {
    let (_engine, client) = engine().await;
    let mut told = Vec::new();
    execute(&client, &steps(&client).await, None, |step| told.push(step.to_string()))
        .await
        .unwrap();
    assert_eq!(
        told,
        [
            "disconnect container `db` from network `back`",
            "disconnect container `off` from network `back`",
            "disconnect container `web` from network `back`",
            "remove network `back`",
            "remove network `old`",
            "create network `back`",
            "create network `new`",
            "connect container `db` to network `back`",
            "connect container `off` to network `back`",
            "connect container `web` to network `back`",
            "connect container `web` to network `new`",
            "connect container `off` to network `new`",
        ]
    );
    let after = state(&client).await;
    assert_eq!(after[0]["back"][0], true);
    assert_eq!(after[0]["old"], Value::Null);
    assert_eq!(after[1]["web"]["new"][0], "10.8.0.9/24");
    assert_eq!(after[1]["db"]["back"][2], 7);
    assert_eq!(steps(&client).await, []);
}

#[tokio::test]
async fn whatever_fails_all_is_as_it_was() {
    for method in ["POST", "DELETE"] {
        for number in 0.. {
            let (engine, client) = engine().await;
            let (before, steps) = (state(&client).await, steps(&client).await);
            engine.faults().add(Fault::refuse(500, "no").on(method, "*").after(number));
            let Err(halted) = execute(&client, &steps, None, |_| {}).await else {
                // There are no more calls of this kind that could fail.
                assert!(number > 1, "{method}");
                break;
            };
            assert!(halted.left.is_empty(), "{method} {number}: {:?}", halted.left);
            assert_eq!(halted.failed.unwrap().1.message(), "no");
            assert_eq!(state(&client).await, before, "{method} {number}");
        }
    }
}

#[tokio::test]
async fn a_step_of_which_nobody_heard_is_taken_back_if_it_was_done() {
    for fault in [Fault::drop_before as fn() -> Fault, Fault::drop_after] {
        for method in ["POST", "DELETE"] {
            for number in 0.. {
                let (engine, client) = engine().await;
                let (before, steps) = (state(&client).await, steps(&client).await);
                engine.faults().add(fault().on(method, "*").after(number));
                let Err(halted) = execute(&client, &steps, None, |_| {}).await else {
                    assert!(number > 1, "{method}");
                    break;
                };
                assert!(halted.left.is_empty(), "{method} {number}: {:?}", halted.left);
                assert_eq!(state(&client).await, before, "{method} {number}");
            }
        }
    }
}

#[tokio::test]
async fn what_cannot_be_taken_back_is_told() {
    let (engine, client) = engine().await;
    let steps = steps(&client).await;
    // Both networks can be removed, none can be made: not the new one, and not the old one again.
    engine.faults().add(Fault::refuse(500, "full").on("POST", "/networks/create").always());
    let halted = execute(&client, &steps, None, |_| {}).await.unwrap_err();
    let left: Vec<_> = halted.left.iter().map(|(what, _)| what.as_str()).collect();
    assert!(left.contains(&"create network `back` again"), "{left:?}");
    assert!(left.contains(&"connect container `web` to network `back` again"), "{left:?}");
}
