//! Removing what nobody uses.

use super::Network;
use super::remove::{has_users, take};
use crate::core::event::Event;
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
    let mut names = Vec::with_capacity(candidates.len());
    // Networks first, then the configurations that they were made from.
    let (configurations, networks): (Vec<_>, Vec<_>) =
        candidates.into_iter().partition(|network| network.config.config_only);
    for network in networks {
        take(tx, &network);
        names.push(network.config.name.clone());
    }
    for configuration in configurations {
        if !has_users(tx, &configuration.config.name) {
            take(tx, &configuration);
            names.push(configuration.config.name.clone());
        }
    }
    names.sort();
    tx.emit(Event::network_prune(tx.given.now));
    names
}
