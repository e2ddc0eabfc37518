//! The engine: one state, read by anyone at any time, changed by one operation after the other.

#[cfg(kernel)]
mod adopt;
mod batch;
mod builder;
mod commit;
mod draw;
mod error;
#[cfg(kernel)]
mod exits;
#[cfg(kernel)]
mod heal;
#[cfg(feature = "disk")]
mod restore;
#[cfg(kernel)]
mod sandbox;

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::Mutex;

use self::batch::{Batch, Queue};
pub use self::builder::EngineBuilder;
use self::builder::On;
use self::draw::Dice;
pub use self::error::StartError;
#[cfg(kernel)]
pub use self::sandbox::{Sandbox, SandboxCommand, SandboxError};
use crate::api::Api;
use crate::api::exec::Execs;
use crate::core::refusal::Refusal;
use crate::core::state::State;
use crate::core::tx::{Supply, Tx};
use crate::events::EventBus;
#[cfg(kernel)]
use crate::images::Images;
use crate::plane::DataPlane;
#[cfg(kernel)]
use crate::plane::Place;
#[cfg(kernel)]
use crate::process::Processes;
use crate::store::Keeper;
#[cfg(feature = "client")]
use crate::transport::InProcess;
use crate::{Faults, ListenAddress, Profile, ServeError, Server, serve};

/// A network engine. Cheap to clone; clones are the same engine, and it ends with the last of them.
///
/// ```
/// use docknet_engine::Engine;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Engine::memory().start().await?.client();
/// let network = client.networks().create("backend").await?;
/// assert_eq!(network.info().ipam.pools[0].subnet, Some("172.18.0.0/16".parse()?));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Engine(pub(crate) Arc<Inner>);

impl Engine {
    /// An engine that keeps its state in memory, and has no links: for tests.
    pub fn memory() -> EngineBuilder {
        EngineBuilder::new(On::Memory)
    }

    /// An engine whose networks are real: bridges, addresses, NAT and isolation on the kernel of this machine. It needs
    /// `CAP_NET_ADMIN` and `CAP_SYS_ADMIN`, as root has them. Without a state directory everything goes with the engine.
    ///
    /// ```
    /// use docknet::ContainerSpec;
    /// use docknet_engine::Engine;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # if !std::fs::read_to_string("/proc/self/status")?.contains("Uid:\t0\t0") { return Ok(()); }
    /// let engine = Engine::kernel().isolated().image("app").start().await?;
    /// let network = engine.client().networks().create("backend").await?;
    /// let web = engine.client().containers().create(ContainerSpec::new("app").name("web")).await?;
    /// web.start().await?;
    /// network.connect(&web, Default::default()).await?;
    ///
    /// let shown = engine.sandbox("web").await?.command("ip").arg("addr").output()?;
    /// assert!(String::from_utf8(shown.stdout)?.contains("172.18.0.2/16"));
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(kernel)]
    pub fn kernel() -> EngineBuilder {
        EngineBuilder::new(On::Kernel(Place::Host))
    }

    /// The namespace of a running container, by its name or id, to run programs in.
    ///
    /// # Errors
    /// If there is no such container, or it has no namespace: it does not run, or has another's, or the engine is in memory.
    #[cfg(kernel)]
    pub async fn sandbox(&self, container: &str) -> Result<Sandbox, SandboxError> {
        let writer = self.0.writer.clone().lock_owned().await;
        let state = self.0.read();
        let found = state
            .find_container(container)
            .map_err(|refusal| SandboxError::new(refusal.answer(self.0.profile).1))?;
        let (namespace, leaving) = writer.plane.namespace(&found.id).map_err(|why| {
            SandboxError::new(format!("cannot enter container {container}: {why}"))
        })?;
        Ok(Sandbox::new(namespace, Some(leaving)))
    }

    /// The namespace that the networks of an engine on the kernel are in: what is outside of all containers.
    ///
    /// # Errors
    /// If the engine is in memory.
    #[cfg(kernel)]
    pub async fn host(&self) -> Result<Sandbox, SandboxError> {
        let writer = self.0.writer.clone().lock_owned().await;
        let namespace = writer.plane.home().map_err(|why| {
            SandboxError::new(format!("cannot enter the host's namespace: {why}"))
        })?;
        Ok(Sandbox::new(namespace, None))
    }

    /// Kills what runs in containers, and waits until it has ended, for ten seconds at most. The containers end by it. In memory nothing
    /// runs.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = docknet_engine::Engine::memory().start().await?;
    /// engine.end_programs().await;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(kernel)]
    pub async fn end_programs(&self) {
        if let Some(processes) = &self.0.processes {
            processes.end_all().await;
        }
    }

    /// Whose answers it gives.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.0.profile
    }

    /// An engine that keeps its state in this directory, which is made if it is not there. One engine at a time uses it.
    #[cfg(feature = "disk")]
    pub fn open(dir: impl Into<std::path::PathBuf>) -> EngineBuilder {
        EngineBuilder::new(On::Memory).state(dir)
    }

    /// Answers whoever connects to this address: `unix:///path`, `tcp://127.0.0.1:2375`. It listens until the server is
    /// shut down or dropped.
    ///
    /// # Errors
    /// If it cannot listen there; the error says why.
    pub async fn serve(&self, address: &ListenAddress) -> Result<Server, ServeError> {
        serve::serve(address, Api::new(self.0.clone())).await
    }

    /// The same on a socket that is there already, as a service manager hands it over.
    ///
    /// # Errors
    /// If nothing can be accepted on it.
    #[cfg(unix)]
    pub fn serve_inherited(
        &self,
        listener: std::os::unix::net::UnixListener,
    ) -> Result<Server, ServeError> {
        serve::serve_inherited(listener, Api::new(self.0.clone()))
    }

    /// The faults that it is asked for: none, until one is added.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.0.faults
    }

    /// A client of this engine, without a socket between them.
    #[cfg(feature = "client")]
    #[must_use]
    pub fn client(&self) -> docknet::Client {
        docknet::Client::with_transport(InProcess::new(Api::new(self.0.clone())))
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("profile", &self.0.profile).finish_non_exhaustive()
    }
}

