//! The networks that an engine makes for itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use docknet_types::NetworkId;

use super::create::families;
use super::{BRIDGE_NAME, Network, NetworkConfig, podman};
use crate::Profile;
use crate::core::ipam::{self, HostRoutes, PoolConfig, PoolState};
use crate::core::refusal::Refusal;
use crate::core::state::Map;
use crate::core::tx::{Touched, Tx};

/// The default bridge's subnet: the first of Docker's default pools.
const BRIDGE_SUBNET: (&str, &str) = ("172.17.0.0/16", "172.17.0.1");
/// The same of Podman.
const PODMAN_SUBNET: (&str, &str) = ("10.88.0.0/16", "10.88.0.1");

/// The default bridge's link where an engine of the other kind has one of the usual name.
const OTHER_BRIDGE: &str = "docknet0";

/// Adds bridge, host and none to a state that has none; Podman has one, which it calls `podman`.
pub(crate) fn add_predefined(tx: &mut Tx<'_>) -> Result<(), Refusal> {
    let (profile, now) = (tx.given.profile, tx.given.now);
    let config = |name: &str, driver: &str| NetworkConfig {
        name: name.to_owned(),
        created: now,
        driver: driver.to_owned(),
        scope: "local".to_owned(),
        ipv4: true,
        ipam_driver: "default".to_owned(),
        ..NetworkConfig::default()
    };
    let option = |key: &str, value: &str| (format!("com.docker.network.{key}"), value.to_owned());
    // Somebody else's default bridge may be there already.
    let free = |name| if tx.given.host.links.contains_key(name) { OTHER_BRIDGE } else { name };
    let (name, bridge, (subnet, gateway), options) = match profile {
        Profile::Podman5 => (podman::DEFAULT, free("podman0"), PODMAN_SUBNET, BTreeMap::new()),
        _ => {
            let options = BTreeMap::from([
                option("bridge.default_bridge", "true"),
                option("bridge.enable_icc", "true"),
                option("bridge.enable_ip_masquerade", "true"),
                option("bridge.host_binding_ipv4", "0.0.0.0"),
                (BRIDGE_NAME.to_owned(), free("docker0").to_owned()),
                option("driver.mtu", "1500"),
            ]);
            ("bridge", free("docker0"), BRIDGE_SUBNET, options)
        }
    };
    let ipam_options = match profile {
        Profile::Podman5 => Some(podman::ipam_options("host-local")),
        Profile::Docker20_10 | Profile::Docker26 | Profile::Docker28 => None,
    };
    let pool = PoolConfig {
        subnet: subnet.to_owned(),
        // Docker 20.10 does not show it.
        gateway: if profile == Profile::Docker20_10 { String::new() } else { gateway.to_owned() },
        ..PoolConfig::default()
    };
    // So may somebody else's subnet: then another one has to do.
    let routes = &tx.given.host.routes;
    let (given, shown, routes) = match ipam::parse_prefix(subnet) {
        Some(subnet) if routes.overlap(subnet) => (Vec::new(), None, routes.clone()),
        _ => {
            let given = PoolConfig { gateway: gateway.to_owned(), ..pool.clone() };
            (vec![given], Some(vec![pool]), HostRoutes::default())
        }
    };
    let families = families(true, false, (true, true));
    let pools = ipam::validate(profile, &given, families).map_err(Refusal::Ipam)?;
    let wish = ipam::Wish { network: name, driver: "default", pools: &pools, families };
    let allocation = ipam::allocate(profile, &tx.state.subnets, &routes, &wish);
    let allocation = allocation.map_err(Refusal::Ipam)?;
    let shown = shown.unwrap_or_else(|| ipam::shown(profile, &given, &allocation));
    tx.state.subnets = allocation.subnets;
    tx.touch(Touched::Engine);
    let mut add = |config: NetworkConfig, pools: Arc<[PoolState]>| {
        let id = NetworkId::from(tx.given.draw.id());
        let network = Network { id, config: Arc::new(config), pools, endpoints: Map::new_sync() };
        tx.put_network(Arc::new(network));
    };
    let bridge = NetworkConfig {
        pools: Some(shown),
        ipam_options,
        bridge: Some(bridge.to_owned()),
        options,
        ..config(name, "bridge")
    };
    add(bridge, allocation.v4.into());
    if profile != Profile::Podman5 {
        add(config("host", "host"), Arc::new([]));
        add(config("none", "null"), Arc::new([]));
    }
    Ok(())
}
