//! Networks and who is connected to them, followed as they change.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use docknet_types::{Action, ContainerId, Event, EventKind, Flavour, NetworkId};
use futures_core::Stream;

use crate::{BoxFuture, Client, Events, Network, NetworkDetails, Result, networks};

/// Every network, then every change, in order. After a gap, because the engine went away or the connection broke, it
/// connects again and begins anew with [`Change::Resync`].
///
/// An error is no end: the next item is another try, after a pause that grows to five seconds.
///
/// ```no_run
/// use docknet::Change;
///
/// # async fn example(client: docknet::Client) -> docknet::Result<()> {
/// let mut changes = client.networks().watch();
/// while let Some(change) = changes.next().await {
///     match change? {
///         Change::Resync(networks) => println!("{} networks", networks.len()),
///         Change::Created(network) => println!("+ {}", network.name()),
///         Change::Removed { name, .. } => println!("- {name}"),
///         Change::Attached { name, container, .. } => println!("{} joined {name}", container.short()),
///         Change::Detached { name, container, .. } => println!("{} left {name}", container.short()),
///         _ => {}
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub struct Watch {
    idle: Option<Follower>,
    step: Option<BoxFuture<'static, (Follower, Result<Change>)>>,
}

/// A change of the networks of an engine.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Change {
    /// A container runs on a network now.
    Attached {
        /// The network's id.
        network: NetworkId,
        /// The network's name.
        name: String,
        /// The container's id.
        container: ContainerId,
    },
    /// A network was made.
    Created(Network),
    /// A container does not run on a network any more.
    Detached {
        /// The network's id.
        network: NetworkId,
        /// The network's name.
        name: String,
        /// The container's id.
        container: ContainerId,
    },
    /// A network is gone.
    Removed {
        /// The network's id.
        id: NetworkId,
        /// The network's name.
        name: String,
    },
    /// All there is: at the beginning, and after a gap. Each network has the containers that run on it.
    Resync(Vec<NetworkDetails>),
}

impl Watch {
    pub(crate) fn new(client: Client) -> Self {
        let follower = Follower {
            client,
            events: None,
            known: BTreeMap::new(),
            changes: VecDeque::new(),
            failures: 0,
        };
        Self { idle: Some(follower), step: None }
    }

