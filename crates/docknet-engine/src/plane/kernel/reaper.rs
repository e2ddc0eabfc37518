//! Links are taken away behind the answer. For each the kernel waits until nobody can still be looking at it, some ten
//! milliseconds, and for many at once it waits no longer than for one.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::GONE;
use super::links::{Index, Links};

/// Takes away what is in the group of links that are gone, and bridges that are dead.
#[derive(Debug)]
pub(crate) struct Reaper {
    shared: Arc<Shared>,
    thread: Option<thread::JoinHandle<()>>,
}

/// The links of one container that are on their way out: nothing passes them, but they are still to be seen inside.
#[derive(Clone, Debug)]
pub(crate) struct Leaving {
    shared: Arc<Shared>,
    last: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct Shared {
    work: Mutex<Work>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Work {
    /// How often links were gone, and up to which time these are away.
    gone: u64,
    away: u64,
    /// Bridges that are nobody's any more, the oldest first.
    dead: Vec<Index>,
    /// How often somebody wanted something.
    operations: u64,
    /// Somebody waits.
    hurry: bool,
    ends: bool,
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
/// Who looks into a container does not wait longer for what the kernel does not take away.
const PATIENCE: Duration = Duration::from_secs(2);

impl Reaper {
    /// With a socket of the namespace that the bridges are in.
    pub(crate) fn start(links: Links) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let mut rounds = Rounds { links, shared: shared.clone() };
        let thread =
            thread::Builder::new().name("docknet-reaper".to_owned()).spawn(move || rounds.go())?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Links are gone. How often that was so, for whose they were to remember.
    pub(crate) fn reap(&self) -> u64 {
        let mut work = self.shared.work();
        work.gone += 1;
        self.shared.changed.notify_all();
        work.gone
    }

    /// What is leaving a container, by the last of them that it remembers.
    pub(crate) fn leaving(&self, last: &Arc<AtomicU64>) -> Leaving {
        Leaving { shared: self.shared.clone(), last: last.clone() }
    }

    /// A bridge is gone.
    pub(crate) fn bury(&self, bridge: Index) {
        self.shared.tell(|work| work.dead.push(bridge));
    }

    /// Somebody wants something.
    pub(crate) fn give_way(&self) {
        self.shared.work().operations += 1;
    }

    /// Waits until all links that are gone are away.
    pub(crate) fn wait(&self) {
        let last = self.shared.work().gone;
        self.shared.wait_for(last);
    }
}

impl Leaving {
    pub(crate) fn is_there(&self) -> bool {
        self.shared.work().away < self.last.load(Ordering::Relaxed)
    }

    /// Waits until none of them is to be seen any more.
    pub(crate) fn wait(&self) {
        self.shared.wait_for(self.last.load(Ordering::Relaxed));
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        self.shared.tell(|work| work.ends = true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, change: impl FnOnce(&mut Work)) {
        change(&mut self.work());
        self.changed.notify_all();
    }

    /// Waits for as long as this is so, but no longer than that.
    fn wait_while(&self, limit: Duration, is_so: impl Fn(&Work) -> bool) {
        let waited = self.changed.wait_timeout_while(self.work(), limit, |work| is_so(work));
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn wait_for(&self, last: u64) {
        if self.work().away < last {
            self.tell(|work| work.hurry = true);
            self.wait_while(PATIENCE, |work| work.away < last);
        }
    }
}

impl Work {
    fn has_links(&self) -> bool {
        self.away < self.gone
    }

    /// Some of the bridges, to be removed.
    fn some_dead(&mut self, most: usize) -> Vec<Index> {
        let most = most.min(self.dead.len());
        self.dead.drain(..most).collect()
    }
}

/// What its thread does.
struct Rounds {
    links: Links,
    shared: Arc<Shared>,
}

enum Next {
    Links,
    Bridges,
    /// Bridges, as long as nobody has wanted more than this.
    Idle(u64),
    End,
}

impl Rounds {
    fn go(&mut self) {
        loop {
            match self.next() {
                Next::Links => self.remove_links(),
                Next::Bridges => drop(self.remove_bridges(MANY)),
                Next::Idle(before) => {
                    while self.shared.work().operations == before && self.remove_bridges(FEW) {}
                }
                Next::End => break,
            }
        }
        self.remove_bridges(usize::MAX);
    }

    /// What is to be done, once there is something.
    fn next(&self) -> Next {
        let mut work = self.shared.work();
        loop {
            if work.has_links() {
                return Next::Links;
            }
            if work.ends {
                return Next::End;
            }
            if work.dead.len() > TOO_MANY {
                return Next::Bridges;
            }
            let (before, limit) = match work.dead.is_empty() {
                true => (work.operations, Duration::MAX),
                false => (work.operations, IDLE),
            };
            let waited = self.shared.changed.wait_timeout(work, limit);
            let (now, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            if timeout.timed_out() && now.operations == before {
                return Next::Idle(before);
            }
            work = now;
        }
    }

    fn remove_links(&mut self) {
        self.gather();
        let last = self.shared.work().gone;
        self.remove_gone();
        self.shared.tell(|work| work.away = last);
    }

    /// Waits until no more links come, or somebody waits, but not for long.
    fn gather(&self) {
        let begun = Instant::now();
        let mut quiet = false;
        while !quiet && begun.elapsed() < LONGEST {
            let before = self.shared.work().gone;
            self.shared.wait_while(QUIET, |work| work.gone == before && !work.hurry && !work.ends);
            let mut work = self.shared.work();
            quiet = work.gone == before || work.hurry || work.ends;
            work.hurry = false;
        }
    }

    /// Whether there were any.
    fn remove_bridges(&mut self, most: usize) -> bool {
        let some = self.shared.work().some_dead(most);
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

    fn remove_gone(&mut self) {
        if let Err(refused) = self.links.remove_group(GONE) {
            tracing::warn!(%refused, "links that are gone stay");
        }
    }
}
