//! What our engine answers otherwise than the engine it is like, and why.
//!
//! `cargo xtask golden` demands that all of it is so, and that nothing else is; `--write` puts it
//! into DIFFERENCES.md.

use crate::served::Like;

#[derive(Debug)]
pub(super) struct Known {
    /// What ours does, as a heading.
    pub(super) what: &'static str,
    /// The cases that show it, each as it is or with `*` for any text.
    pub(super) cases: &'static [&'static str],
    /// The engines that do otherwise; all of them where none is named.
    pub(super) like: &'static [Like],
    /// Why ours does so.
    pub(super) why: &'static str,
}

pub(super) const KNOWN: &[Known] = &[
    Known {
        what: "Default pools do not run out",
        cases: &[
            "pools/subnets in order",
            "pools/how many",
            "pools/one more",
            "pools/one more, internal",
            "leaks/default pools, *",
        ],
        like: DOCKER28,
        why: "Docker has 30 default pools, and refuses the next network that names no subnet. Ours \
              goes on with smaller ones. Docker 26.1 and 20.10 are played with their 30, and in \
              their turns.",
    },
    Known {
        what: "A refused create gives every subnet back",
        cases: &["leaks/overlap besides"],
        like: DOCKER28,
        why: "Docker keeps the first subnet where the second one overlaps, until it is restarted.",
    },
    Known {
        what: "A refused create gives every subnet back, whatever is wrong with it",
        cases: &["leaks/aux garbage", "leaks/aux outside"],
        like: DOCKER20,
        why: "Docker 20.10 keeps the subnet where an auxiliary address is wrong, until it is \
              restarted.",
    },
    Known {
        what: "A connect that is refused leaves nothing behind",
        cases: &[
            "connect/* > attached all the same > container",
            "drivers/* > attached all the same > container",
            "drivers/config: connect to the user > container",
            "phantom/*",
        ],
        like: DOCKER,
        why: "In Docker the network stays in the container, which can then neither leave it nor be \
              restarted.",
    },
    Known {
        what: "A connect that is refused takes no address",
        cases: &["connect/link-local v6 on a v6 network > *"],
        like: DOCKER20,
        why: "Docker 20.10 keeps the IPv4 address where the IPv6 one is refused.",
    },
    Known {
        what: "A start that is refused leaves nothing behind",
        cases: &["modes/at creation: missing endpoint: started > container"],
        like: DOCKER26,
        why: "In Docker 26.1 the container keeps the id and the names of the network that it was \
              on before another one could not be joined.",
    },
    Known {
        what: "A start that is refused gives no aliases",
        cases: &["modes/at creation: address outside: started > container"],
        like: DOCKER20,
        why: "In Docker 20.10 the short id is an alias of the container on the network that it \
              could not join.",
    },
    Known {
        what: "A container that does not run cannot join a network that is not there",
        cases: &[
            "connect/made: missing network*",
            "connect/off: missing network*",
            // The container has run in between, as nothing kept it from starting.
            "connect/made: address in use > container",
        ],
        like: DOCKER,
        why: "Docker answers 200, and refuses when the container is started. Ours answers 404 at \
              once, as Docker does for a container that runs.",
    },
    Known {
        what: "A filter without a value gets an answer",
        cases: &["prune/until empty"],
        like: DOCKER,
        why: "Docker closes the connection without one on `until: []`.",
    },
    Known {
        what: "A network of scope `global` gets its subnet from the same pools as any other",
        cases: &["create/scope 'global' > inspect"],
        like: &[Like::Docker28, Like::Docker26],
        why: "Docker takes it from those of a swarm. There is none here.",
    },
    Known {
        what: "No daemon, no firewall, no plugins",
        cases: &["baseline/info"],
        like: &[Like::Docker28, Like::Docker26, Like::Docker20, Like::Podman5],
        why: "`GET /info` tells what there is: in memory that is no firewall, no log or volume \
              driver, and no overlay.",
    },
    Known {
        what: "Links of every kind can be made",
        cases: &[
            "drivers/macvlan without parent*",
            "drivers/macvlan vlan parent",
            "drivers/macvlan vlan parent > inspect",
            "drivers/ipvlan without parent*",
        ],
        like: DOCKER,
        why: "The kernel on which Docker was recorded has neither dummy nor VLAN links. In memory \
              nothing is missing.",
    },
    Known {
        what: "A connect that Podman refuses leaves nothing behind",
        cases: &["connect/* > the container is broken afterwards", "phantom/*"],
        like: PODMAN5,
        why: "Podman 5.4 keeps the network in the container. From then on neither the container nor \
              a list with it can be read.",
    },
    Known {
        what: "A connect that is refused takes no address",
        cases: &[
            "connect/driver option*",
            "connect/GwPriority*",
            "connect/unknown field > *",
            "connect/address in use",
            "connect/mac in use > *",
        ],
        like: PODMAN5,
        why: "Podman gives an address away before it finds that the link cannot be made, and goes \
              on behind it.",
    },
    Known {
        what: "A container that was killed has ended",
        cases: &[
            "connect/exited on n1 > *",
            "connect/made: address in use*",
            "connect/made: start after",
            "connect/disconnect: the last network > network",
            "connect/reconnect after the last > *",
        ],
        like: PODMAN5,
        why: "Podman answers to a kill before it has cleaned up: the container keeps its addresses \
              for a moment, and is running or stopped, but not exited.",
    },
    Known {
        what: "Addresses of Podman's default network begin at the first",
        cases: &["connect/run: to bridge > *"],
        like: PODMAN5,
        why: "They go on from the last one given, and the recorded engine had given one before.",
    },
    Known {
        what: "A hardware address that is none is refused",
        cases: &["connect/mac garbage"],
        like: PODMAN5,
        why: "Podman crashes at it, and answers with the words of the crash.",
    },
    Known {
        what: "What happened to networks is told later, too",
        cases: &["events/replay: type network", "events/replay: type network, event connect"],
        like: PODMAN5,
        why: "Podman tells of networks only as it happens. Its log does not give them back.",
    },
];

