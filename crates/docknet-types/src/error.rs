//! What went wrong, as a caller can act on it.

mod classify;

pub use self::classify::classify;

use std::fmt;

/// What went wrong. Statuses alone do not say: 403 is at once in use, overlap, address taken, already connected,
/// predefined and no swarm; Podman answers 500 to most of it.
///
/// ```
/// use docknet_types::{ErrorKind, classify};
///
/// assert_eq!(classify(403, "Pool overlaps with other one on this address space"), ErrorKind::PoolOverlap);
/// assert_eq!(classify(409, "network with name a already exists"), ErrorKind::NameTaken);
/// assert_eq!(classify(403, "some wording of tomorrow"), ErrorKind::Forbidden);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    // What an engine refuses, as its words tell.
    /// The address is taken: by a container, by the gateway, or reserved.
    AddressInUse,
    /// The address is in no pool of the network, or the network's pools are not the user's to choose from.
    AddressNotInPool,
    /// The network has no free address left.
    AddressesExhausted,
    /// The container is on this network already.
    AlreadyConnected,
    /// Several networks match the name or the prefix of an id.
    AmbiguousName,
    /// Containers, services or other networks still use it: the network to be removed, or an interface asked for, as a
    /// bridge or a parent.
    InUse,
    /// The spec or a part of it is not valid: by the engine's words, or before anything was sent.
    InvalidSpec,
    /// The name is taken.
    NameTaken,
    /// The node is in no swarm, or does not manage it.
    NoSwarm,
    /// The container cannot be connected to or cut from this network: it has the host's, another container's or no
    /// network, or is being removed; or the network is not attachable.
    NotConnectable,
    /// The container is not on this network.
    NotConnected,
    /// There is no such network or container.
    NotFound,
    /// There is no such network driver or IPAM driver.
    NoSuchDriver,
    /// Every default address pool is used up.
    PoolExhausted,
    /// The subnet overlaps one in use.
    PoolOverlap,
    /// The network is the engine's own, or of a driver that only such a network may have.
    Predefined,

    // What an engine refuses, as its status tells.
    /// The JSON, the filters or the headers are malformed; or 400, and nothing more is known.
    BadRequest,
    /// 409, and nothing more is known; or what is there differs from what is wanted.
    Conflict,
    /// 403, and nothing more is known.
    Forbidden,
    /// 501: the engine does not do this.
    NotImplemented,
    /// 5xx, and nothing more is known.
    Server,
    /// 401 or 407.
    Unauthorized,
    /// 503, and nothing more is known: try again later.
    Unavailable,

    // What stands between.
    /// The answer is larger than the limit of this client.
    BodyTooLarge,
    /// The environment, a context, a host or a certificate is not what it should be.
    Config,
    /// No connection to the engine.
    Connect,
    /// The answer's JSON is not what it should be.
    Decode,
    /// A call that cannot be made here: outside a runtime, or a blocking one inside.
    Misuse,
    /// The peer does not speak HTTP as it should, or redirects, or the connection broke.
    Protocol,
    /// It took longer than the client's limit.
    Timeout,
    /// The engine's API is too old or too new or lacks this call, or it would drop a part of the request without a
    /// word.
    UnsupportedApi,
}

impl ErrorKind {
    /// Every kind, in order.
    pub const ALL: &'static [Self] = &[
        Self::AddressInUse,
        Self::AddressNotInPool,
        Self::AddressesExhausted,
        Self::AlreadyConnected,
        Self::AmbiguousName,
        Self::InUse,
        Self::InvalidSpec,
        Self::NameTaken,
        Self::NoSwarm,
        Self::NotConnectable,
        Self::NotConnected,
        Self::NotFound,
        Self::NoSuchDriver,
        Self::PoolExhausted,
        Self::PoolOverlap,
        Self::Predefined,
        Self::BadRequest,
        Self::Conflict,
        Self::Forbidden,
        Self::NotImplemented,
        Self::Server,
        Self::Unauthorized,
        Self::Unavailable,
        Self::BodyTooLarge,
        Self::Config,
        Self::Connect,
        Self::Decode,
        Self::Misuse,
        Self::Protocol,
        Self::Timeout,
        Self::UnsupportedApi,
    ];
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::AddressInUse => "address in use",
            Self::AddressNotInPool => "address not in a pool of the network",
            Self::AddressesExhausted => "no free address",
            Self::AlreadyConnected => "already connected",
            Self::AmbiguousName => "ambiguous name",
            Self::InUse => "in use",
            Self::InvalidSpec => "invalid spec",
            Self::NameTaken => "name taken",
            Self::NoSwarm => "no swarm",
            Self::NotConnectable => "not connectable",
            Self::NotConnected => "not connected",
            Self::NotFound => "not found",
            Self::NoSuchDriver => "no such driver",
            Self::PoolExhausted => "address pools exhausted",
            Self::PoolOverlap => "address pool overlaps",
            Self::Predefined => "predefined network",
            Self::BadRequest => "bad request",
            Self::Conflict => "conflict",
            Self::Forbidden => "forbidden",
            Self::NotImplemented => "not implemented",
            Self::Server => "engine error",
            Self::Unauthorized => "unauthorized",
            Self::Unavailable => "unavailable",
            Self::BodyTooLarge => "answer too large",
            Self::Config => "configuration",
            Self::Connect => "no connection",
            Self::Decode => "unreadable answer",
            Self::Misuse => "misuse",
            Self::Protocol => "protocol violation",
            Self::Timeout => "timeout",
            Self::UnsupportedApi => "unsupported by the engine",
        })
    }
}
