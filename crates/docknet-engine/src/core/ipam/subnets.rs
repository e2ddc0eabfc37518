//! The subnets of one engine.

use std::sync::Arc;

use ipnet::IpNet;
use rpds::RedBlackTreeMapSync;

use super::intervals::{Intervals, overlapping};
use super::number::{Family, span};
use super::pools::{DefaultPool, DefaultPools, PoolOrder};

/// Which subnets are taken, in both families, and which is given next.
///
/// A clone costs nothing. Every operation is O(log n) in the number of subnets, whatever was taken and released before.
#[derive(Clone, Debug)]
pub(crate) struct Subnets {
    pools: Arc<DefaultPools>,
    v4: Taken,
    v6: Taken,
    /// The one that was given last, where the order asks for it. Only IPv4 has pools in such an order.
    latest: Option<IpNet>,
}

impl Subnets {
    pub(crate) fn new(pools: DefaultPools) -> Self {
        let (v4, v6) = (Taken::new(&pools, Family::V4), Taken::new(&pools, Family::V6));
        Self { pools: Arc::new(pools), v4, v6, latest: None }
    }

    /// Whether any address of this subnet belongs to one that is taken.
    pub(crate) fn overlap(&self, net: IpNet) -> bool {
        let (first, last) = span(&net);
        overlapping(&self.taken(Family::of_net(&net)).nets, first, last).is_some()
    }

    /// Takes a subnet, unless it overlaps with another: false.
    #[must_use]
    pub(crate) fn take(&mut self, net: IpNet) -> bool {
        if self.overlap(net) {
            return false;
        }
        self.taken_mut(Family::of_net(&net)).insert(&net);
        true
    }

    /// Gives back a subnet that was taken as it is: false where none was.
    pub(crate) fn release(&mut self, net: IpNet) -> bool {
        self.taken_mut(Family::of_net(&net)).remove(&net)
    }

    /// The default subnet that is next, if any is left. It is not taken by this.
    pub(crate) fn next_default(&self, family: Family, routes: &HostRoutes) -> Option<IpNet> {
        let latest = match self.pools.order {
            PoolOrder::LowestFree => None,
            PoolOrder::AfterLast => self.latest.filter(|net| Family::of_net(net) == family),
        };
        let pools = || self.pools.pools.iter().filter(|p| Family::of_net(&p.base) == family);
        let search =
            |pool: &DefaultPool, from| self.taken(family).search(pool, from, routes.routes(family));
        let from_start = |pool: &DefaultPool| search(pool, span(&pool.base).0);
        let Some(latest) = latest else {
            return pools().find_map(from_start);
        };
        let at = pools().position(|pool| pool.base.contains(&latest)).unwrap_or_default();
        let rest = pools().nth(at).and_then(|pool| search(pool, span(&latest).1.checked_add(1)?));
        rest.or_else(|| pools().skip(at + 1).find_map(from_start))
            .or_else(|| pools().take(at + 1).find_map(from_start))
    }

    /// Takes the default subnet that is next.
    pub(crate) fn take_default(&mut self, family: Family, routes: &HostRoutes) -> Option<IpNet> {
        let net = self.next_default(family, routes)?;
        self.taken_mut(family).insert(&net);
        self.latest = Some(net);
        Some(net)
    }

    /// The default subnet that was given last: with what is taken, all that there is to keep.
    pub(crate) fn latest(&self) -> Option<IpNet> {
        self.latest
    }

    /// Goes on where another run stopped.
    pub(crate) fn resume_after(&mut self, latest: Option<IpNet>) {
        self.latest = latest;
    }

    fn taken(&self, family: Family) -> &Taken {
        match family {
            Family::V4 => &self.v4,
            Family::V6 => &self.v6,
        }
    }

    fn taken_mut(&mut self, family: Family) -> &mut Taken {
        match family {
            Family::V4 => &mut self.v4,
            Family::V6 => &mut self.v6,
        }
    }
}

