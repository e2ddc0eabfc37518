//! What the host has beside the engine: links and routes, as decisions need them.

use std::collections::BTreeMap;

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
