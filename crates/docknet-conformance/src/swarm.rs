//! Networks of a swarm. The client is that of a manager; the second node is a worker.

use std::time::Duration;

use docknet::{
    Client, Container, Driver, EndpointSpec, ErrorKind, Filters, InspectOptions, Network,
    NetworkSpec, Pool, Result, Scope,
};
use serde_json::{Value, json};

use crate::behaviours;
use crate::expect::{refused, soon};
use crate::inside::{default_gateways, interfaces, reaches, resolve};
use crate::lab::{self, subnet};
use crate::stage::{Stage, failed, within};

behaviours!(
    swarm:
    an_overlay_belongs_to_the_swarm [Swarm],
    an_attachable_overlay_takes_containers [Swarm],
    others_are_not_connectable [Swarm],
    there_is_one_ingress_network [Swarm],
    names_are_taken_across_scopes [Swarm],
    names_are_dns_labels [Swarm],
    an_internal_overlay_has_no_way_out [Swarm],
    an_overlay_goes_with_remove_detaching [Swarm],
    a_service_shows_and_keeps_its_network [Swarm],
    nodes_reach_each_other_by_name [TwoNodes],
    a_worker_makes_no_overlay [TwoNodes],
    a_workers_watch_tells_of_what_comes_to_it [TwoNodes],
);

/// An overlay network belongs to the swarm, and is listed by that scope.
pub async fn an_overlay_belongs_to_the_swarm(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = overlay(&stage, "net", |spec| spec.label("some", "thing")).await?;
    let info = network.info();
    assert!(info.driver == Driver::Overlay, "driver {}", info.driver);
    assert!(info.scope == Scope::Swarm, "scope {}", info.scope);
    assert!(!info.attachable && !info.ingress, "{:?}", network.attrs());
    assert!(info.labels.get("some").is_some_and(|value| value == "thing"), "{:?}", info.labels);
    assert!(info.undecoded.is_empty(), "not read: {:?}", info.undecoded);
    for (scope, there) in [(Scope::Swarm, true), (Scope::Local, false)] {
        let named = Filters::new().name(network.name()).scope(scope.clone());
        let listed = stage.client().networks().list_with(&named).await?;
        assert!(listed.contains(&network) == there, "scope {scope} lists {listed:?}");
        let options = InspectOptions::new().scope(scope.clone());
        let found = stage.client().networks().inspect(network.name(), &options).await;
        match there {
            true => assert!(found? == network, "scope {scope} gets another one"),
            false => drop(refused(found, &[ErrorKind::NotFound])),
        }
    }
    Ok(())
}

/// A standalone container joins an attachable overlay network, when it is created or later, and leaves it.
pub async fn an_attachable_overlay_takes_containers(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = overlay(&stage, "net", |spec| spec.attachable(true)).await?;
    assert!(network.info().attachable, "it is not attachable");
    let created = stage.running_on("created", &network).await?;
    let joined = stage.running("joined").await?;
    let before = interfaces(&joined).await?.len();
    network.connect(&joined, EndpointSpec::new().alias("api")).await?;
    assert!(interfaces(&joined).await?.len() > before, "no interface came");
    assert!(reaches(&created, "api").await?, "the alias does not answer");
    let mut found = network.containers().await?;
    found.sort_by(|a, b| a.name().cmp(b.name()));
    assert!(found == [created, joined.clone()], "on it are {found:?}");
    refused(network.clone().remove().await, &[ErrorKind::InUse]);
    network.disconnect(&joined).await?;
    assert!(interfaces(&joined).await?.len() == before, "the interface stays");
    Ok(())
}

/// An overlay network that is not attachable takes no standalone container, and so does the ingress network.
pub async fn others_are_not_connectable(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = overlay(&stage, "net", |spec| spec).await?;
    let container = stage.running("web").await?;
    let ingress = ingress(&stage).await?;
    for network in [network, ingress] {
        let connected = network.connect(&container, EndpointSpec::new()).await;
        refused(connected, &[ErrorKind::NotConnectable]);
    }
    Ok(())
}

