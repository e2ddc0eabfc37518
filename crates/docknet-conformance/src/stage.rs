//! What a behaviour makes on an engine, taken down again at its end; and how to say that something is not as it must be.

use std::fmt::Debug;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use docknet::{
    Client, Container, ContainerSpec, EndpointSpec, Error, ErrorKind, Flavour, Ipv4Net, Ipv6Net,
    Network, NetworkSpec, Pool, Result,
};

/// Fails the behaviour, with a reason, unless this holds.
macro_rules! check {
    ($holds:expr, $($why:tt)+) => {
        if !$holds {
            return Err($crate::stage::failed(format!($($why)+)));
        }
    };
}
pub(crate) use check;

/// Runs a behaviour, and removes what it made, however it ended.
pub(crate) async fn on_stage<F>(client: &Client, behaviour: impl FnOnce(Stage) -> F) -> Result<()>
where
    F: Future<Output = Result<()>>,
{
    let stage = Stage::new(client);
    let outcome = behaviour(stage.clone()).await;
    let cleared = stage.clear().await;
    outcome.and(cleared)
}

/// Where one behaviour plays.
#[derive(Clone)]
pub(crate) struct Stage(Arc<Inner>);

struct Inner {
    client: Client,
    tag: String,
    containers: Mutex<Vec<String>>,
    networks: Mutex<Vec<String>>,
}

impl Stage {
    fn new(client: &Client) -> Self {
        let tag = format!("dc{:x}", unique());
        Self(Arc::new(Inner {
            client: client.clone(),
            tag,
            containers: Mutex::default(),
            networks: Mutex::default(),
        }))
    }

    /// A name that nobody else has.
    pub(crate) fn name(&self, what: &str) -> String {
        format!("{}-{what}", self.0.tag)
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
        self.network_on(what, subnet()).await
    }

    /// A network with this subnet.
    pub(crate) async fn network_on(&self, what: &str, subnet: Ipv4Net) -> Result<Network> {
        self.create_network(self.spec(what).pool(Pool::new(subnet.into()))).await
    }

    /// The beginning of a network's spec.
    pub(crate) fn spec(&self, what: &str) -> NetworkSpec {
        NetworkSpec::new(self.name(what))
    }

    /// A network of this spec.
    pub(crate) async fn create_network(&self, spec: NetworkSpec) -> Result<Network> {
        let name = spec.name.clone();
        let network = self.client().networks().create(spec).await?;
        check!(network.name() == name, "asked for network {name:?}, got {:?}", network.name());
        self.will_remove_network(network.id().as_str());
        Ok(network)
    }

    /// Has a network removed at the end that was made otherwise.
    pub(crate) fn will_remove_network(&self, id: &str) {
        self.0.networks.lock().unwrap_or_else(PoisonError::into_inner).push(id.to_owned());
    }

    /// Has a container removed at the end that was made otherwise.
    pub(crate) fn will_remove_container(&self, id: &str) {
        self.0.containers.lock().unwrap_or_else(PoisonError::into_inner).push(id.to_owned());
    }

    /// The spec of a container that does nothing until it is stopped.
    pub(crate) fn idle(&self, what: &str) -> ContainerSpec {
        ContainerSpec::new("busybox")
            .name(self.name(what))
            .command(["sh", "-c", "trap 'exit 0' TERM; sleep 100000 & wait"])
            .host_config("CapAdd", vec!["NET_RAW"])
    }