/// What the clones of an engine share.
pub(crate) struct Inner {
    pub(crate) profile: Profile,
    /// What its networks are made of.
    pub(crate) on: On,
    /// What runs in containers, on the kernel.
    #[cfg(kernel)]
    pub(crate) processes: Option<Arc<Processes>>,
    /// The files of images, on the kernel.
    #[cfg(kernel)]
    pub(crate) images: Option<Arc<Images>>,
    pub(crate) events: EventBus,
    pub(crate) faults: Faults,
    /// Programs that clients asked to be run.
    pub(crate) execs: Execs,
    current: ArcSwap<State>,
    writer: Arc<Mutex<Writer>>,
    /// Whether the writer makes its caller wait: then operations wait in this queue, and those that are there together are
    /// committed together.
    blocks: bool,
    queue: Queue,
    /// Whoever watches the kernel does so while this is open.
    #[cfg(kernel)]
    held: std::sync::Mutex<Option<std::os::fd::OwnedFd>>,
}

/// What only one operation at a time has.
struct Writer {
    dice: Dice,
    plane: Box<dyn DataPlane>,
    store: Keeper,
}

impl Inner {
    /// The state as the last operation left it. It never waits for one that is at work.
    pub(crate) fn read(&self) -> Arc<State> {
        self.current.load_full()
    }

    /// Waits until links that a container was taken off are not to be seen in it any more: somebody is going to look.
    #[cfg(kernel)]
    pub(crate) async fn await_leaving(&self, container: &crate::core::container::Container) {
        let owner = match container.namespace_of() {
            Some(owner) => owner.into(),
            None => container.id.clone(),
        };
        let writer = self.writer.clone().lock_owned().await;
        // Those of the host's namespace are where everybody's are.
        let Ok((_, leaving)) = writer.plane.namespace(&owner) else { return };
        drop(writer);
        if leaving.is_there() {
            tokio::task::spawn_blocking(move || leaving.wait()).await.ok();
        }
    }

    /// Does one operation: decides, lets the data plane do it, commits it to the store, shows it, tells of it. If any of
    /// that fails, nothing has changed.
    ///
    /// A caller that goes away does not interrupt it: it is done as a whole, or not begun.
    pub(crate) async fn write<T, F>(
        self: &Arc<Self>,
        supply: Supply,
        decide: F,
    ) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, Refusal> + Send + 'static,
    {
        if self.blocks {
            return self.queue.write(self, supply, decide).await;
        }
        let mut writer = self.writer.clone().lock_owned().await;
        let mut batch = Batch::new(State::clone(&self.current.load()));
        let decided = batch.decide(self.profile, &mut writer, supply, decide);
        let decided = decided.map(|(value, decided)| {
            batch.last = Some(decided);
            value
        });
        // A refusal may have spent a subnet's turn.
        self.commit(batch, &mut writer).last.and(decided)
    }
}

#[cfg(test)]
#[cfg(feature = "client")]
mod tests;
