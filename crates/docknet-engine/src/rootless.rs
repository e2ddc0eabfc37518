//! Networks of a user who is not root: in a user namespace, where that user is.

use std::env;
use std::ffi::{CStr, OsString};
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::thread;

use rustix::fs::{Mode, OFlags, open};
use rustix::io::{Errno, write};
use rustix::process::{Signal, getegid, geteuid, set_parent_process_death_signal};
use rustix::thread::UnshareFlags;

/// Takes this process into a user namespace in which it is root, and into a mount namespace of its own. For an engine on the
/// kernel that ordinary users start; its networks are to be [`isolated`](crate::EngineBuilder::isolated), as nothing leads
/// out of what is theirs.
///
/// It is to be called first in `main`, before anything starts a thread. Where there are threads already, as in a test, there
/// is [`run_in_user_namespace`].
///
/// # Errors
/// If there are other threads, or users may not make namespaces here (`kernel.unprivileged_userns_clone`,
/// `kernel.apparmor_restrict_unprivileged_userns`, `user.max_user_namespaces`).
pub fn enter_user_namespace() -> io::Result<()> {
    Ok(Root::new().enter()?)
}

/// For an ordinary user, does what the caller does in a child: this program once more, as root of a user namespace. Gives
/// whether that was so; then all is done, and the caller returns. For root it does nothing.
///
/// It is the first line of a test that is to pass for root and for ordinary users alike, and is to be called on the test's own
/// thread, by whose name the child knows which test it is. What the child prints is not captured. In a program that is
/// no test, the child has the same arguments.
///
/// ```
/// use docknet_engine::{Engine, run_in_user_namespace};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # if !std::fs::read_to_string("/proc/self/status")?.contains("Uid:\t0\t0") { return Ok(()); }
/// // #[tokio::test] async fn …
/// if run_in_user_namespace()? {
///     return Ok(());
/// }
/// let engine = Engine::kernel().isolated().start().await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// If the child fails, as a test does; if it cannot be started, or never comes here; or if users may not make namespaces here,
/// as for [`enter_user_namespace`].
pub fn run_in_user_namespace() -> io::Result<bool> {
    if env::var_os(CHILD).is_some() {
        write(rustix::stdio::stdin(), b"!")?;
        return Ok(false);
    }
    if geteuid().is_root() {
        return Ok(false);
    }
    let (mut here, there) = UnixStream::pair()?;
    let mut command = Command::new(env::current_exe()?);
    command.args(arguments(thread::current().name())).env(CHILD, "1");
    command.stdin(OwnedFd::from(there));
    Root::new().prepare(&mut command);
    let mut child = command.spawn()?;
    drop(command);
    let ended = child.wait()?;
    if !ended.success() {
        return Err(io::Error::other(format!("in its user namespace it failed: {ended}")));
    }
    match here.read(&mut [0])? {
        1 => Ok(true),
        _ => Err(io::Error::other(
            "in its user namespace it did not come here: it is to be called on the test's own thread",
        )),
    }
}

/// Set for the child, which says on its standard input that it got here.
const CHILD: &str = "DOCKNET_IN_USER_NAMESPACE";

/// What leads a child to where its parent is: a test has a thread of its name.
fn arguments(thread: Option<&str>) -> Vec<OsString> {
    match thread {
        None | Some("main") => env::args_os().skip(1).collect(),
        Some(test) => {
            [test, "--exact", "--include-ignored", "--nocapture"].map(OsString::from).into()
        }
    }
}

/// Who is root in a user namespace.
struct Root {
    users: String,
    groups: String,
}

impl Root {
    fn new() -> Self {
        let map = |id: u32| format!("0 {id} 1");
        Self { users: map(geteuid().as_raw()), groups: map(getegid().as_raw()) }
    }

    /// Allocates nothing: it may be called between fork and exec.
    fn enter(&self) -> Result<(), Errno> {
        unshare(UnshareFlags::NEWUSER | UnshareFlags::NEWNS)?;
        // Without this, the kernel does not let an ordinary user say who is who.
        put(c"/proc/self/setgroups", b"deny")?;
        put(c"/proc/self/uid_map", self.users.as_bytes())?;
        put(c"/proc/self/gid_map", self.groups.as_bytes())
    }

    #[expect(unsafe_code, reason = "code between fork and exec")]
    fn prepare(self, command: &mut Command) {
        let enter = move || {
            // The thread that waits for it.
            set_parent_process_death_signal(Some(Signal::KILL))?;
            Ok(self.enter()?)
        };
        // SAFETY: only system calls, without allocation or locks, so it does not matter what other threads did at the fork.
        unsafe { command.pre_exec(enter) };
    }
}

fn put(path: &CStr, text: &[u8]) -> Result<(), Errno> {
    let file = open(path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    write(&file, text).map(drop)
}

#[expect(unsafe_code, reason = "the system call that takes no wrapper")]
fn unshare(flags: UnshareFlags) -> Result<(), Errno> {
    // SAFETY: only with CLONE_FILES could this thread lose descriptors that others hold for it.
    unsafe { rustix::thread::unshare_unsafe(flags) }
}
