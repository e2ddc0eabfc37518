//! Writers that wait for a slow store, and what everybody else does meanwhile.

mod plane;

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex as Lock};

use docknet::{Client, ErrorKind};

use super::Engine;
use crate::plane::DataPlane;
use crate::store::{Change, Keeper, Store, StoreError, StoreErrorKind};

/// A store that says when it is asked to commit, and then waits to be told what becomes of it.
struct Held {
    asked: Sender<Vec<Change>>,
    outcome: Lock<Receiver<Outcome>>,
}

enum Outcome {
    Done,
    Failed,
}

impl Store for Held {
    fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        self.asked.send(changes.to_vec()).unwrap();
        match self.outcome.lock().unwrap().recv().unwrap() {
            Outcome::Done => Ok(()),
            Outcome::Failed => Err(full()),
        }
    }

    fn is_durable(&self) -> bool {
        true
    }
}

fn full() -> StoreError {
    StoreError::new(StoreErrorKind::Io, Path::new("state.redb"), "the disk is full")
}

/// An engine whose commits are held.
struct Lab {
    engine: Engine,
    client: Client,
    asked: Receiver<Vec<Change>>,
    outcome: Sender<Outcome>,
}

impl Lab {
    async fn start() -> Self {
        Self::start_on(None).await
    }

    async fn start_on(plane: Option<Box<dyn DataPlane>>) -> Self {
        let engine = Engine::memory().start().await.unwrap();
        let (asked, told) = channel();
        let (outcome, heard) = channel();
        let mut inner = Arc::into_inner(engine.0).unwrap();
        inner.blocks = true;
        let mut writer = inner.writer.try_lock().unwrap();
        writer.store = Keeper::beside(Box::new(Held { asked, outcome: Lock::new(heard) })).unwrap();
        if let Some(plane) = plane {
            writer.plane = plane;
        }
        drop(writer);
        let engine = Engine(Arc::new(inner));
        let client = engine.client();
        client.ping().await.unwrap();
        client.engine().await.unwrap();
        Self { client, engine, asked: told, outcome }
    }

