//! What an engine would drop without a word.

use std::fmt;

use crate::{ApiVersion, EndpointSpec, NetworkSpec, Scope};

/// An engine, as far as it decides what a request may hold.
///
/// ```
/// use docknet_types::{ApiVersion, EndpointSpec, Engine, Flavour};
///
/// let docker_20 = Engine::new(Flavour::Docker, ApiVersion::new(1, 41));
/// let dropped = docker_20.would_drop_of_endpoint(&EndpointSpec::new().gateway_priority(1));
/// assert_eq!(dropped[0].to_string(), "gateway_priority (needs API 1.48)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Engine {
    /// Whose engine it is.
    pub flavour: Flavour,
    /// The version in which it is spoken to.
    pub version: ApiVersion,
}

/// Whose engine it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Flavour {
    /// Docker Engine, or anything that does as it does.
    Docker,
    /// Podman's compatible API.
    Podman,
}

impl Engine {
    /// An engine of this flavour, spoken to in this version.
    #[must_use]
    pub const fn new(flavour: Flavour, version: ApiVersion) -> Self {
        Self { flavour, version }
    }

    /// What of a network's spec this engine would drop without a word.
    #[must_use]
    pub fn would_drop_of_network(&self, spec: &NetworkSpec) -> Vec<Unsupported> {
        let mut found = Vec::new();
        self.since(&mut found, spec.ipv4 == Some(false), "ipv4(false)", ENABLE_IPV4);
        self.not_on_podman(&mut found, spec.config_only == Some(true), "config_only");
        self.not_on_podman(&mut found, spec.config_from.is_some(), "config_from");
        self.not_on_podman(&mut found, spec.ingress == Some(true), "ingress");
        self.not_on_podman(
            &mut found,
            spec.scope.as_ref().is_some_and(|scope| *scope != Scope::Local),
            "scope",
        );
        self.not_on_podman(
            &mut found,
            spec.ipam.pools.iter().any(|pool| !pool.reserved.is_empty()),
            "reserve",
        );
        self.not_on_podman(&mut found, !spec.ipam.options.is_empty(), "options of the IPAM driver");
        found
    }

    /// What of an endpoint's spec this engine would drop without a word when a container is connected.
    #[must_use]
    pub fn would_drop_of_endpoint(&self, spec: &EndpointSpec) -> Vec<Unsupported> {
        let mut found = self.would_drop_at_creation(spec);
        // Podman sets it; Docker's router cleared it before 1.54.
        if self.flavour == Flavour::Docker {
            self.since(&mut found, spec.mac.is_some(), "mac", MAC_ON_CONNECT);
        }
        found
    }

    /// What of an endpoint's spec this engine would drop without a word when a container is created with it.
    #[must_use]
    pub fn would_drop_at_creation(&self, spec: &EndpointSpec) -> Vec<Unsupported> {
        let mut found = Vec::new();
        self.since(
            &mut found,
            spec.gateway_priority.is_some(),
            "gateway_priority",
            GATEWAY_PRIORITY,
        );
        self.since(&mut found, spec.driver_opts.contains_key(SYSCTLS), SYSCTLS, ENDPOINT_SYSCTLS);
        self.since(&mut found, spec.driver_opts.contains_key(IFNAME), IFNAME, ENDPOINT_IFNAME);
        self.not_on_podman(&mut found, !spec.links.is_empty(), "link");
        self.not_on_podman(&mut found, !spec.link_local.is_empty(), "link_local");
        self.not_on_podman(&mut found, !spec.driver_opts.is_empty(), "driver_opt");
        found
    }

    /// Podman drops what Docker learned after the version that Podman speaks, whatever version it is spoken to in.
    fn since(
        &self,
        found: &mut Vec<Unsupported>,
        used: bool,
        what: &'static str,
        version: ApiVersion,
    ) {
        if used && (self.flavour == Flavour::Podman || self.version < version) {
            found.push(Unsupported { what, needs: Some(version) });
        }
    }

    fn not_on_podman(&self, found: &mut Vec<Unsupported>, used: bool, what: &'static str) {
        if used && self.flavour == Flavour::Podman && !found.iter().any(|known| known.what == what)
        {
            found.push(Unsupported { what, needs: None });
        }
    }
}

/// A part of a request that an engine would drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unsupported {
    /// The setter's name.
    pub what: &'static str,
    /// The version of Docker's API that has it; none if Podman never does.
    pub needs: Option<ApiVersion>,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.needs {
            Some(version) => write!(f, "{} (needs API {version})", self.what),
            None => write!(f, "{} (Docker only)", self.what),
        }
    }
}

// Docker's API changelog, by version.
const ENDPOINT_SYSCTLS: ApiVersion = ApiVersion::new(1, 46);
const ENABLE_IPV4: ApiVersion = ApiVersion::new(1, 48);
const ENDPOINT_IFNAME: ApiVersion = ApiVersion::new(1, 48);
const GATEWAY_PRIORITY: ApiVersion = ApiVersion::new(1, 48);
const MAC_ON_CONNECT: ApiVersion = ApiVersion::new(1, 54);

const SYSCTLS: &str = "com.docker.network.endpoint.sysctls";
const IFNAME: &str = "com.docker.network.endpoint.ifname";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Pool;

    const DOCKER_28: Engine = Engine::new(Flavour::Docker, ApiVersion::new(1, 51));
    const PODMAN_5: Engine = Engine::new(Flavour::Podman, ApiVersion::new(1, 41));

    fn names(found: &[Unsupported]) -> Vec<&str> {
        found.iter().map(|unsupported| unsupported.what).collect()
    }

    #[test]
    fn docker_drops_a_mac_on_connect_only() {
        let spec = EndpointSpec::new().mac("02:42:00:00:00:01".parse().unwrap());
        assert_eq!(names(&DOCKER_28.would_drop_of_endpoint(&spec)), ["mac"]);
        assert!(DOCKER_28.would_drop_at_creation(&spec).is_empty());
        assert!(
            Engine::new(Flavour::Docker, ApiVersion::new(1, 54))
                .would_drop_of_endpoint(&spec)
                .is_empty()
        );
        assert!(PODMAN_5.would_drop_of_endpoint(&spec).is_empty());
    }

    #[test]
    fn podman_drops_what_only_docker_knows() {
        let pool =
            Pool::new("10.7.0.0/24".parse().unwrap()).reserve("a", "10.7.0.9".parse().unwrap());
        let spec =
            NetworkSpec::new("a").config_from("b").ingress(true).scope(Scope::Swarm).pool(pool);
        assert_eq!(
            names(&PODMAN_5.would_drop_of_network(&spec)),
            ["config_from", "ingress", "scope", "reserve"]
        );
        assert!(DOCKER_28.would_drop_of_network(&spec).is_empty());
    }

    #[test]
    fn what_changes_nothing_is_let_through() {
        let spec = NetworkSpec::new("a")
            .ipv4(true)
            .config_only(false)
            .ingress(false)
            .attachable(true)
            .scope(Scope::Local);
        assert!(PODMAN_5.would_drop_of_network(&spec).is_empty());
    }
}
