//! Events and changes as iterators.

use std::time::SystemTime;

use docknet_types::{ContainerId, Event, Filters, NetworkId};

use super::{Driver, Network, NetworkDetails};
use crate::Result;

/// An iterator of events: every one from now on, unless a setter says otherwise. See [`docknet::Events`](crate::Events).
///
/// ```no_run
/// # fn main() -> docknet::Result<()> {
/// let client = docknet::blocking::Client::from_env()?;
/// for event in client.events().networks() {
///     let event = event?;
///     println!("{} {}", event.action, event.id);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Events {
    inner: crate::Events,
    driver: Driver,
}

impl Events {
    pub(super) fn new(inner: crate::Events, driver: Driver) -> Self {
        Self { inner, driver }
    }

    /// Events of networks only, or of networks too.
    pub fn networks(mut self) -> Self {
        self.inner = self.inner.networks();
        self
    }

    /// Events of containers only, or of containers too.
    pub fn containers(mut self) -> Self {
        self.inner = self.inner.containers();
        self
    }

    /// Events that match this filter.
    pub fn filter(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.inner = self.inner.filter(key, value);
        self
    }

    /// Events that match these filters, instead of those set before.
    pub fn filters(mut self, filters: &Filters) -> Self {
        self.inner = self.inner.filters(filters);
        self
    }

    /// Begins with what the engine still remembers of this time.
    pub fn since(mut self, time: SystemTime) -> Self {
        self.inner = self.inner.since(time);
        self
    }

    /// Ends at this time.
    pub fn until(mut self, time: SystemTime) -> Self {
        self.inner = self.inner.until(time);
        self
    }

    /// Asks for the events now: once this returns, the engine is sending what happens.
    ///
    /// # Errors
    /// `BadRequest` for a filter that the engine does not know.
    pub fn open(self) -> Result<Self> {
        let inner = self.driver.run(self.inner.open())?;
        Ok(Self { inner, driver: self.driver })
    }
}

impl Iterator for Events {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = async { Ok(self.inner.next().await) };
        self.driver.run(next).unwrap_or_else(|error| Some(Err(error)))
    }
}

/// An iterator of changes, without an end. See [`docknet::Watch`](crate::Watch).
#[derive(Debug)]
pub struct Watch {
    inner: crate::Watch,
    driver: Driver,
}

impl Watch {
    pub(super) fn new(inner: crate::Watch, driver: Driver) -> Self {
        Self { inner, driver }
    }
}

impl Iterator for Watch {
    type Item = Result<Change>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = async { Ok(self.inner.next().await) };
        let next = self.driver.run(next).unwrap_or_else(|error| Some(Err(error)))?;
        Some(next.map(|change| Change::new(change, &self.driver)))
    }
}

/// A change of the networks of an engine. See [`docknet::Change`](crate::Change).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Change {
    /// A container runs on a network now.
    Attached {
        /// The network's id.
        network: NetworkId,
        /// The network's name.
        name: String,
        /// The container's id.
        container: ContainerId,
    },
    /// A network was made.
    Created(Network),
    /// A container does not run on a network any more.
    Detached {
        /// The network's id.
        network: NetworkId,
        /// The network's name.
        name: String,
        /// The container's id.
        container: ContainerId,
    },
    /// A network is gone.
    Removed {
        /// The network's id.
        id: NetworkId,
        /// The network's name.
        name: String,
    },
    /// All there is: at the beginning, and after a gap.
    Resync(Vec<NetworkDetails>),
}

impl Change {
    fn new(change: crate::Change, driver: &Driver) -> Self {
        match change {
            crate::Change::Attached { network, name, container } => {
                Self::Attached { network, name, container }
            }
            crate::Change::Created(network) => Self::Created(Network::new(network, driver.clone())),
            crate::Change::Detached { network, name, container } => {
                Self::Detached { network, name, container }
            }
            crate::Change::Removed { id, name } => Self::Removed { id, name },
            crate::Change::Resync(details) => Self::Resync(
                details.into_iter().map(|details| NetworkDetails::new(details, driver)).collect(),
            ),
        }
    }
}
