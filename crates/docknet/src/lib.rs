//! Docker networks for Rust: create, inspect, connect, watch and clean up networks on Docker Engine, Docker Swarm and
//! Podman.
//!
//! ```
//! use docknet::{Client, Driver, EndpointSpec, ErrorKind, NetworkSpec, Pool};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use docknet::{Script, expect};
//! # const NETWORK: &str = r#"{"Name":"network1","Id":"8dc8b98ebcbf","Driver":"bridge"}"#;
//! # let script = Script::new([
//! #     expect("POST /networks/create").reply(201, r#"{"Id":"8dc8b98ebcbf"}"#),
//! #     expect("GET /networks/8dc8b98ebcbf").reply(200, NETWORK),
//! #     expect("POST /networks/8dc8b98ebcbf/connect"),
//! #     expect("GET /containers/json?filters=%7B%22network%22%3A%7B%228dc8b98ebcbf%22%3Atrue%7D%7D")
//! #         .reply(200, r#"[{"Id":"4f66ad9a0b2e","Names":["/web"]}]"#),
//! #     expect("POST /networks/create").reply(409, r#"{"message":"network with name network1 already exists"}"#),
//! #     expect("DELETE /networks/8dc8b98ebcbf").reply(204, ""),
//! # ]);
//! let client = Client::from_env()?;
//! # let client = script.client();
//! let networks = client.networks();
//! let spec = NetworkSpec::new("network1")
//!     .driver(Driver::Bridge)
//!     .pool(Pool::new("192.168.52.0/24".parse()?).gateway("192.168.52.254".parse()?));
//!
//! let network = networks.create(&spec).await?;
//! network.connect("web", EndpointSpec::new().alias("api").ipv4("192.168.52.9".parse()?)).await?;
//! for container in network.containers().await? {
//!     println!("{} {}", container.short_id(), container.name());
//! }
//!
//! let error = networks.create(&spec).await.unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::NameTaken);
//! network.remove().await?;
//! # script.finish();
//! # Ok(())
//! # }
//! ```
//!
//! Where to go on:
//! - [`Client`] reaches an engine; [`Networks`] and [`Network`] are docker-py's `client.networks` and its objects.
//! - [`NetworkSpec`], [`Pool`] and [`EndpointSpec`] are what one asks for: plain values.
//! - [`Error`] and [`ErrorKind`] say what happened, the same on every engine.
//! - [`Networks::watch`] and [`Client::events`] follow what happens.
//! - `blocking` has the same without `await`.
//! - [`Script`] and [`Recorder`] are for tests, and [`Transport`] is the seam for anything else.
//!
//! Three levels: typed calls, [`Client::request`] for any path of the API with the answer's JSON, [`Client::send`] for the
//! bare exchange.
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