/// A swarm has one ingress network; a second one is refused, and so is an attachable one.
pub async fn there_is_one_ingress_network(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let there = ingress(&stage).await?;
    assert!(there.info().scope == Scope::Swarm, "scope {}", there.info().scope);
    let second = overlay(&stage, "second", |spec| spec.ingress(true)).await;
    let error = refused(second, &[ErrorKind::Conflict]);
    assert!(error.is_conflict(), "{error} is no conflict");
    let attachable = overlay(&stage, "third", |spec| spec.ingress(true).attachable(true)).await;
    refused(attachable, &[ErrorKind::InvalidSpec]);
    Ok(())
}

/// A name is taken once in a swarm and on its nodes: by an overlay network for a bridge as well.
pub async fn names_are_taken_across_scopes(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    overlay(&stage, "net", |spec| spec).await?;
    refused(overlay(&stage, "net", |spec| spec).await, &[ErrorKind::NameTaken]);
    refused(stage.network("net").await, &[ErrorKind::NameTaken]);
    Ok(())
}

/// The name of a swarm's network is a label of DNS.
pub async fn names_are_dns_labels(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    for what in ["a.b", "a b", &"x".repeat(64)] {
        let made = overlay(&stage, what, |spec| spec).await;
        refused(made, &[ErrorKind::InvalidSpec]);
    }
    Ok(())
}

/// An internal overlay network gives its containers no way out.
pub async fn an_internal_overlay_has_no_way_out(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = overlay(&stage, "net", |spec| spec.attachable(true).internal(true)).await?;
    let container = stage.running_on("web", &network).await?;
    let gateways = default_gateways(&container).await?;
    assert!(gateways.is_empty(), "gateways {gateways:?}");
    Ok(())
}

/// An overlay network goes with the containers that are on it cut off, when that is asked for.
pub async fn an_overlay_goes_with_remove_detaching(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = overlay(&stage, "net", |spec| spec.attachable(true)).await?;
    let container = stage.running_on("web", &network).await?;
    network.clone().remove_detaching().await?;
    // The node forgets it after the swarm.
    soon("it is gone", async || Ok(client.networks().find(network.name()).await?.is_none()))
        .await?;
    let left = interfaces(&container).await?;
    assert!(left.is_empty(), "the container still has {left:?}");
    Ok(())
}

/// A service's network shows it to a verbose inspection, and cannot be removed before it.
pub async fn a_service_shows_and_keeps_its_network(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = overlay(&stage, "net", |spec| spec).await?;
    let name = stage.name("service");
    let service = create_service(&stage, &name, network.id().as_str()).await?;
    // Nobody removes the service but this: first all is tried, then it goes, then it is judged.
    let shown = shows(client, network.name(), &name).await;
    let plain = client.networks().get(network.name()).await;
    let removed = network.clone().remove().await;
    remove_service(&stage, &service).await?;
    within(30, "the network can go", async || match network.clone().remove().await {
        Err(error) if error.kind() == ErrorKind::InUse => Ok(false),
        Err(error) if !error.is_not_found() => Err(error),
        _ => Ok(true),
    })
    .await?;
    assert!(shown?, "the service does not show within ten seconds");
    assert!(plain?.info().services.is_empty(), "shown without being asked for");
    refused(removed, &[ErrorKind::InUse]);
    Ok(())
}

/// A container on one node reaches one on the other by its name, over an attachable overlay network.
pub async fn nodes_reach_each_other_by_name(client: &Client) -> Result<()> {
    let worker = worker();
    let (here, there) = (Stage::new(client), Stage::new(&worker));
    let network = overlay(&here, "net", |spec| spec.attachable(true)).await?;
    let near = here.running_on("near", &network).await?;
    let far = there.running_on("far", &network).await?;
    for (from, to) in [(&near, &far), (&far, &near)] {
        meets(from, to).await?;
    }
    let found = network.containers().await?;
    assert!(found == [near], "this node's containers are {found:?}");
    let remote = there.client().networks().get(network.name()).await?;
    assert!(remote == network, "the other node has another one");
    let found = remote.containers().await?;
    assert!(found == [far], "the other node's containers are {found:?}");
    Ok(())
}

/// A node that does not manage the swarm cannot make its networks.
pub async fn a_worker_makes_no_overlay(client: &Client) -> Result<()> {
    client.ping().await?;
    let stage = Stage::new(&worker());
    let spec = stage.spec("net").driver(Driver::Overlay);
    refused(stage.client().networks().create(spec).await, &[ErrorKind::NoSwarm]);
    Ok(())
}

