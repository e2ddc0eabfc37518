//! What was decided is kept, shown and told.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::batch::{Batch, finally};
use super::{Inner, Writer};
use crate::core::refusal::Refusal;
use crate::core::state::State;
use crate::core::step::Step;
use crate::core::tx::{Decided, Touched};
use crate::plane::PlaneError;
use crate::store::{Change, Keeper, StoreError, Table};

/// What became of a batch.
pub(super) struct Outcome {
    /// Of all of it, but for what the last operation may have met with.
    pub(super) all: Result<(), Refusal>,
    pub(super) last: Result<(), Refusal>,
}

impl Inner {
    /// Commits a batch as one, and shows it. If its last operation is still to be done, the data plane does it meanwhile: the
    /// kernel and the disk take about as long, and neither needs the other.
    pub(super) fn commit(&self, mut batch: Batch, writer: &mut Writer) -> Outcome {
        let last = batch.last.take();
        if let Some(last) = &last {
            batch.clear_the_way(&last.steps, writer);
        }
        let done = match &last {
            Some(last) => finish(&batch, last, writer),
            None => keep(&batch.state, &batch.touched, writer).map(|()| Ok(())),
        };
        let last = match done {
            Err(failed) => {
                writer.plane.undo(&batch.steps);
                let refusal = Refusal::Worded(500, failed.to_string());
                return Outcome { all: Err(refusal.clone()), last: Err(refusal) };
            }
            Ok(Err(refusal)) => Err(refusal),
            Ok(Ok(())) => {
                if let Some(last) = last {
                    batch.take_in(last);
                }
                Ok(())
            }
        };
        finally(batch.afterwards, writer);
        if !batch.touched.is_empty() {
            self.current.store(Arc::new(batch.state));
        }
        for events in batch.events {
            self.events.publish(events);
        }
        Outcome { all: Ok(()), last }
    }
}

/// Does the last operation of a batch while the store commits all of it; if the data plane does not do that one, the store
/// takes it back. What cannot be undone, as ending a program, comes when all of that is through.
///
/// If the process ends in between, nobody was told of it, and it is there at the next start: then it is done.
fn finish(
    batch: &Batch,
    last: &Decided,
    writer: &mut Writer,
) -> Result<Result<(), Refusal>, StoreError> {
    let touched: BTreeSet<_> = batch.touched.union(&last.touched).cloned().collect();
    let (kept, done) = at_once(&last.state, &touched, &last.steps, writer);
    match (kept, done) {
        (Ok(()), Ok(())) => Ok(Ok(())),
        (Ok(()), Err(failed)) => {
            let taken_back = keep(&batch.state, &last.touched, writer);
            let mut words = failed.words;
            if let Err(error) = taken_back {
                // It takes nothing more. At the next start this is tried again.
                words = format!("{words}; and it could not be taken back: {error}");
            }
            Ok(Err(Refusal::Worded(failed.status, words)))
        }
        (Err(error), Ok(())) => {
            writer.plane.undo(&last.steps);
            Err(error)
        }
        (Err(error), Err(_)) => Err(error),
    }
}

fn at_once(
    state: &State,
    touched: &BTreeSet<Touched>,
    steps: &[Step],
    writer: &mut Writer,
) -> (Result<(), StoreError>, Result<(), PlaneError>) {
    let Writer { plane, store, .. } = writer;
    match touches(store, touched) {
        true => store.commit_while(changes(state, touched), || plane.apply(steps)),
        false => (Ok(()), plane.apply(steps)),
    }
}

fn keep(state: &State, touched: &BTreeSet<Touched>, writer: &mut Writer) -> Result<(), StoreError> {
    match touches(&writer.store, touched) {
        true => writer.store.commit(changes(state, touched)),
        false => Ok(()),
    }
}

/// Whether the store has anything to keep.
fn touches(store: &Keeper, touched: &BTreeSet<Touched>) -> bool {
    store.is_durable() && !touched.is_empty()
}

/// What the store has to change so that it is as this state is.
pub(super) fn changes(state: &State, touched: &BTreeSet<Touched>) -> Vec<Change> {
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
