//! One network, blocking.

use docknet_types::{EndpointSpec, NetworkId, NetworkInfo};
use serde_json::Value;

use super::{Container, Driver};
use crate::Result;

/// A network, as it was when it was fetched. See [`docknet::Network`](crate::Network) for what each method does.
#[derive(Clone, Debug)]
pub struct Network {
    inner: crate::Network,
    driver: Driver,
}

impl Network {
    pub(super) fn new(inner: crate::Network, driver: Driver) -> Self {
        Self { inner, driver }
    }

    pub(super) fn driver(&self) -> &Driver {
        &self.driver
    }

    pub(super) fn into_inner(self) -> crate::Network {
        self.inner
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> &NetworkId {
        self.inner.id()
    }

    /// The first twelve characters of the id.
    #[must_use]
    pub fn short_id(&self) -> &str {
        self.inner.short_id()
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.inner.name()
    }

    /// The engine's own JSON, every field of it.
    #[must_use]
    pub fn attrs(&self) -> &Value {
        self.inner.attrs()
    }

    /// The engine's own JSON, byte for byte.
    #[must_use]
    pub fn attrs_json(&self) -> &str {
        self.inner.attrs_json()
    }

    /// The same, typed.
    #[must_use]
    pub fn info(&self) -> &NetworkInfo {
        self.inner.info()
    }

    /// What the engine had to remark when the network was created.
    #[must_use]
    pub fn warning(&self) -> Option<&str> {
        self.inner.warning()
    }

    /// The containers that run on it now, in one request.
    ///
    /// # Errors
    /// What the engine or the connection meets.
    pub fn containers(&self) -> Result<Vec<Container>> {
        let containers = self.driver.run(self.inner.containers())?;
        Ok(containers
            .into_iter()
            .map(|container| Container::new(container, self.driver.clone()))
            .collect())
    }

    /// Connects a container: by id, by name, or a [`Container`].
    ///
    /// # Errors
    /// Those of [`docknet::Network::connect`](crate::Network::connect).
    pub fn connect(&self, container: impl AsRef<str>, endpoint: EndpointSpec) -> Result<()> {
        self.driver.run(self.inner.connect(container, endpoint))
    }

    /// Disconnects a container.
    ///
    /// # Errors
    /// `NotConnected`, `NotFound`, `NotConnectable`.
    pub fn disconnect(&self, container: impl AsRef<str>) -> Result<()> {
        self.driver.run(self.inner.disconnect(container))
    }

    /// Disconnects a container by force: also one that is gone but has left its endpoint behind.
    ///
    /// # Errors
    /// `NotConnected`, `NotFound`, `NotConnectable`.
    pub fn disconnect_forced(&self, container: impl AsRef<str>) -> Result<()> {
        self.driver.run(self.inner.disconnect_forced(container))
    }

    /// Fetches it anew.
    ///
    /// # Errors
    /// `NotFound` if it is gone.
    pub fn reload(&mut self) -> Result<()> {
        self.driver.run(self.inner.reload())
    }

    /// Removes it.
    ///
    /// # Errors
    /// `InUse`, `Predefined`, `NotFound`.
    pub fn remove(self) -> Result<()> {
        self.driver.run(self.inner.remove())
    }

    /// Disconnects every container, and removes it.
    ///
    /// # Errors
    /// Those of [`remove`](Self::remove).
    pub fn remove_detaching(self) -> Result<()> {
        self.driver.run(self.inner.remove_detaching())
    }
}

impl PartialEq for Network {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

impl Eq for Network {}

impl std::hash::Hash for Network {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}
