//! Which engines there are, and what each is made of.

use std::fmt;
use std::str::FromStr;

use anyhow::{Error, bail};

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Name {
    Docker20,
    Docker26,
    Docker28,
    /// The same without a proxy for published ports, to be measured.
    Docker28Bare,
    Podman5,
    Swarm,
}

/// One daemon in namespaces of its own; a swarm has two of them.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) name: &'static str,
    pub(crate) suite: Suite,
    pub(crate) daemon: Daemon,
    /// Address of [`PARENT`] in the node's network namespace.
    pub(crate) address: &'static str,
    /// Whether it can also be reached over TLS and SSH.
    pub(crate) remote: bool,
    /// Whether Docker's proxy answers at published ports.
    pub(crate) proxy: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Daemon {
    Docker,
    Podman,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Suite {
    Bookworm,
    Sid,
    Trixie,
}

/// The link beside `lo` in every engine's namespace. It can be the parent of macvlan networks;
/// between the nodes of a swarm it is the wire.
pub(crate) const PARENT: &str = "parent0";

/// Its address where there is but one node.
pub(crate) const PARENT_ADDRESS: &str = "198.51.100.1";

const DOCKER20: Node = Node {
    name: "docker20",
    suite: Suite::Bookworm,
    daemon: Daemon::Docker,
    address: PARENT_ADDRESS,
    remote: false,
    proxy: true,
};
const DOCKER26: Node = Node { name: "docker26", suite: Suite::Trixie, ..DOCKER20 };
const DOCKER28: Node = Node { name: "docker28", suite: Suite::Sid, remote: true, ..DOCKER20 };
const DOCKER28_BARE: Node =
    Node { name: "docker28bare", suite: Suite::Sid, proxy: false, ..DOCKER20 };
const PODMAN5: Node =
    Node { name: "podman5", suite: Suite::Trixie, daemon: Daemon::Podman, ..DOCKER20 };
const SWARM1: Node = Node { name: "swarm1", suite: Suite::Sid, ..DOCKER20 };
const SWARM2: Node =
    Node { name: "swarm2", suite: Suite::Sid, address: "198.51.100.2", ..DOCKER20 };

impl Name {
    pub(crate) const ALL: [Self; 6] = [
        Self::Docker20,
        Self::Docker26,
        Self::Docker28,
        Self::Docker28Bare,
        Self::Podman5,
        Self::Swarm,
    ];
    /// Those that tests are about.
    pub(crate) const TESTED: [Self; 5] =
        [Self::Docker20, Self::Docker26, Self::Docker28, Self::Podman5, Self::Swarm];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Docker20 => "docker20",
            Self::Docker26 => "docker26",
            Self::Docker28 => "docker28",
            Self::Docker28Bare => "docker28bare",
            Self::Podman5 => "podman5",
            Self::Swarm => "swarm",
        }
    }

    pub(crate) fn nodes(self) -> &'static [Node] {
        match self {
            Self::Docker20 => &[DOCKER20],
            Self::Docker26 => &[DOCKER26],
            Self::Docker28 => &[DOCKER28],
            Self::Docker28Bare => &[DOCKER28_BARE],
            Self::Podman5 => &[PODMAN5],
            Self::Swarm => &[SWARM1, SWARM2],
        }
    }
}

impl FromStr for Name {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let Some(name) = Self::ALL.into_iter().find(|name| name.as_str() == text) else {
            let all = Self::ALL.map(Self::as_str).join(", ");
            bail!("no engine '{text}', only {all}");
        };
        Ok(name)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Node {
    pub(crate) fn all() -> impl Iterator<Item = &'static Self> {
        Name::ALL.into_iter().flat_map(Name::nodes)
    }
}

impl Suite {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Bookworm => "bookworm",
            Self::Sid => "sid",
            Self::Trixie => "trixie",
        }
    }

    /// The packages its engines are made of, and those that the recipe itself needs.
    pub(crate) fn packages(self) -> Vec<&'static str> {
        let engines: &[&str] = match self {
            Self::Bookworm => &["docker.io"],
            Self::Sid => &["docker.io", "docker-cli", "openssh-server"],
            // runc, as crun refuses a machine on which cgroup v1 and v2 are mixed.
            Self::Trixie => {
                &["docker.io", "podman", "netavark", "aardvark-dns", "runc", "nftables"]
            }
        };
        let common =
            ["iptables", "iproute2", "busybox-static", "ca-certificates", "procps", "mount"];
        engines.iter().copied().chain(common).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for name in Name::ALL {
            assert_eq!(name.as_str().parse::<Name>().unwrap(), name);
        }
        let error = "docker19".parse::<Name>().unwrap_err().to_string();
        assert_eq!(
            error,
            "no engine 'docker19', only docker20, docker26, docker28, docker28bare, podman5, swarm"
        );
    }

    #[test]
    fn nodes_share_no_name() {
        let mut names: Vec<&str> = Node::all().map(|node| node.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Node::all().count());
    }
}
