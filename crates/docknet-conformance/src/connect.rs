//! Connecting containers to networks, and cutting them off again.

use docknet::{Client, Container, EndpointSpec, ErrorKind, Network, NetworkMode, Result};

use crate::behaviours;
use crate::expect::refused;
use crate::inside::{addresses, default_gateways, has_address, interfaces, resolve, shell};
use crate::lab::{has_processes, subnet};
use crate::stage::{Stage, failed, host};

behaviours!(
    connect:
    takes_ids_names_and_handles [Containers],
    both_sides_tell_the_same [Containers],
    aliases_resolve [Containers],
    links_resolve_or_are_refused [Containers],
    gateway_priority_is_honoured_or_refused [Containers],
    sysctls_are_set_or_refused [Containers],
    interface_names_are_given_or_refused [Containers],
    again_is_already_connected [Containers],
    network_missing_is_not_found [Containers],
    network_missing_for_a_stopped_one_is_not_found [Containers],
    container_missing_is_not_found,
    to_the_host_network_is_not_connectable [Containers],
    to_the_none_network_is_not_connectable [Containers],
    from_host_mode_is_not_connectable [Containers],
    from_container_mode_is_not_connectable [Containers],
    from_none_mode_is_not_connectable [Containers],
    a_refused_connection_leaves_nothing [Containers, Exclusive],
    names_are_the_containers_its_aliases_and_the_short_id [Containers],
    a_refused_connection_lets_it_start_again [Containers, Exclusive],
);

/// A container is connected by its id, by its name or as a handle, and has an interface more each time.
pub async fn takes_ids_names_and_handles(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let container = stage.running("web").await?;
    let before = interfaces(&container).await?.len();
    for (count, by) in ["id", "name", "handle"].into_iter().enumerate() {
        let network = stage.network(by).await?;
        match by {
            "id" => network.connect(container.id(), EndpointSpec::new()).await?,
            "name" => network.connect(container.name(), EndpointSpec::new()).await?,
            _ => network.connect(&container, EndpointSpec::new()).await?,
        }
        let now = interfaces(&container).await?.len();
        assert!(now == before + count + 1, "{now} interfaces by {by}, {before} before all");
    }
    Ok(())
}

/// What the network and the container say of a connection is what the container has inside.
pub async fn both_sides_tell_the_same(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let mut network = stage.network("net").await?;
    let mut container = stage.running("web").await?;
    network.connect(&container, EndpointSpec::new()).await?;
    network.reload().await?;
    container.reload().await?;
    let member = network.info().members.get(container.id()).cloned();
    let member = member.ok_or_else(|| failed("the network does not show the container"))?;
    let endpoint = container.endpoints().get(network.name());
    let endpoint = endpoint.ok_or_else(|| failed("the container does not show the network"))?;
    assert!(member.name == container.name(), "a member called {:?}", member.name);
    assert!(member.ipv4.is_some(), "no address: {member:?}");
    assert!(member.ipv4 == endpoint.ipv4(), "{:?} and {:?}", member.ipv4, endpoint.ipv4());
    assert!(member.mac == endpoint.mac(), "{:?} and {:?}", member.mac, endpoint.mac());
    assert!(endpoint.network_id == *network.id(), "network id {}", endpoint.network_id);
    let ours = addresses(&container).await?;
    assert!(
        member.ipv4.is_some_and(|ip| ours.contains(&ip.into())),
        "{:?} is none of {ours:?}",
        member.ipv4
    );
    Ok(())
}

/// Another container of the network finds this one by every alias it asked for.
pub async fn aliases_resolve(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let subnet = subnet();
    let network = stage.network_on("net", subnet).await?;
    let (web, other) = (stage.running("web").await?, stage.running("other").await?);
    let ip = host(subnet, 77);
    let endpoint = EndpointSpec::new().alias("api").alias("front.example").ipv4(ip);
    network.connect(&web, endpoint).await?;
    network.connect(&other, EndpointSpec::new()).await?;
    for alias in ["api", "front.example"] {
        let found = resolve(&other, alias).await?;
        assert!(found == [ip], "{alias} is {found:?}, and it should be {ip}");
    }
    Ok(())
}

/// A link gives one container a name for another; an engine that has none refuses it before anything is sent.
pub async fn links_resolve_or_are_refused(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    let database = stage.running_on("db", &network).await?;
    let web = stage.running("web").await?;
    let linked = network.connect(&web, EndpointSpec::new().link(database.name(), "store")).await;
    if stage.is_podman().await? {
        refused(linked, &[ErrorKind::UnsupportedApi]);
        return Ok(());
    }
    linked?;
    let found = resolve(&web, "store").await?;
    assert!(!found.is_empty(), "the link's name does not resolve");
    assert!(found == resolve(&web, database.name()).await?, "the link leads elsewhere");
    let outside = stage.running_on("out", &network).await?;
    let found = resolve(&outside, "store").await?;
    assert!(found.is_empty(), "the link's name is {found:?} for all");
    Ok(())
}

