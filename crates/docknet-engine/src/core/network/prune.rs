//! Removing what nobody uses.

use super::Network;
use super::remove::{has_users, take};
use crate::core::filter::NetworkPruneFilter;
use crate::core::tx::Tx;

/// Removes every network that matches and that no running container uses; gives their names, in order.
pub(crate) fn prune(tx: &mut Tx<'_>, filter: &NetworkPruneFilter) -> Vec<String> {
    let matches = |network: &&std::sync::Arc<Network>| {
        let config = &network.config;
        !network.is_predefined()
            && network.endpoints.is_empty()
            && filter.matches(config.created, &config.labels)
    };
    let candidates: Vec<_> = tx.state.networks().filter(matches).cloned().collect();
    // Networks first, then the configurations that they were made from.
    let (configurations, mut pruned): (Vec<_>, Vec<_>) =
        candidates.into_iter().partition(|network| network.config.config_only);
    for network in &pruned {
        take(tx, network);
    }
    for configuration in configurations {
        if !has_users(tx, &configuration.config.name) {
            take(tx, &configuration);
            pruned.push(configuration);
        }
    }
    tx.events.networks_prune(pruned.iter().map(|network| network.event_ref()));
    let mut names: Vec<_> = pruned.iter().map(|network| network.config.name.clone()).collect();
    names.sort();
    names
}
