//! The networks and containers of one behaviour, by short names that mean the same all through it.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use docknet::{
    Client, Container, ContainerSpec, EndpointSpec, Error, ErrorKind, Flavour, Ipv4Net, Network,
    NetworkSpec, Pool, Result,
};

use crate::lab;

/// Where one behaviour plays. What it makes has the lab's labels, by which it is removed at the end.
#[derive(Clone)]
pub(crate) struct Stage(Arc<Inner>);

struct Inner {
    client: Client,
    tag: String,
    labels: [(String, String); 2],
    known: Mutex<BTreeSet<String>>,
}

impl Stage {
    pub(crate) fn new(client: &Client) -> Self {
        let (tag, labels) = (lab::name("s"), lab::labels());
        Self(Arc::new(Inner { client: client.clone(), tag, labels, known: Mutex::default() }))
    }

    /// A name that nobody else has, and the same each time.
    pub(crate) fn name(&self, what: &str) -> String {
        let name = format!("{}-{what}", self.0.tag);
        let mut known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.insert(name.clone()) {
            lab::adopt(&name);
        }
        name
    }

    /// The client under test.
    pub(crate) fn client(&self) -> &Client {
        &self.0.client
    }

    /// Whether the engine is Podman.
    pub(crate) async fn is_podman(&self) -> Result<bool> {
        Ok(self.0.client.engine().await?.flavour == Flavour::Podman)
    }

    /// A network with a subnet of its own.
    pub(crate) async fn network(&self, what: &str) -> Result<Network> {
        self.network_on(what, lab::subnet()).await
    }

    /// A network with this subnet.
    pub(crate) async fn network_on(&self, what: &str, subnet: Ipv4Net) -> Result<Network> {
        self.create_network(self.spec(what).pool(Pool::new(subnet.into()))).await
    }

    /// The beginning of a network's spec.
    pub(crate) fn spec(&self, what: &str) -> NetworkSpec {
        self.spec_named(self.name(what))
    }

    /// The same for a name that is no name of ours.
    pub(crate) fn spec_named(&self, name: impl Into<String>) -> NetworkSpec {
        NetworkSpec::new(name).labels(self.0.labels.clone())
    }

    /// A network of this spec.
    pub(crate) async fn create_network(&self, spec: NetworkSpec) -> Result<Network> {
        self.client().networks().create(spec).await
    }

    /// The spec of a container that does nothing until it is stopped.
    pub(crate) fn idle(&self, what: &str) -> ContainerSpec {
        lab::idle(what).name(self.name(what)).host_config("CapAdd", vec!["NET_RAW"])
    }

    /// A container that is created and not started.
    pub(crate) async fn create(&self, spec: impl Into<ContainerSpec>) -> Result<Container> {
        self.client().containers().create(spec).await
    }

    /// A running container.
    pub(crate) async fn run(&self, spec: impl Into<ContainerSpec>) -> Result<Container> {
        let mut container = self.create(spec).await?;
        container.start().await?;
        container.reload().await?;
        Ok(container)
    }

    /// A running container on the engine's default network alone.
    pub(crate) async fn running(&self, what: &str) -> Result<Container> {
        self.run(self.idle(what)).await
    }

    /// A running container on this network alone.
    pub(crate) async fn running_on(&self, what: &str, network: &Network) -> Result<Container> {
        self.run(self.idle(what).network(network.name(), EndpointSpec::new())).await
    }
}

/// Something is not as it must be.
pub(crate) fn failed(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::Misuse, why)
}

/// Asks again and again, for so many seconds at most, until the answer is yes.
pub(crate) async fn within<F>(seconds: u64, what: &str, mut holds: impl FnMut() -> F) -> Result<()>
where
    F: Future<Output = Result<bool>>,
{
    let deadline = tokio::time::Instant::now() + Duration::from_secs(seconds);
    while !holds().await? {
        assert!(tokio::time::Instant::now() < deadline, "not within {seconds} seconds: {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// The address with this number in a subnet.
pub(crate) fn host(subnet: Ipv4Net, number: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(subnet.network().to_bits() + number)
}
