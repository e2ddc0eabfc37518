//! Removing networks.

use docknet::{Client, Container, ErrorKind, Network, Pool, Result};

use crate::expect::refused;
use crate::{behaviours, lab};

/// The network is not there.
async fn is_gone(client: &Client, network: &Network) -> Result<()> {
    assert_eq!(client.networks().find(network.id().as_str()).await?, None);
    let list = client.networks().list().await?;
    assert!(!list.contains(network), "{network:?} is still listed");
    Ok(())
}

/// The network is in use, cannot be removed by its handle, name or id, and is there afterwards.
async fn is_in_use(client: &Client, network: &Network, user: &Container) -> Result<()> {
    let networks = client.networks();
    let error = refused(networks.remove(network.name()).await, &[ErrorKind::InUse]);
    assert!(error.is_conflict(), "{error}");
    refused(networks.remove(network.id().as_str()).await, &[ErrorKind::InUse]);
    refused(network.clone().remove().await, &[ErrorKind::InUse]);
    let there = networks.get(network.name()).await?;
    assert_eq!(
        (&there, there.info().members.contains_key(user.id())),
        (network, user.info().is_running())
    );
    Ok(())
}

/// A network is removed by its handle, by its name, by its id and by the beginning of its id.
pub async fn by_handle_name_and_id(client: &Client) -> Result<()> {
    let networks = client.networks();
    let make = || lab::network(client, |spec| spec);
    let (one, two, three, four) = (make().await?, make().await?, make().await?, make().await?);
    one.clone().remove().await?;
    is_gone(client, &one).await?;
    networks.remove(two.name()).await?;
    is_gone(client, &two).await?;
    networks.remove(three.id().as_str()).await?;
    is_gone(client, &three).await?;
    networks.remove(four.short_id()).await?;
    is_gone(client, &four).await
}

/// To remove what is not there is refused as not found, and so is to remove it twice.
pub async fn missing_is_not_found(client: &Client) -> Result<()> {
    refused(client.networks().remove(&lab::name("nowhere")).await, &[ErrorKind::NotFound]);
    let network = lab::network(client, |spec| spec).await?;
    client.networks().remove(network.name()).await?;
    refused(client.networks().remove(network.name()).await, &[ErrorKind::NotFound]);
    Ok(())
}

/// The name is free again at once.
pub async fn a_name_is_free_again(client: &Client) -> Result<()> {
    let spec = lab::spec("again").pool(Pool::new(lab::subnet().into()));
    let first = client.networks().create(&spec).await?;
    client.networks().remove(&spec.name).await?;
    let second = client.networks().create(&spec).await?;
    assert_ne!(first.id(), second.id());
    Ok(())
}

/// A network that a running container uses is not removed.
pub async fn in_use_by_a_running_container(client: &Client) -> Result<()> {
    let network = lab::network(client, |spec| spec).await?;
    let container = lab::running(client, &[&network]).await?;
    is_in_use(client, &network, &container).await
}

/// A network that a paused container uses is not removed.
pub async fn in_use_by_a_paused_container(client: &Client) -> Result<()> {
    let network = lab::network(client, |spec| spec).await?;
    let container = lab::paused(client, &[&network]).await?;
    is_in_use(client, &network, &container).await
}

/// A network that a stopped container needs to start again is not removed.
pub async fn in_use_by_a_stopped_container(client: &Client) -> Result<()> {
    let network = lab::network(client, |spec| spec).await?;
    let container = lab::exited(client, &[&network]).await?;
    is_in_use(client, &network, &container).await
}

/// A network is removed once its last container is gone.
pub async fn after_its_last_container(client: &Client) -> Result<()> {
    let network = lab::network(client, |spec| spec).await?;
    let container = lab::running(client, &[&network]).await?;
    lab::kill(client, &container).await?;
    container.remove().await?;
    network.clone().remove().await?;
    is_gone(client, &network).await
}

/// The engine's own networks are not removed.
pub async fn predefined_networks_stay(client: &Client) -> Result<()> {
    let list = client.networks().list().await?;
    let own: Vec<_> = list.iter().filter(|network| network.info().is_predefined()).collect();
    assert!(!own.is_empty(), "{list:?}");
    for network in own {
        refused(client.networks().remove(network.name()).await, &[ErrorKind::Predefined]);
        refused(network.clone().remove_detaching().await, &[ErrorKind::Predefined]);
    }
    let after = client.networks().list().await?;
    assert!(
        list.iter()
            .filter(|network| network.info().is_predefined())
            .all(|network| after.contains(network))
    );
    Ok(())
}

