//! Making a network.

use std::collections::BTreeMap;
use std::sync::Arc;

use docknet_types::NetworkId;
use serde::Deserialize;

use super::driver::{self, DriverKind};
use super::{Network, NetworkConfig, is_predefined_name, podman};
use crate::Profile;
use crate::core::ipam::{self, Families, Family, FamilyWish, IpamRefusal, PoolConfig, ValidPool};
use crate::core::refusal::Refusal;
use crate::core::state::Map;
use crate::core::step::Step;
use crate::core::tx::{Supply, Touched, Tx};

/// The body of `POST /networks/create`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct CreateNetwork {
    pub(crate) name: String,
    pub(crate) check_duplicate: bool,
    pub(crate) driver: String,
    pub(crate) scope: String,
    #[serde(rename = "EnableIPv4")]
    pub(crate) ipv4: Option<bool>,
    #[serde(rename = "EnableIPv6")]
    pub(crate) ipv6: Option<bool>,
    #[serde(rename = "IPAM")]
    pub(crate) ipam: Option<IpamWish>,
    pub(crate) internal: bool,
    pub(crate) attachable: bool,
    pub(crate) ingress: bool,
    pub(crate) config_only: bool,
    pub(crate) config_from: Option<ConfigReference>,
    pub(crate) options: Option<BTreeMap<String, String>>,
    pub(crate) labels: Option<BTreeMap<String, String>>,
}

/// How a network is to get its addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct IpamWish {
    pub(crate) driver: String,
    pub(crate) options: Option<BTreeMap<String, String>>,
    pub(crate) config: Option<Vec<PoolConfig>>,
}

/// The name of a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ConfigReference {
    pub(crate) network: String,
}

/// A network that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Created {
    pub(crate) id: NetworkId,
    pub(crate) warning: String,
}

/// The scope of networks for which Docker has other default pools, so that nobody's turn is over.
const GLOBAL: &str = "global";

/// Makes a network, or says why not and takes nothing.
pub(crate) fn create(tx: &mut Tx<'_>, wish: CreateNetwork) -> Result<Created, Refusal> {
    if tx.given.profile == Profile::Podman5 {
        return podman::create(tx, wish);
    }
    if is_predefined_name(&wish.name) {
        return Err(Refusal::NamePredefined(wish.name));
    }
    let pools = wish.ipam.as_ref().and_then(|ipam| ipam.config.as_deref()).unwrap_or_default();
    let families = families(wish.ipv4.unwrap_or(true), wish.ipv6.unwrap_or(false), (true, true));
    ipam::validate(tx.given.profile, pools, families).map_err(Refusal::Ipam)?;
    if wish.name.trim().is_empty() {
        return Err(Refusal::NameEmpty(wish.name));
    }
    let warning = duplicate(tx, &wish)?;
    check_configuration(&wish)?;
    let id = NetworkId::from(tx.given.draw.id());
    let config = match wish.config_only {
        true => configuration(tx, wish),
        false => configured(tx, wish)?,
    };
    let network = if config.config_only {
        Network { id, config: Arc::new(config), pools: Arc::new([]), endpoints: Map::new_sync() }
    } else {
        allocate(tx, id, config)?
    };
    Ok(Created { id: add(tx, network), warning })
}

/// Takes a network in, with everything that this is to the rest of the world.
pub(crate) fn add(tx: &mut Tx<'_>, network: Network) -> NetworkId {
    let id = network.id.clone();
    tx.events.network_create(network.event_ref());
    let network = Arc::new(network);
    if !network.config.config_only {
        tx.step(Step::AddNetwork(network.clone()));
    }
    tx.put_network(network);
    id
}

/// Refuses a name that is taken. Engines of old make a second network of it unless told not to, and warn.
fn duplicate(tx: &Tx<'_>, wish: &CreateNetwork) -> Result<String, Refusal> {
    let Some(other) = tx.state.networks_named(&wish.name).next() else { return Ok(String::new()) };
    if tx.given.profile != Profile::Docker20_10 || wish.check_duplicate {
        return Err(Refusal::NameTaken(wish.name.clone()));
    }
    Ok(format!("Network with name {} (id : {}) already exists", wish.name, other.id))
}

