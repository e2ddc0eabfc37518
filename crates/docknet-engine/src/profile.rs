//! Whose engine to be like.

#[cfg(test)]
mod tests;

/// The engine whose answers are given, where engines differ.
///
/// ```
/// use docknet_engine::Profile;
///
/// assert_eq!(Profile::default(), Profile::Docker28);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Profile {
    /// Docker Engine 20.10, API 1.41.
    Docker20_10,
    /// Docker Engine 26.1, API 1.45.
    Docker26,
    /// Docker Engine 28.5, API 1.51.
    #[default]
    Docker28,
    /// Podman 5.4, API 1.41.
    Podman5,
}

/// What engines differ in and several places ask for: each question once. What only one place asks is decided there.
impl Profile {
    /// Whether default subnets are given in turns, the next one after the last. A turn is spent even where the network is
    /// refused afterwards.
    pub(crate) fn gives_subnets_in_turns(self) -> bool {
        matches!(self, Self::Docker20_10 | Self::Docker26)
    }

    /// Whether an endpoint's settings are looked at when the container is about to run with them, and little before; it is
    /// refused for the first mistake then.
    pub(crate) fn checks_endpoints_late(self) -> bool {
        self == Self::Docker20_10
    }

    /// Whether an endpoint's options are known that name the link inside, and its sysctls.
    pub(crate) fn has_link_options(self) -> bool {
        !matches!(self, Self::Docker20_10 | Self::Docker26)
    }

    /// Whether a bridge has a gateway mode, and a network may do without a gateway.
    pub(crate) fn has_gateway_modes(self) -> bool {
        !matches!(self, Self::Docker20_10 | Self::Docker26)
    }

    /// Whether a parent link is for one macvlan and one ipvlan network alone.
    pub(crate) fn keeps_parents_apart(self) -> bool {
        matches!(self, Self::Docker20_10 | Self::Docker26)
    }

    /// Whether a hardware address follows from the IPv4 address where none is asked for.
    pub(crate) fn derives_macs(self) -> bool {
        matches!(self, Self::Docker20_10 | Self::Docker26)
    }

    /// Whether containers on an internal network are given its gateway. Podman only shows it.
    pub(crate) fn has_internal_gateways(self) -> bool {
        matches!(self, Self::Docker20_10 | Self::Podman5)
    }
}
