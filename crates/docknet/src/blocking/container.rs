//! Containers, blocking.

use std::collections::BTreeMap;

use docknet_types::{
    ContainerId, ContainerInfo, ContainerSpec, ContainerStatus, EndpointInfo, Filters,
};
use serde_json::Value;

use super::Driver;
use crate::{ExecOutput, Result};

/// The containers of an engine: get, list, create. See [`docknet::Containers`](crate::Containers) for what each does.
#[derive(Clone, Debug)]
pub struct Containers {
    inner: crate::Containers,
    driver: Driver,
}

impl Containers {
    pub(super) fn new(inner: crate::Containers, driver: Driver) -> Self {
        Self { inner, driver }
    }

    fn wrap(&self, containers: Vec<crate::Container>) -> Vec<Container> {
        containers
            .into_iter()
            .map(|container| Container::new(container, self.driver.clone()))
            .collect()
    }

    /// The container of this id or name.
    ///
    /// # Errors
    /// `NotFound`, `AmbiguousName`.
    pub fn get(&self, id_or_name: &str) -> Result<Container> {
        let container = self.driver.run(self.inner.get(id_or_name))?;
        Ok(Container::new(container, self.driver.clone()))
    }

    /// The containers that run.
    ///
    /// # Errors
    /// What the engine or the connection meets.
    pub fn list(&self) -> Result<Vec<Container>> {
        self.driver.run(self.inner.list()).map(|containers| self.wrap(containers))
    }

    /// The containers that run and match; in other states too if a filter says which.
    ///
    /// # Errors
    /// `BadRequest` for filters that the engine does not know.
    pub fn list_with(&self, filters: &Filters) -> Result<Vec<Container>> {
        self.driver.run(self.inner.list_with(filters)).map(|containers| self.wrap(containers))
    }

    /// The containers that match, whatever they do.
    ///
    /// # Errors
    /// `BadRequest` for filters that the engine does not know.
    pub fn list_all(&self, filters: &Filters) -> Result<Vec<Container>> {
        self.driver.run(self.inner.list_all(filters)).map(|containers| self.wrap(containers))
    }

    /// Creates a container with its networks.
    ///
    /// # Errors
    /// Those of [`docknet::Containers::create`](crate::Containers::create).
    pub fn create(&self, spec: impl Into<ContainerSpec>) -> Result<Container> {
        let container = self.driver.run(self.inner.create(spec))?;
        Ok(Container::new(container, self.driver.clone()))
    }
}

/// A container, as it was when it was fetched. See [`docknet::Container`](crate::Container) for what each method does.
#[derive(Clone, Debug)]
pub struct Container {
    inner: crate::Container,
    driver: Driver,
}

impl Container {
    pub(super) fn new(inner: crate::Container, driver: Driver) -> Self {
        Self { inner, driver }
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> &ContainerId {
        self.inner.id()
    }

    /// The first twelve characters of the id.
    #[must_use]
    pub fn short_id(&self) -> &str {
        self.inner.short_id()
    }

    /// The name, without a slash before it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.inner.name()
    }

    /// What it did when it was fetched.
    #[must_use]
    pub fn status(&self) -> &ContainerStatus {
        self.inner.status()
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
    pub fn info(&self) -> &ContainerInfo {
        self.inner.info()
    }

    /// Its connections, by the network's name.
    #[must_use]
    pub fn endpoints(&self) -> &BTreeMap<String, EndpointInfo> {
        self.inner.endpoints()
    }

    /// Starts it.
    ///
    /// # Errors
    /// `NotFound` for one of its networks that is gone, `AddressInUse`, `AddressesExhausted`.
    pub fn start(&self) -> Result<()> {
        self.driver.run(self.inner.start())
    }

    /// Stops it.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn stop(&self) -> Result<()> {
        self.driver.run(self.inner.stop())
    }

    /// Stops it, giving its process this long to end.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn stop_within(&self, seconds: u32) -> Result<()> {
        self.driver.run(self.inner.stop_within(seconds))
    }

    /// Removes it, running or not.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn remove(self) -> Result<()> {
        self.driver.run(self.inner.remove())
    }

    /// Fetches it anew.
    ///
    /// # Errors
    /// `NotFound` if it is gone.
    pub fn reload(&mut self) -> Result<()> {
        self.driver.run(self.inner.reload())
    }

    /// Runs a command in it, and gives what it wrote and how it ended.
    ///
    /// # Errors
    /// `Conflict` if it does not run.
    pub fn exec<S: Into<String>>(
        &self,
        command: impl IntoIterator<Item = S>,
    ) -> Result<ExecOutput> {
        self.driver.run(self.inner.exec(command))
    }
}

impl AsRef<str> for Container {
    fn as_ref(&self) -> &str {
        self.id().as_str()
    }
}

impl PartialEq for Container {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

impl Eq for Container {}

impl std::hash::Hash for Container {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}
