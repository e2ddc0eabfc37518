//! The same names and types without `await`, for programs that have no runtime.
//!
//! Each [`Client`] drives its calls on a private runtime of the calling thread's; no thread is started. Streams are
//! iterators. Inside a tokio runtime, `spawn_blocking` included, calls are an error of kind `Misuse`, not a panic: the
//! async types are at hand there.
//!
//! ```no_run
//! use docknet::blocking::Client;
//! use docknet::{EndpointSpec, NetworkSpec};
//!
//! # fn main() -> docknet::Result<()> {
//! let client = Client::from_env()?;
//! let network = client.networks().create(NetworkSpec::new("backend").label("app", "shop"))?;
//! network.connect("web", EndpointSpec::new().alias("api"))?;
//! for container in network.containers()? {
//!     println!("{} {}", container.short_id(), container.name());
//! }
//! network.remove_detaching()?;
//! # Ok(())
//! # }
//! ```

mod client;
mod container;
mod network;
mod networks;
mod streams;

pub use self::client::Client;
pub use self::container::{Container, Containers};
pub use self::network::Network;
pub use self::networks::{NetworkDetails, Networks, PrunePlan};
pub use self::streams::{Change, Events, Watch};

use std::sync::Arc;

use tokio::runtime::{Builder, Handle, Runtime};

use crate::{Error, ErrorKind, Result};

/// Drives futures on the calling thread.
#[derive(Clone, Debug)]
struct Driver(Arc<Shared>);

#[derive(Debug)]
struct Shared(Option<Runtime>);

impl Driver {
    fn new() -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| {
            Error::new(
                ErrorKind::Misuse,
                format!("cannot set up a runtime for blocking calls: {error}"),
            )
            .with_source(error)
        })?;
        Ok(Self(Arc::new(Shared(Some(runtime)))))
    }

    fn run<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        let refused = |text: &str| Err(Error::new(ErrorKind::Misuse, text));
        if Handle::try_current().is_ok() {
            return refused(
                "a blocking call inside a tokio runtime would stop its other tasks: use the async types of `docknet`",
            );
        }
        match &self.0.0 {
            Some(runtime) => runtime.block_on(call),
            None => refused("the runtime of this client is gone"),
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // The last handle may be dropped inside another runtime, where waiting for this one to end would panic.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    /// The names of a type's public methods, in all the files of a module.
    fn methods(sources: &[&str]) -> BTreeSet<String> {
        let lines = sources.iter().flat_map(|source| source.lines());
        let names = lines.filter_map(|line| {
            let rest = line.trim().strip_prefix("pub ")?;
            let rest = rest.strip_prefix("async ").unwrap_or(rest).strip_prefix("fn ")?;
            rest.split(['(', '<']).next()
        });
        names.map(str::to_owned).collect()
    }

    #[test]
    fn has_every_method_of_the_async_types() {
        let pairs: [(&str, &[&str], &[&str]); 5] = [
            ("events", &[include_str!("events.rs")], &[include_str!("blocking/streams.rs")]),
            ("client", &[include_str!("client.rs")], &[include_str!("blocking/client.rs")]),
            (
                "networks",
                &[include_str!("networks.rs"), include_str!("prune.rs")],
                &[include_str!("blocking/networks.rs")],
            ),
            ("network", &[include_str!("network.rs")], &[include_str!("blocking/network.rs")]),
            (
                "containers",
                &[include_str!("containers.rs"), include_str!("container.rs")],
                &[include_str!("blocking/container.rs")],
            ),
        ];
        for (what, asynchronous, blocking) in pairs {
            let (wanted, found) = (methods(asynchronous), methods(blocking));
            // Constructors of plain values, which both share.
            let shared = [
                "new",
                "verbose",
                "scope",
                "success",
                "stdout_text",
                "stderr_text",
                "builder",
                "with_transport",
                "next",
            ];
            let missing: Vec<_> =
                wanted.difference(&found).filter(|name| !shared.contains(&name.as_str())).collect();
            assert!(wanted.len() > 3, "{what}: found no methods");
            assert!(missing.is_empty(), "{what}: missing {missing:?}");
        }
    }
}