/// `remove_detaching` of a network of the engine's own is refused, and disconnects nobody.
pub async fn detaching_a_predefined_network_disconnects_nobody(client: &Client) -> Result<()> {
    let mut container = lab::running(client, &[]).await?;
    let default = client.networks().get("bridge").await?;
    refused(default.remove_detaching().await, &[ErrorKind::Predefined]);
    container.reload().await?;
    assert_eq!(container.endpoints().len(), 1, "it has {:?}", container.endpoints().keys());
    Ok(())
}

/// `remove_detaching` disconnects containers that run, that ended and that never ran, removes the network, and leaves the
/// containers as they were: those that do not run can be started.
pub async fn detaching_disconnects_everybody(client: &Client) -> Result<()> {
    let network = lab::network(client, |spec| spec).await?;
    let stays = lab::network(client, |spec| spec).await?;
    let both = [&stays, &network];
    let (running, exited, created) = (
        lab::running(client, &both).await?,
        lab::exited(client, &both).await?,
        lab::created(client, &both).await?,
    );
    network.clone().remove_detaching().await?;
    is_gone(client, &network).await?;
    for container in [&running, &exited, &created] {
        is_only_on(client, container, &stays).await?;
    }
    exited.start().await?;
    created.start().await
}

/// `remove_detaching` disconnects containers that are halted, too.
pub async fn detaching_disconnects_the_paused(client: &Client) -> Result<()> {
    let network = lab::network(client, |spec| spec).await?;
    let stays = lab::network(client, |spec| spec).await?;
    let paused = lab::paused(client, &[&stays, &network]).await?;
    network.clone().remove_detaching().await?;
    is_gone(client, &network).await?;
    is_only_on(client, &paused, &stays).await?;
    lab::unpause(client, &paused).await
}

/// A container that does not run is started when the network that it was made for is gone, and it has another.
pub async fn a_container_outlives_its_first_network(client: &Client) -> Result<()> {
    let network = lab::network(client, |spec| spec).await?;
    let stays = lab::network(client, |spec| spec).await?;
    let exited = lab::exited(client, &[&network, &stays]).await?;
    network.remove_detaching().await?;
    exited.start().await?;
    is_only_on(client, &exited, &stays).await
}

/// The container is on this network alone, and does what it did.
async fn is_only_on(client: &Client, container: &Container, network: &Network) -> Result<()> {
    let now = client.containers().get(container.id().as_str()).await?;
    let networks: Vec<_> = now.endpoints().keys().map(String::as_str).collect();
    assert_eq!(networks, [network.name()], "{:?}", container.status());
    Ok(())
}

/// `remove_detaching` removes what nobody uses, too.
pub async fn detaching_takes_what_nobody_uses(client: &Client) -> Result<()> {
    let network = lab::network(client, |spec| spec).await?;
    network.clone().remove_detaching().await?;
    is_gone(client, &network).await
}

/// Force removes no network that a running container uses.
pub async fn force_is_no_way_around_use(client: &Client) -> Result<()> {
    let network = lab::network(client, |spec| spec).await?;
    lab::running(client, &[&network]).await?;
    let target = format!("/networks/{}?force=1", network.name());
    let answer = lab::exchange(client, "DELETE", &target, "").await?;
    assert!(answer.status == 403, "it was answered {} {}", answer.status, answer.message);
    client.networks().get(network.name()).await?;
    Ok(())
}

behaviours!(remove:
    by_handle_name_and_id,
    missing_is_not_found,
    a_name_is_free_again,
    in_use_by_a_running_container [Containers],
    in_use_by_a_paused_container [Containers],
    in_use_by_a_stopped_container [Containers],
    after_its_last_container [Containers],
    predefined_networks_stay,
    detaching_a_predefined_network_disconnects_nobody [Containers],
    detaching_disconnects_everybody [Containers],
    detaching_disconnects_the_paused [Containers, Exclusive],
    a_container_outlives_its_first_network [Containers],
    detaching_takes_what_nobody_uses,
    force_is_no_way_around_use [Containers],
);