/// The network with the highest priority has the default route; an engine that knows none refuses it.
pub async fn gateway_priority_is_honoured_or_refused(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let (first, second) = (subnet(), subnet());
    let (a, b) = (stage.network_on("a", first).await?, stage.network_on("b", second).await?);
    let container = stage.running_on("web", &a).await?;
    let connected = b.connect(&container, EndpointSpec::new().gateway_priority(100)).await;
    let engine = client.engine().await?;
    if engine.version < docknet::ApiVersion::new(1, 48) || stage.is_podman().await? {
        refused(connected, &[ErrorKind::UnsupportedApi]);
        assert!(!has_address(&container, host(second, 2)).await?, "it was sent all the same");
        return Ok(());
    }
    connected?;
    let mut shown = container.clone();
    shown.reload().await?;
    let priorities: Vec<_> =
        shown.endpoints().values().map(|endpoint| endpoint.asked.gateway_priority).collect();
    assert!(priorities == [Some(0), Some(100)], "it shows {priorities:?}");
    if !has_processes() {
        return Ok(());
    }
    let gateways = default_gateways(&container).await?;
    assert!(gateways == [host(second, 1)], "the default route leads to {gateways:?}");
    b.disconnect(&container).await?;
    let gateways = default_gateways(&container).await?;
    assert!(gateways == [host(first, 1)], "after the cut it leads to {gateways:?}");
    Ok(())
}

/// An interface gets the sysctl that it was asked to have; an engine that knows none refuses it.
pub async fn sysctls_are_set_or_refused(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    let container = stage.running("web").await?;
    let sysctl = ("com.docker.network.endpoint.sysctls", "net.ipv4.conf.IFNAME.log_martians=1");
    let connected =
        network.connect(&container, EndpointSpec::new().driver_opt(sysctl.0, sysctl.1)).await;
    let engine = client.engine().await?;
    if engine.version < docknet::ApiVersion::new(1, 46) || stage.is_podman().await? {
        refused(connected, &[ErrorKind::UnsupportedApi]);
        return Ok(());
    }
    connected?;
    shows_option(&container, &network, sysctl).await?;
    if !has_processes() {
        return Ok(());
    }
    let values = shell(&container, "cat /proc/sys/net/ipv4/conf/eth*/log_martians").await?;
    let set = values.split_whitespace().filter(|value| *value == "1").count();
    assert!(set == 1, "log_martians of the interfaces: {values:?}");
    Ok(())
}

/// An interface gets the name that it was asked to have; an engine that cannot do it refuses it.
pub async fn interface_names_are_given_or_refused(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    let container = stage.running("web").await?;
    let name = ("com.docker.network.endpoint.ifname", "lan0");
    let connected =
        network.connect(&container, EndpointSpec::new().driver_opt(name.0, name.1)).await;
    let engine = client.engine().await?;
    if engine.version < docknet::ApiVersion::new(1, 48) || stage.is_podman().await? {
        refused(connected, &[ErrorKind::UnsupportedApi]);
        return Ok(());
    }
    connected?;
    shows_option(&container, &network, name).await?;
    if !has_processes() {
        return Ok(());
    }
    let names = interfaces(&container).await?;
    assert!(names.iter().any(|name| name == "lan0"), "interfaces {names:?}");
    Ok(())
}

async fn shows_option(
    container: &Container,
    network: &Network,
    (key, value): (&str, &str),
) -> Result<()> {
    let mut shown = container.clone();
    shown.reload().await?;
    let options = &shown.endpoints()[network.name()].asked.driver_opts;
    assert!(options.get(key).is_some_and(|shown| shown == value), "it shows {options:?}");
    Ok(())
}

/// Connecting a running container again is refused, and changes nothing.
pub async fn again_is_already_connected(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    let container = stage.running_on("web", &network).await?;
    let before = addresses(&container).await?;
    let again = network.connect(&container, EndpointSpec::new()).await;
    let error = refused(again, &[ErrorKind::AlreadyConnected]);
    assert!(error.is_conflict(), "{error} is no conflict");
    let after = addresses(&container).await?;
    assert!(before == after, "{before:?} before, {after:?} after");
    Ok(())
}

/// To connect to a network that is gone is `NotFound`.
pub async fn network_missing_is_not_found(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    let container = stage.running("web").await?;
    network.clone().remove().await?;
    let connected = network.connect(&container, EndpointSpec::new()).await;
    refused(connected, &[ErrorKind::NotFound]);
    Ok(())
}

