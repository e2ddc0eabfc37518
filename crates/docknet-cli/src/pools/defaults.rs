//! The pools that networks get a subnet from when they ask for none.

use docknet::IpNet;
use serde::Serialize;

use super::blocks::{Blocks, Taken};

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DefaultPool {
    pub(crate) base: IpNet,
    /// The length of the prefix of each subnet that is given from it.
    pub(crate) size: u8,
    pub(crate) total: u128,
    pub(crate) free: u128,
    pub(crate) next: Option<IpNet>,
}

/// Docker's own, where the engine names none: moby, `daemon/libnetwork/ipamutils`.
const DOCKERS: [(&str, u8); 7] = [
    ("172.17.0.0/16", 16),
    ("172.18.0.0/16", 16),
    ("172.19.0.0/16", 16),
    ("172.20.0.0/14", 16),
    ("172.24.0.0/14", 16),
    ("172.28.0.0/14", 16),
    ("192.168.0.0/16", 20),
];

/// The pools that the engine told of, or Docker's, with what is left of them.
pub(crate) fn defaults(told: Option<&[(IpNet, u8)]>, taken: &Taken) -> Vec<DefaultPool> {
    let dockers =
        || DOCKERS.iter().filter_map(|(base, size)| Some((base.parse().ok()?, *size))).collect();
    let pools: Vec<(IpNet, u8)> = told.map_or_else(dockers, <[_]>::to_vec);
    pools
        .into_iter()
        .map(|(base, size)| {
            let Blocks { total, free, next } = taken.blocks(base, size);
            DefaultPool { base, size, total, free, next }
        })
        .collect()
}

/// A free subnet of this size: out of the default pools, or else out of the private ranges.
pub(crate) fn next(size: u8, defaults: &[DefaultPool], taken: &Taken) -> Option<IpNet> {
    const PRIVATE: [&str; 3] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

    let bases = defaults
        .iter()
        .map(|pool| pool.base)
        .chain(PRIVATE.iter().filter_map(|base| base.parse().ok()));
    let mut four =
        bases.filter(|base| base.addr().is_ipv4() && base.prefix_len() <= size && size <= 32);
    four.find_map(|base| taken.blocks(base, size).next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dockers_pools_have_room_for_thirty_one_networks() {
        let total: u128 = defaults(None, &Taken::default()).iter().map(|pool| pool.total).sum();
        assert_eq!(total, 31);
    }

    #[test]
    fn the_next_subnet_is_one_that_nobody_has() {
        let taken = Taken::new(["172.17.0.0/24".parse().unwrap()]);
        let defaults = defaults(None, &taken);
        assert_eq!(next(24, &defaults, &taken), Some("172.17.1.0/24".parse().unwrap()));
        assert_eq!(next(12, &defaults, &taken), Some("10.0.0.0/12".parse().unwrap()));
        assert_eq!(next(4, &defaults, &taken), None);
    }
}
