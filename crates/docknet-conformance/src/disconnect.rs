//! Cutting containers off from networks.

use docknet::{Client, EndpointSpec, ErrorKind, Result};

use crate::behaviours;
use crate::expect::refused;
use crate::inside::{addresses, has_address, interfaces, reaches};
use crate::lab::{has_processes, subnet};
use crate::stage::{Stage, host};

behaviours!(
    disconnect:
    takes_the_interface_away [Containers],
    takes_ids_names_and_handles [Containers],
    twice_is_not_connected [Containers],
    forced_does_the_same [Containers],
    network_missing_is_not_found [Containers],
    from_the_default_network [Containers],
    from_the_last_network_and_into_another [Containers],
    from_the_host_network_is_not_connectable [Containers],
    makes_the_network_removable [Containers],
    all_of_them_with_remove_detaching [Containers],
    from_none_and_into_a_network [Containers],
);

/// A container that is cut off has no interface of the network any more, and neither side shows the other.
pub async fn takes_the_interface_away(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let subnet = subnet();
    let mut network = stage.network_on("net", subnet).await?;
    let mut container = stage.running("web").await?;
    let before = interfaces(&container).await?;
    network.connect(&container, EndpointSpec::new()).await?;
    assert!(addresses(&container).await?.len() == 2, "not two addresses");
    network.disconnect(&container).await?;
    let after = interfaces(&container).await?;
    assert!(before == after, "interfaces {before:?} before, {after:?} after");
    network.reload().await?;
    container.reload().await?;
    assert!(network.info().members.is_empty(), "the network shows the container");
    assert!(!container.endpoints().contains_key(network.name()), "the container shows it");
    Ok(())
}

/// A container is cut off by its name, by its id or as a handle.
pub async fn takes_ids_names_and_handles(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let mut network = stage.network("net").await?;
    let container = stage.running("web").await?;
    for by in ["id", "name", "handle"] {
        network.connect(&container, EndpointSpec::new()).await?;
        match by {
            "id" => network.disconnect(container.id()).await?,
            "name" => network.disconnect(container.name()).await?,
            _ => network.disconnect(&container).await?,
        }
        network.reload().await?;
        assert!(network.info().members.is_empty(), "still there by {by}");
    }
    Ok(())
}

/// To cut off a running container that is not on the network is `NotConnected`, the second time too.
pub async fn twice_is_not_connected(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    let container = stage.running("web").await?;
    refused(network.disconnect(&container).await, &[ErrorKind::NotConnected]);
    network.connect(&container, EndpointSpec::new()).await?;
    network.disconnect(&container).await?;
    refused(network.disconnect(&container).await, &[ErrorKind::NotConnected]);
    Ok(())
}

/// Force cuts off as well, and is no way around `NotConnected`.
pub async fn forced_does_the_same(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let subnet = subnet();
    let network = stage.network_on("net", subnet).await?;
    let container = stage.running("web").await?;
    network.connect(&container, EndpointSpec::new().ipv4(host(subnet, 9))).await?;
    network.disconnect_forced(&container).await?;
    assert!(!has_address(&container, host(subnet, 9)).await?, "it still has the address");
    let again = network.disconnect_forced(&container).await;
    refused(again, &[ErrorKind::NotConnected]);
    Ok(())
}

/// To cut off from a network that is gone is `NotFound`.
pub async fn network_missing_is_not_found(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    let container = stage.running("web").await?;
    network.clone().remove().await?;
    refused(network.disconnect(&container).await, &[ErrorKind::NotFound]);
    Ok(())
}

/// A container leaves the engine's default network like any other, and comes back.
pub async fn from_the_default_network(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let default = client.networks().get("bridge").await?;
    let container = stage.running("web").await?;
    default.disconnect(&container).await?;
    let left = interfaces(&container).await?;
    assert!(left.is_empty(), "it still has {left:?}");
    default.connect(&container, EndpointSpec::new()).await?;
    assert!(!addresses(&container).await?.is_empty(), "it is back without an address");
    Ok(())
}

/// A container that was cut off from all of its networks joins another one.
pub async fn from_the_last_network_and_into_another(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let subnet = subnet();
    let (old, new) = (stage.network("old").await?, stage.network_on("new", subnet).await?);
    let mut container = stage.running_on("web", &old).await?;
    old.disconnect(&container).await?;
    container.reload().await?;
    assert!(container.endpoints().is_empty(), "it has {:?}", container.endpoints().keys());
    new.connect(&container, EndpointSpec::new()).await?;
    let found = addresses(&container).await?;
    assert!(found.iter().any(|a| a.addr() == host(subnet, 2)), "it has {found:?}");
    if has_processes() {
        assert!(reaches(&container, host(subnet, 1)).await?, "it does not reach its gateway");
    }
    Ok(())
}

/// A container that uses the host's network cannot be cut off from it.
pub async fn from_the_host_network_is_not_connectable(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let spec = stage.idle("web").network_mode(docknet::NetworkMode::Host);
    let container = stage.run(spec).await?;
    let network = client.networks().get("host").await?;
    refused(network.disconnect(&container).await, &[ErrorKind::NotConnectable]);
    Ok(())
}

/// A network whose last container left can be removed at once.
pub async fn makes_the_network_removable(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    let container = stage.running("web").await?;
    network.connect(&container, EndpointSpec::new()).await?;
    refused(network.clone().remove().await, &[ErrorKind::InUse]);
    network.disconnect(&container).await?;
    network.remove().await
}

/// `remove_detaching` cuts off every container, running or not, and removes the network.
pub async fn all_of_them_with_remove_detaching(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    let runs = stage.running("runs").await?;
    network.connect(&runs, EndpointSpec::new()).await?;
    let stopped = stage.create(stage.idle("stopped")).await?;
    network.connect(&stopped, EndpointSpec::new()).await?;
    let name = network.name().to_owned();
    network.remove_detaching().await?;
    assert!(client.networks().find(&name).await?.is_none(), "it is still there");
    assert!(interfaces(&runs).await?.len() == 1, "the container still has its interface");
    stopped.start().await
}

/// A container that has no network on purpose is cut off from that, and joins another one then.
pub async fn from_none_and_into_a_network(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let subnet = subnet();
    let network = stage.network_on("net", subnet).await?;
    let spec = stage.idle("web").network_mode(docknet::NetworkMode::None);
    let container = stage.run(spec).await?;
    let none = client.networks().get("none").await?;
    none.disconnect(&container).await?;
    network.connect(&container, EndpointSpec::new().ipv4(host(subnet, 9))).await?;
    assert!(has_address(&container, host(subnet, 9)).await?, "it has not its address");
    Ok(())
}
