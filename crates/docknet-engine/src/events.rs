//! Who listens to events.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast;

use crate::core::event::Event;

/// How many events are kept for those who ask for the past. Docker keeps 256, which one `compose down` of a larger project
/// fills: a client that was away for a moment has then missed some without a sign of it. 4096 take two megabytes or so.
const KEPT: usize = 4096;

/// How many operations a listener may be behind. It is counted in operations, so that a prune of ten thousand networks
/// does not cut everybody off at once.
const BEHIND: usize = 4096;

/// Brings the events of operations to all who listen.
///
/// Events go out in the order of `publish`, which never waits for a listener. A listener that falls too far behind is cut
/// off: what it got has no gap, and the end tells it that there is more. Docker skips what a slow listener does not take in
/// time. Memory does not grow with what a stalled listener leaves unread.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventBus {
    log: Arc<Mutex<Log>>,
}

/// The events of one operation.
pub(crate) type Batch = Arc<[Arc<Event>]>;

#[derive(Debug, Default)]
struct Log {
    kept: VecDeque<Arc<Event>>,
    /// Made for the first listener: an engine that nobody listens to pays nothing.
    live: Option<broadcast::Sender<Batch>>,
}

impl EventBus {
    /// Publishes what an operation did. To be called in the order of the operations.
    pub(crate) fn publish(&self, events: Vec<Arc<Event>>) {
        if events.is_empty() {
            return;
        }
        let mut log = self.log();
        log.kept.extend(events.iter().cloned());
        let excess = log.kept.len().saturating_sub(KEPT);
        log.kept.drain(..excess);
        if let Some(live) = log.live.as_ref().filter(|live| live.receiver_count() > 0) {
            // It fails when the last listener has just gone, and then nobody is there to miss it.
            let _ = live.send(events.into());
        }
    }

    /// What is kept of the past, and everything from then on: no event is in neither or in both.
    pub(crate) fn subscribe(&self) -> (Vec<Arc<Event>>, Subscription) {
        let mut log = self.log();
        let subscription = log.listen();
        (log.kept.iter().cloned().collect(), subscription)
    }

    /// Everything from now on.
    pub(crate) fn listen(&self) -> Subscription {
        self.log().listen()
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    fn listen(&mut self) -> Subscription {
        let live = self.live.get_or_insert_with(|| broadcast::Sender::new(BEHIND));
        Subscription { live: live.subscribe() }
    }
}

/// One listener's place.
#[derive(Debug)]
pub(crate) struct Subscription {
    live: broadcast::Receiver<Batch>,
}

impl Subscription {
    /// The next operation's events; nothing once the listener fell too far behind, or the engine is gone.
    pub(crate) async fn next(&mut self) -> Option<Batch> {
        self.live.recv().await.ok()
    }
}

#[cfg(test)]
mod tests;
