//! The subnets of one engine.

use std::sync::Arc;

use ipnet::IpNet;
use rpds::RedBlackTreeMapSync;

use super::intervals::{Intervals, overlapping};
use super::number::{Family, span};
use super::pools::{DefaultPool, DefaultPools, PoolOrder};
use super::routes::HostRoutes;

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

    /// Takes a subnet of somebody whose other subnets may overlap with it: of two such, the larger one is taken. Those of
    /// anybody else were looked for before.
    pub(crate) fn take_beside_own(&mut self, net: IpNet) {
        self.taken_mut(Family::of_net(&net)).widen(&net);
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
        // One that lies in no pool, because the pools were others, is no place to go on from.
        let at = latest.and_then(|net| pools().position(|pool| pool.base.contains(&net)));
        let (Some(latest), Some(at)) = (latest, at) else {
            return pools().find_map(from_start);
        };
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

    /// Of subnets that overlap, one contains the other.
    fn widen(&mut self, net: &IpNet) {
        let (first, last) = span(net);
        while let Some((own_first, own_last)) = overlapping(&self.nets, first, last) {
            if own_first <= first && last <= own_last {
                return;
            }
            self.nets.remove_mut(&own_first);
        }
        self.insert(net);
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::pools::default_pools;
    use super::*;
    use crate::Profile;

    /// An engine with its default bridge, on a host with no routes.
    fn engine(profile: Profile) -> (Subnets, HostRoutes) {
        let mut subnets = Subnets::new(default_pools(profile, 1));
        if profile != Profile::Podman5 {
            assert!(subnets.take(net("172.17.0.0/16")));
        }
        (subnets, HostRoutes::default())
    }

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    fn given(subnets: &mut Subnets, routes: &HostRoutes) -> String {
        subnets.take_default(Family::V4, routes).unwrap().to_string()
    }

    /// Recorded as `pools/subnets in order` on all three.
    #[test]
    fn docker_s_thirty_come_in_its_order() {
        for profile in [Profile::Docker28, Profile::Docker26, Profile::Docker20_10] {
            let (mut subnets, routes) = engine(profile);
            for third in 18..=31 {
                assert_eq!(given(&mut subnets, &routes), format!("172.{third}.0.0/16"));
            }
            for third in (0..=240).step_by(16) {
                assert_eq!(given(&mut subnets, &routes), format!("192.168.{third}.0/20"));
            }
            let next = subnets.next_default(Family::V4, &routes).map(|net| net.to_string());
            let ours = (profile == Profile::Docker28).then(|| "10.48.0.0/24".to_owned());
            assert_eq!(next, ours);
        }
    }

    /// Recorded as `ipam/default subnets of s1 s2 s3, then (s2 removed) s4 s5`.
    #[test]
    fn a_released_subnet_is_given_again_at_once_or_after_all_others() {
        let recorded: [(Profile, &[&str], [&str; 5]); 4] = [
            (
                Profile::Docker28,
                &[],
                [
                    "172.18.0.0/16",
                    "172.19.0.0/16",
                    "172.20.0.0/16",
                    "172.19.0.0/16",
                    "172.21.0.0/16",
                ],
            ),
            (
                Profile::Docker26,
                &["172.21.0.0/16"],
                [
                    "172.22.0.0/16",
                    "172.23.0.0/16",
                    "172.24.0.0/16",
                    "172.25.0.0/16",
                    "172.26.0.0/16",
                ],
            ),
            (
                Profile::Docker20_10,
                &["172.30.0.0/16"],
                [
                    "172.31.0.0/16",
                    "192.168.0.0/20",
                    "192.168.16.0/20",
                    "192.168.32.0/20",
                    "192.168.48.0/20",
                ],
            ),
            (
                Profile::Podman5,
                &[],
                ["10.89.0.0/24", "10.89.1.0/24", "10.89.2.0/24", "10.89.1.0/24", "10.89.3.0/24"],
            ),
        ];
        for (profile, latest, subnets_given) in recorded {
            let (mut subnets, routes) = engine(profile);
            subnets.resume_after(latest.first().map(|text| net(text)));
            for (i, expected) in subnets_given.into_iter().enumerate() {
                if i == 3 {
                    assert!(subnets.release(net(subnets_given[1])));
                }
                assert_eq!(given(&mut subnets, &routes), expected, "{profile:?}");
            }
        }
    }

    #[test]
    fn after_the_end_of_the_pools_comes_the_beginning() {
        let (mut subnets, routes) = engine(Profile::Docker26);
        subnets.resume_after(Some(net("192.168.240.0/20")));
        assert_eq!(given(&mut subnets, &routes), "172.18.0.0/16");
        subnets.resume_after(Some(net("10.0.0.0/24")));
        assert_eq!(given(&mut subnets, &routes), "172.19.0.0/16");
    }

    #[test]
    fn ten_thousand_networks_fit_and_none_lies_on_a_route_of_the_host() {
        let (mut subnets, _) = engine(Profile::Docker28);
        let routes: HostRoutes = ["172.20.5.0/24", "10.48.3.4/32", "10.64.0.0/12", "0.0.0.0/0"]
            .map(net)
            .into_iter()
            .collect();
        let mut all = Vec::new();
        for _ in 0..10_000 {
            let next = subnets.take_default(Family::V4, &routes).unwrap();
            assert!(!routes.overlap(next), "{next}");
            all.push(next);
        }
        all.sort_unstable();
        assert!(all.windows(2).all(|pair| !pair[0].contains(&pair[1])));
        // 29 of Docker's, 4095 of 10.48/12, none of 10.64/12, 4096 of 10.112/12: 1780 of the last.
        assert_eq!(subnets.next_default(Family::V4, &routes), Some(net("10.134.244.0/24")));
    }

    #[test]
    fn only_a_subnet_that_was_taken_as_it_is_is_released() {
        let (mut subnets, _) = engine(Profile::Docker28);
        assert!(!subnets.release(net("172.17.0.0/17")));
        assert!(!subnets.release(net("172.17.0.0/15")));
        assert!(subnets.overlap(net("172.17.3.0/24")));
        assert!(subnets.release(net("172.17.0.0/16")));
        assert!(!subnets.overlap(net("172.17.3.0/24")));
    }

    #[test]
    fn of_subnets_that_overlap_the_larger_one_is_taken() {
        for order in [["10.0.0.0/25", "10.0.0.0/24"], ["10.0.0.0/24", "10.0.0.128/25"]] {
            let (mut subnets, _) = engine(Profile::Podman5);
            for text in order {
                subnets.take_beside_own(net(text));
            }
            assert!(subnets.overlap(net("10.0.0.200/32")) && subnets.overlap(net("10.0.0.3/32")));
            assert!(order.map(|text| subnets.release(net(text))).contains(&true));
            assert!(!subnets.overlap(net("10.0.0.0/8")), "{order:?}");
        }
    }

    #[test]
    fn ipv6_gets_parts_of_the_engine_s_own_prefix() {
        let (mut subnets, routes) = engine(Profile::Docker28);
        let mut next = || subnets.take_default(Family::V6, &routes).unwrap().to_string();
        assert_eq!(next(), "fd00:0:1::/64");
        assert_eq!(next(), "fd00:0:1:1::/64");
        let (subnets, routes) = engine(Profile::Docker26);
        assert_eq!(subnets.next_default(Family::V6, &routes), None);
    }

    /// Two pools of different sizes, small enough to look at each block.
    fn small(order: PoolOrder) -> DefaultPools {
        let pool = |base, size| DefaultPool { base: net(base), size };
        DefaultPools { pools: vec![pool("10.0.0.0/27", 30), pool("10.0.1.0/28", 29)], order }
    }

    /// All subnets of the pools, in order.
    fn blocks() -> Vec<IpNet> {
        let pools = small(PoolOrder::LowestFree).pools;
        pools.iter().flat_map(|pool| pool.base.subnets(pool.size).unwrap()).collect()
    }

    fn touch(a: &IpNet, b: &IpNet) -> bool {
        a.contains(b) || b.contains(a)
    }

    fn any_net() -> impl Strategy<Value = IpNet> {
        (0u8..2, any::<u8>(), 24u8..=32).prop_map(|(third, last, len)| {
            let low = if third == 0 { last % 40 } else { last % 20 };
            net(&format!("10.0.{third}.{low}/{len}")).trunc()
        })
    }

    #[derive(Clone, Debug)]
    enum Step {
        Take(IpNet),
        TakeDefault,
        Release(usize),
    }

    fn any_step() -> impl Strategy<Value = Step> {
        prop_oneof![
            any_net().prop_map(Step::Take),
            Just(Step::TakeDefault),
            any::<usize>().prop_map(Step::Release),
        ]
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_list_that_compares_pairs(
            steps in prop::collection::vec(any_step(), 1..60),
            routes in prop::collection::vec(any_net(), 0..3),
            rotating in any::<bool>(),
            asked in any_net(),
        ) {
            let order = if rotating { PoolOrder::AfterLast } else { PoolOrder::LowestFree };
            let mut subnets = Subnets::new(small(order));
            let host: HostRoutes = routes.iter().copied().collect();
            let mut model: Vec<IpNet> = Vec::new();
            let mut cursor = 0;
            for step in steps {
                let before = subnets.clone();
                let taken_before: Vec<bool> = blocks().iter().map(|b| before.overlap(*b)).collect();
                match step {
                    Step::Take(net) => {
                        let free = !model.iter().any(|other| touch(other, &net));
                        prop_assert_eq!(subnets.take(net), free);
                        if free {
                            model.push(net);
                        }
                    }
                    Step::TakeDefault => {
                        let all = blocks();
                        let from = if rotating { cursor } else { 0 };
                        let free = |net: &IpNet| {
                            !model.iter().any(|other| touch(other, net)) && !host.overlap(*net)
                        };
                        let found = (from..from + all.len()).map(|i| i % all.len()).find(|i| free(&all[*i]));
                        prop_assert_eq!(subnets.take_default(Family::V4, &host), found.map(|i| all[i]));
                        if let Some(found) = found {
                            model.push(all[found]);
                            cursor = found + 1;
                        }
                    }
                    Step::Release(which) if !model.is_empty() => {
                        let net = model.swap_remove(which % model.len());
                        prop_assert!(subnets.release(net));
                        prop_assert!(!subnets.release(net));
                    }
                    Step::Release(_) => {}
                }
                let untouched = blocks().iter().map(|b| before.overlap(*b)).eq(taken_before);
                prop_assert!(untouched);
                prop_assert_eq!(subnets.overlap(asked), model.iter().any(|other| touch(other, &asked)));
            }
            let near_route = routes.iter().any(|route| touch(route, &asked));
            prop_assert!(!near_route || host.overlap(asked));
        }
    }
}
