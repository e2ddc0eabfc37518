//! How an engine is made.

use std::collections::BTreeMap;
#[cfg(kernel)]
use std::ffi::OsString;
#[cfg(any(feature = "disk", kernel))]
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use docknet_types::IpNet;
use jiff::Timestamp;
use tokio::sync::Mutex;

#[cfg(feature = "disk")]
use super::restore;
use super::{Dice, Engine, Inner, Queue, StartError, Writer};
#[cfg(kernel)]
use super::{Sandbox, exits, heal};
#[cfg(feature = "disk")]
use crate::Durability;
use crate::api::exec::Execs;
use crate::core::host::{Host, Link};
use crate::core::state::{EngineRecord, State};
use crate::core::step;
use crate::core::tx::{Draw, Given, Supply, Tx};
use crate::core::{container, image, network};
use crate::events::EventBus;
#[cfg(kernel)]
use crate::images::Images;
use crate::plane::{DataPlane, Memory};
#[cfg(kernel)]
use crate::plane::{Kernel, Place, Programs};
#[cfg(kernel)]
use crate::process::{Holder, Processes};
use crate::store::{self, Keeper, Store};
use crate::{Faults, Profile};

/// Settings of an engine to be started.
///
/// ```
/// use docknet_engine::{Engine, Profile};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = Engine::memory()
///     .like(Profile::Docker26)
///     .link("eth0", ["198.51.100.1/24".parse()?])
///     .start()
///     .await?;
/// assert_eq!(engine.profile(), Profile::Docker26);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct EngineBuilder {
    on: On,
    #[cfg(feature = "disk")]
    state: Option<PathBuf>,
    #[cfg(feature = "disk")]
    durability: Durability,
    profile: Profile,
    links: BTreeMap<String, Link>,
    routes: Vec<IpNet>,
    images: Vec<String>,
    seed: Option<u64>,
    #[cfg(kernel)]
    holder: Option<Vec<OsString>>,
}

impl EngineBuilder {
    pub(super) fn new(on: On) -> Self {
        Self {
            on,
            #[cfg(feature = "disk")]
            state: None,
            #[cfg(feature = "disk")]
            durability: Durability::default(),
            profile: Profile::default(),
            links: BTreeMap::new(),
            routes: Vec::new(),
            images: Vec::new(),
            seed: None,
            #[cfg(kernel)]
            holder: None,
        }
    }

