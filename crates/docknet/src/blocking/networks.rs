//! The networks of an engine, blocking.

use docknet_types::{Filters, NetworkSpec};

use super::{Container, Driver, Network, Watch};
use crate::{InspectOptions, Kept, Pruned, Result};

/// The networks of an engine: create, get, list, prune. See [`docknet::Networks`](crate::Networks) for what each does.
#[derive(Clone, Debug)]
pub struct Networks {
    inner: crate::Networks,
    driver: Driver,
}

impl Networks {
    pub(super) fn new(inner: crate::Networks, driver: Driver) -> Self {
        Self { inner, driver }
    }

    fn wrap(&self, network: crate::Network) -> Network {
        Network::new(network, self.driver.clone())
    }

    /// Creates a network, and gets it.
    ///
    /// # Errors
    /// Those of [`docknet::Networks::create`](crate::Networks::create).
    pub fn create(&self, spec: impl Into<NetworkSpec>) -> Result<Network> {
        self.driver.run(self.inner.create(spec)).map(|network| self.wrap(network))
    }

    /// The network of this name, made if it is not there.
    ///
    /// # Errors
    /// `Conflict` if there is one that is not what the spec asks for.
    pub fn ensure(&self, spec: impl Into<NetworkSpec>) -> Result<Network> {
        self.driver.run(self.inner.ensure(spec)).map(|network| self.wrap(network))
    }

    /// The network of this id or name.
    ///
    /// # Errors
    /// `NotFound`, `AmbiguousName`.
    pub fn get(&self, id_or_name: &str) -> Result<Network> {
        self.driver.run(self.inner.get(id_or_name)).map(|network| self.wrap(network))
    }

    /// The same, with the services of a swarm's network, or of one scope only.
    ///
    /// # Errors
    /// `NotFound`, `AmbiguousName`.
    pub fn inspect(&self, id_or_name: &str, options: &InspectOptions) -> Result<Network> {
        self.driver.run(self.inner.inspect(id_or_name, options)).map(|network| self.wrap(network))
    }

    /// The same as [`get`](Self::get), or none if there is no such network.
    ///
    /// # Errors
    /// `AmbiguousName`; never `NotFound`.
    pub fn find(&self, id_or_name: &str) -> Result<Option<Network>> {
        Ok(self.driver.run(self.inner.find(id_or_name))?.map(|network| self.wrap(network)))
    }

    /// Every network.
    ///
    /// # Errors
    /// What the engine or the connection meets.
    pub fn list(&self) -> Result<Vec<Network>> {
        self.list_with(&Filters::new())
    }

    /// The networks that match.
    ///
    /// # Errors
    /// `BadRequest` for filters that the engine does not know.
    pub fn list_with(&self, filters: &Filters) -> Result<Vec<Network>> {
        let networks = self.driver.run(self.inner.list_with(filters))?;
        Ok(networks.into_iter().map(|network| self.wrap(network)).collect())
    }

    /// The networks that match, each with the containers connected to it.
    ///
    /// # Errors
    /// `BadRequest` for filters that the engine does not know.
    pub fn list_detailed(&self, filters: &Filters) -> Result<Vec<NetworkDetails>> {
        let details = self.driver.run(self.inner.list_detailed(filters))?;
        Ok(details.into_iter().map(|details| NetworkDetails::new(details, &self.driver)).collect())
    }

    /// Removes a network.
    ///
    /// # Errors
    /// `NotFound`, `AmbiguousName`, `InUse`, `Predefined`.
    pub fn remove(&self, id_or_name: &str) -> Result<()> {
        self.driver.run(self.inner.remove(id_or_name))
    }

    /// Removes the networks that no running container uses, of those that match.
    ///
    /// # Errors
    /// `BadRequest` for filters that the engine does not know.
    pub fn prune(&self, filters: &Filters) -> Result<Pruned> {
        self.driver.run(self.inner.prune(filters))
    }

    /// What a prune with these filters would remove, and what it would keep and why.
    ///
    /// # Errors
    /// `InvalidSpec` for filters other than `label`, `label!` and `until`.
    pub fn plan_prune(&self, filters: &Filters) -> Result<PrunePlan> {
        let plan = self.driver.run(self.inner.plan_prune(filters))?;
        Ok(PrunePlan {
            remove: plan.remove.into_iter().map(|network| self.wrap(network)).collect(),
            keep: plan
                .keep
                .into_iter()
                .map(|(network, reason)| (self.wrap(network), reason))
                .collect(),
        })
    }

    /// Every network, then every change.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch::new(self.inner.watch(), self.driver.clone())
    }
}

/// A network, and who is connected to it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NetworkDetails {
    /// The network.
    pub network: Network,
    /// The containers connected to it.
    pub containers: Vec<Container>,
}

impl NetworkDetails {
    pub(super) fn new(details: crate::NetworkDetails, driver: &Driver) -> Self {
        let containers = details.containers.into_iter();
        Self {
            network: Network::new(details.network, driver.clone()),
            containers: containers
                .map(|container| Container::new(container, driver.clone()))
                .collect(),
        }
    }
}

/// What a prune would do.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PrunePlan {
    /// The networks that nothing uses.
    pub remove: Vec<Network>,
    /// The networks that match the filters and stay, with the reason.
    pub keep: Vec<(Network, Kept)>,
}

impl PrunePlan {
    /// Removes what is planned, each by its id.
    ///
    /// # Errors
    /// `Misuse` only: what was refused is in the outcome.
    pub fn execute(self) -> Result<Pruned> {
        let Some(first) = self.remove.first() else {
            return Ok(Pruned::default());
        };
        let driver = first.driver().clone();
        let remove = self.remove.into_iter().map(Network::into_inner).collect();
        driver.run(crate::PrunePlan { remove, keep: Vec::new() }.execute())
    }
}