const DOCKER: &[Like] = &[Like::Docker28, Like::Docker26, Like::Docker20];
const PODMAN5: &[Like] = &[Like::Podman5];
const DOCKER28: &[Like] = &[Like::Docker28];
const DOCKER26: &[Like] = &[Like::Docker26];
const DOCKER20: &[Like] = &[Like::Docker20];

impl Known {
    pub(super) fn is_for(&self, like: Like) -> bool {
        self.like.is_empty() || self.like.contains(&like)
    }

    pub(super) fn covers(&self, case: &str, like: Like) -> bool {
        self.is_for(like) && self.cases.iter().any(|pattern| fits(pattern, case))
    }
}

/// Whether a case is one of those that a pattern stands for.
pub(crate) fn fits(pattern: &str, case: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == case };
    let Some(mut case) = case.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let Some(tail) = parts.pop() else { return true };
    for part in parts {
        let Some(at) = case.find(part) else { return false };
        case = case.get(at + part.len()..).unwrap_or_default();
    }
    case.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, case) in [
            ("a/b", "a/b"),
            ("a/*", "a/"),
            ("a/*", "a/b > c"),
            ("a/* > c", "a/b > c"),
            ("a/*b*d", "a/bbcdd"),
            ("*", "a/b"),
        ] {
            assert!(fits(pattern, case), "{pattern} {case}");
        }
        for (pattern, case) in
            [("a/b", "a/bc"), ("a/*c", "a/cb"), ("a/*b*b", "a/b"), ("b/*", "a/b/b"), ("a", "b")]
        {
            assert!(!fits(pattern, case), "{pattern} {case}");
        }
    }

    #[test]
    fn every_row_says_what_which_and_why() {
        for known in KNOWN {
            assert!(!known.what.is_empty() && !known.cases.is_empty(), "{known:?}");
            assert!(known.why.ends_with('.'), "{known:?}");
        }
    }
}
