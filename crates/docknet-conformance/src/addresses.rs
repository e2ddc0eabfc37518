//! The addresses that containers get and ask for.

use docknet::{
    ApiVersion, Client, EndpointSpec, ErrorKind, IpNet, Ipv6Net, MacAddr, NetworkSpec, Pool, Result,
};

use crate::behaviours;
use crate::expect::refused;
use crate::inside::{addresses, has_address, macs, reaches, shell};
use crate::lab::{has_processes, subnet, subnet6};
use crate::stage::{Stage, failed, host};

behaviours!(
    addresses:
    a_static_ipv4_address_is_the_one_inside [Containers],
    a_static_ipv6_address_is_the_one_inside [Containers],
    a_link_local_address_is_there_or_refused [Containers],
    a_mac_address_at_creation_is_the_one_inside [Containers],
    a_mac_address_on_connect_is_honoured_or_refused [Containers],
    one_that_a_container_has_is_in_use [Containers, Exclusive],
    the_gateways_is_in_use [Containers],
    a_reserved_one_is_in_use [Containers],
    one_outside_is_not_in_a_pool [Containers, Exclusive],
    an_ipv6_one_without_ipv6_is_not_in_a_pool [Containers, Exclusive],
    one_on_an_automatic_subnet_is_not_in_a_pool [Containers],
    one_outside_never_comes_to_run [Containers],
    a_full_network_is_exhausted [Containers, Exclusive],
    automatic_ones_come_from_the_range [Containers],
    one_given_up_is_free_at_once [Containers],
    the_mtu_is_the_one_inside [Containers, Processes],
);

/// The address asked for is the address the container has, with the subnet's prefix length.
pub async fn a_static_ipv4_address_is_the_one_inside(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let subnet = subnet();
    let network = stage.network_on("net", subnet).await?;
    let mut container = stage.running("web").await?;
    let ip = host(subnet, 200);
    network.connect(&container, EndpointSpec::new().ipv4(ip)).await?;
    let found = addresses(&container).await?;
    assert!(found.iter().any(|a| a.addr() == ip && a.prefix_len() == 24), "{found:?}");
    container.reload().await?;
    let endpoint = &container.endpoints()[network.name()];
    assert!(endpoint.ipv4().is_some_and(|a| a.addr() == ip), "it shows {:?}", endpoint.ipv4());
    assert!(endpoint.gateway == Some(host(subnet, 1).into()), "{:?}", endpoint.gateway);
    Ok(())
}

/// The IPv6 address asked for is the one the container has, beside an IPv4 one.
pub async fn a_static_ipv6_address_is_the_one_inside(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let (v4, v6) = (subnet(), subnet6());
    let spec = dual(&stage, v4, v6);
    let mut network = stage.create_network(spec).await?;
    let container = stage.running("web").await?;
    let ip = host6(v6, 0x99);
    network.connect(&container, EndpointSpec::new().ipv6(ip)).await?;
    let found = addresses(&container).await?;
    assert!(found.iter().any(|a| a.addr() == ip && a.prefix_len() == 64), "{found:?}");
    assert!(found.iter().any(|a| matches!(a, IpNet::V4(a) if v4.contains(&a.addr()))), "{found:?}");
    network.reload().await?;
    let member = network.info().members.get(container.id()).cloned().unwrap_or_default();
    assert!(member.ipv6.is_some_and(|a| a.addr() == ip), "the network shows {:?}", member.ipv6);
    Ok(())
}

/// A link-local address is on the interface besides the others; an engine that has none refuses it.
pub async fn a_link_local_address_is_there_or_refused(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    let container = stage.running("web").await?;
    let ip: std::net::Ipv4Addr = [169, 254, 77, 8].into();
    let connected = network.connect(&container, EndpointSpec::new().link_local(ip.into())).await;
    if stage.is_podman().await? {
        refused(connected, &[ErrorKind::UnsupportedApi]);
        return Ok(());
    }
    connected?;
    let found = addresses(&container).await?;
    assert!(found.iter().any(|a| a.addr() == ip), "{ip} is none of {found:?}");
    Ok(())
}

