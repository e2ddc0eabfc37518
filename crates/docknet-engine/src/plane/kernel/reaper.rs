//! Links are taken away behind the answer. For each the kernel waits until nobody can still be looking at it, some ten
//! milliseconds, and for many at once it waits no longer than for one.

use std::io;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::GONE;
use super::links::Links;
use super::namespace::Namespace;

/// Takes away what is in the group of links that are gone.
#[derive(Debug)]
pub(crate) struct Reaper {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<thread::JoinHandle<()>>,
}

/// Where something is gone.
#[derive(Debug)]
enum Job {
    Here,
    In(Namespace),
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
        self.send(Job::Here);
    }

    /// Something is gone in another namespace.
    pub(crate) fn clean(&self, namespace: Namespace) {
        self.send(Job::In(namespace));
    }

    fn send(&self, job: Job) {
        if let Some(jobs) = &self.jobs {
            // Without its thread, links stay until the engine starts again.
            let _ = jobs.send(job);
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

fn reap(links: &mut Links, wanted: &mpsc::Receiver<Job>) {
    while let Ok(first) = wanted.recv() {
        let begun = Instant::now();
        let mut elsewhere = Vec::new();
        let mut job = Ok(first);
        loop {
            match job {
                Ok(Job::Here) => {}
                Ok(Job::In(namespace)) => elsewhere.push(namespace),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
            if begun.elapsed() > LONGEST {
                break;
            }
            job = wanted.recv_timeout(QUIET);
        }
        if let Err(refused) = links.remove_group(GONE) {
            tracing::warn!(%refused, "links that are gone stay");
        }
        for namespace in elsewhere {
            let removed = namespace
                .within(Links::open)
                .and_then(|mut links| links.remove_group(GONE).map_err(io::Error::other));
            if let Err(refused) = removed {
                tracing::warn!(%refused, "links that are gone stay in a container");
            }
        }
    }
}