/// What configurations and what is made from them may not say.
fn check_configuration(wish: &CreateNetwork) -> Result<(), Refusal> {
    let from = wish.config_from.as_ref().is_some_and(|from| !from.network.is_empty());
    if wish.config_only {
        if wish.ingress || wish.internal || wish.attachable || !wish.scope.is_empty() {
            return Err(Refusal::ConfigOnlyOperator);
        }
        if from {
            return Err(Refusal::ConfigFromConfig);
        }
        return Ok(());
    }
    if !from {
        return Ok(());
    }
    let ipam = wish.ipam.clone().unwrap_or_default();
    let own_driver = !matches!(ipam.driver.as_str(), "" | "default");
    let has =
        |map: &Option<BTreeMap<String, String>>| map.as_ref().is_some_and(|map| !map.is_empty());
    if own_driver
        || has(&ipam.options)
        || ipam.config.is_some_and(|pools| !pools.is_empty())
        || wish.ipv6 == Some(true)
        || has(&wish.labels)
    {
        return Err(Refusal::ConfigFromAndOwn);
    }
    if has(&wish.options) {
        return Err(Refusal::ConfigFromAndOptions);
    }
    Ok(())
}

/// A configuration: it keeps what it is told, takes nothing and is no network.
fn configuration(tx: &Tx<'_>, wish: CreateNetwork) -> NetworkConfig {
    NetworkConfig {
        driver: "null".to_owned(),
        scope: "local".to_owned(),
        config_only: true,
        ..config_of(tx, wish)
    }
}

/// What an ordinary network is to be, with what its configuration says, if it is made from one.
fn configured(tx: &Tx<'_>, wish: CreateNetwork) -> Result<NetworkConfig, Refusal> {
    let driver = if wish.driver.is_empty() { "bridge" } else { &wish.driver };
    let kind = DriverKind::of(driver);
    if kind == DriverKind::Unknown {
        return Err(Refusal::NoSuchDriver(driver.to_owned()));
    }
    if kind == DriverKind::Overlay {
        return Err(Refusal::NotASwarmManager);
    }
    if wish.ingress {
        return Err(Refusal::IngressIsGlobal);
    }
    if wish.scope == "swarm" {
        return Err(Refusal::NoSwarmForScope);
    }
    let driver = driver.to_owned();
    let scope = if wish.scope.is_empty() { "local".to_owned() } else { wish.scope.clone() };
    let from = wish.config_from.clone().filter(|from| !from.network.is_empty());
    let mut config = NetworkConfig { driver, scope, ..config_of(tx, wish) };
    if let Some(from) = from {
        let source = tx
            .state
            .networks_named(&from.network)
            .find(|network| network.config.config_only)
            .ok_or_else(|| Refusal::NoSuchConfig(from.network.clone()))?;
        let source = &source.config;
        config = NetworkConfig {
            config_from: Some(from.network),
            ipv4: source.ipv4,
            ipv6: source.ipv6,
            ipam_driver: source.ipam_driver.clone(),
            ipam_options: source.ipam_options.clone(),
            pools: source.pools.clone(),
            options: source.options.clone(),
            labels: source.labels.clone(),
            ..config
        };
    }
    if !config.ipv4 && !config.ipv6 {
        return Err(Refusal::NoAddressFamily);
    }
    Ok(config)
}

/// What of a wish is taken as it is.
fn config_of(tx: &Tx<'_>, wish: CreateNetwork) -> NetworkConfig {
    let ipam = wish.ipam.unwrap_or_default();
    let pools = ipam.config.filter(|pools| !pools.is_empty());
    NetworkConfig {
        name: wish.name,
        created: tx.given.now,
        // Engines before API 1.48 know no networks without IPv4.
        ipv4: wish.ipv4.unwrap_or(true) || tx.given.profile != Profile::Docker28,
        ipv6: wish.ipv6.unwrap_or(false),
        internal: wish.internal,
        attachable: wish.attachable,
        ingress: wish.ingress,
        ipam_driver: if ipam.driver.is_empty() { "default".to_owned() } else { ipam.driver },
        ipam_options: ipam.options,
        pools,
        options: wish.options.unwrap_or_default(),
        labels: wish.labels.unwrap_or_default(),
        ..NetworkConfig::default()
    }
}

