//! A container's place on a network as an inspection shows it.

use std::collections::BTreeMap;

use docknet_types::ApiVersion;
use serde::{Serialize, Serializer};

use crate::Profile;
use crate::core::container::Container;
use crate::core::endpoint::{Attachment, Endpoint};
use crate::core::ipam::EndpointIpam;
use crate::core::network::podman;

/// Below this version the short id stands among the aliases (API changelog, 1.45).
const DNS_NAMES: ApiVersion = ApiVersion::new(1, 45);
/// From this version on an inspection has a container's networks (API changelog, 1.21).
const BY_NETWORK: ApiVersion = ApiVersion::new(1, 21);

/// All places of a container, by network.
pub(super) struct EndpointViews<'a> {
    pub(super) container: &'a Container,
    pub(super) style: Style,
}

/// What of it depends on who answers and who asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    profile: Profile,
    short_id_is_an_alias: bool,
    /// What endpoints asked for and how they are found is not in it: Docker's lists leave that out.
    addresses_only: bool,
    /// Whether an inspection has the networks one by one.
    pub(super) by_network: bool,
}

/// The fields of Docker's `network.EndpointSettings`, in its order.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EndpointView<'a> {
    #[serde(rename = "IPAMConfig")]
    ipam: Option<&'a EndpointIpam>,
    links: Option<&'a [String]>,
    aliases: Option<Vec<&'a str>>,
    mac_address: String,
    driver_opts: Option<&'a BTreeMap<String, String>>,
    /// Docker 28 has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    gw_priority: Option<i64>,
    #[serde(rename = "NetworkID")]
    network: &'a str,
    #[serde(flatten)]
    address: AddressView<'a>,
    /// 20.10 does not have it.
    #[serde(rename = "DNSNames", skip_serializing_if = "Option::is_none")]
    dns_names: Option<Option<&'a [String]>>,
}

/// The addresses of an endpoint; those of the default bridge stand on a container's own level, too.
#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AddressView<'a> {
    #[serde(rename = "EndpointID")]
    endpoint: &'a str,
    gateway: String,
    #[serde(rename = "IPAddress")]
    ip_address: String,
    #[serde(rename = "IPPrefixLen")]
    ip_prefix_len: u8,
    #[serde(rename = "IPv6Gateway")]
    ipv6_gateway: String,
    #[serde(rename = "GlobalIPv6Address")]
    global_ipv6_address: String,
    #[serde(rename = "GlobalIPv6PrefixLen")]
    global_ipv6_prefix_len: u8,
}

impl Style {
    /// As an inspection has it.
    pub(super) fn inspection(profile: Profile, version: ApiVersion) -> Self {
        let short_id_is_an_alias = match profile {
            Profile::Docker26 | Profile::Docker28 => version < DNS_NAMES,
            Profile::Docker20_10 | Profile::Podman5 => true,
        };
        // Podman answers old versions as it does new ones.
        let by_network = version >= BY_NETWORK || profile == Profile::Podman5;
        Self { profile, short_id_is_an_alias, addresses_only: false, by_network }
    }

    /// The place whose addresses stand on the container's own level, too; on Podman only where it is the only one.
    pub(super) fn default_network(self, container: &Container) -> Option<&Endpoint> {
        let attachments = &container.attachments;
        let attachment = match self.profile {
            Profile::Podman5 => attachments.get(podman::DEFAULT).filter(|_| attachments.len() == 1),
            Profile::Docker20_10 | Profile::Docker26 | Profile::Docker28 => {
                attachments.get("bridge")
            }
        };
        attachment.and_then(|attachment| attachment.endpoint.as_deref())
    }

    /// The address of that place.
    pub(super) fn default_address(self, container: &Container) -> AddressView<'_> {
        let mut address = self.default_network(container).map(AddressView::of).unwrap_or_default();
        if self.profile == Profile::Podman5 {
            address.endpoint = "";
        }
        address
    }

    /// As a list has it.
    pub(super) fn list(profile: Profile) -> Self {
        let addresses_only = profile != Profile::Podman5;
        Self { profile, short_id_is_an_alias: false, addresses_only, by_network: true }
    }
}