    /// The next change. There is always one more.
    pub async fn next(&mut self) -> Option<Result<Change>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl Stream for Watch {
    type Item = Result<Change>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(follower) = self.idle.take() {
            self.step = Some(Box::pin(follower.step()));
        }
        let Some(step) = &mut self.step else {
            return Poll::Ready(None);
        };
        let (follower, change) = ready!(step.as_mut().poll(cx));
        (self.idle, self.step) = (Some(follower), None);
        Poll::Ready(Some(change))
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

/// What is known of the engine, and what has not been told yet.
struct Follower {
    client: Client,
    events: Option<Events>,
    known: BTreeMap<NetworkId, Known>,
    changes: VecDeque<Change>,
    failures: u32,
}

struct Known {
    name: String,
    members: BTreeSet<ContainerId>,
}

impl Follower {
    async fn step(mut self) -> (Self, Result<Change>) {
        let change = self.next_change().await;
        (self, change)
    }

    async fn next_change(&mut self) -> Result<Change> {
        loop {
            if let Some(change) = self.changes.pop_front() {
                return Ok(change);
            }
            let Some(events) = &mut self.events else {
                return self.resync().await;
            };
            match events.next().await {
                Some(Ok(event)) => {
                    if let Err(error) = self.apply(event).await {
                        // What this event changed is not known now.
                        self.events = None;
                        return Err(error);
                    }
                }
                Some(Err(_)) | None => self.events = None,
            }
        }
    }

    async fn resync(&mut self) -> Result<Change> {
        tokio::time::sleep(pause(self.failures)).await;
        self.failures += 1;
        // First the events, then the list: what happens between them shows in both, and is told once.
        let events = self.client.events().networks().containers().open().await?;
        let details = networks::running(&self.client).await?;
        self.events = Some(events);
        self.failures = 0;
        self.known = details
            .iter()
            .map(|details| (details.network.id().clone(), Known::of(details)))
            .collect();
        Ok(Change::Resync(details))
    }

    async fn apply(&mut self, event: Event) -> Result<()> {
        let engine = self.client.engine().await?;
        if engine.flavour == Flavour::Podman {
            // Its events of containers do not tell which networks they join at their start.
            return self.compare(&event).await;
        }
        let Some(event) = event.as_network() else {
            return Ok(());
        };
        let Some(id) = event.network else {
            return Ok(());
        };
        match (event.action, event.container) {
            (Action::Create, _) => self.created(&id).await?,
            (Action::Destroy | Action::Remove, _) => self.removed(&id),
            (Action::Connect, Some(container)) => self.attached(&id, container).await?,
            (Action::Disconnect, Some(container)) => self.detached(&id, &container),
            _ => {}
        }
        Ok(())
    }

    async fn created(&mut self, id: &NetworkId) -> Result<()> {
        if self.known.contains_key(id) {
            return Ok(());
        }
        // It may be gone again.
        if let Some(network) = self.client.networks().find(id.as_str()).await? {
            self.known.insert(
                id.clone(),
                Known { name: network.name().to_owned(), members: BTreeSet::new() },
            );
            self.changes.push_back(Change::Created(network));
        }
        Ok(())
    }

    fn removed(&mut self, id: &NetworkId) {
        let Some(Known { name, members }) = self.known.remove(id) else {
            return;
        };
        for container in members {
            self.changes.push_back(Change::Detached {
                network: id.clone(),
                name: name.clone(),
                container,
            });
        }
        self.changes.push_back(Change::Removed { id: id.clone(), name });
    }

    async fn attached(&mut self, id: &NetworkId, container: ContainerId) -> Result<()> {
        // An overlay network comes to a node with its first container there, without an event of its own.
        self.created(id).await?;
        if let Some(known) = self.known.get_mut(id)
            && known.members.insert(container.clone())
        {
            self.changes.push_back(Change::Attached {
                network: id.clone(),
                name: known.name.clone(),
                container,
            });
        }
        Ok(())
    }

    fn detached(&mut self, id: &NetworkId, container: &ContainerId) {
        if let Some(known) = self.known.get_mut(id)
            && let Some(container) = known.members.take(container)
        {
            self.changes.push_back(Change::Detached {
                network: id.clone(),
                name: known.name.clone(),
                container,
            });
        }
    }

    /// Looks at everything again, and tells what is different.
    async fn compare(&mut self, event: &Event) -> Result<()> {
        let matters = matches!(
            (&event.kind, &event.action),
            (EventKind::Network, _)
                | (
                    EventKind::Container,
                    Action::Start | Action::Die | Action::Remove | Action::Stop
                )
        );
        if !matters {
            return Ok(());
        }
        let details = networks::running(&self.client).await?;
        let now: BTreeMap<_, _> =
            details.iter().map(|details| (details.network.id().clone(), details)).collect();
        let gone: Vec<_> = self.known.keys().filter(|id| !now.contains_key(*id)).cloned().collect();
        for id in &gone {
            self.removed(id);
        }
        for (id, details) in now {
            let Known { name, members } = Known::of(details);
            let known = self.known.entry(id.clone()).or_insert_with(|| {
                self.changes.push_back(Change::Created(details.network.clone()));
                Known { name: name.clone(), members: BTreeSet::new() }
            });
            let (left, joined) = (&known.members - &members, &members - &known.members);
            let (network, name) = (&id, &name);
            let tell = |container| (network.clone(), name.clone(), container);
            self.changes.extend(
                left.into_iter().map(tell).map(|(network, name, container)| Change::Detached {
                    network,
                    name,
                    container,
                }),
            );
            self.changes.extend(
                joined.into_iter().map(tell).map(|(network, name, container)| Change::Attached {
                    network,
                    name,
                    container,
                }),
            );
            known.members = members;
        }
        Ok(())
    }
}

impl Known {
    fn of(details: &NetworkDetails) -> Self {
        Self {
            name: details.network.name().to_owned(),
            members: details.containers.iter().map(|container| container.id().clone()).collect(),
        }
    }
}

/// How long to wait before another try.
fn pause(failures: u32) -> Duration {
    match failures {
        0 => Duration::ZERO,
        more => Duration::from_millis(50 << more.min(7)).min(Duration::from_secs(5)),
    }
}