    /// A container that is created and not started.
    pub(crate) async fn create(&self, spec: impl Into<ContainerSpec>) -> Result<Container> {
        let container = self.client().containers().create(spec).await?;
        self.will_remove_container(container.id().as_str());
        Ok(container)
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

    /// Removes everything, and tells what could not be.
    async fn clear(&self) -> Result<()> {
        let mut first = Ok(());
        let containers = take(&self.0.containers);
        for id in containers.iter().rev() {
            let gone = match self.client().containers().get(id).await {
                Ok(container) => container.remove().await,
                Err(error) if error.kind() == ErrorKind::Server => self.remove_unseen(id).await,
                Err(error) => Err(error),
            };
            let gone = unless_gone(gone);
            first = first.and(gone);
        }
        for id in take(&self.0.networks).iter().rev() {
            first = first.and(unless_gone(self.client().networks().remove(id).await));
        }
        first
    }

    /// Removes a container that the engine cannot show any more.
    async fn remove_unseen(&self, id: &str) -> Result<()> {
        self.post("DELETE", &format!("/containers/{id}?force=true&v=true")).await
    }

    /// Sends what the SDK has no method for.
    pub(crate) async fn post(&self, method: &str, target: &str) -> Result<()> {
        let request = http::Request::builder().method(method).uri(target).body(Default::default());
        let response = self.client().send(request.map_err(|error| failed(error.to_string()))?);
        let response = response.await?;
        check!(response.status().is_success(), "{method} {target}: {}", response.status());
        Ok(())
    }
}

fn take(list: &Mutex<Vec<String>>) -> Vec<String> {
    std::mem::take(&mut *list.lock().unwrap_or_else(PoisonError::into_inner))
}

fn unless_gone(removed: Result<()>) -> Result<()> {
    match removed {
        Err(error) if error.is_not_found() => Ok(()),
        other => other,
    }
}

/// Something is not as it must be.
pub(crate) fn failed(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::Misuse, why)
}

/// Demands that a call is refused with one of these kinds.
pub(crate) fn refused<T: Debug>(result: Result<T>, kinds: &[ErrorKind]) -> Result<Error> {
    match result {
        Err(error) if kinds.contains(&error.kind()) => Ok(error),
        Err(error) => Err(failed(format!("expected {kinds:?}, got {:?}: {error}", error.kind()))),
        Ok(value) => Err(failed(format!("expected {kinds:?}, and it worked: {value:?}"))),
    }
}

/// Asks again and again, for ten seconds at most, until the answer is yes.
pub(crate) async fn soon<F>(what: &str, holds: impl FnMut() -> F) -> Result<()>
where
    F: Future<Output = Result<bool>>,
{
    within(10, what, holds).await
}

/// Asks again and again, for so many seconds at most, until the answer is yes.
pub(crate) async fn within<F>(seconds: u64, what: &str, mut holds: impl FnMut() -> F) -> Result<()>
where
    F: Future<Output = Result<bool>>,
{
    let deadline = tokio::time::Instant::now() + Duration::from_secs(seconds);
    let mut pause = Duration::from_millis(10);
    while !holds().await? {
        check!(tokio::time::Instant::now() < deadline, "not within {seconds} seconds: {what}");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(250));
    }
    Ok(())
}

/// A subnet that nobody else uses.
pub(crate) fn subnet() -> Ipv4Net {
    // 10.48.0.0/12 has 4096 networks of 24 bits.
    let [.., high, low] = (unique() % 4096).to_be_bytes();
    Ipv4Net::new_assert(Ipv4Addr::new(10, 48 + high, low, 0), 24)
}

/// An IPv6 subnet that nobody else uses.
pub(crate) fn subnet6() -> Ipv6Net {
    let [a, b, c, d] = unique().to_be_bytes().map(u16::from);
    let address = Ipv6Addr::new(0xfdd0, 0xc0de, a << 8 | b, c << 8 | d, 0, 0, 0, 0);
    Ipv6Net::new_assert(address, 64)
}

/// An address of a subnet, by its number there.
pub(crate) fn host(subnet: Ipv4Net, number: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(subnet.network().to_bits() + number)
}

/// A number that does not come again within 4096, and that begins elsewhere in every process.
fn unique() -> u32 {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_millis();
    #[expect(clippy::cast_possible_truncation, reason = "the low bits are what changes")]
    let start = (now as u32).wrapping_mul(2_654_435_761) ^ std::process::id();
    match COUNT.compare_exchange(0, start, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) | Err(_) => COUNT.fetch_add(1, Ordering::Relaxed),
    }
}
