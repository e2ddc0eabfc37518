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

/// What the file leaves open stays as it is where a network is made anew: whether it is internal, its options, its labels, and its
/// subnets if the file names none.
pub(super) fn with_what_is_open(mut spec: NetworkSpec, found: &NetworkInfo) -> NetworkSpec {
    spec.internal = spec.internal.or(Some(found.internal));
    spec.attachable = spec.attachable.or(Some(found.attachable));
    spec.scope = spec.scope.or_else(|| (found.scope != Scope::Local).then(|| found.scope.clone()));
    // What comes from a configuration comes from there, and may not be sent.
    if spec.config_from.is_some() || found.config_from.is_some() {
        return spec;
    }
    for (key, value) in &found.labels {
        spec.labels.entry(key.clone()).or_insert_with(|| value.clone());
    }
    // Another driver has other options, and other subnets.
    if spec.driver.as_ref().is_some_and(|driver| *driver != found.driver) {
        return spec;
    }
    for (key, value) in &found.options {
        spec.options.entry(key.clone()).or_insert_with(|| value.clone());
    }
    spec.ipv4 = spec.ipv4.or_else(|| found.ipv4.filter(|ipv4| !ipv4));
    spec.ipv6 = spec.ipv6.or(Some(found.ipv6));
    let default_ipam = spec.ipam.driver.is_none() && spec.ipam.options.is_empty();
    if !spec.ipam.pools.is_empty() || !default_ipam {
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
