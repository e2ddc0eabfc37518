//! Configurations that networks are made from.

use docknet::{Client, ErrorKind, Network, NetworkSpec, Pool, Result};

use crate::expect::refused;
use crate::{behaviours, lab};

const MTU: &str = "com.docker.network.driver.mtu";

/// A configuration with a subnet, an option and a label.
async fn configuration(client: &Client) -> Result<Network> {
    lab::network(client, |spec| spec.config_only(true).option(MTU, "1400").label("app", "shop"))
        .await
}

/// A network from this configuration. It may have nothing of its own that the configuration has, labels included.
fn from(configuration: &Network) -> NetworkSpec {
    NetworkSpec::new(lab::name("from")).config_from(configuration.name())
}

/// A configuration is a network that says so, and has what it was given.
pub async fn keeps_a_configuration(client: &Client) -> Result<()> {
    let made = configuration(client).await?;
    let found = client.networks().get(made.name()).await?;
    let info = found.info();
    assert!(info.config_only && info.config_from.is_none(), "{info:?}");
    assert_eq!(info.options.get(MTU).map(String::as_str), Some("1400"));
    assert_eq!(info.labels.get("app").map(String::as_str), Some("shop"));
    assert_eq!(info.ipam.pools.len(), 1);
    Ok(())
}

/// A network that is made from a configuration has its options, labels and subnets, and names it.
pub async fn makes_a_network(client: &Client) -> Result<()> {
    let configuration = configuration(client).await?;
    let network = client.networks().create(from(&configuration)).await?;
    let (info, config) = (network.info(), configuration.info());
    assert_eq!(info.config_from.as_deref(), Some(configuration.name()));
    assert!(!info.config_only, "{info:?}");
    assert_eq!(
        (&info.labels, &info.ipam.pools[0].subnet),
        (&config.labels, &config.ipam.pools[0].subnet)
    );
    assert_eq!(info.options.get(MTU).map(String::as_str), Some("1400"));
    Ok(())
}

/// A configuration takes no subnet: a network may have it.
pub async fn takes_no_subnet(client: &Client) -> Result<()> {
    let configuration = configuration(client).await?;
    let subnet = configuration.info().ipam.pools[0].subnet.expect("a subnet");
    let network = lab::network(client, |spec| spec.pool(Pool::new(subnet))).await?;
    assert_eq!(network.info().ipam.pools[0].subnet, Some(subnet));
    Ok(())
}

/// Two networks from one configuration with a subnet overlap: the second is refused.
pub async fn its_subnet_is_taken_once(client: &Client) -> Result<()> {
    let configuration = configuration(client).await?;
    client.networks().create(from(&configuration)).await?;
    refused(client.networks().create(from(&configuration)).await, &[ErrorKind::PoolOverlap]);
    Ok(())
}

/// A configuration that is not there is not found, nor is a network that is no configuration.
pub async fn that_is_not_there_is_not_found(client: &Client) -> Result<()> {
    let other = lab::network(client, |spec| spec).await?;
    for name in [lab::name("nowhere"), other.name().to_owned()] {
        let spec = NetworkSpec::new(lab::name("from")).config_from(&name);
        let network = spec.name.clone();
        refused(client.networks().create(spec).await, &[ErrorKind::NotFound]);
        assert_eq!(client.networks().find(&network).await?, None);
    }
    Ok(())
}

/// A network from a configuration with subnets, labels or options of its own is refused.
pub async fn with_more_of_its_own_is_refused(client: &Client) -> Result<()> {
    let configuration = configuration(client).await?;
    for spec in [
        from(&configuration).label("app", "blog"),
        from(&configuration).pool(Pool::new(lab::subnet().into())),
        from(&configuration).option(MTU, "1500"),
    ] {
        let name = spec.name.clone();
        refused(client.networks().create(spec).await, &[ErrorKind::InvalidSpec]);
        assert_eq!(client.networks().find(&name).await?, None);
    }
    Ok(())
}

/// A configuration that is internal, attachable or of a scope is refused: that is for networks to say.
pub async fn with_what_networks_say_is_refused(client: &Client) -> Result<()> {
    let spec = || lab::spec("config").config_only(true);
    for spec in [spec().internal(true), spec().attachable(true), spec().scope("local")] {
        let name = spec.name.clone();
        refused(client.networks().create(spec).await, &[ErrorKind::InvalidSpec]);
        assert_eq!(client.networks().find(&name).await?, None);
    }
    Ok(())
}

/// A configuration from a configuration is refused.
pub async fn from_another_is_refused(client: &Client) -> Result<()> {
    let configuration = configuration(client).await?;
    let spec = from(&configuration).config_only(true);
    refused(client.networks().create(spec).await, &[ErrorKind::InvalidSpec]);
    Ok(())
}

/// A configuration is in use while there are networks from it, and goes when they are gone.
pub async fn is_in_use(client: &Client) -> Result<()> {
    let configuration = configuration(client).await?;
    let network = client.networks().create(from(&configuration)).await?;
    refused(configuration.clone().remove().await, &[ErrorKind::InUse]);
    network.remove().await?;
    let name = configuration.name().to_owned();
    configuration.remove().await?;
    assert_eq!(client.networks().find(&name).await?, None);
    Ok(())
}

behaviours!(config_only:
    keeps_a_configuration,
    makes_a_network,
    takes_no_subnet,
    its_subnet_is_taken_once,
    that_is_not_there_is_not_found,
    with_more_of_its_own_is_refused,
    with_what_networks_say_is_refused,
    from_another_is_refused,
    is_in_use,
);