/// A watch on a worker tells of an overlay network when the first container there joins it.
pub async fn a_workers_watch_tells_of_what_comes_to_it(client: &Client) -> Result<()> {
    let worker = worker();
    let (here, there) = (Stage::new(client), Stage::new(&worker));
    let mut watch = there.client().networks().watch();
    let first = watch.next().await;
    assert!(matches!(first, Some(Ok(docknet::Change::Resync(_)))), "{first:?}");
    let network = overlay(&here, "net", |spec| spec.attachable(true)).await?;
    let far = there.running_on("far", &network).await?;
    let told = tokio::time::timeout(Duration::from_secs(15), async {
        let mut created = false;
        while let Some(change) = watch.next().await {
            match change? {
                docknet::Change::Created(new) => created |= new == network,
                docknet::Change::Attached { network: id, container, .. } if id == *network.id() => {
                    assert!(created, "a container on a network that was not told of");
                    assert!(container == *far.id(), "{container} joined");
                    return Ok(());
                }
                _ => {}
            }
        }
        Err(failed("the watch ended"))
    });
    told.await.map_err(|_| failed("not told within fifteen seconds"))?
}

async fn meets(from: &Container, to: &Container) -> Result<()> {
    within(40, "the name is known on the other node", async || {
        Ok(!resolve(from, to.name()).await?.is_empty())
    })
    .await?;
    within(40, "packets pass between the nodes", async || reaches(from, to.name()).await).await
}

/// An overlay network that is set up.
async fn overlay(
    stage: &Stage,
    what: &str,
    with: impl FnOnce(NetworkSpec) -> NetworkSpec,
) -> Result<Network> {
    let spec = stage.spec(what).driver(Driver::Overlay).pool(Pool::new(subnet().into()));
    let mut network = stage.create_network(with(spec)).await?;
    let id = network.id().to_string();
    // It is made first and set up later.
    soon("the network is set up", async || {
        let now = stage.client().networks().get(&id).await?;
        Ok(now.info().driver == Driver::Overlay && !now.info().ipam.pools.is_empty())
    })
    .await?;
    network.reload().await?;
    Ok(network)
}

async fn ingress(stage: &Stage) -> Result<Network> {
    let all = stage.client().networks().list_with(&Filters::new().scope(Scope::Swarm)).await?;
    let mut ingress = all.into_iter().filter(|network| network.info().ingress);
    match (ingress.next(), ingress.next()) {
        (Some(one), None) => Ok(one),
        other => Err(failed(format!("ingress networks: {other:?}"))),
    }
}

/// A service with one task on the manager.
async fn create_service(stage: &Stage, name: &str, network: &str) -> Result<String> {
    let body = json!({
        "Name": name,
        "TaskTemplate": {
            "ContainerSpec": {"Image": "busybox:latest", "Command": ["sleep", "1000"], "StopGracePeriod": 0},
            "Networks": [{"Target": network}],
            "Placement": {"Constraints": ["node.role==manager"]},
        },
        "Mode": {"Replicated": {"Replicas": 1}},
    });
    let request = http::Request::post("/services/create").body(body.to_string().into());
    let request = request.map_err(|error| failed(error.to_string()))?;
    let created: Value = stage.client().request(request).await?;
    let id = created["ID"].as_str().ok_or_else(|| failed(format!("no id: {created}")))?;
    Ok(id.to_owned())
}

/// Whether a verbose inspection shows the service, ten seconds from now at the latest.
async fn shows(client: &Client, network: &str, service: &str) -> Result<bool> {
    for _ in 0..100 {
        let options = InspectOptions::new().verbose(true);
        let found = client.networks().inspect(network, &options).await?;
        if found.info().services.contains_key(service) {
            return Ok(true);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(false)
}

async fn remove_service(stage: &Stage, id: &str) -> Result<()> {
    let request = http::Request::delete(format!("/services/{id}")).body(bytes::Bytes::new());
    let request = request.map_err(|error| failed(error.to_string()))?;
    let status = stage.client().send(request).await?.status();
    assert!(status.is_success(), "the service cannot be removed: {status}");
    Ok(())
}

/// The node that only works.
fn worker() -> Client {
    lab::nodes().swap_remove(1)
}
