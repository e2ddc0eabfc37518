//! Real networks for users who are not root; and what root does before it makes some.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::cli::Cli;
use crate::failure::Failure;

static ENTERED: AtomicBool = AtomicBool::new(false);
static OPEN: OnceLock<String> = OnceLock::new();

/// Takes an ordinary user's process to where it may make networks, if it is to. Threads come later.
pub(crate) fn enter(cli: &Cli) -> Result<(), Failure> {
    if !cli.needs_root() {
        return Ok(());
    }
    if rustix::process::geteuid().is_root() {
        // The demo runs nobody's programs.
        if !cli.is_demo()
            && let Err(why) = docknet_engine::shield_program()
        {
            let _ = OPEN.set(why.to_string());
        }
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

/// Why programs in containers may reach this program's own file, if they may.
pub(crate) fn open_to_containers() -> Option<&'static str> {
    OPEN.get().map(String::as_str)
}

/// Whether this is an ordinary user's process that plays root.
pub(crate) fn is_entered() -> bool {
    ENTERED.load(Ordering::Relaxed)
}
