//! Every reason for which the engine refuses, and how each engine words it.

mod docker;
mod podman;

use std::net::IpAddr;

use docknet_types::{ContainerId, IpNet, NetworkId};

pub(crate) use self::podman::Words as PodmanWords;

use super::filter::FilterRefusal;
use super::ipam::IpamRefusal;
use crate::Profile;

/// Why an operation is refused. Nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    AddressInUse(IpAddr),
    AddressOutOfRange(IpAddr),
    AddressesExhausted {
        v4: bool,
        network: String,
        id: NetworkId,
    },
    ActiveEndpoints {
        name: String,
        id: NetworkId,
        endpoint_name: String,
        endpoint: String,
    },
    AlreadyConnected {
        container: String,
        network: String,
    },
    BadAddress(String),
    BadLink(String),
    /// What the kernel says of a bridge's name.
    BridgeName(&'static str),
    /// Worded where it is met, of an engine that tells what is behind it, too.
    Caused {
        status: u16,
        message: String,
        cause: String,
    },
    BridgeNameTaken {
        id: NetworkId,
        owner: NetworkId,
        name: String,
    },
    ConfigFromAndOptions,
    ConfigFromAndOwn,
    ConfigFromConfig,
    ConfigInUse(String),
    ConfigOnlyEndpoint,
    ConfigOnlyOperator,
    ConnectToHost,
    AlreadyPaused(ContainerId),
    BadContainerName(String),
    BadImageReference(String),
    BadSignal(String),
    ContainerAmbiguous(String),
    ContainerNameTaken {
        name: String,
        owner: ContainerId,
    },
    ContainerNotFound(String),
    /// A container that runs, or is paused, is not removed without force.
    ContainerRuns {
        term: String,
        paused: bool,
    },
    DisconnectFromHost,
    DriverOption {
        key: String,
        value: String,
        why: String,
    },
    EmptyReference,
    /// What is wrong with an endpoint's settings, a line each.
    EndpointSettings(Vec<String>),
    Filter(FilterRefusal),
    ImageInUse(String),
    ImageNotFound(String),
    IngressIsGlobal,
    InvalidMtu(i64),
    Ipam(IpamRefusal),
    IsolatedButNotInternal,
    /// What the kernel says.
    Kernel(&'static str),
    LinkLocalWithoutIpv6 {
        link: String,
        ip: IpAddr,
    },
    LinkMode {
        driver: &'static str,
        mode: String,
        default: &'static str,
    },
    MulticastSubnet(IpNet),
    /// A name of blanks at the most, as it was given.
    NameEmpty(String),
    NamePredefined(String),
    NameTaken(String),
    NetworkAmbiguous {
        term: String,
        matches: usize,
        by: MatchedBy,
    },
    NetworkNotFound(String),
    NoAddressFamily,
    NoParentLink(String),
    NoSuchConfig(String),
    NoSuchDriver(String),
    NoSuchEndpoint(String),
    NoSwarmForScope,
    NoneIsExclusive,
    NotABridge(String),
    NotASwarmManager,
    NotConnected {
        container: ContainerId,
        network: String,
        the: &'static str,
    },
    NotLinkLocal(String),
    NotPaused(ContainerId),
    NotRunning(ContainerId),
    OnlyOneInstance(&'static str),
    ParentName(String),
    /// The link inside of the network that has it, and the parent.
    ParentTaken {
        link: String,
        parent: String,
    },
    PausedAtStart(ContainerId),
    RemovePredefined(String),
    Rename {
        from: String,
        to: String,
        why: &'static str,
    },
    SeveralSubnets,
    SharedNamespace,
    VlanId(i64),
    /// Anything that is worded where it is met: a status and a message.
    Worded(u16, String),
    /// A container cannot start because of this.
    Networking(Box<Self>),
    /// A reason with the words that an operation puts before it.
    While(String, Box<Self>),
}

/// What several networks have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MatchedBy {
    IdPrefix,
    Name,
}

impl Refusal {
    /// The status and the message with which this engine answers.
    pub(crate) fn answer(&self, profile: Profile) -> (u16, String) {
        match profile {
            Profile::Podman5 => podman::answer(self),
            Profile::Docker20_10 | Profile::Docker26 | Profile::Docker28 => {
                docker::answer(self, profile)
            }
        }
    }

    /// The same as Podman tells it.
    pub(crate) fn podman(&self) -> PodmanWords {
        podman::words(self)
    }

    /// `what: cause`
    pub(crate) fn caused(
        status: u16,
        what: impl std::fmt::Display,
        cause: impl Into<String>,
    ) -> Self {
        let cause = cause.into();
        Self::Caused { status, message: format!("{what}: {cause}"), cause }
    }
}
