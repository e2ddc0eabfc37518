//! What the host has beside the engine: links and routes, as decisions need them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::ipam::HostRoutes;

/// The links and routes of the host that an engine runs on, or that a test makes up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Host {
    /// By name.
    pub(crate) links: BTreeMap<String, Link>,
    /// Where the host's packets go without us: default pools keep clear of these.
    pub(crate) routes: HostRoutes,
    /// Whether packets pass: then containers of the image `host` run programs, too.
    pub(crate) is_real: bool,
}

/// A link of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) is_bridge: bool,
}

/// What a network namespace that somebody brought along has beside what is ours. It stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Inside {
    /// The names of its links.
    pub(crate) links: BTreeSet<String>,
    /// Whether it has a default route, by family.
    pub(crate) leads_out: (bool, bool),
}

impl Inside {
    pub(crate) fn leads_out(&self, to: IpAddr) -> bool {
        if to.is_ipv4() { self.leads_out.0 } else { self.leads_out.1 }
    }
}
