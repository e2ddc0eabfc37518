//! Networks of a swarm. The client is that of a manager; the second node is a worker.

use std::env;

use docknet::{
    Client, Container, Driver, EndpointSpec, ErrorKind, Filters, InspectOptions, Network,
    NetworkSpec, Pool, Result, Scope,
};
use serde_json::{Value, json};

use crate::inside::{default_gateways, interfaces, reaches, resolve};
use crate::stage::{Stage, check, failed, on_stage, refused, soon, subnet, within};

/// An overlay network belongs to the swarm, and is listed by that scope.
pub async fn an_overlay_belongs_to_the_swarm(client: &Client) -> Result<()> {
    on_stage(client, |stage| async move {
        let network = overlay(&stage, "net", |spec| spec.label("some", "thing")).await?;
        let info = network.info();
        check!(info.driver == Driver::Overlay, "driver {}", info.driver);
        check!(info.scope == Scope::Swarm, "scope {}", info.scope);
        check!(!info.attachable && !info.ingress, "{:?}", network.attrs());
        check!(info.labels.get("some").is_some_and(|value| value == "thing"), "{:?}", info.labels);
        check!(info.undecoded.is_empty(), "not read: {:?}", info.undecoded);
        for (scope, there) in [(Scope::Swarm, true), (Scope::Local, false)] {
            let named = Filters::new().name(network.name()).scope(scope.clone());
            let listed = stage.client().networks().list_with(&named).await?;
            check!(listed.contains(&network) == there, "scope {scope} lists {listed:?}");
            let options = InspectOptions::new().scope(scope.clone());
            let found = stage.client().networks().inspect(network.name(), &options).await;
            match there {
                true => check!(found? == network, "scope {scope} gets another one"),
                false => drop(refused(found, &[ErrorKind::NotFound])?),
            }
        }
        Ok(())
    })
    .await
}

/// A standalone container joins an attachable overlay network, when it is created or later, and leaves it.
pub async fn an_attachable_overlay_takes_containers(client: &Client) -> Result<()> {
    on_stage(client, |stage| async move {
        let network = overlay(&stage, "net", |spec| spec.attachable(true)).await?;
        check!(network.info().attachable, "it is not attachable");
        let created = stage.running_on("created", &network).await?;
        let joined = stage.running("joined").await?;
        let before = interfaces(&joined).await?.len();
        network.connect(&joined, EndpointSpec::new().alias("api")).await?;
        check!(interfaces(&joined).await?.len() > before, "no interface came");
        check!(reaches(&created, "api").await?, "the alias does not answer");
        let mut found = network.containers().await?;
        found.sort_by(|a, b| a.name().cmp(b.name()));
        check!(found == [created, joined.clone()], "on it are {found:?}");
        refused(network.clone().remove().await, &[ErrorKind::InUse])?;
        network.disconnect(&joined).await?;
        check!(interfaces(&joined).await?.len() == before, "the interface stays");
        Ok(())
    })
    .await
}

/// An overlay network that is not attachable takes no standalone container, and so does the ingress network.
pub async fn others_are_not_connectable(client: &Client) -> Result<()> {
    on_stage(client, |stage| async move {
        let network = overlay(&stage, "net", |spec| spec).await?;
        let container = stage.running("web").await?;
        let ingress = ingress(&stage).await?;
        for network in [network, ingress] {
            let connected = network.connect(&container, EndpointSpec::new()).await;
            refused(connected, &[ErrorKind::NotConnectable])?;
        }
        Ok(())
    })
    .await
}

/// A swarm has one ingress network; a second one is refused, and so is an attachable one.
pub async fn there_is_one_ingress_network(client: &Client) -> Result<()> {
    on_stage(client, |stage| async move {
        let there = ingress(&stage).await?;
        check!(there.info().scope == Scope::Swarm, "scope {}", there.info().scope);
        let second = overlay(&stage, "second", |spec| spec.ingress(true)).await;
        let error = refused(second, &[ErrorKind::Conflict])?;
        check!(error.is_conflict(), "{error} is no conflict");
        let attachable = overlay(&stage, "third", |spec| spec.ingress(true).attachable(true)).await;
        refused(attachable, &[ErrorKind::InvalidSpec])?;
        Ok(())
    })
    .await
}

/// A name is taken once in a swarm and on its nodes: by an overlay network for a bridge as well.
pub async fn names_are_taken_across_scopes(client: &Client) -> Result<()> {
    on_stage(client, |stage| async move {
        overlay(&stage, "net", |spec| spec).await?;
        refused(overlay(&stage, "net", |spec| spec).await, &[ErrorKind::NameTaken])?;
        refused(stage.network("net").await, &[ErrorKind::NameTaken])?;
        Ok(())
    })
    .await
}

/// The name of a swarm's network is a label of DNS.
pub async fn names_are_dns_labels(client: &Client) -> Result<()> {
    on_stage(client, |stage| async move {
        for what in ["a.b", "a b", &"x".repeat(64)] {
            let made = overlay(&stage, what, |spec| spec).await;
            refused(made, &[ErrorKind::InvalidSpec])?;
        }
        Ok(())
    })
    .await
}

