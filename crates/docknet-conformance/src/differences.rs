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
const DOCKER_BEFORE_25: Engines = Engines { before: Some(Version(25, 0)), ..DOCKER };
const DOCKER_BEFORE_26: Engines = Engines { before: Some(Version(26, 0)), ..DOCKER };
const DOCKER_BEFORE_28: Engines = Engines { before: Some(Version(28, 0)), ..DOCKER };
const DOCKER_FROM_26: Engines = Engines { from: Some(Version(26, 0)), ..DOCKER };
/// Docker as it is played by ours is another product, so that a row about the one says nothing of the other.
const DOCKNET: Engines = Engines { product: Product::Docknet, from: None, before: None };
const PODMAN: Engines = Engines { product: Product::Podman, from: None, before: None };

const fn row(
    behaviour: &'static str,
    engines: Engines,
    words: &'static str,
    why: &'static str,
) -> Difference {
    Difference { behaviour, engines, words, why }
}

const TWO_STEPS: &str =
    "It looks for the name and makes the network in two steps (API changelog, 1.44).";
const NO_CONFIGURATIONS: &str =
    "Podman has no configurations; the SDK refuses what Podman would drop without a word.";
const PLAIN_NAMES: &str = "Podman's names are `[a-zA-Z0-9][a-zA-Z0-9_.-]*`.";
const NOT_AN_ID: &str = "Podman refuses a name with which an id begins.";
const OWN_OPTIONS: &str = "Podman keeps the options that it knows, under names of its own, and drops the others with a warning.";
const NO_CHECK_OF_RANGES: &str = "It does not compare the range with the subnet.";
const AS_DOCKER: &str = "Ours does as Docker does, so that clients find what they know.";
const STOPPED: &str = "Docker knows endpoints of running containers only.";

