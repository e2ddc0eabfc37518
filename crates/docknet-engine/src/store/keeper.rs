//! Where a store commits: in line, or on a thread of its own while something else is done.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::{io, thread};

use super::{Change, Store, StoreError, StoreErrorKind};

/// What commits to a store.
pub(crate) enum Keeper {
    Here(Box<dyn Store>),
    Beside(Beside),
}

/// A store on a thread of its own. To start one for each commit would take longer than to wake it.
pub(crate) struct Beside {
    is_durable: bool,
    /// Until this is dropped.
    wanted: Option<Sender<Vec<Change>>>,
    done: Receiver<Result<(), StoreError>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Keeper {
    pub(crate) fn beside(mut store: Box<dyn Store>) -> io::Result<Self> {
        let is_durable = store.is_durable();
        let (wanted, wishes) = channel::<Vec<Change>>();
        let (tell, done) = channel();
        let thread = thread::Builder::new().name("docknet-store".to_owned()).spawn(move || {
            for changes in wishes {
                // Who does not listen any more is going.
                let _ = tell.send(store.commit(&changes));
            }
        })?;
        Ok(Self::Beside(Beside { is_durable, wanted: Some(wanted), done, thread: Some(thread) }))
    }

    pub(crate) fn is_durable(&self) -> bool {
        match self {
            Self::Here(store) => store.is_durable(),
            Self::Beside(beside) => beside.is_durable,
        }
    }

    pub(crate) fn commit(&mut self, changes: Vec<Change>) -> Result<(), StoreError> {
        self.commit_while(changes, || ()).0
    }

    /// Commits, and does something meanwhile.
    pub(crate) fn commit_while<T>(
        &mut self,
        changes: Vec<Change>,
        work: impl FnOnce() -> T,
    ) -> (Result<(), StoreError>, T) {
        match self {
            Self::Here(store) => (store.commit(&changes), work()),
            Self::Beside(beside) => {
                let begun = beside.wanted.as_ref().map(|wanted| wanted.send(changes));
                let done = work();
                let kept = match begun {
                    Some(Ok(())) => beside.done.recv().unwrap_or_else(|_| Err(broken_down())),
                    _ => Err(broken_down()),
                };
                (kept, done)
            }
        }
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.wanted = None;
        // Whoever opens the directory next finds it free.
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn broken_down() -> StoreError {
    let why = "the thread that writes it broke down";
    StoreError::new(StoreErrorKind::Io, Path::new("state.redb"), why)
}
