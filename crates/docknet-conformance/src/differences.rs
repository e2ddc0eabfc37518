//! Where engines are known to do something else.

use crate::{Engine, Product, Version};

/// A behaviour that some engines are known not to have. The behaviour is run there all the same, and must fail with these
/// words: a row that is no longer true is a failure.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Difference {
    /// The behaviour's name.
    pub behaviour: &'static str,
    /// Where.
    pub engines: Engines,
    /// A part of the failure's text: what happens there instead.
    pub words: &'static str,
    /// Why that is so.
    pub why: &'static str,
}

/// Some versions of a product.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Engines {
    /// The product.
    pub product: Product,
    /// The oldest version; every one if there is none.
    pub from: Option<Version>,
    /// The version with which it ends.
    pub before: Option<Version>,
}

impl Engines {
    /// Whether this engine is one of them.
    #[must_use]
    pub fn matches(&self, engine: &Engine) -> bool {
        engine.product == self.product
            && self.from.is_none_or(|from| from <= engine.version)
            && self.before.is_none_or(|before| engine.version < before)
    }
}

/// The difference that is known for a behaviour on an engine.
pub(crate) fn of(behaviour: &str, engine: &Engine) -> Option<&'static Difference> {
    DIFFERENCES.iter().find(|row| row.behaviour == behaviour && row.engines.matches(engine))
}

const DOCKER: Engines = Engines { product: Product::Docker, from: None, before: None };
const DOCKER_BEFORE_26: Engines = Engines { before: Some(Version(26, 0)), ..DOCKER };
const DOCKER_BEFORE_28: Engines = Engines { before: Some(Version(28, 0)), ..DOCKER };
const PODMAN: Engines = Engines { product: Product::Podman, from: None, before: None };

const fn row(
    behaviour: &'static str,
    engines: Engines,
    words: &'static str,
    why: &'static str,
) -> Difference {
    Difference { behaviour, engines, words, why }
}

/// Every known difference, by chapter.
pub const DIFFERENCES: &[Difference] = &[
    // create
    // What is connected to networks, and what is around them
    row(
        "connect::network_missing_for_a_stopped_one_is_not_found",
        DOCKER,
        "it was accepted",
        "Docker notes a stopped container's networks down without looking for them; its start is refused",
    ),
    row(
        "connect::a_refused_connection_leaves_nothing",
        DOCKER,
        "the container shows",
        "Docker leaves the network in the container's settings, and cannot disconnect it either",
    ),
    row(
        "connect::a_refused_connection_leaves_nothing",
        PODMAN,
        "the container cannot be inspected any more",
        "Podman 5.4 answers 500 to every inspection of the container, and to the list of all, until it is removed",
    ),
    row(
        "connect::to_the_host_network_is_not_connectable",
        PODMAN,
        "unable to find network",
        "Podman has the mode, and no network of that name",
    ),
    row(
        "connect::to_the_none_network_is_not_connectable",
        PODMAN,
        "unable to find network",
        "Podman has the mode, and no network of that name",
    ),
    row(
        "disconnect::from_the_host_network_is_not_connectable",
        PODMAN,
        "unable to find network",
        "Podman has the mode, and no network of that name",
    ),
    row(
        "states::a_paused_container_is_connected",
        PODMAN,
        "it is no member",
        "Podman notes the connection down, and makes it at the next start",
    ),
    row(
        "addresses::the_gateways_is_in_use",
        PODMAN,
        "it was accepted",
        "netavark does not count the gateway as taken: two have the address",
    ),
    row(
        "addresses::one_on_an_automatic_subnet_is_not_in_a_pool",
        PODMAN,
        "it was accepted",
        "Podman's networks keep their subnets, so that it makes no difference who chose them",
    ),
    row(
        "effects::an_internal_network_gives_no_default_route",
        DOCKER_BEFORE_26,
        "gateways on",
        "Docker 20.10 gives a default route, and drops what takes it",
    ),
    row(
        "effects::without_icc_containers_are_apart",
        PODMAN,
        "a reaches b",
        "Podman does not know the option, and says so in a warning",
    ),
    row(
        "events::of_a_connection_have_the_networks_id",
        PODMAN,
        "network: None",
        "Podman puts the container's id in its place; the name is there",
    ),
    row(
        "events::of_a_disconnection_come_once",
        DOCKER_BEFORE_28,
        "told 2 times",
        "Docker tells it once for the network and once for the container's endpoint",
    ),
    row(
        "events::come_with_a_start_and_a_stop",
        PODMAN,
        "no event within",
        "Podman tells only what is asked for by itself; `networks.watch` looks at the containers' events instead",
    ),
    row(
        "concurrency::one_of_many_creators_wins",
        DOCKER_BEFORE_26,
        "winners:",
        "Docker 20.10 looks for the name before it takes it, and not at once (moby#20648)",
    ),
    row(
        "concurrency::all_who_ensure_get_the_same",
        DOCKER_BEFORE_26,
        "Pool overlaps",
        "Docker 20.10 takes the subnet before the name, so that the first one is not to be found yet (moby#20648)",
    ),
    row(
        "swarm::without_one_there_is_no_swarm",
        PODMAN,
        "failed to find driver",
        "Podman has no swarm, and so no driver for its networks either",
    ),
];
