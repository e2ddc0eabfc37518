//! Subnets, gateways, ranges and reserved addresses.

use docknet::{Client, ErrorKind, IpNet, Ipam, Ipv4Net, Network, NetworkSpec, Pool, Result};

use crate::expect::refused;
use crate::{behaviours, lab};

/// A pool over a fresh subnet.
fn fresh() -> (Ipv4Net, Pool) {
    let subnet = lab::subnet();
    (subnet, Pool::new(subnet.into()))
}

async fn with_pool(client: &Client, pool: Pool) -> Result<Network> {
    lab::network(client, |spec| spec.pool(pool)).await
}

fn subnets(network: &Network) -> Vec<IpNet> {
    network.info().ipam.pools.iter().filter_map(|pool| pool.subnet).collect()
}

/// The subnet and the gateway are those that were asked for.
pub async fn a_subnet_and_a_gateway(client: &Client) -> Result<()> {
    let (subnet, pool) = fresh();
    let network = with_pool(client, pool.gateway(lab::host(subnet, 254))).await?;
    let network = client.networks().get(network.name()).await?;
    let [pool] = &network.info().ipam.pools[..] else { panic!("{:?}", network.info().ipam) };
    assert_eq!((pool.subnet, pool.gateway), (Some(subnet.into()), Some(lab::host(subnet, 254))));
    Ok(())
}

/// The range that automatic addresses come from is the one that was asked for.
pub async fn a_range(client: &Client) -> Result<()> {
    let (subnet, pool) = fresh();
    let range = IpNet::new(lab::host(subnet, 128), 25).expect("a half of it");
    let network = with_pool(client, pool.range(range)).await?;
    let found = client.networks().get(network.name()).await?.info().ipam.pools[0].range;
    assert_eq!(found, Some(range), "the range");
    Ok(())
}

/// Reserved addresses are those that were asked for.
pub async fn reserved_addresses(client: &Client) -> Result<()> {
    let (subnet, pool) = fresh();
    let pool =
        pool.reserve("router", lab::host(subnet, 5)).reserve("printer", lab::host(subnet, 6));
    let network = with_pool(client, pool.clone()).await?;
    let found = client.networks().get(network.name()).await?.info().ipam.pools[0].reserved.clone();
    assert_eq!(found, pool.reserved);
    Ok(())
}

/// The IPAM driver and its options are those that were asked for.
pub async fn options_of_the_driver(client: &Client) -> Result<()> {
    let (_, pool) = fresh();
    let ipam = Ipam::new().driver("default").option("com.example.key", "value").pool(pool);
    let network = lab::network(client, |spec| spec.ipam(ipam.clone())).await?;
    let found = &network.info().ipam;
    assert_eq!((found.driver.as_str(), &found.options), ("default", &ipam.options));
    Ok(())
}

/// Subnets that the engine chooses do not overlap.
pub async fn automatic_subnets_do_not_overlap(client: &Client) -> Result<()> {
    let mut found: Vec<IpNet> = Vec::new();
    for _ in 0..3 {
        let network = client.networks().create(lab::spec("auto")).await?;
        let [subnet] = subnets(&network)[..] else { panic!("{:?}", network.info().ipam) };
        assert!(
            found.iter().all(|other| !other.contains(&subnet) && !subnet.contains(other)),
            "{subnet} {found:?}"
        );
        found.push(subnet);
    }
    Ok(())
}

/// A subnet is refused that is, is in, or is around one in use.
pub async fn overlapping_subnets_are_refused(client: &Client) -> Result<()> {
    let (subnet, pool) = fresh();
    with_pool(client, pool.clone()).await?;
    let inside = IpNet::new(lab::host(subnet, 64), 26).expect("a quarter of it");
    let around = IpNet::from(Ipv4Net::new_assert(subnet.network(), 23).trunc());
    for other in [subnet.into(), inside, around] {
        let name = lab::name("overlap");
        let spec = NetworkSpec::new(&name).labels(lab::labels()).pool(Pool::new(other));
        let error = refused(client.networks().create(spec).await, &[ErrorKind::PoolOverlap]);
        assert!(error.is_conflict(), "{error}");
        assert_eq!(client.networks().find(&name).await?, None);
    }
    Ok(())
}

