//! An engine for Docker networks: it answers the Docker Engine API by itself, in memory or on disk, where no Docker is
//! installed.
//!
//! In a test it is a Docker that starts in microseconds and forgets everything at the end:
//!
//! ```
//! use docknet::{ContainerSpec, EndpointSpec, ErrorKind, NetworkSpec, Pool};
//! use docknet_engine::Engine;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::memory().image("busybox").start().await?;
//! let client = engine.client();
//!
//! let pool = Pool::new("192.168.52.0/24".parse()?).gateway("192.168.52.254".parse()?);
//! let network = client.networks().create(NetworkSpec::new("network1").pool(pool)).await?;
//! let web = client.containers().create(ContainerSpec::new("busybox").name("web")).await?;
//! web.start().await?;
//! network.connect(&web, EndpointSpec::new().alias("api").ipv4("192.168.52.9".parse()?)).await?;
//!
//! let error = network.remove().await.unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::InUse);
//! # Ok(())
//! # }
//! ```
//!
//! - [`Engine::memory`] and [`Engine::open`] make one; [`EngineBuilder`] has the settings.
//! - [`Engine::client`] gives the SDK's client of it, with no socket between them. [`Engine::serve`] puts it on a socket, where
//!   the docker CLI, docker-py or bollard find a Docker 28.5.
//! - [`EngineBuilder::like`] makes it answer as another engine does: an older Docker, or Podman.
//! - [`Engine::faults`] makes calls fail, wait or break, as a test asks for it.
//! - `Engine::kernel`, with the feature `kernel`, makes real networks on Linux; `Engine::sandbox` runs programs of a test's own in
//!   a container's network, and `Engine::adopt` takes a network namespace that is there as a container.
//! - Containers are there so that networks have something to connect: they have a state, a name and addresses, and no process.
//!   What they run until they are stopped is nothing. On the kernel they run programs, over an image's files or the host's.
#![deny(missing_docs)]
#![cfg_attr(
    not(feature = "disk"),
    allow(dead_code, reason = "only what is on a disk is read again")
)]
#![cfg_attr(
    not(kernel),
    allow(
        dead_code,
        unused_imports,
        reason = "what is decided for a kernel, only a kernel is told"
    )
)]
#![warn(
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::print_stderr,
    clippy::print_stdout
)]

mod api;
mod core;
#[cfg(kernel)]
mod dns;
mod engine;
mod events;
mod faults;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzz;
#[cfg(kernel)]
mod images;
#[cfg(kernel)]
mod open_files;
mod plane;
#[cfg(kernel)]
mod process;
mod profile;
#[cfg(kernel)]
mod rootless;
mod serve;
#[cfg(kernel)]
mod shield;
mod store;
#[cfg(feature = "client")]
mod transport;

pub use self::engine::{Engine, EngineBuilder, StartError};
#[cfg(kernel)]
pub use self::engine::{Sandbox, SandboxCommand, SandboxError};
pub use self::faults::{Fault, Faults};
#[cfg(kernel)]
pub use self::open_files::raise_open_file_limit;
#[cfg(kernel)]
pub use self::process::hold_programs;
pub use self::profile::Profile;
#[cfg(kernel)]
pub use self::rootless::{enter_user_namespace, run_in_user_namespace};
pub use self::serve::{ListenAddress, ServeError, Server};
#[cfg(kernel)]
pub use self::shield::shield_program;
#[cfg(feature = "disk")]
pub use self::store::dump_state;
pub use self::store::{Durability, StoreError, StoreErrorKind};
