//! Specs of what is there, to have it again.

use docknet::{IpNet, Ipam, NetworkInfo, NetworkSpec, Pool, PoolInfo, Scope};

/// What to ask for to get a network like this one, with the subnets it has.
pub(super) fn network(info: &NetworkInfo) -> NetworkSpec {
    let mut spec = NetworkSpec::new(&info.name).internal(info.internal).attachable(info.attachable);
    if info.scope != Scope::Local {
        spec = spec.scope(info.scope.clone());
    }
    if info.ingress {
        spec = spec.ingress(true);
    }
    // Options, labels and pools come from the configuration, and none may be sent.
    if let Some(from) = &info.config_from {
        return spec.driver(info.driver.clone()).config_from(from);
    }
    spec = match info.config_only {
        true => spec.config_only(true),
        false => spec.driver(info.driver.clone()),
    };
    if let Some(ipv4) = info.ipv4.filter(|ipv4| !ipv4) {
        spec = spec.ipv4(ipv4);
    }
    let mut ipam = Ipam::new();
    if !matches!(info.ipam.driver.as_str(), "" | "default") {
        ipam = ipam.driver(&info.ipam.driver);
    }
    ipam.options.clone_from(&info.ipam.options);
    ipam.pools = info.ipam.pools.iter().filter_map(pool).collect();
    spec.ipv6(info.ipv6).ipam(ipam).options(info.options.clone()).labels(info.labels.clone())
}

fn pool(info: &PoolInfo) -> Option<Pool> {
    let mut pool = Pool::new(info.subnet?);
    (pool.range, pool.gateway, pool.reserved) = (info.range, info.gateway, info.reserved.clone());
    Some(pool)
}

/// A network that is made anew keeps the subnets it has where the file names none.
pub(super) fn with_old_pools(mut spec: NetworkSpec, found: &NetworkInfo) -> NetworkSpec {
    let same_driver = spec.driver.as_ref().is_none_or(|driver| *driver == found.driver);
    let default_ipam = spec.ipam.driver.is_none() && spec.ipam.options.is_empty();
    if !spec.ipam.pools.is_empty()
        || !same_driver
        || !default_ipam
        || spec.config_from.is_some()
        || found.config_from.is_some()
    {
        return spec;
    }
    let enabled = |subnet: &IpNet| match subnet {
        IpNet::V4(_) => spec.ipv4 != Some(false),
        IpNet::V6(_) => spec.ipv6 == Some(true),
    };
    let pools =
        found.ipam.pools.iter().filter_map(pool).filter(|pool| enabled(&pool.subnet)).collect();
    spec.ipam.pools = pools;
    spec
}
