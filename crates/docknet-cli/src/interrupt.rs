//! Ctrl-C in a command that changes something: the call on its way is waited for, and none is begun after it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

use crate::failure::{Failure, Outcome};
use crate::terminal::Terminal;

/// As shells have it: 128 and the signal's number.
const INTERRUPTED: u8 = 130;

#[derive(Clone, Debug)]
pub(crate) struct Interrupt(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    came: AtomicBool,
    by_hand: AtomicBool,
    comes: Notify,
}

impl Interrupt {
    /// Hears of SIGINT and SIGTERM. The second one ends the program at once.
    pub(crate) fn listen(terminal: Terminal) -> Outcome<Self> {
        let inner = Arc::new(Inner::default());
        let cannot = |error| Failure::new(format!("cannot hear of Ctrl-C: {error}"));
        let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(cannot)?;
        let heard = Arc::clone(&inner);
        tokio::spawn(async move {
            for first in [true, false] {
                let by_hand = tokio::select! {
                    _ = interrupt.recv() => true,
                    _ = terminate.recv() => false,
                };
                if !first {
                    let failure = Failure::new(
                        "ended without waiting for the engine: look at what it made of the last call",
                    );
                    failure.report(&terminal);
                    // Asked for twice, there is nobody left to wait for.
                    std::process::exit(INTERRUPTED.into());
                }
                heard.by_hand.store(by_hand, Ordering::SeqCst);
                heard.came.store(true, Ordering::SeqCst);
                heard.comes.notify_waiters();
            }
        });
        Ok(Self(inner))
    }

    /// An error once it came: to be asked before each call that changes something.
    pub(crate) fn check(&self) -> Outcome {
        if self.has_come() { Err(Failure::Told(INTERRUPTED)) } else { Ok(()) }
    }

    pub(crate) fn has_come(&self) -> bool {
        self.0.came.load(Ordering::SeqCst)
    }

    /// Whether it was Ctrl-C, and not a service manager.
    pub(crate) fn was_by_hand(&self) -> bool {
        self.0.by_hand.load(Ordering::SeqCst)
    }

    /// Waits for it.
    pub(crate) async fn came(&self) {
        let comes = self.0.comes.notified();
        if !self.has_come() {
            comes.await;
        }
    }
}