/// An internal overlay network gives its containers no way out.
pub async fn an_internal_overlay_has_no_way_out(client: &Client) -> Result<()> {
    on_stage(client, |stage| async move {
        let network = overlay(&stage, "net", |spec| spec.attachable(true).internal(true)).await?;
        let container = stage.running_on("web", &network).await?;
        let gateways = default_gateways(&container).await?;
        check!(gateways.is_empty(), "gateways {gateways:?}");
        Ok(())
    })
    .await
}

/// A service's network shows it to a verbose inspection, and cannot be removed before it.
pub async fn a_service_shows_and_keeps_its_network(client: &Client) -> Result<()> {
    on_stage(client, |stage| async move {
        let network = overlay(&stage, "net", |spec| spec).await?;
        let name = stage.name("service");
        let service = create_service(&stage, &name, network.id().as_str()).await?;
        let outcome = async {
            soon("the service shows", async || {
                let options = InspectOptions::new().verbose(true);
                let found = stage.client().networks().inspect(network.name(), &options).await?;
                Ok(found.info().services.contains_key(&name))
            })
            .await?;
            let plain = stage.client().networks().get(network.name()).await?;
            check!(plain.info().services.is_empty(), "shown without being asked for");
            refused(network.clone().remove().await, &[ErrorKind::InUse])?;
            Ok(())
        };
        let outcome = outcome.await;
        stage.post("DELETE", &format!("/services/{service}")).await?;
        soon("the network can go", async || match network.clone().remove().await {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::InUse => Ok(false),
            Err(error) if error.is_not_found() => Ok(true),
            Err(error) => Err(error),
        })
        .await?;
        outcome
    })
    .await
}

/// A container on one node reaches one on the other by its name, over an attachable overlay network.
pub async fn nodes_reach_each_other_by_name(client: &Client) -> Result<()> {
    let worker = worker()?;
    on_stage(client, |here| async move {
        on_stage(&worker, |there| async move {
            let network = overlay(&here, "net", |spec| spec.attachable(true)).await?;
            let near = here.running_on("near", &network).await?;
            let far = there.running_on("far", &network).await?;
            for (from, to) in [(&near, &far), (&far, &near)] {
                meets(from, to).await?;
            }
            let found = network.containers().await?;
            check!(found == [near], "this node's containers are {found:?}");
            let remote = there.client().networks().get(network.name()).await?;
            check!(remote == network, "the other node has another one");
            let found = remote.containers().await?;
            check!(found == [far], "the other node's containers are {found:?}");
            Ok(())
        })
        .await
    })
    .await
}

/// A node that does not manage the swarm cannot make its networks.
pub async fn a_worker_makes_no_overlay(client: &Client) -> Result<()> {
    client.ping().await?;
    on_stage(&worker()?, |stage| async move {
        let spec = stage.spec("net").driver(Driver::Overlay);
        refused(stage.client().networks().create(spec).await, &[ErrorKind::NoSwarm])?;
        Ok(())
    })
    .await
}

/// A watch on a worker tells of an overlay network when the first container there joins it.
pub async fn a_workers_watch_tells_of_what_comes_to_it(client: &Client) -> Result<()> {
    let worker = worker()?;
    on_stage(client, |here| async move {
        on_stage(&worker, |there| async move {
            let mut watch = there.client().networks().watch();
            let first = watch.next().await;
            check!(matches!(first, Some(Ok(docknet::Change::Resync(_)))), "{first:?}");
            let network = overlay(&here, "net", |spec| spec.attachable(true)).await?;
            let far = there.running_on("far", &network).await?;
            let told = tokio::time::timeout(std::time::Duration::from_secs(15), async {
                let mut created = false;
                while let Some(change) = watch.next().await {
                    match change? {
                        docknet::Change::Created(new) => created |= new == network,
                        docknet::Change::Attached { network: id, container, .. }
                            if id == *network.id() =>
                        {
                            check!(created, "a container on a network that was not told of");
                            check!(container == *far.id(), "{container} joined");
                            return Ok(());
                        }
                        _ => {}
                    }
                }
                Err(failed("the watch ended"))
            });
            told.await.map_err(|_| failed("not told within fifteen seconds"))?
        })
        .await
    })
    .await
}

/// Where there is no swarm, no network of one can be made.
pub async fn without_one_there_is_no_swarm(client: &Client) -> Result<()> {
    on_stage(client, |stage| async move {
        let spec = stage.spec("net").driver(Driver::Overlay).attachable(true);
        refused(stage.client().networks().create(spec).await, &[ErrorKind::NoSwarm])?;
        Ok(())
    })
    .await
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

/// The worker among the engines that the environment names.
fn worker() -> Result<Client> {
    let engines = env::var("DOCKNET_ENGINES").unwrap_or_default();
    let host = engines.split(',').find_map(|engine| engine.strip_prefix("swarm2="));
    Client::connect(host.ok_or_else(|| failed("DOCKNET_ENGINES names no swarm2"))?)
}
