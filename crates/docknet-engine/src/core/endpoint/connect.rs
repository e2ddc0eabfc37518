//! Connecting a container to a network.

use std::sync::Arc;

use serde::Deserialize;

use super::{Attachment, EndpointConfig, attach, dns_names, podman};
use crate::Profile;
use crate::core::container::Container;
use crate::core::event::Occasion;
use crate::core::ipam::{self, Configured};
use crate::core::network::{DriverKind, Network};
use crate::core::refusal::Refusal;
use crate::core::step::Outlook;
use crate::core::tx::Tx;

pub(crate) const SYSCTLS: &str = "com.docker.network.endpoint.sysctls";

/// The body of `POST /networks/{id}/connect`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Connect {
    pub(crate) container: String,
    pub(crate) endpoint_config: Option<EndpointConfig>,
}

/// Connects a container to a network: at once if it runs, else when it starts.
pub(crate) fn connect(tx: &mut Tx<'_>, term: &str, wish: Connect) -> Result<(), Refusal> {
    if tx.given.profile == Profile::Podman5 {
        return podman::connect(tx, term, wish);
    }
    let mut container = Container::clone(tx.state.find_container(&wish.container)?);
    let mut config = wish.endpoint_config.unwrap_or_default();
    let named = std::mem::take(&mut config.network_id);
    let running = container.is_running();
    if running && container.shares_a_namespace() {
        return Err(Refusal::SharedNamespace);
    }
    let network = tx.state.find_network(if named.is_empty() { term } else { &named })?.clone();
    check_company(tx, &container, &network)?;
    check_settings(tx.given.profile, &network, &config)?;
    if let Some(mistake) = ipam::mac_mistake(&config.mac_address)
        && !tx.given.profile.checks_endpoints_late()
    {
        return Err(Refusal::Worded(400, mistake));
    }
    let key = network.config.name.clone();
    let attachment = Attachment {
        dns_names: dns_names(&container, &network, &config),
        config,
        wanted_mac: None,
        network: None,
        endpoint: None,
    };
    if !running {
        container.attachments.insert(key, attachment);
        tx.events.network_connect(network.event_ref(), container.event_ref(), Occasion::Stopped);
        tx.put_container(container);
        return Ok(());
    }
    if network.endpoints.contains_key(&container.id) {
        return Err(Refusal::AlreadyConnected { container: container.name, network: key });
    }
    let before = Outlook::of(&tx.state, &container);
    container.attachments.insert(key.clone(), attachment);
    attach(tx, &mut container, &key, &network, None)?;
    tx.turn(&container, before);
    tx.events.network_connect(network.event_ref(), container.event_ref(), Occasion::Running);
    tx.put_container(container);
    Ok(())
}

/// What of an endpoint's settings is wrong on this network, each mistake a line.
pub(crate) fn check_settings(
    profile: Profile,
    network: &Network,
    config: &EndpointConfig,
) -> Result<(), Refusal> {
    let ipam = config.ipam.clone().unwrap_or_default();
    let mut mistakes = Vec::new();
    if network.is_predefined() {
        if !ipam.v4.is_empty() || !ipam.v6.is_empty() {
            mistakes.push(
                "user specified IP address is supported on user defined networks only".to_owned(),
            );
        }
        if config.aliases.as_ref().is_some_and(|aliases| !aliases.is_empty()) {
            mistakes.push(
                "network-scoped alias is supported only for containers in user defined networks"
                    .to_owned(),
            );
        }
    }
    let (v4, v6) = network.config.configured();
    let configured = Some(Configured { v4: &v4, v6: &v6 });
    if profile.checks_endpoints_late() {
        let first = mistakes.into_iter().next().map(|mistake| (400, mistake));
        let first = first.or_else(|| ipam::refused_when_asked(profile, &ipam, configured));
        return first.map_or(Ok(()), |(status, why)| Err(Refusal::Worded(status, why)));
    }
    mistakes.extend(ipam::endpoint_mistakes(&ipam, configured));
    let sysctls = config.driver_opts.as_ref().and_then(|opts| opts.get(SYSCTLS));
    if let Some(option) = sysctls.filter(|_| profile.has_link_options()) {
        mistakes.extend(ipam::sysctl_mistakes(option));
    }
    if mistakes.is_empty() { Ok(()) } else { Err(Refusal::EndpointSettings(mistakes)) }
}

/// Some networks keep a container to themselves.
fn check_company(
    tx: &Tx<'_>,
    container: &Container,
    network: &Arc<Network>,
) -> Result<(), Refusal> {
    if network.kind() == DriverKind::Host {
        return Err(Refusal::ConnectToHost);
    }
    if container.shares_a_namespace() {
        return Err(Refusal::SharedNamespace);
    }
    let takes_company =
        |network: &Network| network.kind() != DriverKind::Null || network.config.config_only;
    let others = container.attachments.iter().filter_map(|(name, attachment)| {
        let by_id = attachment.network.as_ref().and_then(|id| tx.state.network(id));
        by_id.or_else(|| tx.state.find_network(name).ok())
    });
    for other in others.filter(|other| other.id != network.id) {
        if !takes_company(other) || !takes_company(network) {
            return Err(Refusal::NoneIsExclusive);
        }
    }
    Ok(())
}
