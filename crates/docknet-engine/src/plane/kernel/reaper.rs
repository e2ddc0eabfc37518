//! Links are taken away behind the answer. For each the kernel waits until nobody can still be looking at it, some ten
//! milliseconds, and for many at once it waits no longer than for one.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::GONE;
use super::links::{Index, Links};

/// Takes away what is in the group of links that are gone, and bridges that are dead.
#[derive(Debug)]
pub(crate) struct Reaper {
    jobs: Option<mpsc::Sender<()>>,
    shared: Arc<Shared>,
    thread: Option<thread::JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Bridges that are nobody's any more, the oldest first.
    dead: Mutex<Vec<Index>>,
    /// How often somebody wanted something.
    operations: AtomicU64,
}

/// The kernel lets nobody else change links for most of the time that it takes. So that is done when nobody wants to, or
/// after this long.
const QUIET: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_millis(500);
/// A bridge takes the kernel some ten milliseconds, however many go at once: it waits for all who look at its groups. So
/// these go a few at a time, and only once nobody has wanted anything for a while, unless there are too many.
const IDLE: Duration = Duration::from_millis(200);
const FEW: usize = 4;
const MANY: usize = 32;
const TOO_MANY: usize = 512;

impl Reaper {
    /// With a socket of the namespace that the bridges are in.
    pub(crate) fn start(links: Links) -> io::Result<Self> {
        let (jobs, wanted) = mpsc::channel();
        let shared = Arc::<Shared>::default();
        let mut rounds = Rounds { links, shared: shared.clone() };
        let thread = thread::Builder::new()
            .name("docknet-reaper".to_owned())
            .spawn(move || rounds.go(&wanted))?;
        Ok(Self { jobs: Some(jobs), shared, thread: Some(thread) })
    }

    /// Something is gone.
    pub(crate) fn poke(&self) {
        if let Some(jobs) = &self.jobs {
            // Without its thread, links stay until the engine starts again.
            let _ = jobs.send(());
        }
    }

    /// A bridge is gone.
    pub(crate) fn bury(&self, bridge: Index) {
        self.shared.dead().push(bridge);
        self.poke();
    }

    /// Somebody wants something.
    pub(crate) fn give_way(&self) {
        self.shared.operations.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn dead(&self) -> MutexGuard<'_, Vec<Index>> {
        self.dead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn operations(&self) -> u64 {
        self.operations.load(Ordering::Relaxed)
    }

    /// Some of them, to be removed.
    fn some_dead(&self, most: usize) -> Vec<Index> {
        let mut dead = self.dead();
        let most = most.min(dead.len());
        dead.drain(..most).collect()
    }
}

/// What its thread does.
struct Rounds {
    links: Links,
    shared: Arc<Shared>,
}

impl Rounds {
    fn go(&mut self, wanted: &mpsc::Receiver<()>) {
        loop {
            let before = self.shared.operations();
            let nothing_dead = self.shared.dead().is_empty();
            let job = match nothing_dead {
                true => wanted.recv().map_err(RecvTimeoutError::from),
                false => wanted.recv_timeout(IDLE),
            };
            match job {
                Ok(()) => {
                    gather(wanted);
                    self.remove_gone();
                    if self.shared.dead().len() > TOO_MANY {
                        self.remove_dead(MANY);
                    }
                }
                Err(RecvTimeoutError::Timeout) => self.remove_dead_until_wanted(before),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.remove_dead(usize::MAX);
    }

    fn remove_gone(&mut self) {
        if let Err(refused) = self.links.remove_group(GONE) {
            tracing::warn!(%refused, "links that are gone stay");
        }
    }

    fn remove_dead_until_wanted(&mut self, before: u64) {
        while self.shared.operations() == before && self.remove_dead(FEW) {}
    }

    /// Whether there were any.
    fn remove_dead(&mut self, most: usize) -> bool {
        let some = self.shared.some_dead(most);
        if some.is_empty() {
            return false;
        }
        if let Err(refused) = self.links.move_to(&some, GONE) {
            // Somebody else may have removed one.
            tracing::debug!(%refused, "a dead bridge cannot be removed");
        }
        self.remove_gone();
        true
    }
}

/// Waits until nothing more is gone, but not for long.
fn gather(wanted: &mpsc::Receiver<()>) {
    let begun = Instant::now();
    while begun.elapsed() < LONGEST && wanted.recv_timeout(QUIET).is_ok() {}
}