/// To connect a stopped container to a network that is gone is `NotFound`.
pub async fn network_missing_for_a_stopped_one_is_not_found(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    let container = stage.create(stage.idle("web")).await?;
    network.clone().remove().await?;
    let connected = network.connect(&container, EndpointSpec::new()).await;
    refused(connected, &[ErrorKind::NotFound]);
    Ok(())
}

/// To connect or disconnect a container that is not there is `NotFound`.
pub async fn container_missing_is_not_found(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    let nobody = stage.name("nobody");
    refused(network.connect(&nobody, EndpointSpec::new()).await, &[ErrorKind::NotFound]);
    refused(network.disconnect(&nobody).await, &[ErrorKind::NotFound]);
    refused(network.disconnect_forced(&nobody).await, &[ErrorKind::NotFound]);
    Ok(())
}

/// A container that has a network of its own cannot be connected to the host's.
pub async fn to_the_host_network_is_not_connectable(client: &Client) -> Result<()> {
    to_predefined(client, "host").await
}

/// A container that has a network cannot be connected to the one that is none.
pub async fn to_the_none_network_is_not_connectable(client: &Client) -> Result<()> {
    to_predefined(client, "none").await
}

async fn to_predefined(client: &Client, name: &'static str) -> Result<()> {
    let stage = Stage::new(client);
    let container = stage.running("web").await?;
    let network = client.networks().get(name).await?;
    let connected = network.connect(&container, EndpointSpec::new()).await;
    refused(connected, &[ErrorKind::NotConnectable]);
    Ok(())
}

/// A container that uses the host's network can be connected to no other.
pub async fn from_host_mode_is_not_connectable(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    let spec = stage.idle("web").network_mode(NetworkMode::Host);
    let container = stage.run(spec).await?;
    let connected = network.connect(&container, EndpointSpec::new()).await;
    refused(connected, &[ErrorKind::NotConnectable]);
    Ok(())
}

/// A container that shares the network of another one can be connected to no other.
pub async fn from_container_mode_is_not_connectable(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    let first = stage.running("web").await?;
    let mode = NetworkMode::Container(first.id().to_string());
    let second = stage.run(stage.idle("side").network_mode(mode)).await?;
    let connected = network.connect(&second, EndpointSpec::new()).await;
    refused(connected, &[ErrorKind::NotConnectable]);
    Ok(())
}

/// A container that has no network on purpose can be connected to none.
pub async fn from_none_mode_is_not_connectable(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    let spec = stage.idle("web").network_mode(NetworkMode::None);
    let container = stage.run(spec).await?;
    let connected = network.connect(&container, EndpointSpec::new()).await;
    refused(connected, &[ErrorKind::NotConnectable]);
    let names = interfaces(&container).await?;
    assert!(names.is_empty(), "it has {names:?}");
    Ok(())
}

/// A connection that is refused leaves nothing of the network in the container.
pub async fn a_refused_connection_leaves_nothing(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let subnet = subnet();
    let network = stage.network_on("net", subnet).await?;
    let taken = host(subnet, 9);
    let first = stage.idle("first").network(network.name(), EndpointSpec::new().ipv4(taken));
    stage.run(first).await?;
    let mut second = stage.running("second").await?;
    let connected = network.connect(&second, EndpointSpec::new().ipv4(taken)).await;
    assert!(connected.is_err(), "the address is taken, and it worked");
    let shown = second.reload().await;
    assert!(shown.is_ok(), "the container cannot be inspected any more: {shown:?}");
    let networks: Vec<_> = second.endpoints().keys().collect();
    assert!(
        networks.iter().all(|name| *name != network.name()),
        "the container shows {networks:?}"
    );
    Ok(())
}

/// The names by which a container is found on a network are its own, its aliases and its short id, each once.
pub async fn names_are_the_containers_its_aliases_and_the_short_id(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    let mut container = stage.running("web").await?;
    let name = container.name().to_owned();
    let endpoint = EndpointSpec::new().alias("api").alias(&name).alias("api").alias("front");
    network.connect(&container, endpoint).await?;
    container.reload().await?;
    let found = &container.endpoints()[network.name()].dns_names;
    assert!(*found == [&name, "api", "front", container.short_id()], "names {found:?}");
    Ok(())
}

/// A container that was refused a connection can be stopped and started.
pub async fn a_refused_connection_lets_it_start_again(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let subnet = subnet();
    let network = stage.network_on("net", subnet).await?;
    let container = stage.running("web").await?;
    let gateway = EndpointSpec::new().ipv4(host(subnet, 255));
    if network.connect(&container, gateway).await.is_ok() {
        network.disconnect(&container).await?;
    }
    container.stop_within(2).await?;
    container.start().await
}