    fn create(&self, name: &'static str) -> tokio::task::JoinHandle<u16> {
        let client = self.client.clone();
        tokio::spawn(async move {
            let body = format!(r#"{{"Name":"{name}"}}"#);
            let create = http::Request::post("/networks/create").body(body.into()).unwrap();
            client.send(create).await.unwrap().status().as_u16()
        })
    }

    /// Waits until the store is asked to commit: these changes.
    async fn committing(self) -> (Self, Vec<Change>) {
        let Self { engine, client, asked, outcome } = self;
        let wait = tokio::task::spawn_blocking(move || (asked.recv().unwrap(), asked));
        let (changes, asked) = wait.await.unwrap();
        (Self { engine, client, asked, outcome }, changes)
    }

    /// Waits until so many operations are in line behind the one that commits.
    async fn waiting(&self, count: usize) {
        while self.engine.0.queue.len() < count {
            tokio::task::yield_now().await;
        }
    }

    async fn names(&self) -> Vec<String> {
        let networks = self.client.networks().list().await.unwrap();
        let own = networks.iter().map(|network| network.name().to_owned());
        let mut own: Vec<_> = own.filter(|name| name.len() == 1).collect();
        own.sort();
        own
    }
}

#[tokio::test]
async fn readers_do_not_wait_for_a_writer_and_see_nothing_of_it_before_it_is_committed() {
    let lab = Lab::start().await;
    let mut events = lab.engine.0.events.listen();
    // No hexadecimal digit: the engine's own networks have random ids, and a name may be the start of one.
    let z = lab.create("z");
    // The one thread there is drives the readers while the store is held.
    let (lab, changes) = lab.committing().await;
    assert_eq!(changes.iter().filter(|change| is_network(change)).count(), 1, "{changes:?}");
    assert_eq!(lab.names().await, [""; 0]);
    let missing = lab.client.networks().get("z").await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert!(!z.is_finished());
    lab.outcome.send(Outcome::Done).unwrap();
    assert_eq!(z.await.unwrap(), 201);
    assert_eq!(lab.names().await, ["z"]);
    assert_eq!(events.next().await.unwrap().len(), 1);
}

#[tokio::test]
async fn operations_that_wait_together_are_committed_together_and_decided_one_by_one() {
    let lab = Lab::start().await;
    let first = lab.create("a");
    let (lab, _) = lab.committing().await;
    let others = ["b", "c", "b", "a"].map(|name| lab.create(name));
    lab.waiting(4).await;
    lab.outcome.send(Outcome::Done).unwrap();
    let (lab, changes) = lab.committing().await;
    assert_eq!(changes.iter().filter(|change| is_network(change)).count(), 2, "{changes:?}");
    lab.outcome.send(Outcome::Done).unwrap();
    assert_eq!(first.await.unwrap(), 201);
    let mut statuses = Vec::new();
    for other in others {
        statuses.push(other.await.unwrap());
    }
    assert_eq!(statuses, [201, 201, 409, 409]);
    assert_eq!(lab.names().await, ["a", "b", "c"]);
}

#[tokio::test]
async fn a_commit_that_fails_leaves_nothing_of_any_of_its_operations() {
    let lab = Lab::start().await;
    let first = lab.create("a");
    let (lab, _) = lab.committing().await;
    let others = ["b", "b", "c"].map(|name| lab.create(name));
    lab.waiting(3).await;
    lab.outcome.send(Outcome::Done).unwrap();
    let (lab, _) = lab.committing().await;
    let mut events = lab.engine.0.events.listen();
    lab.outcome.send(Outcome::Failed).unwrap();
    assert_eq!(first.await.unwrap(), 201);
    for other in others {
        // One would be refused because of another one; but that is not there, so nobody says so.
        assert_eq!(other.await.unwrap(), 500);
    }
    assert_eq!(lab.names().await, ["a"]);
    // Their subnets are free again, and nobody heard of them.
    let last = lab.create("d");
    let (lab, _) = lab.committing().await;
    lab.outcome.send(Outcome::Done).unwrap();
    assert_eq!(last.await.unwrap(), 201);
    let told = events.next().await.unwrap();
    assert_eq!((told.len(), told[0].attributes["name"].as_str()), (1, "d"));
    let subnet = lab.client.networks().get("d").await.unwrap().info().ipam.pools[0].subnet;
    assert_eq!(subnet, Some("172.19.0.0/16".parse().unwrap()));
}

#[tokio::test]
async fn an_operation_whose_caller_went_away_while_it_waited_is_not_begun() {
    let lab = Lab::start().await;
    let first = lab.create("a");
    let (lab, _) = lab.committing().await;
    let [given_up, kept] = ["b", "c"].map(|name| lab.create(name));
    lab.waiting(2).await;
    given_up.abort();
    assert!(given_up.await.unwrap_err().is_cancelled());
    lab.outcome.send(Outcome::Done).unwrap();
    let (lab, _) = lab.committing().await;
    lab.outcome.send(Outcome::Done).unwrap();
    assert_eq!((first.await.unwrap(), kept.await.unwrap()), (201, 201));
    assert_eq!(lab.names().await, ["a", "c"]);
}

#[tokio::test]
async fn an_operation_whose_caller_went_away_while_it_was_committed_is_done() {
    let lab = Lab::start().await;
    let first = lab.create("a");
    let (lab, _) = lab.committing().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    let second = lab.create("b");
    lab.waiting(1).await;
    lab.outcome.send(Outcome::Done).unwrap();
    let (lab, _) = lab.committing().await;
    lab.outcome.send(Outcome::Done).unwrap();
    assert_eq!(second.await.unwrap(), 201);
    assert_eq!(lab.names().await, ["a", "b"]);
}

fn is_network(change: &Change) -> bool {
    let (Change::Put { table, .. } | Change::Delete { table, .. }) = change;
    *table == crate::store::Table::Network
}