/// An IPv6 subnet that is in use is refused.
pub async fn overlapping_ipv6_subnets_are_refused(client: &Client) -> Result<()> {
    let six = Pool::new(lab::subnet6().into());
    let network =
        |six: Pool| lab::network(client, |spec| spec.ipv6(true).pool(fresh().1).pool(six));
    network(six.clone()).await?;
    refused(network(six).await, &[ErrorKind::PoolOverlap]);
    Ok(())
}

/// The subnet of the engine's own bridge is refused.
pub async fn the_default_bridges_subnet_is_refused(client: &Client) -> Result<()> {
    let bridge =
        client.networks().list().await?.into_iter().find(|network| network.name() == "bridge");
    let subnet = subnets(&bridge.expect("a default network"))[0];
    refused(with_pool(client, Pool::new(subnet)).await, &[ErrorKind::PoolOverlap]);
    Ok(())
}

/// Every address there is, as one subnet, is refused.
pub async fn the_whole_address_space_is_refused(client: &Client) -> Result<()> {
    let all = "0.0.0.0/0".parse().expect("a subnet");
    refused(
        with_pool(client, Pool::new(all)).await,
        &[ErrorKind::PoolOverlap, ErrorKind::InvalidSpec],
    );
    Ok(())
}

/// A subnet is free again at once when its network is gone.
pub async fn a_subnet_is_free_again(client: &Client) -> Result<()> {
    let (subnet, pool) = fresh();
    with_pool(client, pool.clone()).await?.remove().await?;
    assert_eq!(subnets(&with_pool(client, pool).await?), [subnet.into()]);
    Ok(())
}

/// A subnet is free again after a network that was refused for its reserved addresses.
pub async fn a_refusal_does_not_use_up_the_subnet(client: &Client) -> Result<()> {
    let subnet = lab::subnet_to_lose();
    let pool = Pool::new(subnet.into());
    let outside = pool.clone().reserve("router", "192.0.2.1".parse().expect("an address"));
    refused(with_pool(client, outside).await, &[ErrorKind::InvalidSpec, ErrorKind::UnsupportedApi]);
    assert_eq!(subnets(&with_pool(client, pool).await?), [subnet.into()]);
    Ok(())
}

/// A subnet is free again after a network that was refused for its second subnet.
pub async fn a_refusal_does_not_use_up_the_first_of_two_subnets(client: &Client) -> Result<()> {
    let (taken, first) = (lab::subnet6(), fresh());
    lab::network(client, |spec| spec.ipv6(true).pool(fresh().1).pool(Pool::new(taken.into())))
        .await?;
    let both =
        |spec: NetworkSpec| spec.ipv6(true).pool(first.1.clone()).pool(Pool::new(taken.into()));
    refused(lab::network(client, both).await, &[ErrorKind::PoolOverlap]);
    assert_eq!(subnets(&with_pool(client, first.1.clone()).await?), [first.0.into()]);
    Ok(())
}

/// A bridge has one IPv4 subnet: two are refused.
pub async fn two_ipv4_subnets_are_refused(client: &Client) -> Result<()> {
    let made = lab::network(client, |spec| spec.pool(fresh().1).pool(fresh().1)).await;
    refused(made, &[ErrorKind::InvalidSpec]);
    Ok(())
}

/// A subnet with bits beyond its prefix is refused.
pub async fn a_subnet_with_host_bits_is_refused(client: &Client) -> Result<()> {
    let (subnet, _) = fresh();
    let askew = IpNet::new(lab::host(subnet, 5), 24).expect("a subnet");
    refused(with_pool(client, Pool::new(askew)).await, &[ErrorKind::InvalidSpec]);
    Ok(())
}