/// Every known difference, by chapter.
#[rustfmt::skip]
pub const DIFFERENCES: &[Difference] = &[
    row("create::keeps_attachable", PODMAN, "attachable is not kept", "Every network of Podman's is attachable, and none says so."),
    row("create::a_duplicate_that_is_asked_for_is_refused", DOCKER_BEFORE_25, "wanted [NameTaken], and it was accepted", "`CheckDuplicate` decides (API changelog, 1.44). The SDK sets it unless the spec does."),
    row("create::ipv6_gets_a_subnet", DOCKER_BEFORE_28, "could not find an available, non-overlapping IPv6 address pool", "It has no default pools for IPv6."),
    row("create::an_ipv6_subnet_alone_is_no_ipv6", PODMAN, "IPv6 is on", "Podman turns IPv6 on for a network with an IPv6 subnet."),
    row("create::without_ipv4", DOCKER_BEFORE_28, "would drop this without a word: ipv4(false)", "`EnableIPv4` came with API 1.48; the SDK refuses what the engine would drop."),
    row("create::without_ipv4", PODMAN, "would drop this without a word: ipv4(false)", "Podman does not know `EnableIPv4`; the SDK refuses what the engine would drop."),

    row("options::come_back", PODMAN, "option com.docker.network.bridge.enable_icc", OWN_OPTIONS),
    row("options::unknown_ones_are_kept", PODMAN, "unheard-of of {}", OWN_OPTIONS),
    row("options::a_bridge_name_that_is_too_long_is_refused", PODMAN, "wanted [InvalidSpec], and it was accepted", "Podman makes the bridge with the first container, and fails then."),
    row("options::a_switch_that_is_no_switch_is_refused", PODMAN, "wanted [InvalidSpec], and it was accepted", OWN_OPTIONS),

    row("ipam::a_range", PODMAN, "the range", "Podman keeps a lease range, and does not tell it."),
    row("ipam::reserved_addresses", PODMAN, "would drop this without a word: reserve", "Podman has no reserved addresses; the SDK refuses what it would drop."),
    row("ipam::options_of_the_driver", PODMAN, "would drop this without a word: options of the IPAM driver", "Podman's IPAM drivers have no options; the SDK refuses what it would drop."),
    row("ipam::a_refusal_does_not_use_up_the_subnet", DOCKER_BEFORE_26, "Pool overlaps with other one on this address space", "The subnet of a network that is refused for its reserved addresses stays taken until the daemon restarts."),
    row("ipam::two_ipv4_subnets_are_refused", PODMAN, "wanted [InvalidSpec], and it was accepted", "Podman's bridges have as many subnets as one likes."),
    row("ipam::a_subnet_with_host_bits_is_refused", DOCKER_BEFORE_26, "wanted [InvalidSpec], and it was accepted", "It keeps the subnet as it was given."),
    row("ipam::a_subnet_with_host_bits_is_refused", PODMAN, "wanted [InvalidSpec], and it was accepted", "Podman drops the bits beyond the prefix."),
    row("ipam::the_networks_address_is_no_gateway", PODMAN, "and it was accepted", "Podman takes any address of the subnet for a gateway."),
    row("ipam::a_range_outside_is_refused", DOCKER_BEFORE_26, "wanted [InvalidSpec], and it was accepted", NO_CHECK_OF_RANGES),
    row("ipam::a_range_larger_than_the_subnet_is_refused", DOCKER_BEFORE_26, "wanted [InvalidSpec], and it was accepted", NO_CHECK_OF_RANGES),
    row("ipam::subnets_of_two_addresses_and_of_one", DOCKER_BEFORE_26, "failed to allocate gateway (): No available addresses on this pool", "It keeps the first and the last address of every subnet."),
    row("ipam::all_mistakes_are_named", DOCKER_BEFORE_26, "not all of", "It stops at the first mistake."),
    row("ipam::all_mistakes_are_named", PODMAN, "not all of", "Podman stops at the first mistake."),
    row("ipam::the_default_pools_end", PODMAN, "the default pools have no end within 64 networks", "Podman has subnets of 24 bits from 10.89.0.0 to 10.255.255.0: tens of thousands."),
    row("ipam::the_default_pools_end", DOCKNET, "the default pools have no end within 64 networks", "Ours goes on with smaller subnets where the pools of Docker end."),

    row("names::odd_characters", PODMAN, "names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*", PLAIN_NAMES),
    row("names::slashes", PODMAN, "names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*", PLAIN_NAMES),
    row("names::control_characters", PODMAN, "names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*", PLAIN_NAMES),
    row("names::five_thousand_characters", PODMAN, "file name too long", "Podman keeps a network in a file of its name, of 255 characters at most."),
    row("names::a_full_id_wins_over_a_name", PODMAN, "already used: network already exists", NOT_AN_ID),
    row("names::a_name_wins_over_the_beginning_of_an_id", PODMAN, "already used: network already exists", NOT_AN_ID),

    row("drivers::unknown_is_refused_at_once", DOCKER, "it took more than five seconds", "Docker looks for a plugin of this name, for 15 s."),
    row("drivers::unknown_ipam_is_refused", PODMAN, "wanted [NoSuchDriver], and it was accepted", "Podman takes any IPAM driver that it does not know for its own."),
    row("drivers::overlay_without_a_swarm_is_refused", PODMAN, "wanted [NoSwarm], got NoSuchDriver", "Podman has no swarms, and so no such driver."),
    row("drivers::a_swarms_scope_without_a_swarm_is_refused", PODMAN, "would drop this without a word: scope", "Podman has no scopes; the SDK refuses what it would drop."),
    row("drivers::macvlan", PODMAN, "the parent", "Podman keeps the parent, and does not tell it."),
    row("drivers::ipvlan", PODMAN, "the parent", "Podman keeps the parent, and does not tell it."),
    row("drivers::macvlan_networks_share_a_parent", DOCKER_BEFORE_28, "is already using parent interface", "A parent has one macvlan network; its subinterfaces (`eth0.10`) may have others."),
    row("drivers::a_mode_that_is_none_is_refused", PODMAN, "wanted [InvalidSpec], and it was accepted", OWN_OPTIONS),

    row("config_only::keeps_a_configuration", PODMAN, "would drop this without a word: config_only", NO_CONFIGURATIONS),
    row("config_only::makes_a_network", PODMAN, "would drop this without a word: config_only", NO_CONFIGURATIONS),
    row("config_only::takes_no_subnet", PODMAN, "would drop this without a word: config_only", NO_CONFIGURATIONS),
    row("config_only::its_subnet_is_taken_once", PODMAN, "would drop this without a word: config_only", NO_CONFIGURATIONS),
    row("config_only::that_is_not_there_is_not_found", PODMAN, "would drop this without a word: config_from", NO_CONFIGURATIONS),
    row("config_only::with_more_of_its_own_is_refused", PODMAN, "would drop this without a word: config_only", NO_CONFIGURATIONS),
    row("config_only::with_what_networks_say_is_refused", PODMAN, "would drop this without a word: config_only", NO_CONFIGURATIONS),
    row("config_only::from_another_is_refused", PODMAN, "would drop this without a word: config_only", NO_CONFIGURATIONS),
    row("config_only::is_in_use", PODMAN, "would drop this without a word: config_only", NO_CONFIGURATIONS),

    row("ensure::eight_at_once_without_a_subnet_get_the_same", DOCKER_BEFORE_25, "not all got the same network", TWO_STEPS),

    row("get::predefined_networks_are_there", PODMAN, "unable to find network with name or ID host", "Podman has one network of its own, `podman`, which lists call `bridge`."),
    row("get::a_scope_is_looked_in", PODMAN, "wanted [NotFound], and it was accepted", "Podman has no scopes."),

    row("list::by_an_empty_value", PODMAN, r#"{"label":{"n=":true}}"#, "Podman takes an empty value for any value."),
    row("list::by_type", PODMAN, "invalid filter \"type\"", "Podman has no such filter."),
    row("list::by_scope", PODMAN, "invalid filter \"scope\"", "Podman has no such filter."),
    row("list::dangling_is_not_what_somebody_uses", DOCKER, r#"{"dangling":{"true":true}}"#, "Docker takes every network of a user's for a dangling one."),
    row("list::dangling_is_not_what_somebody_uses", DOCKNET, r#"{"dangling":{"true":true}}"#, AS_DOCKER),

    row("remove::in_use_by_a_stopped_container", DOCKER, "wanted [InUse], and it was accepted", STOPPED),
    row("remove::in_use_by_a_stopped_container", DOCKNET, "wanted [InUse], and it was accepted", AS_DOCKER),
    row("remove::detaching_disconnects_the_paused", PODMAN, "network inspection mismatch", "Podman forgets the network of a paused container, and not its address: neither the container nor any list of containers can be looked at then."),
    row("remove::a_container_outlives_its_first_network", DOCKER_FROM_26, "could not find a network matching network mode", "The container's network mode names the network that it was made for, and a start needs that."),

    row("prune::leaves_what_stopped_containers_need", DOCKER, "a stopped container's network is pruned", STOPPED),
    row("prune::leaves_what_stopped_containers_need", DOCKNET, "a stopped container's network is pruned", AS_DOCKER),

    // What is connected to networks, and everything around them.
    row("connect::network_missing_for_a_stopped_one_is_not_found", DOCKER, "it was accepted", "Docker notes a stopped container's networks down without looking for them; its start is refused."),
    row("connect::a_refused_connection_leaves_nothing", DOCKER, "the container shows", "Docker leaves the network in the container's settings, and cannot disconnect it either."),
    row("connect::a_refused_connection_leaves_nothing", PODMAN, "the container cannot be inspected any more", "Podman 5.4 answers 500 to every inspection of the container, and to the list of all, until it is removed."),
    row("connect::to_the_host_network_is_not_connectable", PODMAN, "unable to find network", "Podman has the mode, and no network of that name."),
    row("connect::to_the_none_network_is_not_connectable", PODMAN, "unable to find network", "Podman has the mode, and no network of that name."),

    row("disconnect::from_the_host_network_is_not_connectable", PODMAN, "unable to find network", "Podman has the mode, and no network of that name."),

    row("states::a_paused_container_is_connected", PODMAN, "it is no member", "Podman answers 200, and does not connect it."),

    row("addresses::the_gateways_is_in_use", PODMAN, "it was accepted", "Podman does not count the gateway among the addresses taken."),
    row("addresses::one_on_an_automatic_subnet_is_not_in_a_pool", PODMAN, "it was accepted", "Podman looks at the subnet alone, whoever chose it."),

    row("effects::an_internal_network_gives_no_default_route", DOCKER_BEFORE_26, "gateways on", "Docker 20.10 gives a default route, and drops what takes it."),
    row("effects::without_icc_containers_are_apart", PODMAN, "a reaches b", "Podman does not know the option, and says so in a warning."),

    row("events::of_a_connection_have_the_networks_id", PODMAN, "network: None", "Podman puts the container's id in its place; the name is there."),
    row("events::of_a_disconnection_come_once", DOCKER_BEFORE_28, "told 2 times", "It tells every disconnection of a running container twice."),
    row("events::are_replayed_and_end_at_a_time", PODMAN, "replayed: []", "Podman ends at a time that is past before it has read what was before."),
    row("events::come_with_a_start_and_a_stop", PODMAN, "no event within", "Podman tells only what is asked for by itself; `networks.watch` looks at the containers' events instead."),

    row("concurrency::one_of_many_creators_wins", DOCKER_BEFORE_26, "winners:", "Docker 20.10 looks for the name before it takes it, and not at once (moby#20648)."),
];
