//! Networks and their members, followed as they change.

use std::time::Duration;

use docknet::{Change, Client, EndpointSpec, Network, Result, Watch};

use crate::behaviours;
use crate::stage::{Stage, failed};

behaviours!(
    watch:
    begins_with_all_there_is [Containers],
    tells_a_life_in_order [Containers],
    tells_what_happened_while_nobody_looked [Containers],
    tells_networks_apart [Containers],
    may_be_dropped_at_any_time,
);

/// A watch begins with all there is, each network with the containers that run on it.
pub async fn begins_with_all_there_is(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    let runs = stage.running_on("runs", &network).await?;
    let spec = stage.idle("waits").network(network.name(), EndpointSpec::new());
    stage.create(spec).await?;
    let mut watch = stage.client().networks().watch();
    let first = limited(watch.next()).await?;
    let Some(Ok(Change::Resync(all))) = first else {
        return Err(failed(format!("the first is {first:?}")));
    };
    let ours = all.iter().find(|details| details.network == network);
    let ours = ours.ok_or_else(|| failed("our network is not there"))?;
    assert!(ours.containers == [runs], "on it are {:?}", ours.containers);
    assert!(all.iter().any(|details| details.network.info().is_predefined()), "{all:?}");
    Ok(())
}

/// The life of a network and of a container on it is told step by step, each once and in order.
pub async fn tells_a_life_in_order(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let mut watch = begun(stage.client()).await?;
    let network = stage.network("net").await?;
    expect(&mut watch, &network, "created", None).await?;

    let spec = stage.idle("web").network(network.name(), EndpointSpec::new());
    let container = stage.create(spec).await?;
    let id = Some(container.id().as_str());
    container.start().await?;
    expect(&mut watch, &network, "attached", id).await?;
    container.stop_within(2).await?;
    expect(&mut watch, &network, "detached", id).await?;
    container.start().await?;
    expect(&mut watch, &network, "attached", id).await?;
    network.disconnect(&container).await?;
    expect(&mut watch, &network, "detached", id).await?;
    network.connect(&container, EndpointSpec::new()).await?;
    expect(&mut watch, &network, "attached", id).await?;
    container.clone().remove().await?;
    expect(&mut watch, &network, "detached", id).await?;
    network.clone().remove().await?;
    expect(&mut watch, &network, "removed", None).await
}

/// Steps that nobody waited for are told as well, in their order.
pub async fn tells_what_happened_while_nobody_looked(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let mut watch = begun(stage.client()).await?;
    let container = stage.running("web").await?;
    let network = stage.network("net").await?;
    network.connect(&container, EndpointSpec::new()).await?;
    let id = Some(container.id().as_str());
    expect(&mut watch, &network, "created", None).await?;
    expect(&mut watch, &network, "attached", id).await?;
    network.disconnect(&container).await?;
    network.clone().remove().await?;
    expect(&mut watch, &network, "detached", id).await?;
    expect(&mut watch, &network, "removed", None).await
}

/// A container on two networks is told of on both, and of one at a time when it leaves one.
pub async fn tells_networks_apart(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let (one, two) = (stage.network("one").await?, stage.network("two").await?);
    let container = stage.running_on("web", &one).await?;
    let mut watch = begun(stage.client()).await?;
    let id = Some(container.id().as_str());
    two.connect(&container, EndpointSpec::new()).await?;
    expect(&mut watch, &two, "attached", id).await?;
    one.disconnect(&container).await?;
    expect(&mut watch, &one, "detached", id).await?;
    two.disconnect(&container).await?;
    expect(&mut watch, &two, "detached", id).await
}

/// A watch that is dropped in the middle of waiting leaves the client as it was.
pub async fn may_be_dropped_at_any_time(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    for millis in 0..40 {
        let mut watch = stage.client().networks().watch();
        let limit = Duration::from_micros(250 * millis);
        let first = tokio::time::timeout(limit, watch.next()).await;
        if let Ok(Some(Err(error))) = first {
            return Err(error);
        }
    }
    let mut watch = begun(stage.client()).await?;
    let network = stage.network("net").await?;
    expect(&mut watch, &network, "created", None).await
}

/// A watch after its first `Resync`.
async fn begun(client: &Client) -> Result<Watch> {
    let mut watch = client.networks().watch();
    match limited(watch.next()).await? {
        Some(Ok(Change::Resync(_))) => Ok(watch),
        other => Err(failed(format!("the first is {other:?}"))),
    }
}

/// Demands that the next change of this network is this one.
async fn expect(
    watch: &mut Watch,
    network: &Network,
    step: &str,
    container: Option<&str>,
) -> Result<()> {
    loop {
        let change = limited(watch.next())
            .await
            .map_err(|error| failed(format!("waiting for {step}: {error}")))?;
        let change = change.ok_or_else(|| failed("a watch ended"))??;
        let (kind, id, name, who) = match &change {
            Change::Created(network) => ("created", network.id(), network.name(), None),
            Change::Attached { network, name, container } => {
                ("attached", network, name.as_str(), Some(container.as_str()))
            }
            Change::Detached { network, name, container } => {
                ("detached", network, name.as_str(), Some(container.as_str()))
            }
            Change::Removed { id, name } => ("removed", id, name.as_str(), None),
            other => return Err(failed(format!("waiting for {step}: {other:?}"))),
        };
        if id != network.id() {
            continue;
        }
        assert!(kind == step && who == container, "expected {step} {container:?}: {change:?}");
        assert!(name == network.name(), "the name is {name:?}");
        return Ok(());
    }
}

async fn limited<T>(next: impl Future<Output = T>) -> Result<T> {
    let limit = tokio::time::timeout(Duration::from_secs(15), next);
    limit.await.map_err(|_| failed("no change within fifteen seconds"))
}