/// What the host reaches by itself, and what a default subnet must therefore not hide.
#[derive(Clone, Debug, Default)]
pub(crate) struct HostRoutes {
    v4: Intervals,
    v6: Intervals,
}

impl HostRoutes {
    pub(crate) fn overlap(&self, net: IpNet) -> bool {
        let (first, last) = span(&net);
        self.routes(Family::of_net(&net)).overlapping(first, last).is_some()
    }

    fn routes(&self, family: Family) -> &Intervals {
        match family {
            Family::V4 => &self.v4,
            Family::V6 => &self.v6,
        }
    }
}

impl FromIterator<IpNet> for HostRoutes {
    /// Default routes are left out, as there would be nothing left to give.
    fn from_iter<T: IntoIterator<Item = IpNet>>(routes: T) -> Self {
        let mut all = Self::default();
        for net in routes.into_iter().filter(|net| !net.network().is_unspecified()) {
            let (first, last) = span(&net);
            match net {
                IpNet::V4(_) => all.v4.insert(first, last),
                IpNet::V6(_) => all.v6.insert(first, last),
            }
        }
        all
    }
}

/// What is taken in one family.
#[derive(Clone, Debug)]
struct Taken {
    family: Family,
    nets: RedBlackTreeMapSync<u128, u128>,
    /// For each size of the default pools, the blocks of that size which hold anything, so that the next free one is
    /// found without a look at what is inside of each.
    blocks: Vec<(u8, Intervals)>,
}

impl Taken {
    fn new(pools: &DefaultPools, family: Family) -> Self {
        let own = pools.pools.iter().filter(|pool| Family::of_net(&pool.base) == family);
        let mut sizes: Vec<u8> = own.map(|pool| pool.size).collect();
        sizes.sort_unstable();
        sizes.dedup();
        let blocks = sizes.into_iter().map(|size| (size, Intervals::default())).collect();
        Self { family, nets: RedBlackTreeMapSync::default(), blocks }
    }

    fn insert(&mut self, net: &IpNet) {
        let (first, last) = span(net);
        self.nets.insert_mut(first, last);
        for (size, blocks) in &mut self.blocks {
            let (first, last) = outward(self.family, *size, first, last);
            blocks.insert(first, last);
        }
    }

    fn remove(&mut self, net: &IpNet) -> bool {
        let (first, last) = span(net);
        if self.nets.get(&first) != Some(&last) {
            return false;
        }
        self.nets.remove_mut(&first);
        for (size, blocks) in &mut self.blocks {
            let (first, last) = outward(self.family, *size, first, last);
            if overlapping(&self.nets, first, last).is_none() {
                blocks.remove(first, last);
            }
        }
        true
    }

    /// The lowest subnet of a pool, at or after `from`, where nothing lies.
    fn search(&self, pool: &DefaultPool, from: u128, routes: &Intervals) -> Option<IpNet> {
        let (_, end) = span(&pool.base);
        let (_, blocks) = self.blocks.iter().find(|(size, _)| *size == pool.size)?;
        let mut first = from;
        loop {
            first = blocks.first_gap(first)?;
            let (_, last) = outward(self.family, pool.size, first, first);
            if last > end {
                return None;
            }
            match routes.overlapping(first, last) {
                None => return self.family.net(first, pool.size),
                Some((_, route)) => {
                    let (_, last) = outward(self.family, pool.size, route, route);
                    first = last.checked_add(1)?;
                }
            }
        }
    }
}

/// A range with the rest of the blocks in which it begins and ends.
fn outward(family: Family, size: u8, first: u128, last: u128) -> (u128, u128) {
    let hosts = family.bits().saturating_sub(size);
    let mask = 1u128.checked_shl(u32::from(hosts)).map_or(u128::MAX, |width| width - 1);
    (first & !mask, last | mask)
}