/// A hardware address given at a container's creation is the one it has.
pub async fn a_mac_address_at_creation_is_the_one_inside(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    let mac = MacAddr::new([2, 0x42, 0xac, 0x10, 7, 8]);
    let spec = stage.idle("web").network(network.name(), EndpointSpec::new().mac(mac));
    let container = stage.run(spec).await?;
    let found = macs(&container).await?;
    assert!(found.contains(&mac), "{mac} is none of {found:?}");
    let shown = container.endpoints()[network.name()].mac();
    assert!(shown == Some(mac), "it shows {shown:?}");
    Ok(())
}

/// A hardware address given when a container is connected is the one it has, or the call is refused: it is never dropped.
pub async fn a_mac_address_on_connect_is_honoured_or_refused(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    let container = stage.running("web").await?;
    let mac = MacAddr::new([2, 0x42, 0xac, 0x10, 7, 9]);
    let connected = network.connect(&container, EndpointSpec::new().mac(mac)).await;
    let honoured =
        stage.is_podman().await? || client.engine().await?.version >= ApiVersion::new(1, 54);
    if !honoured {
        refused(connected, &[ErrorKind::UnsupportedApi]);
        let count = addresses(&container).await?.len();
        assert!(count == 1, "refused, and it was sent all the same");
        return Ok(());
    }
    connected?;
    let found = macs(&container).await?;
    assert!(found.contains(&mac), "{mac} is none of {found:?}");
    Ok(())
}

/// An address that another container has is `AddressInUse`.
pub async fn one_that_a_container_has_is_in_use(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let subnet = subnet();
    let network = stage.network_on("net", subnet).await?;
    let ip = EndpointSpec::new().ipv4(host(subnet, 9));
    stage.run(stage.idle("first").network(network.name(), ip.clone())).await?;
    let second = stage.running("second").await?;
    let error = refused(network.connect(&second, ip).await, &[ErrorKind::AddressInUse]);
    assert!(error.is_conflict(), "{error} is no conflict");
    Ok(())
}

/// The gateway's address is `AddressInUse`.
pub async fn the_gateways_is_in_use(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let subnet = subnet();
    let network = stage.network_on("net", subnet).await?;
    refuses(&stage, &network, EndpointSpec::new().ipv4(host(subnet, 1)), ErrorKind::AddressInUse)
        .await
}

/// An address that the network keeps for somebody else is `AddressInUse`, and no container gets it by chance.
pub async fn a_reserved_one_is_in_use(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let subnet = subnet();
    let pool = Pool::new(subnet.into()).reserve("router", host(subnet, 2).into());
    let created = client.networks().create(stage.spec("net").pool(pool)).await;
    if stage.is_podman().await? {
        refused(created, &[ErrorKind::UnsupportedApi]);
        return Ok(());
    }
    let network = created?;
    let first = stage.running_on("first", &network).await?;
    assert!(!has_address(&first, host(subnet, 2)).await?, "it was given to a container");
    refuses(&stage, &network, EndpointSpec::new().ipv4(host(subnet, 2)), ErrorKind::AddressInUse)
        .await
}

/// An address of no subnet of the network is `AddressNotInPool`.
pub async fn one_outside_is_not_in_a_pool(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    let elsewhere = EndpointSpec::new().ipv4([192, 0, 2, 9].into());
    refuses(&stage, &network, elsewhere, ErrorKind::AddressNotInPool).await
}

/// An IPv6 address on a network without IPv6 is `AddressNotInPool`.
pub async fn an_ipv6_one_without_ipv6_is_not_in_a_pool(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    let ip = host6(subnet6(), 9);
    refuses(&stage, &network, EndpointSpec::new().ipv6(ip), ErrorKind::AddressNotInPool).await
}

/// An address on a network whose subnet the engine chose is `AddressNotInPool`: it may choose another one tomorrow.
pub async fn one_on_an_automatic_subnet_is_not_in_a_pool(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.create_network(stage.spec("net")).await?;
    let chosen = network.info().ipam.pools.iter().find_map(|pool| match pool.subnet {
        Some(IpNet::V4(subnet)) => Some(subnet),
        _ => None,
    });
    let chosen = chosen.ok_or_else(|| failed("no IPv4 subnet was chosen"))?;
    let ip = EndpointSpec::new().ipv4(host(chosen, 9));
    refuses(&stage, &network, ip, ErrorKind::AddressNotInPool).await
}