/// Finds subnets, gateways and a bridge for a network.
fn allocate(tx: &mut Tx<'_>, id: NetworkId, mut config: NetworkConfig) -> Result<Network, Refusal> {
    let profile = tx.given.profile;
    let kind = DriverKind::of(&config.driver);
    let gateways = driver::wants_gateway(profile, kind, config.internal, &config.options);
    let families = families(config.ipv4, config.ipv6, gateways);
    let given = config.pools.take().unwrap_or_default();
    let pools = ipam::validate(profile, &given, families).map_err(Refusal::Ipam)?;
    if tx.given.supply == Supply::Nothing {
        return Err(Refusal::Ipam(IpamRefusal::PoolsExhausted(Family::V4)));
    }
    spend_turn(tx, kind, &config, &pools);
    let wish =
        ipam::Wish { network: &config.name, driver: &config.ipam_driver, pools: &pools, families };
    let allocation = ipam::allocate(profile, &tx.state.subnets, &tx.given.host.routes, &wish)
        .map_err(|why| ipam_refusal(profile, kind, why))?;
    // 20.10 finds out late that there is no driver for such a scope.
    if profile == Profile::Docker20_10 && config.scope != "local" {
        return Err(Refusal::NotASwarmManager);
    }
    let wish = driver::Wish {
        id: &id,
        kind,
        internal: config.internal,
        options: &config.options,
        v4: &allocation.v4,
        v6: &allocation.v6,
    };
    config.bridge = driver::plan(tx, &wish)?.bridge;
    config.given_pools = given.len();
    config.pools = Some(ipam::shown(profile, &given, &allocation));
    let latest = match config.scope.as_str() {
        GLOBAL => tx.state.subnets.latest(),
        _ => allocation.subnets.latest(),
    };
    tx.state.subnets = allocation.subnets;
    tx.state.subnets.resume_after(latest);
    if tx.state.engine.last_subnet != latest {
        tx.state.engine.last_subnet = latest;
        tx.touch(Touched::Engine);
    }
    let pools = allocation.v4.into_iter().chain(allocation.v6).collect();
    Ok(Network { id, config: Arc::new(config), pools, endpoints: Map::new_sync() })
}

/// Notes the default subnet that such a network gets, for engines where its turn is over even if the network is refused.
fn spend_turn(tx: &mut Tx<'_>, kind: DriverKind, config: &NetworkConfig, pools: &[ValidPool]) {
    let given = pools.iter().any(|pool| pool.subnet.addr().is_ipv4());
    let managed = kind.has_endpoint_links() && config.ipam_driver == "default";
    let of_this_node = config.scope != GLOBAL;
    if tx.given.profile.gives_subnets_in_turns() && managed && of_this_node && !given {
        tx.spent_turn = tx.state.subnets.next_default(Family::V4, &tx.given.host.routes);
    }
}

/// In Docker before 28, macvlan and ipvlan look for an empty pool themselves, and call it an error of the engine's.
fn ipam_refusal(profile: Profile, kind: DriverKind, why: IpamRefusal) -> Refusal {
    let own = matches!(kind, DriverKind::Macvlan | DriverKind::Ipvlan);
    match why {
        IpamRefusal::PoolEmpty(_) if own && profile == Profile::Docker26 => {
            Refusal::Worded(500, why.answer(profile).1)
        }
        why => Refusal::Ipam(why),
    }
}

/// Which families a network has, and which of them with a gateway.
pub(super) fn families(ipv4: bool, ipv6: bool, gateways: (bool, bool)) -> Families {
    let wish = |enabled, gateway| match (enabled, gateway) {
        (false, _) => FamilyWish::Off,
        (true, true) => FamilyWish::On,
        (true, false) => FamilyWish::WithoutGateway,
    };
    Families { v4: wish(ipv4, gateways.0), v6: wish(ipv6, gateways.1) }
}
