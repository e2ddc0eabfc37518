//! How an engine is made.

use std::sync::Arc;

use arc_swap::ArcSwap;
use docknet_types::IpNet;
use jiff::Timestamp;
use tokio::sync::{Mutex, watch};

use super::{Dice, Engine, Inner, Writer};
use crate::Profile;
use crate::core::host::{Host, Link};
use crate::core::state::{EngineRecord, State};
use crate::core::tx::Draw;
use crate::core::network;
use crate::events::EventBus;
use crate::plane::Memory;
use crate::store;

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
    profile: Profile,
    host: Host,
    routes: Vec<IpNet>,
    seed: Option<u64>,
}

impl EngineBuilder {
    pub(super) fn new() -> Self {
        Self { profile: Profile::default(), host: Host::default(), routes: Vec::new(), seed: None }
    }

    /// Answers as this engine does, where engines differ.
    pub fn like(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// A link that the host has, and its addresses: a parent for macvlan networks.
    pub fn link(mut self, name: impl Into<String>, addresses: impl IntoIterator<Item = IpNet>) -> Self {
        let addresses: Vec<IpNet> = addresses.into_iter().collect();
        self.routes.extend(addresses.iter().map(IpNet::trunc));
        self.host.links.insert(name.into(), Link { is_bridge: false, addresses });
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

    /// Starts the engine.
    ///
    /// # Errors
    /// What its state on disk or its data plane meets; an engine in memory has neither.
    #[expect(clippy::unused_async, reason = "other data planes take their time")]
    pub async fn start(mut self) -> Result<Engine, StartError> {
        self.host.routes = self.routes.iter().copied().collect();
        let mut dice = Dice(self.seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed));
        let record = EngineRecord { id: dice.id(), ula: dice.0.u64(..1 << 40), last_subnet: None };
        let now = Timestamp::now();
        let mut state = State::new(self.profile, record);
        network::add_predefined(&mut state, self.profile, &mut dice, now)
            .map_err(|refusal| StartError::Refused(refusal.answer(self.profile).1))?;
        let inner = Inner {
            profile: self.profile,
            events: EventBus::default(),
            started: now,
            current: ArcSwap::from_pointee(state),
            writer: Arc::new(Mutex::new(Writer {
                dice,
                plane: Box::new(Memory(self.host)),
                store: Box::new(store::MemoryStore),
            })),
            version: watch::Sender::new(0),
        };
        Ok(Engine(Arc::new(inner)))
    }
}