/// A gateway outside of the subnet is refused.
pub async fn a_gateway_outside_is_refused(client: &Client) -> Result<()> {
    let outside = fresh().1.gateway("192.0.2.1".parse().expect("an address"));
    refused(with_pool(client, outside).await, &[ErrorKind::InvalidSpec]);
    Ok(())
}

/// A gateway of the other address family is refused.
pub async fn a_gateway_of_the_other_family_is_refused(client: &Client) -> Result<()> {
    let other = fresh().1.gateway(lab::host(lab::subnet6(), 1));
    refused(with_pool(client, other).await, &[ErrorKind::InvalidSpec]);
    Ok(())
}

/// The subnet's own address is no gateway.
pub async fn the_networks_address_is_no_gateway(client: &Client) -> Result<()> {
    let (subnet, pool) = fresh();
    let made = with_pool(client, pool.gateway(lab::host(subnet, 0))).await;
    refused(made, &[ErrorKind::AddressInUse, ErrorKind::InvalidSpec]);
    Ok(())
}

/// A range outside of the subnet is refused.
pub async fn a_range_outside_is_refused(client: &Client) -> Result<()> {
    let outside = fresh().1.range("192.0.2.0/25".parse().expect("a range"));
    refused(with_pool(client, outside).await, &[ErrorKind::InvalidSpec]);
    Ok(())
}

/// A range larger than the subnet is refused.
pub async fn a_range_larger_than_the_subnet_is_refused(client: &Client) -> Result<()> {
    let (subnet, pool) = fresh();
    let larger = Ipv4Net::new_assert(subnet.network(), 20).trunc();
    refused(with_pool(client, pool.range(larger.into())).await, &[ErrorKind::InvalidSpec]);
    Ok(())
}

/// A reserved address that is the gateway's is refused.
pub async fn a_reserved_address_that_is_the_gateways_is_refused(client: &Client) -> Result<()> {
    let (subnet, pool) = fresh();
    let gateway = lab::host(subnet, 7);
    let made = with_pool(client, pool.gateway(gateway).reserve("router", gateway)).await;
    refused(made, &[ErrorKind::AddressInUse, ErrorKind::UnsupportedApi]);
    Ok(())
}

/// A subnet of four addresses has room for a gateway.
pub async fn a_subnet_of_four_addresses(client: &Client) -> Result<()> {
    let small = Ipv4Net::new_assert(lab::subnet().network(), 30);
    let network = with_pool(client, Pool::new(small.into())).await?;
    assert_eq!(subnets(&network), [small.into()]);
    Ok(())
}

/// Subnets of two addresses and of one are taken.
pub async fn subnets_of_two_addresses_and_of_one(client: &Client) -> Result<()> {
    for length in [31, 32] {
        let small = Ipv4Net::new_assert(lab::subnet().network(), length);
        let network = with_pool(client, Pool::new(small.into())).await?;
        assert_eq!(subnets(&network), [small.into()]);
    }
    Ok(())
}

/// Of several mistakes all are named.
pub async fn all_mistakes_are_named(client: &Client) -> Result<()> {
    let (subnet, pool) = fresh();
    let (gateway, range) = ("192.0.2.1", "198.51.100.0/25");
    let bad =
        pool.gateway(gateway.parse().expect("an address")).range(range.parse().expect("a range"));
    let error = refused(with_pool(client, bad).await, &[ErrorKind::InvalidSpec]);
    let words = error.message();
    assert!(words.contains(gateway) && words.contains(range), "not all of {subnet}: {words}");
    Ok(())
}

