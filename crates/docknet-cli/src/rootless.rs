//! Real networks for users who are not root.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::cli::Cli;
use crate::failure::Failure;

static ENTERED: AtomicBool = AtomicBool::new(false);

/// Takes an ordinary user's process to where it may make networks, if it is to. Threads come later.
pub(crate) fn enter(cli: &Cli) -> Result<(), Failure> {
    if !cli.needs_root() || rustix::process::geteuid().is_root() {
        return Ok(());
    }
    match docknet_engine::enter_user_namespace() {
        Ok(()) => {
            ENTERED.store(true, Ordering::Relaxed);
            Ok(())
        }
        // The demo does without.
        Err(_) if cli.is_demo() => Ok(()),
        Err(error) => Err(Failure::new(format!("cannot enter a user namespace: {error}"))
            .hint("run it as root, or without `--kernel`, in memory")),
    }
}

/// Whether this is an ordinary user's process that plays root.
pub(crate) fn is_entered() -> bool {
    ENTERED.load(Ordering::Relaxed)
}