/// A stopped container never comes to run with an address of no subnet: the connection or the start is refused.
pub async fn one_outside_never_comes_to_run(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    let container = stage.create(stage.idle("web")).await?;
    let elsewhere = EndpointSpec::new().ipv4([192, 0, 2, 9].into());
    let outcome = match network.connect(&container, elsewhere).await {
        Ok(()) => container.start().await,
        refused => refused,
    };
    refused(outcome, &[ErrorKind::AddressNotInPool]);
    Ok(())
}

/// A network that has no address left is `AddressesExhausted`, and has room again when somebody leaves.
pub async fn a_full_network_is_exhausted(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let small = docknet::Ipv4Net::new_assert(subnet().network(), 30);
    let network = stage.network_on("net", small).await?;
    let first = stage.running_on("first", &network).await?;
    let second = stage.running("second").await?;
    let connected = network.connect(&second, EndpointSpec::new()).await;
    refused(connected, &[ErrorKind::AddressesExhausted]);
    network.disconnect(&first).await?;
    let third = stage.running("third").await?;
    network.connect(&third, EndpointSpec::new()).await
}

/// Automatic addresses come from the range; static ones may lie elsewhere in the subnet.
pub async fn automatic_ones_come_from_the_range(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let subnet = subnet();
    let range = docknet::Ipv4Net::new_assert(host(subnet, 128), 25);
    let pool = Pool::new(subnet.into()).range(range.into()).gateway(host(subnet, 1).into());
    let network = stage.create_network(stage.spec("net").pool(pool)).await?;
    let automatic = stage.running_on("any", &network).await?;
    let found = addresses(&automatic).await?;
    assert!(
        found.iter().any(|a| matches!(a, IpNet::V4(a) if range.contains(&a.addr()))),
        "none of {found:?} is in {range}"
    );
    let given = EndpointSpec::new().ipv4(host(subnet, 9));
    let fixed = stage.run(stage.idle("fixed").network(network.name(), given)).await?;
    assert!(has_address(&fixed, host(subnet, 9)).await?, "the static one is another");
    if has_processes() {
        assert!(reaches(&fixed, found[0].addr()).await?, "the two do not reach each other");
    }
    Ok(())
}

/// An address is free again as soon as the container that had it was cut off.
pub async fn one_given_up_is_free_at_once(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let subnet = subnet();
    let network = stage.network_on("net", subnet).await?;
    let ip = EndpointSpec::new().ipv4(host(subnet, 9));
    let (a, b) = (stage.running("a").await?, stage.running("b").await?);
    for (from, to) in [(&a, &b), (&b, &a)] {
        network.connect(from, ip.clone()).await?;
        network.disconnect(from).await?;
        network.connect(to, ip.clone()).await?;
        assert!(has_address(to, host(subnet, 9)).await?, "the address did not come");
        network.disconnect(to).await?;
    }
    Ok(())
}

/// The MTU of a network is the one its interfaces have.
pub async fn the_mtu_is_the_one_inside(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let pool = Pool::new(subnet().into());
    let key = match stage.is_podman().await? {
        true => "mtu",
        false => "com.docker.network.driver.mtu",
    };
    let spec = stage.spec("net").pool(pool).option(key, "1340");
    let network = stage.create_network(spec).await?;
    let container = stage.running_on("web", &network).await?;
    let found = shell(&container, "cat /sys/class/net/eth0/mtu").await?;
    assert!(found.trim() == "1340", "the MTU is {found:?}");
    Ok(())
}

async fn refuses(
    stage: &Stage,
    network: &docknet::Network,
    endpoint: EndpointSpec,
    kind: ErrorKind,
) -> Result<()> {
    let container = stage.running("asks").await?;
    refused(network.connect(&container, endpoint).await, &[kind]);
    Ok(())
}

fn dual(stage: &Stage, v4: docknet::Ipv4Net, v6: Ipv6Net) -> NetworkSpec {
    stage.spec("net").ipv6(true).pool(Pool::new(v4.into())).pool(Pool::new(v6.into()))
}

fn host6(subnet: Ipv6Net, number: u128) -> std::net::Ipv6Addr {
    std::net::Ipv6Addr::from_bits(subnet.network().to_bits() + number)
}