impl Serialize for EndpointViews<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let views = self.container.attachments.iter();
        serializer.collect_map(views.map(|(name, attachment)| {
            (name, EndpointView::of(self.container, name, attachment, self.style))
        }))
    }
}

impl<'a> EndpointView<'a> {
    fn of(
        container: &'a Container,
        name: &'a str,
        attachment: &'a Attachment,
        style: Style,
    ) -> Self {
        let config = &attachment.config;
        let endpoint = attachment.endpoint.as_deref();
        let is_28 = style.profile == Profile::Docker28;
        let is_podman = style.profile == Profile::Podman5;
        let is_whole = !style.addresses_only;
        let has_dns_names = style.profile != Profile::Docker20_10;
        let mut address = endpoint.map(AddressView::of).unwrap_or_default();
        if is_podman {
            // It has no ids for endpoints, and no field for names that stays filled.
            address.endpoint = "";
        }
        let network = attachment.network.as_ref().map(|id| id.as_str());
        Self {
            ipam: config.ipam.as_ref().filter(|_| !is_podman),
            links: config.links.as_deref().filter(|_| is_whole),
            aliases: aliases(container, name, attachment, style).filter(|_| is_whole),
            mac_address: match is_podman {
                // What was asked for shows when it is there.
                true => text(endpoint.and_then(|endpoint| endpoint.mac)),
                false => mac_address(attachment),
            },
            driver_opts: config.driver_opts.as_ref().filter(|_| is_whole),
            gw_priority: is_28.then_some(config.gw_priority),
            network: network.unwrap_or(if is_podman { name } else { "" }),
            address,
            dns_names: has_dns_names
                .then_some(attachment.dns_names.as_deref().filter(|_| is_whole && !is_podman)),
        }
    }
}

impl<'a> AddressView<'a> {
    pub(super) fn of(endpoint: &'a Endpoint) -> Self {
        Self {
            endpoint: &endpoint.id,
            gateway: text(endpoint.gateway4),
            ip_address: text(endpoint.ipv4.map(|(ip, _)| ip)),
            ip_prefix_len: endpoint.ipv4.map(|(_, prefix)| prefix).unwrap_or_default(),
            ipv6_gateway: text(endpoint.gateway6),
            global_ipv6_address: text(endpoint.ipv6.map(|(ip, _)| ip)),
            global_ipv6_prefix_len: endpoint.ipv6.map(|(_, prefix)| prefix).unwrap_or_default(),
        }
    }
}

/// What it has; until it first ran, what it asked for.
pub(super) fn mac_address(attachment: &Attachment) -> String {
    match (&attachment.endpoint, &attachment.network) {
        (Some(endpoint), _) => text(endpoint.mac),
        (None, None) => attachment.config.mac_address.clone(),
        (None, Some(_)) => String::new(),
    }
}

fn aliases<'a>(
    container: &'a Container,
    network: &str,
    attachment: &'a Attachment,
    style: Style,
) -> Option<Vec<&'a str>> {
    let asked = attachment.config.aliases.as_ref();
    let of_its_own = !matches!(network, "bridge" | "host" | "none");
    // 20.10 adds it when the container starts, and keeps it.
    let ran = style.profile != Profile::Docker20_10
        || attachment.network.is_some()
        || attachment.dns_names.is_some();
    let mut aliases: Vec<&str> = asked.into_iter().flatten().map(String::as_str).collect();
    if style.short_id_is_an_alias && of_its_own && ran {
        if style.profile == Profile::Podman5 {
            aliases.push(container.id.short());
            return Some(aliases);
        }
        for name in [container.id.short(), &container.hostname] {
            if !aliases.contains(&name)
                && (name == container.id.short() || style.profile != Profile::Docker20_10)
            {
                aliases.push(name);
            }
        }
        return Some(aliases);
    }
    asked.map(|_| aliases)
}

fn text(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
