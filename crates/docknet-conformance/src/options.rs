//! Options of the bridge driver.

use docknet::{Client, ErrorKind, Result};

use crate::expect::refused;
use crate::{behaviours, lab};

const BRIDGE_NAME: &str = "com.docker.network.bridge.name";
const MTU: &str = "com.docker.network.driver.mtu";

/// A name for a bridge: at most 15 characters, and nobody else's.
fn bridge() -> String {
    let subnet = lab::subnet().network().to_bits() >> 8;
    format!("dnc{:x}{subnet:x}", std::process::id() & 0xffff)
}

/// Options of the driver come back as they were given.
pub async fn come_back(client: &Client) -> Result<()> {
    let options = [
        ("com.docker.network.bridge.enable_icc", "false"),
        ("com.docker.network.bridge.enable_ip_masquerade", "false"),
        ("com.docker.network.bridge.host_binding_ipv4", "127.0.0.1"),
        (MTU, "1400"),
    ];
    let bridge = bridge();
    let network =
        lab::network(client, |spec| spec.options(options).option(BRIDGE_NAME, &bridge)).await?;
    let found = client.networks().get(network.name()).await?.info().options.clone();
    for (key, value) in options.into_iter().chain([(BRIDGE_NAME, bridge.as_str())]) {
        assert_eq!(found.get(key).map(String::as_str), Some(value), "option {key} of {found:?}");
    }
    Ok(())
}

/// An option that the driver does not know is kept.
pub async fn unknown_ones_are_kept(client: &Client) -> Result<()> {
    let network = lab::network(client, |spec| spec.option("com.example.unheard-of", "a b")).await?;
    let found = client.networks().get(network.name()).await?.info().options.clone();
    assert_eq!(
        found.get("com.example.unheard-of").map(String::as_str),
        Some("a b"),
        "unheard-of of {found:?}"
    );
    Ok(())
}

/// A network without options has none.
pub async fn none_are_none(client: &Client) -> Result<()> {
    let network = lab::network(client, |spec| spec).await?;
    // 28 and later write down there whether IPv4 and IPv6 are on.
    let own = |key: &&String| !key.starts_with("com.docker.network.enable_ipv");
    assert_eq!(network.info().options.keys().filter(own).collect::<Vec<_>>(), [""; 0]);
    Ok(())
}

/// A second network on a bridge of the same name is refused, and leaves nothing.
pub async fn a_bridge_name_that_is_taken_is_refused(client: &Client) -> Result<()> {
    let bridge = bridge();
    lab::network(client, |spec| spec.option(BRIDGE_NAME, &bridge)).await?;
    let name = lab::name("second");
    let second = lab::network(client, |mut spec| {
        spec.name.clone_from(&name);
        spec.option(BRIDGE_NAME, &bridge)
    });
    refused(second.await, &[ErrorKind::InUse]);
    assert_eq!(client.networks().find(&name).await?, None);
    Ok(())
}

/// A bridge name of more than 15 characters is refused: no link can have it.
pub async fn a_bridge_name_that_is_too_long_is_refused(client: &Client) -> Result<()> {
    let made = lab::network(client, |spec| spec.option(BRIDGE_NAME, "dnc4567890123456")).await;
    refused(made, &[ErrorKind::InvalidSpec]);
    Ok(())
}

/// A bridge is free for another network once its network is gone.
pub async fn a_bridge_name_is_free_again(client: &Client) -> Result<()> {
    let bridge = bridge();
    lab::network(client, |spec| spec.option(BRIDGE_NAME, &bridge)).await?.remove().await?;
    let again = lab::network(client, |spec| spec.option(BRIDGE_NAME, &bridge)).await?;
    refused(
        lab::network(client, |spec| spec.option(BRIDGE_NAME, &bridge)).await,
        &[ErrorKind::InUse],
    );
    assert_eq!(client.networks().get(again.name()).await?.id(), again.id());
    Ok(())
}

/// A maximum transmission unit that is no number, or negative, is refused.
pub async fn an_mtu_that_is_no_number_is_refused(client: &Client) -> Result<()> {
    for garbage in ["abc", "-1"] {
        let made = lab::network(client, |spec| spec.option(MTU, garbage)).await;
        refused(made, &[ErrorKind::InvalidSpec]);
    }
    Ok(())
}

/// A switch that is neither on nor off is refused.
pub async fn a_switch_that_is_no_switch_is_refused(client: &Client) -> Result<()> {
    for key in
        ["com.docker.network.bridge.enable_icc", "com.docker.network.bridge.enable_ip_masquerade"]
    {
        let made = lab::network(client, |spec| spec.option(key, "maybe")).await;
        refused(made, &[ErrorKind::InvalidSpec]);
    }
    Ok(())
}

behaviours!(options:
    come_back,
    unknown_ones_are_kept,
    none_are_none,
    a_bridge_name_that_is_taken_is_refused,
    a_bridge_name_that_is_too_long_is_refused,
    a_bridge_name_is_free_again,
    an_mtu_that_is_no_number_is_refused,
    a_switch_that_is_no_switch_is_refused,
);
