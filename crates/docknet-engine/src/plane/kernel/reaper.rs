//! Links are taken away behind the answer. For each the kernel waits until nobody can still be looking at it, some ten
//! milliseconds, and for many at once it waits no longer than for one.

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::GONE;
use super::links::Links;

/// Takes away what is in the group of links that are gone.
#[derive(Debug)]
pub(crate) struct Reaper {
    jobs: Option<mpsc::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

/// The kernel lets nobody else change links for most of the time that it takes. So that is done when nobody wants to, or
/// after this long.
const QUIET: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_millis(500);

impl Reaper {
    /// With a socket of the namespace that the bridges are in.
    pub(crate) fn start(mut links: Links) -> io::Result<Self> {
        let (jobs, wanted) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("docknet-reaper".to_owned())
            .spawn(move || reap(&mut links, &wanted))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Something is gone.
    pub(crate) fn poke(&self) {
        if let Some(jobs) = &self.jobs {
            // Without its thread, links stay until the engine starts again.
            let _ = jobs.send(());
        }
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

fn reap(links: &mut Links, wanted: &mpsc::Receiver<()>) {
    while wanted.recv().is_ok() {
        let begun = Instant::now();
        while begun.elapsed() < LONGEST && wanted.recv_timeout(QUIET).is_ok() {}
        if let Err(refused) = links.remove_group(GONE) {
            tracing::warn!(%refused, "links that are gone stay");
        }
    }
}
