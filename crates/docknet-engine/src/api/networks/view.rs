//! A network as an inspection shows it.

use std::collections::BTreeMap;

use docknet_types::ContainerId;
use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::Profile;
use crate::core::endpoint::Endpoint;
use crate::core::ipam::PoolConfig;
use crate::core::network::{Network, podman};

/// The fields of Docker's `network.Inspect`, in its order.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NetworkView<'a> {
    name: &'a str,
    id: &'a str,
    created: Timestamp,
    scope: &'a str,
    driver: &'a str,
    /// Engines before API 1.48 do not have it.
    #[serde(rename = "EnableIPv4", skip_serializing_if = "Option::is_none")]
    ipv4: Option<bool>,
    #[serde(rename = "EnableIPv6")]
    ipv6: bool,
    #[serde(rename = "IPAM")]
    ipam: IpamView<'a>,
    internal: bool,
    attachable: bool,
    ingress: bool,
    config_from: ConfigFrom<'a>,
    config_only: bool,
    containers: Members<'a>,
    options: &'a BTreeMap<String, String>,
    labels: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct IpamView<'a> {
    driver: &'a str,
    options: Option<&'a BTreeMap<String, String>>,
    config: Option<&'a [PoolConfig]>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ConfigFrom<'a> {
    network: &'a str,
}

/// The containers on it; a list leaves them out.
struct Members<'a> {
    of: Option<&'a Network>,
    /// Whether endpoints have ids: those of Podman have none.
    ids: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MemberView<'a> {
    name: &'a str,
    #[serde(rename = "EndpointID")]
    endpoint: &'a str,
    mac_address: String,
    #[serde(rename = "IPv4Address")]
    ipv4: String,
    #[serde(rename = "IPv6Address")]
    ipv6: String,
}

impl<'a> NetworkView<'a> {
    /// With its containers.
    pub(super) fn inspected(network: &'a Network, profile: Profile) -> Self {
        Self::new(network, Some(network), profile)
    }

    /// As a list has it: Docker leaves the containers out, Podman does not.
    pub(super) fn in_a_list(network: &'a Network, profile: Profile) -> Self {
        match profile {
            Profile::Podman5 => {
                let view = Self::new(network, Some(network), profile);
                if view.name == podman::DEFAULT { view.named("bridge") } else { view }
            }
            _ => Self::new(network, None, profile),
        }
    }

    /// Under another name.
    pub(super) fn named(self, name: &'a str) -> Self {
        Self { name, ..self }
    }

    fn new(network: &'a Network, members: Option<&'a Network>, profile: Profile) -> Self {
        let config = &*network.config;
        Self {
            name: &config.name,
            id: network.id.as_str(),
            created: config.created,
            scope: &config.scope,
            driver: &config.driver,
            ipv4: (profile == Profile::Docker28).then_some(config.ipv4),
            ipv6: config.ipv6,
            ipam: IpamView {
                driver: &config.ipam_driver,
                options: config.ipam_options.as_ref(),
                // 20.10 has no null here.
                config: match profile {
                    Profile::Docker20_10 => Some(config.pools.as_deref().unwrap_or_default()),
                    _ => config.pools.as_deref(),
                },
            },
            internal: config.internal,
            attachable: config.attachable,
            ingress: config.ingress,
            config_from: ConfigFrom { network: config.config_from.as_deref().unwrap_or_default() },
            config_only: config.config_only,
            containers: Members { of: members, ids: profile != Profile::Podman5 },
            options: &config.options,
            labels: &config.labels,
        }
    }
}

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let members = self.of.into_iter().flat_map(|network| network.endpoints.iter());
        serializer.collect_map(members.map(|(id, endpoint)| {
            let view = MemberView::of(endpoint);
            let view = if self.ids { view } else { MemberView { endpoint: "", ..view } };
            (ContainerId::as_str(id), view)
        }))
    }
}

impl<'a> MemberView<'a> {
    fn of(endpoint: &'a Endpoint) -> Self {
        let text = |address: Option<String>| address.unwrap_or_default();
        Self {
            name: &endpoint.name,
            endpoint: &endpoint.id,
            mac_address: text(endpoint.mac.map(|mac| mac.to_string())),
            ipv4: text(endpoint.ipv4.map(|(ip, prefix)| format!("{ip}/{prefix}"))),
            ipv6: text(endpoint.ipv6.map(|(ip, prefix)| format!("{ip}/{prefix}"))),
        }
    }
}