    /// Answers as this engine does, where engines differ.
    pub fn like(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// Makes the networks of an engine on the kernel in a network namespace of its own, which nobody else sees and which goes
    /// with the engine, however that ends. Nothing leads out of it.
    #[cfg(kernel)]
    pub fn isolated(mut self) -> Self {
        if let On::Kernel(place) = &mut self.on {
            *place = Place::Private;
        }
        self
    }

    /// Makes the networks of an engine on the kernel in this network namespace.
    #[cfg(kernel)]
    pub fn inside(mut self, namespace: &Sandbox) -> Self {
        if let On::Kernel(place) = &mut self.on {
            *place = Place::Inside(namespace.namespace());
        }
        self
    }

    /// Has programs of containers outlive the engine, if it is on the kernel of this machine and has a state directory: this command,
    /// which calls [`hold_programs`](crate::hold_programs), holds them, and the next engine with that state finds them there. It is
    /// started with the first program, and ends when none is left and no engine is there.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// if std::env::args().nth(1).as_deref() == Some("hold-programs") {
    ///     return Ok(docknet_engine::hold_programs()?);
    /// }
    /// let holder = [std::env::current_exe()?.into_os_string(), "hold-programs".into()];
    /// let engine = docknet_engine::Engine::kernel().state("/var/lib/app").held_by(holder).start().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(kernel)]
    pub fn held_by(mut self, command: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.holder = Some(command.into_iter().map(Into::into).collect());
        self
    }

    /// A link that the host of an engine in memory has, and its addresses: a parent for macvlan networks.
    pub fn link(
        mut self,
        name: impl Into<String>,
        addresses: impl IntoIterator<Item = IpNet>,
    ) -> Self {
        self.routes.extend(addresses.into_iter().map(|address| address.trunc()));
        self.links.insert(name.into(), Link { is_bridge: false });
        self
    }

    /// A route that the host of an engine in memory has: default pools keep clear of it.
    pub fn route(mut self, subnet: IpNet) -> Self {
        self.routes.push(subnet.trunc());
        self
    }

    /// Makes ids and hardware addresses that are the same in every run.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Keeps the state in this directory, which is made if it is not there. One engine at a time uses it.
    #[cfg(feature = "disk")]
    pub fn state(mut self, dir: impl Into<PathBuf>) -> Self {
        self.state = Some(dir.into());
        self
    }

    /// What a change that was answered survives, for an engine with its state on disk.
    #[cfg(feature = "disk")]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// An image that is there from the start: `busybox`, or `busybox:1.36`. What is in it does not matter.
    pub fn image(mut self, name: impl Into<String>) -> Self {
        self.images.push(name.into());
        self
    }

    /// Starts the engine.
    ///
    /// # Errors
    /// What is wrong with its state on disk, or what the kernel refused; an engine in memory starts always.
    pub async fn start(self) -> Result<Engine, StartError> {
        if !self.waits() {
            return self.start_blocking();
        }
        let started = tokio::task::spawn_blocking(move || self.start_blocking()).await;
        started.unwrap_or_else(|failed| Err(StartError::refused(failed.to_string())))
    }

    /// Whether starting makes its caller wait.
    fn waits(&self) -> bool {
        #[cfg(feature = "disk")]
        if self.state.is_some() {
            return true;
        }
        !matches!(self.on, On::Memory)
    }

    /// The store, and the state that was kept in it, if any was.
    fn kept(&self) -> Result<(Box<dyn Store>, Option<State>), StartError> {
        #[cfg(feature = "disk")]
        if let Some(dir) = &self.state {
            let (store, records) = store::DiskStore::load(dir, self.durability)?;
            return Ok((Box::new(store), restore::read(self.profile, &records)?));
        }
        Ok((Box::new(store::MemoryStore), None))
    }

    /// Where namespaces are kept that are to outlive the engine.
    #[cfg(kernel)]
    fn namespaces(&self) -> Option<PathBuf> {
        match self.on {
            On::Kernel(Place::Private) => None,
            _ => self.directory().map(|dir| dir.join("namespaces")),
        }
    }

    /// Where everything is kept that is to outlive the engine.
    #[cfg(kernel)]
    fn directory(&self) -> Option<PathBuf> {
        #[cfg(feature = "disk")]
        return self.state.clone();
        #[cfg(not(feature = "disk"))]
        None
    }

    fn start_blocking(self) -> Result<Engine, StartError> {
        let mut dice = Dice(self.seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed));
        let now = Timestamp::now();
        let (store, kept) = self.kept()?;
        #[cfg(kernel)]
        let keep = self.namespaces();
        #[cfg(kernel)]
        let dir = self.directory();
        #[cfg(kernel)]
        let (mut programs, mut held) = (None, Vec::new());
        #[cfg(not(kernel))]
        let held: Vec<docknet_types::ContainerId> = Vec::new();
        let on = self.on.clone();
        let mut plane: Box<dyn DataPlane> = match self.on {
            On::Memory => Box::new(Memory(Host {
                links: self.links,
                routes: self.routes.into_iter().collect(),
                is_real: false,
            })),
            #[cfg(kernel)]
            On::Kernel(place) => {
                let refused = |why: String| StartError::refused(why);
                let holder = self.holder.zip(keep.is_some().then_some(dir.clone()).flatten());
                let holder = holder.map(|(command, dir)| Holder::new(&dir, command));
                let images = Images::open(dir.as_deref())
                    .map_err(|why| refused(format!("cannot keep files of images: {why}")))?;
                let (all, ends) = Processes::new(holder, Some(images.containers()))
                    .map_err(|why| refused(why.to_string()))?;
                let all = Arc::new(all);
                held = all
                    .recover_blocking()
                    .map_err(|why| refused(format!("cannot find programs that go on: {why}")))?;
                let images = Arc::new(images);
                programs = Some((all.clone(), ends, images.clone()));
                let kernel = Kernel::start(place, keep, Programs::new(all, images));
                Box::new(kernel.map_err(|why| refused(why.to_string()))?)
            }
        };
        let fresh = kept.is_none();
        let mut record =
            || EngineRecord { id: dice.id(), ula: dice.0.u64(..1 << 40), last_subnet: None };
        let state = kept.unwrap_or_else(|| State::new(self.profile, record()));
        let given = Given {
            profile: self.profile,
            now,
            host: plane.host(),
            draw: &mut dice,
            supply: Supply::Plenty,
        };
        let mut tx = Tx::new(state, given);
        if fresh {
            network::add_predefined(&mut tx)
                .map_err(|refusal| StartError::refused(refusal.answer(self.profile).1))?;
        }
        // Programs do not outlive an engine that nobody holds them for, and others' namespaces may not.
        let lost: Vec<_> = tx
            .state
            .containers()
            .filter(|container| container.is_running())
            .filter(|container| {
                let sandbox = step::Sandbox::of(container);
                // In memory nothing runs, and what does elsewhere is not lost by a look at its state.
                (on.runs_programs() && container.config.runs && !held.contains(&container.id))
                    || sandbox.is_some_and(|sandbox| !plane.keeps(&sandbox))
            })
            .map(|container| container.id.clone())
            .collect();
        for id in lost {
            container::ended(&mut tx, &id, container::LOST)
                .map_err(|refusal| StartError::refused(refusal.answer(self.profile).1))?;
        }
        for name in &self.images {
            image::add(&mut tx, name);
        }
        let decided = tx.decided();
        let mut store = match plane.blocks() && store.is_durable() {
            true => Keeper::beside(store)
                .map_err(|why| StartError::refused(format!("cannot start a thread: {why}")))?,
            false => Keeper::Here(store),
        };
        if store.is_durable() {
            store.commit(super::commit::changes(&decided.state, &decided.touched))?;
        }
        plane
            .agree(&step::all(&decided.state))
            .map_err(|failed| StartError::refused(failed.to_string()))?;
        #[cfg(kernel)]
        if let Some((processes, _, images)) = &programs {
            let state = &decided.state;
            // What was about to be started, or removed, when the former engine ended.
            let runs = |id| state.container(id).is_some_and(|container| container.is_running());
            held.iter().filter(|id| !runs(id)).for_each(|id| processes.forget(id));
            let known = state.images.iter().map(|image| image.id.as_str()).collect();
            let containers = state.containers().map(|container| container.id.as_str()).collect();
            images
                .sweep(&known, &containers)
                .map_err(|why| StartError::refused(format!("cannot clear files away: {why}")))?;
        }
        #[cfg(kernel)]
        let watched = match plane.blocks() {
            true => Some(plane.disturbances().map_err(|why| StartError::refused(why.to_string()))?),
            false => None,
        };
        let inner = Inner {
            profile: self.profile,
            on,
            #[cfg(kernel)]
            processes: programs.as_ref().map(|(processes, ..)| processes.clone()),
            #[cfg(kernel)]
            images: programs.as_ref().map(|(.., images)| images.clone()),
            events: EventBus::default(),
            faults: Faults::default(),
            execs: Execs::default(),
            current: ArcSwap::from_pointee(decided.state),
            blocks: plane.blocks() || store.is_durable(),
            queue: Queue::default(),
            #[cfg(kernel)]
            held: std::sync::Mutex::default(),
            writer: Arc::new(Mutex::new(Writer { dice, plane, store })),
        };
        let engine = Engine(Arc::new(inner));
        #[cfg(kernel)]
        if let Some((disturbances, held)) = watched {
            heal::start(&engine.0, disturbances, held);
        }
        #[cfg(kernel)]
        if let Some((processes, ends, _)) = programs {
            exits::follow(&engine.0, &processes, ends);
        }
        Ok(engine)
    }
}

/// What networks are made of.
#[derive(Clone, Debug)]
pub(crate) enum On {
    #[cfg(kernel)]
    Kernel(Place),
    Memory,
}

impl On {
    /// As `GET /info` tells it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            #[cfg(kernel)]
            Self::Kernel(_) => "docknet on Linux",
            Self::Memory => "docknet in memory",
        }
    }

    /// Whether there are programs in containers.
    pub(crate) fn runs_programs(&self) -> bool {
        !matches!(self, Self::Memory)
    }

    /// Whether these are refused system calls.
    pub(crate) fn filters_calls(&self) -> bool {
        match self {
            #[cfg(kernel)]
            Self::Kernel(_) => crate::process::FILTERS,
            Self::Memory => false,
        }
    }
}
