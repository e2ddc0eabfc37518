//! A set of numbers as the ranges that it consists of.

use rpds::RedBlackTreeMapSync;

/// A set of numbers, kept as closed ranges that neither overlap nor touch: first number to last.
///
/// Every question costs O(log n) in the number of ranges, and a clone nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Intervals {
    ranges: RedBlackTreeMapSync<u128, u128>,
}

impl Intervals {
    pub(crate) fn insert(&mut self, first: u128, last: u128) {
        let (mut first, mut last) = (first, last);
        while let Some((low, high)) =
            self.overlapping(first.saturating_sub(1), last.saturating_add(1))
        {
            self.ranges.remove_mut(&low);
            first = first.min(low);
            last = last.max(high);
        }
        self.ranges.insert_mut(first, last);
    }

    pub(crate) fn remove(&mut self, first: u128, last: u128) {
        while let Some((low, high)) = self.overlapping(first, last) {
            self.ranges.remove_mut(&low);
            if low < first {
                self.ranges.insert_mut(low, first - 1);
            }
            if high > last {
                self.ranges.insert_mut(last + 1, high);
            }
        }
    }

    pub(crate) fn contains(&self, number: u128) -> bool {
        self.overlapping(number, number).is_some()
    }

    /// The lowest of its ranges that has a number in common with this one.
    pub(crate) fn overlapping(&self, first: u128, last: u128) -> Option<(u128, u128)> {
        overlapping(&self.ranges, first, last)
    }

    /// The lowest number at or after `from` that is not in the set.
    pub(crate) fn first_gap(&self, from: u128) -> Option<u128> {
        match self.overlapping(from, from) {
            Some((_, last)) => last.checked_add(1),
            None => Some(from),
        }
    }

    /// How many ranges it consists of.
    #[cfg(test)]
    pub(crate) fn pieces(&self) -> usize {
        self.ranges.size()
    }
}

/// The same on any map of disjoint ranges, merged or not.
pub(super) fn overlapping(
    ranges: &RedBlackTreeMapSync<u128, u128>,
    first: u128,
    last: u128,
) -> Option<(u128, u128)> {
    let before = ranges.range(..=first).next_back().filter(|(_, high)| **high >= first);
    let found = before.or_else(|| ranges.range(first..=last).next());
    found.map(|(low, high)| (*low, *high))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranges_that_touch_become_one() {
        let mut set = Intervals::default();
        set.insert(10, 19);
        set.insert(30, 39);
        assert_eq!(set.pieces(), 2);
        set.insert(20, 29);
        assert_eq!(set.pieces(), 1);
        assert_eq!(set.first_gap(10), Some(40));
    }

    #[test]
    fn the_ends_of_the_numbers_are_numbers_like_others() {
        let mut set = Intervals::default();
        set.insert(0, 0);
        set.insert(u128::MAX, u128::MAX);
        assert_eq!(set.first_gap(0), Some(1));
        assert_eq!(set.first_gap(u128::MAX), None);
        set.insert(0, u128::MAX);
        assert_eq!(set.pieces(), 1);
        set.remove(0, 0);
        set.remove(u128::MAX, u128::MAX);
        assert_eq!(set.overlapping(0, u128::MAX), Some((1, u128::MAX - 1)));
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_set_of_single_numbers(
            steps in prop::collection::vec((any::<bool>(), 0u128..80, 0u128..12), 1..60),
            asked in 0u128..100,
            width in 0u128..12,
        ) {
            let mut set = Intervals::default();
            let mut model = BTreeSet::new();
            for (add, first, width) in steps {
                let (before, copy) = (set.clone(), model.clone());
                if add {
                    set.insert(first, first + width);
                    model.extend(first..=first + width);
                } else {
                    set.remove(first, first + width);
                    model.retain(|n| !(first..=first + width).contains(n));
                }
                prop_assert!((0..100).all(|n| before.contains(n) == copy.contains(&n)));
            }
            prop_assert!((0..100).all(|n| set.contains(n) == model.contains(&n)));
            let gap = (asked..).find(|n| !model.contains(n));
            prop_assert_eq!(set.first_gap(asked), gap);
            let overlap = model.range(asked..=asked + width).next().is_some();
            prop_assert_eq!(set.overlapping(asked, asked + width).is_some(), overlap);
            let runs = model.iter().filter(|n| **n == 0 || !model.contains(&(**n - 1))).count();
            prop_assert_eq!(set.pieces(), runs);
        }
    }
}