/// When every default pool is used up, a network without a subnet is refused, and one with a subnet is not.
pub async fn the_default_pools_end(client: &Client) -> Result<()> {
    // Docker has 31 of them. Networks of /24 would end after 256 of a /16, or not at all.
    const MORE_THAN_THERE_ARE: usize = 64;
    let mut made = 0;
    let error = loop {
        match client.networks().create(lab::spec("auto")).await {
            Ok(_) => made += 1,
            Err(error) => break error,
        }
        assert!(made < MORE_THAN_THERE_ARE, "the default pools have no end within {made} networks");
    };
    assert_eq!(error.kind(), ErrorKind::PoolExhausted, "{error}");
    lab::network(client, |spec| spec).await?;
    Ok(())
}

/// A network with a subnet of the caller's shows a gateway if one was given; one with a subnet of the engine's shows it.
pub async fn a_gateway_is_shown_where_it_was_given(client: &Client) -> Result<()> {
    let plain = with_pool(client, Pool::new(lab::subnet().into())).await?;
    assert_eq!(plain.info().ipam.pools[0].gateway, None, "it was not given");
    let automatic = client.networks().create(lab::spec("auto")).await?;
    let pool = &automatic.info().ipam.pools[0];
    let first = pool.subnet.map(|subnet| match subnet {
        IpNet::V4(subnet) => lab::host(subnet, 1),
        IpNet::V6(subnet) => lab::host(subnet, 1),
    });
    assert!(pool.gateway.is_some() && pool.gateway == first, "{pool:?}");
    Ok(())
}

/// Of the default pools the lowest that is free is given, so that one that was given back comes next.
pub async fn default_pools_are_given_lowest_first(client: &Client) -> Result<()> {
    let auto = async || client.networks().create(lab::spec("auto")).await;
    let subnet = |network: &Network| network.info().ipam.pools[0].subnet;
    let (first, second) = (auto().await?, auto().await?);
    let free = subnet(&first);
    first.remove().await?;
    let third = auto().await?;
    assert!(subnet(&third) == free, "{free:?} is free, and {:?} is given", subnet(&third));
    assert!(subnet(&second) != subnet(&third), "two networks have it");
    Ok(())
}

/// An IPv6 subnet that the engine chooses has 64 bits and is of the unique local ones.
pub async fn an_automatic_ipv6_subnet_is_a_ula(client: &Client) -> Result<()> {
    let network = client.networks().create(lab::spec("six").ipv6(true)).await?;
    let pools = &network.info().ipam.pools;
    let six = pools.iter().find_map(|pool| match pool.subnet {
        Some(IpNet::V6(subnet)) => Some(subnet),
        _ => None,
    });
    let six = six.unwrap_or_else(|| panic!("no IPv6 subnet in {pools:?}"));
    assert!(six.prefix_len() == 64 && six.addr().segments()[0] >> 8 == 0xfd, "{six}");
    Ok(())
}

behaviours!(ipam:
    a_subnet_and_a_gateway,
    a_range,
    reserved_addresses,
    options_of_the_driver,
    automatic_subnets_do_not_overlap,
    overlapping_subnets_are_refused,
    overlapping_ipv6_subnets_are_refused,
    the_default_bridges_subnet_is_refused,
    the_whole_address_space_is_refused,
    a_subnet_is_free_again,
    a_refusal_does_not_use_up_the_subnet,
    a_refusal_does_not_use_up_the_first_of_two_subnets,
    two_ipv4_subnets_are_refused,
    a_subnet_with_host_bits_is_refused,
    a_gateway_outside_is_refused,
    a_gateway_of_the_other_family_is_refused,
    the_networks_address_is_no_gateway,
    a_range_outside_is_refused,
    a_range_larger_than_the_subnet_is_refused,
    a_reserved_address_that_is_the_gateways_is_refused,
    a_subnet_of_four_addresses,
    subnets_of_two_addresses_and_of_one,
    all_mistakes_are_named,
    the_default_pools_end [Exclusive],
    a_gateway_is_shown_where_it_was_given,
    default_pools_are_given_lowest_first [Exclusive],
    an_automatic_ipv6_subnet_is_a_ula,
);
