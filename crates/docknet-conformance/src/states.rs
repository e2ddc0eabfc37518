//! Connecting containers that do not run, and what a stop and a start leave of a connection.

use docknet::{Client, Container, EndpointSpec, ErrorKind, MacAddr, Network, Result};

use crate::behaviours;
use crate::expect::refused;
use crate::inside::{addresses, has_address, macs, resolve};
use crate::lab::{exchange, pause, subnet, unpause};
use crate::stage::{Stage, host};

behaviours!(
    states:
    a_created_container_joins_when_it_starts [Containers],
    an_exited_container_joins_when_it_starts [Containers],
    a_paused_container_is_connected [Containers],
    a_restart_keeps_what_was_asked_for [Containers],
    a_restart_keeps_the_hardware_address [Containers],
    a_stopped_container_is_no_member [Containers],
    a_stopped_container_is_disconnected [Containers],
    a_stopped_container_that_is_not_there_is_not_connected [Containers],
    a_start_without_its_network_is_not_found [Containers],
    a_start_with_a_taken_address_is_refused [Containers],
    a_new_network_of_the_name_is_another_one [Containers],
    what_does_not_run_shows_what_it_asked_for [Containers],
    a_rename_is_followed [Containers],
);

/// A container that was never started gets its connection when it starts.
pub async fn a_created_container_joins_when_it_starts(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let subnet = subnet();
    let mut network = stage.network_on("net", subnet).await?;
    let container = stage.create(stage.idle("web")).await?;
    network.connect(&container, EndpointSpec::new().ipv4(host(subnet, 9))).await?;
    network.reload().await?;
    assert!(network.info().members.is_empty(), "a member that does not run");
    container.start().await?;
    network.reload().await?;
    assert!(network.info().members.contains_key(container.id()), "it runs, and is no member");
    assert!(has_address(&container, host(subnet, 9)).await?, "it has not its address");
    Ok(())
}

/// A container that has ended gets its connection when it starts again.
pub async fn an_exited_container_joins_when_it_starts(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let subnet = subnet();
    let network = stage.network_on("net", subnet).await?;
    let container = stage.running("web").await?;
    container.stop_within(2).await?;
    network.connect(&container, EndpointSpec::new().ipv4(host(subnet, 9))).await?;
    container.start().await?;
    assert!(has_address(&container, host(subnet, 9)).await?, "it has not its address");
    Ok(())
}

/// A paused container is connected at once, and has the interface when it goes on.
pub async fn a_paused_container_is_connected(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let subnet = subnet();
    let mut network = stage.network_on("net", subnet).await?;
    let container = stage.running("web").await?;
    pause(client, &container).await?;
    let connected = network.connect(&container, EndpointSpec::new().ipv4(host(subnet, 9))).await;
    unpause(client, &container).await?;
    connected?;
    network.reload().await?;
    assert!(network.info().members.contains_key(container.id()), "it is no member");
    assert!(has_address(&container, host(subnet, 9)).await?, "it has not its address");
    Ok(())
}

/// An address, a name and a hardware address that were asked for are there again after a restart.
pub async fn a_restart_keeps_what_was_asked_for(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let subnet = subnet();
    let network = stage.network_on("net", subnet).await?;
    let container = stage.running("web").await?;
    let endpoint = EndpointSpec::new().ipv4(host(subnet, 99)).alias("api");
    network.connect(&container, endpoint).await?;
    restart(&container).await?;
    assert!(has_address(&container, host(subnet, 99)).await?, "it has not its address");
    let other = stage.running_on("other", &network).await?;
    let found = resolve(&other, "api").await?;
    assert!(found == [host(subnet, 99)], "its alias is {found:?}");
    Ok(())
}

/// A hardware address given at creation stays the same through a restart.
pub async fn a_restart_keeps_the_hardware_address(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    let mac = MacAddr::new([2, 0x42, 0xac, 0x10, 7, 9]);
    let endpoint = EndpointSpec::new().mac(mac);
    let container = stage.run(stage.idle("web").network(network.name(), endpoint)).await?;
    restart(&container).await?;
    let now = macs(&container).await?;
    assert!(now.contains(&mac), "it has {now:?}");
    Ok(())
}

/// A container that is stopped leaves the network's members, and its automatic address is free for others.
pub async fn a_stopped_container_is_no_member(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let subnet = subnet();
    let mut network = stage.network_on("net", subnet).await?;
    let container = stage.running_on("web", &network).await?;
    let had = addresses(&container).await?;
    let Some(had) = had.iter().find_map(|address| match address {
        docknet::IpNet::V4(v4) if subnet.contains(&v4.addr()) => Some(v4.addr()),
        _ => None,
    }) else {
        return Err(crate::stage::failed(format!("no address of {subnet} in {had:?}")));
    };
    container.stop_within(2).await?;
    network.reload().await?;
    assert!(network.info().members.is_empty(), "a stopped member");
    let other = stage.running("other").await?;
    network.connect(&other, EndpointSpec::new().ipv4(had)).await?;
    assert!(has_address(&other, had).await?, "the address is not free");
    container.start().await?;
    assert!(!has_address(&container, had).await?, "two containers have the address");
    Ok(())
}

