//! Ranges of addresses that are taken, and the blocks between them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use docknet::IpNet;

/// Addresses that somebody has: ranges that do not touch, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taken {
    four: Vec<(u128, u128)>,
    six: Vec<(u128, u128)>,
}

impl Taken {
    pub(crate) fn new(subnets: impl IntoIterator<Item = IpNet>) -> Self {
        let (four, six): (Vec<_>, Vec<_>) =
            subnets.into_iter().partition(|subnet| subnet.addr().is_ipv4());
        Self { four: merged(&four), six: merged(&six) }
    }

    /// How many blocks of this size a pool has, how many of them are free as a whole, and the first of these.
    pub(crate) fn blocks(&self, pool: IpNet, size: u8) -> Blocks {
        let (first, last) = ends(pool);
        let width = pool.max_prefix_len().saturating_sub(size);
        let total = 1_u128
            .checked_shl(u32::from(size.saturating_sub(pool.prefix_len())))
            .unwrap_or(u128::MAX);
        let ranges = if pool.addr().is_ipv4() { &self.four } else { &self.six };
        let from = ranges.partition_point(|(_, end)| *end < first);
        let (mut covered, mut next, mut free_from) = (0_u128, None, 0_u128);
        for (begin, end) in ranges.iter().skip(from).take_while(|(begin, _)| *begin <= last) {
            // The numbers of the first and the last block that this range touches.
            let begin = begin.saturating_sub(first) >> width;
            let end = (end.min(&last) - first) >> width;
            if next.is_none() && begin > free_from {
                next = Some(free_from);
            }
            let begin = begin.max(free_from);
            if end >= begin {
                covered += end - begin + 1;
                free_from = end + 1;
            }
        }
        if next.is_none() && free_from < total {
            next = Some(free_from);
        }
        let next = next.and_then(|number| block(pool, first + (number << width), size));
        Blocks { total, free: total.saturating_sub(covered), next }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Blocks {
    pub(crate) total: u128,
    pub(crate) free: u128,
    pub(crate) next: Option<IpNet>,
}

fn block(pool: IpNet, first: u128, size: u8) -> Option<IpNet> {
    let address = match pool {
        IpNet::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(first).ok()?)),
        IpNet::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(first)),
    };
    IpNet::new(address, size).ok()
}

fn ends(subnet: IpNet) -> (u128, u128) {
    (bits(subnet.network()), bits(subnet.broadcast()))
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(four) => four.to_bits().into(),
        IpAddr::V6(six) => six.to_bits(),
    }
}

fn merged(subnets: &[IpNet]) -> Vec<(u128, u128)> {
    let mut ranges: Vec<_> = subnets.iter().copied().map(ends).collect();
    ranges.sort_unstable();
    let mut merged: Vec<(u128, u128)> = Vec::new();
    for (begin, end) in ranges {
        match merged.last_mut() {
            Some((_, last)) if begin <= last.saturating_add(1) => *last = end.max(*last),
            _ => merged.push((begin, end)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    #[test]
    fn a_block_is_free_if_nobody_has_any_of_it() {
        let taken = Taken::new(["172.17.0.0/16", "172.18.5.0/24", "10.0.0.0/8"].map(net));
        let blocks = taken.blocks(net("172.16.0.0/12"), 16);
        assert_eq!(blocks, Blocks { total: 16, free: 14, next: Some(net("172.16.0.0/16")) });
        assert_eq!(
            taken.blocks(net("172.17.0.0/16"), 16),
            Blocks { total: 1, free: 0, next: None }
        );
        assert_eq!(
            taken.blocks(net("10.7.0.0/16"), 24),
            Blocks { total: 256, free: 0, next: None }
        );
        let six = Taken::new([net("fd00::/64")]);
        assert_eq!(six.blocks(net("fd00::/48"), 64).next, Some(net("fd00:0:0:1::/64")));
    }

    proptest! {
        #[test]
        fn it_is_as_if_each_block_was_looked_at(
            taken in prop::collection::vec((any::<u16>(), 20_u8..=32), 0..20),
            size in 18_u8..=26,
        ) {
            let taken: Vec<IpNet> = taken.iter()
                .map(|(low, length)| IpNet::new(IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 | u32::from(*low))), *length).unwrap().trunc())
                .collect();
            let pool = net("10.0.0.0/16");
            let free: Vec<_> = pool.subnets(size).unwrap()
                .filter(|block| !taken.iter().any(|taken| taken.contains(&block.network()) || block.contains(&taken.network())))
                .collect();
            let blocks = Taken::new(taken).blocks(pool, size);
            prop_assert_eq!(blocks.total, 1 << (size - 16));
            prop_assert_eq!(blocks.free, free.len() as u128);
            prop_assert_eq!(blocks.next, free.first().copied());
        }
    }
}
