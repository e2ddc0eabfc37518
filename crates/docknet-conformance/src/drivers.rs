//! Drivers: those that are not there, those that are the engine's own, and macvlan and ipvlan.

use std::time::{Duration, Instant};

use docknet::{Client, Driver, ErrorKind, Ipam, NetworkSpec, Pool, Result, Scope};

use crate::expect::refused;
use crate::{behaviours, lab};

/// A network of this spec is refused as one of these kinds, and is not there afterwards.
async fn is_refused(client: &Client, spec: NetworkSpec, kinds: &[ErrorKind]) -> Result<()> {
    let name = spec.name.clone();
    refused(client.networks().create(spec).await, kinds);
    assert_eq!(client.networks().find(&name).await?, None);
    Ok(())
}

/// The link that macvlan networks are made on.
fn parent() -> String {
    lab::parent().expect("the need is met")
}

/// A network of this driver on that link.
fn on_parent(driver: Driver) -> NetworkSpec {
    let spec = lab::spec("vlan").driver(driver).option("parent", parent());
    spec.pool(Pool::new(lab::subnet().into()))
}

/// A driver that is not there is refused.
pub async fn unknown_is_refused(client: &Client) -> Result<()> {
    let spec = lab::spec("unknown").driver("docknet-no-such-driver");
    is_refused(client, spec, &[ErrorKind::NoSuchDriver]).await
}

/// A driver that is not there is refused at once.
pub async fn unknown_is_refused_at_once(client: &Client) -> Result<()> {
    let spec = lab::spec("unknown").driver("docknet-no-such-driver");
    let begun = Instant::now();
    is_refused(client, spec, &[ErrorKind::NoSuchDriver]).await?;
    assert!(begun.elapsed() < Duration::from_secs(5), "it took more than five seconds");
    Ok(())
}

/// A driver's name is taken as it is written: `Bridge` is not `bridge`.
pub async fn case_matters(client: &Client) -> Result<()> {
    is_refused(client, lab::spec("case").driver("Bridge"), &[ErrorKind::NoSuchDriver]).await
}

/// An IPAM driver that is not there is refused.
pub async fn unknown_ipam_is_refused(client: &Client) -> Result<()> {
    let ipam = Ipam::new().driver("docknet-no-such-driver").pool(Pool::new(lab::subnet().into()));
    is_refused(client, lab::spec("unknown").ipam(ipam), &[ErrorKind::NoSuchDriver]).await
}

/// A second network of the host's driver, and of none, is refused.
pub async fn host_and_none_are_refused(client: &Client) -> Result<()> {
    for driver in [Driver::Host, Driver::None] {
        // Engines that have no such driver say that.
        is_refused(
            client,
            lab::spec("host").driver(driver),
            &[ErrorKind::Predefined, ErrorKind::NoSuchDriver],
        )
        .await?;
    }
    Ok(())
}

/// An overlay network on a node that is in no swarm is refused as such.
pub async fn overlay_without_a_swarm_is_refused(client: &Client) -> Result<()> {
    is_refused(client, lab::spec("overlay").driver(Driver::Overlay), &[ErrorKind::NoSwarm]).await
}

/// A network of a swarm's scope on a node that is in no swarm is refused as such.
pub async fn a_swarms_scope_without_a_swarm_is_refused(client: &Client) -> Result<()> {
    is_refused(client, lab::spec("scope").scope(Scope::Swarm), &[ErrorKind::NoSwarm]).await
}

/// A macvlan network has its driver, its parent and its subnet.
pub async fn macvlan(client: &Client) -> Result<()> {
    let spec = on_parent(Driver::Macvlan);
    let network = client.networks().create(spec.clone()).await?;
    let info = network.info();
    assert_eq!((&info.driver, &info.scope), (&Driver::Macvlan, &Scope::Local));
    assert_eq!(info.options.get("parent"), Some(&parent()), "the parent");
    assert_eq!(info.ipam.pools[0].subnet, Some(spec.ipam.pools[0].subnet));
    Ok(())
}

/// An ipvlan network has its driver, its parent and its mode.
pub async fn ipvlan(client: &Client) -> Result<()> {
    let network =
        client.networks().create(on_parent(Driver::Ipvlan).option("ipvlan_mode", "l3")).await?;
    let info = network.info();
    assert_eq!(info.driver, Driver::Ipvlan);
    assert_eq!(info.options.get("parent"), Some(&parent()), "the parent");
    assert_eq!(info.options.get("ipvlan_mode").map(String::as_str), Some("l3"), "the mode");
    Ok(())
}

/// Two macvlan networks share a parent.
pub async fn macvlan_networks_share_a_parent(client: &Client) -> Result<()> {
    let one = client.networks().create(on_parent(Driver::Macvlan)).await?;
    let other = client.networks().create(on_parent(Driver::Macvlan)).await?;
    assert_eq!(one.info().options, other.info().options);
    Ok(())
}

/// A parent that is not there is refused.
pub async fn a_parent_that_is_not_there_is_refused(client: &Client) -> Result<()> {
    for driver in [Driver::Macvlan, Driver::Ipvlan] {
        let spec = lab::spec("vlan").driver(driver).option("parent", "nosuch0");
        is_refused(client, spec.pool(Pool::new(lab::subnet().into())), &[ErrorKind::InvalidSpec])
            .await?;
    }
    Ok(())
}

/// A mode that is none is refused.
pub async fn a_mode_that_is_none_is_refused(client: &Client) -> Result<()> {
    for (driver, option) in [(Driver::Macvlan, "macvlan_mode"), (Driver::Ipvlan, "ipvlan_mode")] {
        is_refused(client, on_parent(driver).option(option, "garbage"), &[ErrorKind::InvalidSpec])
            .await?;
    }
    Ok(())
}

behaviours!(drivers:
    unknown_is_refused,
    unknown_is_refused_at_once,
    case_matters,
    unknown_ipam_is_refused,
    host_and_none_are_refused,
    overlay_without_a_swarm_is_refused [NoSwarm],
    a_swarms_scope_without_a_swarm_is_refused [NoSwarm],
    macvlan [Parent, Exclusive],
    ipvlan [Parent, Exclusive],
    macvlan_networks_share_a_parent [Parent, Exclusive],
    a_parent_that_is_not_there_is_refused,
    a_mode_that_is_none_is_refused [Parent, Exclusive],
);