/// A container that is stopped can be cut off, and starts without the network.
pub async fn a_stopped_container_is_disconnected(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let (subnet, network, mut container) = connected(&stage).await?;
    container.stop_within(2).await?;
    network.disconnect(&container).await?;
    container.start().await?;
    container.reload().await?;
    assert!(!has_address(&container, host(subnet, 9)).await?, "it still has the address");
    assert!(!container.endpoints().contains_key(network.name()), "it still shows the network");
    Ok(())
}

/// To cut off a stopped container that is not on the network is `NotConnected`.
pub async fn a_stopped_container_that_is_not_there_is_not_connected(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    let container = stage.create(stage.idle("web")).await?;
    refused(network.disconnect(&container).await, &[ErrorKind::NotConnected]);
    Ok(())
}

/// A container cannot start while its network is gone, and nothing else is put in its place.
pub async fn a_start_without_its_network_is_not_found(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    let spec = stage.idle("web").network(network.name(), EndpointSpec::new());
    let container = stage.create(spec).await?;
    if stage.is_podman().await? {
        // It keeps a network that a stopped container needs.
        refused(network.remove().await, &[ErrorKind::InUse]);
        return Ok(());
    }
    network.remove().await?;
    refused(container.start().await, &[ErrorKind::NotFound]);
    Ok(())
}

/// A container whose static address was taken while it was stopped does not start with another one.
pub async fn a_start_with_a_taken_address_is_refused(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let (subnet, network, container) = connected(&stage).await?;
    container.stop_within(2).await?;
    let thief = stage.running("thief").await?;
    network.connect(&thief, EndpointSpec::new().ipv4(host(subnet, 9))).await?;
    refused(container.start().await, &[ErrorKind::AddressInUse]);
    assert!(has_address(&thief, host(subnet, 9)).await?, "the other one lost the address");
    Ok(())
}

/// A container that ran on a network does not start on another one that came to have the name.
pub async fn a_new_network_of_the_name_is_another_one(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    let container = stage.running_on("web", &network).await?;
    container.stop_within(2).await?;
    if stage.is_podman().await? {
        // It keeps a network that a stopped container needs.
        refused(network.remove().await, &[ErrorKind::InUse]);
        return Ok(());
    }
    network.remove().await?;
    let mut other = stage.network("net").await?;
    refused(container.start().await, &[ErrorKind::NotFound]);
    other.reload().await?;
    assert!(other.info().members.is_empty(), "it joined the new one");
    Ok(())
}

/// The connection of a container that does not run shows what was asked for, and nothing that it has not yet.
pub async fn what_does_not_run_shows_what_it_asked_for(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let subnet = subnet();
    let network = stage.network_on("net", subnet).await?;
    let mut container = stage.create(stage.idle("web")).await?;
    let asked = EndpointSpec::new().ipv4(host(subnet, 9)).alias("api");
    network.connect(&container, asked).await?;
    container.reload().await?;
    let shown = container.endpoints().get(network.name()).cloned().unwrap_or_default();
    assert!(shown.asked.ipv4 == Some(host(subnet, 9)), "it asks for {:?}", shown.asked.ipv4);
    assert!(shown.aliases().iter().any(|alias| alias == "api"), "{:?}", shown.aliases());
    assert!(!shown.is_up() && shown.endpoint_id.is_empty(), "it has something: {shown:?}");
    assert!(shown.gateway.is_none() && shown.mac().is_none(), "it has something: {shown:?}");
    Ok(())
}

/// A container that is renamed has the new name on its networks, and among the names it is found by.
pub async fn a_rename_is_followed(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let mut network = stage.network("net").await?;
    let mut container = stage.running_on("web", &network).await?;
    let (old, new) = (container.name().to_owned(), stage.name("other"));
    let target = format!("/containers/{old}/rename?name={new}");
    let answer = exchange(client, "POST", &target, "").await?;
    assert!(answer.status == 204, "{} {}", answer.status, answer.message);
    container.reload().await?;
    network.reload().await?;
    assert!(container.name() == new, "it is called {:?}", container.name());
    let member = network.info().members.get(container.id()).map(|member| member.name.clone());
    assert!(member.as_deref() == Some(&new), "its member is called {member:?}");
    let names = &container.endpoints()[network.name()].dns_names;
    if !names.is_empty() {
        assert!(names.contains(&new) && !names.contains(&old), "it is found by {names:?}");
    }
    Ok(())
}

/// A container with the address 9 of a network.
async fn connected(stage: &Stage) -> Result<(docknet::Ipv4Net, Network, Container)> {
    let subnet = subnet();
    let network = stage.network_on("net", subnet).await?;
    let container = stage.running("web").await?;
    network.connect(&container, EndpointSpec::new().ipv4(host(subnet, 9))).await?;
    Ok((subnet, network, container))
}

async fn restart(container: &Container) -> Result<()> {
    container.stop_within(2).await?;
    container.start().await
}
