//! Docker networks for Rust.
#![deny(missing_docs)]
#![warn(
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::print_stderr,
    clippy::print_stdout
)]

#[cfg(feature = "blocking")]
pub mod blocking;
mod builder;
mod client;
mod config;
mod container;
mod containers;
mod error;
mod events;
mod exec;
mod host;
mod network;
mod networks;
mod prune;
mod request;
mod snapshot;
mod transport;
mod watch;

pub use self::builder::ClientBuilder;
pub use self::client::{Client, Ping};
pub use self::config::TlsOptions;
pub use self::container::{Container, ExecOutput};
pub use self::containers::Containers;
pub use self::error::{Error, Result};
pub use self::events::Events;
pub use self::host::Host;
pub use self::network::Network;
pub use self::networks::{InspectOptions, NetworkDetails, Networks};
pub use self::prune::{Kept, PrunePlan, Pruned};
pub use self::transport::{Body, BoxFuture, Exchange, Recorder, Reply, Script, Transport, expect};
pub use self::watch::{Change, Watch};

pub use docknet_types::{
    Action, ApiVersion, ContainerId, ContainerInfo, ContainerSpec, ContainerStatus, Difference,
    Driver, EndpointInfo, EndpointSpec, Engine, ErrorKind, Event, EventKind, Filters, Flavour,
    IpNet, Ipam, IpamInfo, Ipv4Net, Ipv6Net, MacAddr, Member, NetworkEvent, NetworkId, NetworkInfo,
    NetworkKind, NetworkMode, NetworkSpec, Pool, PoolInfo, Scope, SpecProblem,
};
