//! Which networks can reach each other: those that have containers in common.

use std::collections::BTreeMap;

use super::model::{Container, Network, Part};
use crate::output::natural;

/// Parts between which nothing passes, those with most containers first.
pub(super) fn parts(networks: Vec<Network>, containers: Vec<Container>) -> Vec<Part> {
    let numbers: BTreeMap<_, _> =
        networks.iter().enumerate().map(|(at, network)| (network.name.clone(), at)).collect();
    let mut sets = Sets((0..networks.len()).collect());
    for container in &containers {
        let mut on =
            container.endpoints.iter().filter_map(|endpoint| numbers.get(&endpoint.network));
        let Some(first) = on.next() else { continue };
        for other in on {
            sets.join(*first, *other);
        }
    }
    let mut parts: BTreeMap<usize, Part> = BTreeMap::new();
    for container in containers {
        let first = container.endpoints.iter().find_map(|endpoint| numbers.get(&endpoint.network));
        if let Some(first) = first {
            parts.entry(sets.of(*first)).or_default().containers.push(container);
        }
    }
    for (at, network) in networks.into_iter().enumerate() {
        parts.entry(sets.of(at)).or_default().networks.push(network);
    }
    let mut parts: Vec<_> = parts.into_values().map(ordered).collect();
    let first =
        |part: &Part| part.networks.first().map(|network| network.name.clone()).unwrap_or_default();
    parts.sort_by(|one, other| {
        let by_size = other.containers.len().cmp(&one.containers.len());
        by_size.then_with(|| natural(&first(one), &first(other)))
    });
    parts
}

/// Networks next to those that they share containers with, so that what joins them is short.
fn ordered(mut part: Part) -> Part {
    part.containers.sort_by(|one, other| natural(&one.name, &other.name));
    part.networks.sort_by(|one, other| natural(&one.name, &other.name));
    let mut neighbours: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for container in part.containers.iter().filter(|container| container.endpoints.len() > 1) {
        for pair in container.endpoints.windows(2) {
            if let [one, other] = pair {
                neighbours.entry(&one.network).or_default().push(&other.network);
                neighbours.entry(&other.network).or_default().push(&one.network);
            }
        }
    }
    let places: BTreeMap<&str, usize> =
        part.networks.iter().enumerate().map(|(at, network)| (network.name.as_str(), at)).collect();
    let mut placed = vec![false; part.networks.len()];
    let mut order = Vec::with_capacity(part.networks.len());
    for start in 0..part.networks.len() {
        let mut waiting = vec![start];
        while let Some(at) = waiting.pop() {
            let Some(network) = part.networks.get(at) else { continue };
            if std::mem::replace(&mut placed[at], true) {
                continue;
            }
            order.push(at);
            let next = neighbours.get(network.name.as_str()).into_iter().flatten().rev();
            waiting.extend(next.filter_map(|name| places.get(name)));
        }
    }
    part.networks = order.into_iter().filter_map(|at| part.networks.get(at).cloned()).collect();
    part
}

/// Sets of numbers, each known by one of them.
struct Sets(Vec<usize>);

impl Sets {
    fn of(&mut self, number: usize) -> usize {
        let mut at = number;
        while self.0[at] != at {
            // Half of the way is taken away each time it is gone.
            self.0[at] = self.0[self.0[at]];
            at = self.0[at];
        }
        at
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.of(one), self.of(other));
        self.0[other.max(one)] = one.min(other);
    }
}

#[cfg(test)]
mod tests {
    use super::super::lab::{container, network};
    use super::*;

    #[test]
    fn a_container_joins_its_networks_and_nothing_else_does() {
        let networks = ["a", "b", "c", "d"].map(|name| network(name, "10.7.0.0/24")).to_vec();
        let containers = vec![
            container("x", &[("a", "10.7.0.2"), ("c", "10.7.0.2")]),
            container("y", &[("b", "10.7.0.2")]),
        ];
        let parts = parts(networks, containers);
        let names: Vec<Vec<_>> = parts
            .iter()
            .map(|part| part.networks.iter().map(|network| network.name.as_str()).collect())
            .collect();
        assert_eq!(names, [vec!["a", "c"], vec!["b"], vec!["d"]]);
    }

    #[test]
    fn networks_that_share_a_container_stand_together() {
        let networks = ["a", "b", "c"].map(|name| network(name, "10.7.0.0/24")).to_vec();
        let containers = vec![
            container("x", &[("a", "1"), ("c", "1")]),
            container("y", &[("b", "1"), ("c", "1")]),
        ];
        let parts = parts(networks, containers);
        let order: Vec<_> = parts[0].networks.iter().map(|network| network.name.as_str()).collect();
        assert_eq!(order, ["a", "c", "b"]);
    }
}
