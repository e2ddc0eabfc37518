//! An engine for Docker networks: it answers the Docker Engine API by itself, in memory or on disk, where no Docker is
//! installed.
#![deny(missing_docs)]
#![warn(
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::print_stderr,
    clippy::print_stdout
)]

mod api;
mod core;
mod engine;
mod events;
mod faults;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzz;
mod plane;
mod profile;
mod serve;
mod store;
#[cfg(feature = "client")]
mod transport;

pub use self::engine::{Engine, EngineBuilder, StartError};
pub use self::faults::{Fault, Faults};
pub use self::profile::Profile;
pub use self::serve::{ListenAddress, ServeError, Server};
#[cfg(feature = "disk")]
pub use self::store::dump_state;
pub use self::store::{Durability, StoreError, StoreErrorKind};
