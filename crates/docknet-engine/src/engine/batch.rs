//! Operations that are decided one after the other, and committed as one.
//!
//! A commit to a disk takes as long for a hundred operations as for one. So those that come while one commits wait, and
//! whoever is the next to have the writer does what all of them want.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::{OwnedMutexGuard, oneshot};

use super::{Inner, Writer};
use crate::Profile;
use crate::core::event::Event;
use crate::core::refusal::Refusal;
use crate::core::state::State;
use crate::core::step::Step;
use crate::core::tx::{Decided, Given, Supply, Touched, Tx};
use crate::plane::PlaneError;

/// What was decided so far, each operation on what the one before left. One that is refused leaves it as it was, but for
/// the turn of a default subnet that it may have spent.
pub(super) struct Batch {
    pub(super) state: State,
    pub(super) touched: BTreeSet<Touched>,
    pub(super) steps: Vec<Step>,
    /// What is to be done once all of it is committed.
    pub(super) afterwards: Vec<Step>,
    /// Of each operation.
    pub(super) events: Vec<Vec<Arc<Event>>>,
    /// An operation that is decided and not done yet. None follows it.
    pub(super) last: Option<Decided>,
}

impl Batch {
    pub(super) fn new(state: State) -> Self {
        let (touched, steps, afterwards, events) = Default::default();
        Self { state, touched, steps, afterwards, events, last: None }
    }

    /// Decides one operation.
    pub(super) fn decide<T>(
        &mut self,
        profile: Profile,
        writer: &mut Writer,
        supply: Supply,
        decide: impl FnOnce(&mut Tx<'_>) -> Result<T, Refusal>,
    ) -> Result<(T, Decided), Refusal> {
        let Writer { dice, plane, .. } = writer;
        plane.look().map_err(refused)?;
        let given =
            Given { profile, now: Timestamp::now(), host: plane.host(), draw: dice, supply };
        let mut tx = Tx::new(self.state.clone(), given);
        match decide(&mut tx) {
            Ok(value) => Ok((value, tx.decided())),
            Err(refusal) => {
                // A default subnet that was given in vain is not given to the next network.
                if let Some(subnet) = tx.spent_turn {
                    self.state.go_on_after(subnet);
                    self.touched.insert(Touched::Engine);
                }
                Err(refusal)
            }
        }
    }

    /// Lets the data plane do what was decided.
    pub(super) fn apply(&mut self, writer: &mut Writer, decided: Decided) -> Result<(), Refusal> {
        self.clear_the_way(&decided.steps, writer);
        writer.plane.apply(&decided.steps).map_err(refused)?;
        self.take_in(decided);
        Ok(())
    }

    /// A program cannot be started before the former one of its container has ended.
    pub(super) fn clear_the_way(&mut self, steps: &[Step], writer: &mut Writer) {
        let is_in_the_way = |step: &Step| {
            step.ends().is_some_and(|ends| steps.iter().any(|step| step.runs() == Some(ends)))
        };
        let all = std::mem::take(&mut self.afterwards);
        let (first, rest) = all.into_iter().partition(is_in_the_way);
        self.afterwards = rest;
        finally(first, writer);
    }

    /// It is done.
    pub(super) fn take_in(&mut self, decided: Decided) {
        let Decided { state, mut touched, events, steps, afterwards } = decided;
        self.state = state;
        self.touched.append(&mut touched);
        self.steps.extend(steps);
        self.afterwards.extend(afterwards);
        self.events.push(events);
    }
}

/// Does what follows from what is committed: nothing can be refused any more.
pub(super) fn finally(steps: Vec<Step>, writer: &mut Writer) {
    for step in steps {
        if let Err(failed) = writer.plane.apply(std::slice::from_ref(&step)) {
            tracing::warn!(%failed, ?step, "what was committed is not done");
        }
    }
}

fn refused(failed: PlaneError) -> Refusal {
    Refusal::Worded(failed.status, failed.words)
}

/// Operations that wait for the writer.
#[derive(Default)]
pub(super) struct Queue(Mutex<Vec<Job>>);

/// Takes its turn, unless its caller has gone away; what comes back brings the answer once it is known whether all was
/// committed.
type Job = Box<dyn FnOnce(&mut Batch, Profile, &mut Writer, Turn) -> Option<Answer> + Send>;

/// Whether another operation may follow in a batch.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Last,
    NotLast,
}

type Answer = Box<dyn FnOnce(Result<(), Refusal>) + Send>;

impl Queue {
    /// Does one operation, with those that wait beside it.
    pub(super) async fn write<T, F>(
        &self,
        inner: &Arc<Inner>,
        supply: Supply,
        decide: F,
    ) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, Refusal> + Send + 'static,
    {
        let (answer, mut answered) = oneshot::channel();
        self.push(Box::new(move |batch, profile, writer, turn| {
            if answer.is_closed() {
                return None;
            }
            let decided = batch.decide(profile, writer, supply, decide);
            let decided = decided.and_then(|(value, decided)| {
                match turn {
                    Turn::Last => batch.last = Some(decided),
                    Turn::NotLast => batch.apply(writer, decided)?,
                }
                Ok(value)
            });
            Some(Box::new(move |committed: Result<(), Refusal>| {
                // Whoever has gone away does not want to know.
                let _ = answer.send(committed.and(decided));
            }))
        }));
        tokio::select! {
            biased;
            answer = &mut answered => return answer.unwrap_or_else(|_| Err(failed())),
            writer = inner.writer.clone().lock_owned() => {
                let inner = inner.clone();
                // It goes on if this caller goes away.
                tokio::task::spawn_blocking(move || work(inner, writer));
            }
        }
        answered.await.unwrap_or_else(|_| Err(failed()))
    }

    /// How many wait.
    #[cfg(test)]
    #[cfg(feature = "client")]
    pub(super) fn len(&self) -> usize {
        self.jobs().len()
    }

    fn push(&self, job: Job) {
        self.jobs().push(job);
    }

    fn jobs(&self) -> MutexGuard<'_, Vec<Job>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does all that waits, and answers it. Even a refusal is told only when what it refers to is committed.
fn work(inner: Arc<Inner>, mut writer: OwnedMutexGuard<Writer>) {
    let mut jobs = std::mem::take(&mut *inner.queue.jobs());
    let mut batch = Batch::new(State::clone(&inner.current.load()));
    let last = jobs.pop();
    let mut take = |job: Job, turn| job(&mut batch, inner.profile, &mut writer, turn);
    let answers: Vec<Answer> =
        jobs.into_iter().filter_map(|job| take(job, Turn::NotLast)).collect();
    let last = last.and_then(|job| take(job, Turn::Last));
    let outcome = inner.commit(batch, &mut writer);
    // Whoever is answered may drop the engine, and open its directory again at once.
    drop(writer);
    drop(inner);
    for answer in answers {
        answer(outcome.all.clone());
    }
    if let Some(last) = last {
        last(outcome.last);
    }
}

fn failed() -> Refusal {
    Refusal::Worded(500, "the operation failed".to_owned())
}
