//! Networks of a user who is not root: in a user namespace, where that user is.

use std::fs;
use std::io;

use rustix::process::{getegid, geteuid};
use rustix::thread::UnshareFlags;

/// Takes this process into a user namespace in which it is root, and into a mount namespace of its own. For an engine on the
/// kernel that ordinary users start; its networks are to be [`isolated`](crate::EngineBuilder::isolated), as nothing leads
/// out of what is theirs.
///
/// It is to be called first in `main`, before anything starts a thread.
///
/// # Errors
/// If there are other threads, or users may not make namespaces here (`kernel.unprivileged_userns_clone`,
/// `kernel.apparmor_restrict_unprivileged_userns`, `user.max_user_namespaces`).
pub fn enter_user_namespace() -> io::Result<()> {
    let (user, group) = (geteuid(), getegid());
    unshare(UnshareFlags::NEWUSER | UnshareFlags::NEWNS)?;
    // Without this, the kernel does not let an ordinary user say who is who.
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("0 {} 1", user.as_raw()))?;
    fs::write("/proc/self/gid_map", format!("0 {} 1", group.as_raw()))
}

#[expect(unsafe_code, reason = "the system call that takes no wrapper")]
fn unshare(flags: UnshareFlags) -> io::Result<()> {
    // SAFETY: only with CLONE_FILES could this thread lose descriptors that others hold for it.
    unsafe { rustix::thread::unshare_unsafe(flags) }?;
    Ok(())
}
