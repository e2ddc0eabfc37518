//! Docker networks as plain values: specs to send, answers as read, filters, events, API versions and error kinds.
//!
//! Nothing here does I/O, reads a clock or draws a random number. The SDK (`docknet`), the engine and the command
//! line share these types, so that a spec written for one works in all of them.
//!
//! ```
//! use docknet_types::{Driver, NetworkSpec, Pool};
//!
//! let spec = NetworkSpec::new("network1")
//!     .driver(Driver::Bridge)
//!     .pool(Pool::new("192.168.52.0/24".parse()?).gateway("192.168.52.254".parse()?));
//! assert_eq!(
//!     serde_json::to_string(&spec)?,
//!     r#"{"Name":"network1","Driver":"bridge","IPAM":{"Config":[{"Subnet":"192.168.52.0/24","Gateway":"192.168.52.254"}]}}"#,
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![deny(missing_docs)]
#![warn(
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::print_stderr,
    clippy::print_stdout
)]

mod capability;
mod check;
mod container;
mod container_info;
mod decode;
mod difference;
mod driver;
mod endpoint;
mod endpoint_info;
mod error;
mod event;
mod filter;
mod id;
mod ipam;
mod mac;
mod network_info;
mod spec;
mod text;
mod version;

pub use self::capability::{Engine, Flavour, Unsupported};
pub use self::check::SpecProblem;
pub use self::container::{ContainerSpec, NetworkMode};
pub use self::container_info::{ContainerInfo, ContainerStatus};
pub use self::difference::Difference;
pub use self::driver::{Driver, NetworkKind, Scope};
pub use self::endpoint::EndpointSpec;
pub use self::endpoint_info::{EndpointInfo, Member};
pub use self::error::{ErrorKind, classify};
pub use self::event::{Action, Event, EventKind, NetworkEvent};
pub use self::filter::Filters;
pub use self::id::{ContainerId, NetworkId};
pub use self::ipam::{Ipam, Pool};
pub use self::mac::{MacAddr, ParseMacError};
pub use self::network_info::{IpamInfo, NetworkInfo, PoolInfo};
pub use self::spec::NetworkSpec;
pub use self::version::{ApiVersion, ParseVersionError};

pub use ipnet::{IpNet, Ipv4Net, Ipv6Net};
