//! How an engine is made.

use std::collections::BTreeMap;
#[cfg(feature = "disk")]
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use docknet_types::IpNet;
use jiff::Timestamp;
use tokio::sync::Mutex;

#[cfg(feature = "disk")]
use super::restore;
use super::{Dice, Engine, Inner, Queue, StartError, Writer};
#[cfg(feature = "disk")]
use crate::Durability;
use crate::api::exec::Execs;
use crate::core::host::{Host, Link};
use crate::core::state::{EngineRecord, State};
use crate::core::tx::{Draw, Given, Step, Supply, Tx};
use crate::core::{image, network};
use crate::events::EventBus;
use crate::plane::{DataPlane, Memory};
use crate::store::{self, Store};
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
    kind: Kind,
    #[cfg(feature = "disk")]
    durability: Durability,
    profile: Profile,
    links: BTreeMap<String, Link>,
    routes: Vec<IpNet>,
    images: Vec<String>,
    seed: Option<u64>,
}

impl EngineBuilder {
    pub(super) fn new() -> Self {
        Self {
            kind: Kind::Memory,
            #[cfg(feature = "disk")]
            durability: Durability::default(),
            profile: Profile::default(),
            links: BTreeMap::new(),
            routes: Vec::new(),
            images: Vec::new(),
            seed: None,
        }
    }

    /// Answers as this engine does, where engines differ.
    pub fn like(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// A link that the host has, and its addresses: a parent for macvlan networks.
    pub fn link(
        mut self,
        name: impl Into<String>,
        addresses: impl IntoIterator<Item = IpNet>,
    ) -> Self {
        self.routes.extend(addresses.into_iter().map(|address| address.trunc()));
        self.links.insert(name.into(), Link { is_bridge: false });
        self
    }

    /// A route that the host has: default pools keep clear of it.
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
        self.kind = Kind::Disk(dir.into());
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
    /// What is wrong with its state on disk; an engine in memory starts always.
    pub async fn start(self) -> Result<Engine, StartError> {
        #[cfg(feature = "disk")]
        if let Kind::Disk(_) = self.kind {
            let started = tokio::task::spawn_blocking(move || self.start_blocking()).await;
            return started.unwrap_or_else(|failed| Err(StartError::refused(failed.to_string())));
        }
        self.start_blocking()
    }

    fn start_blocking(self) -> Result<Engine, StartError> {
        let mut dice = Dice(self.seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed));
        let now = Timestamp::now();
        let host = Host { links: self.links, routes: self.routes.into_iter().collect() };
        let (mut store, kept): (Box<dyn Store>, Option<State>) = match &self.kind {
            Kind::Memory => (Box::new(store::MemoryStore), None),
            #[cfg(feature = "disk")]
            Kind::Disk(dir) => {
                let (store, records) = store::DiskStore::load(dir, self.durability)?;
                (Box::new(store), restore::read(self.profile, &records)?)
            }
        };
        let fresh = kept.is_none();
        let mut record =
            || EngineRecord { id: dice.id(), ula: dice.0.u64(..1 << 40), last_subnet: None };
        let state = kept.unwrap_or_else(|| State::new(self.profile, record()));
        let given = Given {
            profile: self.profile,
            now,
            host: &host,
            draw: &mut dice,
            supply: Supply::Plenty,
        };
        let mut tx = Tx::new(state, given);
        if fresh {
            network::add_predefined(&mut tx)
                .map_err(|refusal| StartError::refused(refusal.answer(self.profile).1))?;
        }
        for name in &self.images {
            image::add(&mut tx, name);
        }
        let decided = tx.decided();
        if store.is_durable() {
            store.commit(&super::changes(&decided.state, &decided.touched))?;
        }
        let mut plane = Memory(host);
        let networks = decided.state.networks().filter(|network| !network.config.config_only);
        let steps: Vec<_> = networks.cloned().map(Step::AddNetwork).collect();
        plane.apply(&steps).map_err(|failed| StartError::refused(failed.to_string()))?;
        let inner = Inner {
            profile: self.profile,
            events: EventBus::default(),
            faults: Faults::default(),
            execs: Execs::default(),
            current: ArcSwap::from_pointee(decided.state),
            blocks: plane.blocks() || store.is_durable(),
            queue: Queue::default(),
            writer: Arc::new(Mutex::new(Writer { dice, plane: Box::new(plane), store })),
        };
        Ok(Engine(Arc::new(inner)))
    }
}

#[derive(Clone, Debug)]
enum Kind {
    Memory,
    #[cfg(feature = "disk")]
    Disk(PathBuf),
}
