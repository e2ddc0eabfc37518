//! The subnets that an engine hands out by itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::Profile;

/// A block that is given away in subnets of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DefaultPool {
    pub(crate) base: IpNet,
    /// The prefix length of each subnet.
    pub(crate) size: u8,
}

/// The pools of an engine, in the order in which they are used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DefaultPools {
    pub(crate) pools: Vec<DefaultPool>,
    pub(crate) order: PoolOrder,
}

/// Which of the free subnets is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum PoolOrder {
    #[default]
    LowestFree,
    /// The next after the one given last, and from the beginning after the end.
    AfterLast,
}

/// The pools of a profile. `ula` is a number that is this engine's own: its lower 40 bits make a /48 of unique local
/// addresses.
pub(crate) fn default_pools(profile: Profile, ula: u64) -> DefaultPools {
    let mut pools = match profile {
        Profile::Podman5 => v4(&[PODMAN]),
        Profile::Docker20_10 | Profile::Docker26 => v4(&[DOCKER]),
        Profile::Docker28 => v4(&[DOCKER, FURTHER]),
    };
    if matches!(profile, Profile::Docker28 | Profile::Podman5) {
        pools.push(unique_local(ula));
    }
    let order = match profile {
        Profile::Docker20_10 | Profile::Docker26 => PoolOrder::AfterLast,
        Profile::Docker28 | Profile::Podman5 => PoolOrder::LowestFree,
    };
    DefaultPools { pools, order }
}

type Block = ([u8; 4], u8, u8);

/// Docker's own: 31, the first of which is the default bridge's.
const DOCKER: &[Block] = &[
    ([172, 17, 0, 0], 16, 16),
    ([172, 18, 0, 0], 16, 16),
    ([172, 19, 0, 0], 16, 16),
    ([172, 20, 0, 0], 14, 16),
    ([172, 24, 0, 0], 14, 16),
    ([172, 28, 0, 0], 14, 16),
    ([192, 168, 0, 0], 16, 20),
];

/// Where ours goes on when Docker's are spent: 45,056 subnets of 254 addresses.
///
/// First the parts of 10.0.0.0/8 where no other default that we know of lies: 12,288 subnets. Left out before the last
/// one are 10.0-10.47 (Azure, home and office networks, k3s), 10.80-10.95 (Podman's 10.88 and 10.89) and 10.96/12
/// (Kubernetes' services). Last the upper half, which GCP's automatic networks and OpenShift use too: a route to them
/// that the host does not show would be hidden, so it is for those who need more than the rest has.
const FURTHER: &[Block] = &[
    ([10, 48, 0, 0], 12, 24),
    ([10, 64, 0, 0], 12, 24),
    ([10, 112, 0, 0], 12, 24),
    ([10, 128, 0, 0], 9, 24),
];

const PODMAN: &[Block] = &[
    ([10, 89, 0, 0], 16, 24),
    ([10, 90, 0, 0], 15, 24),
    ([10, 92, 0, 0], 14, 24),
    ([10, 96, 0, 0], 11, 24),
    ([10, 128, 0, 0], 9, 24),
];

fn v4(lists: &[&[Block]]) -> Vec<DefaultPool> {
    let pool = |(octets, len, size): &Block| {
        let base = IpNet::new(IpAddr::V4(Ipv4Addr::from(*octets)), *len).ok()?;
        Some(DefaultPool { base, size: *size })
    };
    lists.iter().copied().flatten().filter_map(pool).collect()
}

/// RFC 4193: `fd`, 40 bits of one's own, 16 bits of subnet.
fn unique_local(ula: u64) -> DefaultPool {
    let own = u128::from(ula & 0xff_ffff_ffff);
    let base = Ipv6Addr::from((0xfd << 120) | (own << 80));
    DefaultPool { base: IpNet::new_assert(IpAddr::V6(base), 48), size: 64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_s_own_are_thirty_one_and_ours_forty_five_thousand_more() {
        let count = |profile| -> u32 {
            let pools = default_pools(profile, 0).pools;
            let v4 = pools.iter().filter(|pool| pool.base.addr().is_ipv4());
            v4.map(|pool| 1 << (pool.size - pool.base.prefix_len())).sum()
        };
        assert_eq!(count(Profile::Docker26), 31);
        assert_eq!(count(Profile::Docker28), 31 + 45_056);
    }

    #[test]
    fn no_two_pools_overlap() {
        for profile in
            [Profile::Docker20_10, Profile::Docker26, Profile::Docker28, Profile::Podman5]
        {
            let pools = default_pools(profile, 7).pools;
            for (i, pool) in pools.iter().enumerate() {
                assert_eq!(pool.base, pool.base.trunc());
                for other in &pools[i + 1..] {
                    assert!(!pool.base.contains(&other.base) && !other.base.contains(&pool.base));
                }
            }
        }
    }

    #[test]
    fn the_engine_s_own_number_makes_a_48_of_fd() {
        let pool = unique_local(0xffff_ff12_3456_789a);
        assert_eq!(pool.base.to_string(), "fd12:3456:789a::/48");
        assert_eq!(pool.size, 64);
    }
}
