//! The engine: one state, read by anyone at any time, changed by one operation after the other.

mod builder;
mod draw;
mod error;
#[cfg(feature = "disk")]
mod restore;

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use tokio::sync::{Mutex, OwnedMutexGuard};

pub use self::builder::EngineBuilder;
use self::draw::Dice;
pub use self::error::StartError;
use crate::api::Api;
use crate::api::exec::Execs;
use crate::core::refusal::Refusal;
use crate::core::state::State;
use crate::core::tx::{Decided, Given, Supply, Touched, Tx};
use crate::events::EventBus;
use crate::plane::DataPlane;
use crate::store::{Change, Store, Table};
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
        EngineBuilder::new()
    }

    /// Whose answers it gives.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.0.profile
    }

    /// An engine that keeps its state in this directory, which is made if it is not there. One engine at a time uses it.
    #[cfg(feature = "disk")]
    pub fn open(dir: impl Into<std::path::PathBuf>) -> EngineBuilder {
        EngineBuilder::new().state(dir)
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
    pub(crate) events: EventBus,
    pub(crate) faults: Faults,
    /// Programs that clients asked to be run.
    pub(crate) execs: Execs,
    current: ArcSwap<State>,
    writer: Arc<Mutex<Writer>>,
}

/// What only one operation at a time has.
struct Writer {
    dice: Dice,
    plane: Box<dyn DataPlane>,
    store: Box<dyn Store>,
}

impl Inner {
    /// The state as the last operation left it. It never waits for one that is at work.
    pub(crate) fn read(&self) -> Arc<State> {
        self.current.load_full()
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
        let writer = self.writer.clone().lock_owned().await;
        if !writer.plane.blocks() && !writer.store.is_durable() {
            return self.write_with(writer, supply, decide);
        }
        let inner = self.clone();
        let done = tokio::task::spawn_blocking(move || inner.write_with(writer, supply, decide));
        done.await.unwrap_or_else(|failed| {
            Err(Refusal::Worded(500, format!("the operation failed: {failed}")))
        })
    }

    fn write_with<T>(
        &self,
        mut writer: OwnedMutexGuard<Writer>,
        supply: Supply,
        decide: impl FnOnce(&mut Tx<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let Writer { dice, plane, store } = &mut *writer;
        let given = Given {
            profile: self.profile,
            now: Timestamp::now(),
            host: plane.host(),
            draw: dice,
            supply,
        };
        let mut tx = Tx::new(State::clone(&self.current.load()), given);
        let value = match decide(&mut tx) {
            Ok(value) => value,
            Err(refusal) => {
                if let Some(subnet) = tx.spent_turn {
                    self.keep_turn(&mut **store, subnet);
                }
                return Err(refusal);
            }
        };
        let Decided { state, touched, events, steps } = tx.decided();
        plane.apply(&steps).map_err(|failed| Refusal::Worded(500, failed.to_string()))?;
        if store.is_durable()
            && let Err(failed) = store.commit(&changes(&state, &touched))
        {
            plane.undo(&steps);
            return Err(Refusal::Worded(500, failed.to_string()));
        }
        if !touched.is_empty() {
            self.current.store(Arc::new(state));
        }
        self.events.publish(events);
        Ok(value)
    }

    /// Goes on after a default subnet that was given in vain. If that cannot be kept, it is given to the next network.
    fn keep_turn(&self, store: &mut dyn Store, subnet: ipnet::IpNet) {
        let mut state = State::clone(&self.current.load());
        state.go_on_after(subnet);
        let touched = std::collections::BTreeSet::from([Touched::Engine]);
        if store.is_durable() && store.commit(&changes(&state, &touched)).is_err() {
            return;
        }
        self.current.store(Arc::new(state));
    }
}

/// What the store has to change so that it is as this state is.
fn changes(state: &State, touched: &std::collections::BTreeSet<Touched>) -> Vec<Change> {
    touched.iter().map(|record| change(state, record)).collect()
}

fn change(state: &State, record: &Touched) -> Change {
    let put = |table, key: String, value: Option<Vec<u8>>| match value {
        Some(value) => Change::Put { table, key, value },
        None => Change::Delete { table, key },
    };
    match record {
        Touched::Engine => put(Table::Engine, "engine".to_owned(), json(Some(&state.engine))),
        Touched::Network(id) => {
            let record = state.network(id).map(|network| network.record());
            put(Table::Network, id.to_string(), json(record.as_ref()))
        }
        Touched::Endpoint(network, container) => {
            let endpoint =
                state.network(network).and_then(|network| network.endpoints.get(container));
            put(
                Table::Endpoint,
                format!("{network}/{container}"),
                json(endpoint.map(|endpoint| &**endpoint)),
            )
        }
        Touched::Container(id) => put(
            Table::Container,
            id.to_string(),
            json(state.container(id).map(|container| &**container)),
        ),
        Touched::Image(id) => {
            put(Table::Image, id.clone(), json(state.images.get(id).map(|image| &**image)))
        }
    }
}

fn json(value: Option<&impl serde::Serialize>) -> Option<Vec<u8>> {
    value.and_then(|value| serde_json::to_vec(value).ok())
}
