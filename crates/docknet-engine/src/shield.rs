//! This program's own file, out of reach for what runs in containers.

use std::env;
use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use rustix::fs::{CWD, StatVfsMountFlags, statvfs};
use rustix::mount::{OpenTreeFlags, open_tree};
use rustix::thread::set_name;

/// The program that runs, whatever has become of the file that it was started from.
const OWN: &str = "/proc/self/exe";

/// Runs this program once more, from the same file where nobody can write to it, with the same arguments and as the same process.
/// Comes back where that is so already.
///
/// Until a process of ours has become a container's program, `/proc/self/exe` names our own file for it, also for what an image says
/// is to run its scripts; and root in a container may change files that it can name. `docknet serve` does this; a program that has an engine
/// of its own and runs images that are not trusted does it first in `main`, before anything is open.
///
/// ```no_run
/// fn main() -> std::io::Result<()> {
///     docknet_engine::shield_program()?;
///     // …
///     Ok(())
/// }
/// ```
///
/// # Errors
/// Without `CAP_SYS_ADMIN`, on kernels before 5.12, and where a loader was started by its own name (`ld.so PROGRAM`): then that is what
/// the file is. Nothing has changed then.
pub fn shield_program() -> io::Result<()> {
    if statvfs(OWN)?.f_flag.contains(StatVfsMountFlags::RDONLY) {
        be_called_by_name();
        return Ok(());
    }
    if env::var_os(AGAIN).is_some() {
        return Err(io::Error::other("it was run once more, and its file can be written to still"));
    }
    if is_loader(&env::current_exe()?) {
        return Err(io::Error::other("it was started by a loader"));
    }
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let own = open_tree(CWD, Path::new(OWN), flags)?;
    make_read_only(&own)?;
    let mut arguments = env::args_os();
    let mut again = Command::new(format!("/proc/self/fd/{}", own.as_fd().as_raw_fd()));
    again.arg0(arguments.next().unwrap_or_else(|| OsString::from("docknet"))).args(arguments);
    // It comes back only if it cannot be.
    let why = again.env(AGAIN, "1").exec();
    ignore_broken_pipes();
    Err(why)
}

/// Set for the second run.
const AGAIN: &str = "DOCKNET_SHIELDED";

/// `ld-linux-x86-64.so.2`, `ld-musl-aarch64.so.1`
fn is_loader(program: &Path) -> bool {
    let name = program.file_name().and_then(OsStr::to_str).unwrap_or_default();
    name.starts_with("ld") && name.contains(".so")
}

/// As the standard library begins. It lets them end a process before it tries to become another one.
#[expect(unsafe_code, reason = "nobody else sets it back")]
fn ignore_broken_pipes() {
    // SAFETY: to ignore a signal runs nothing.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
}

/// A process is called by the file that it was started from, which was a number.
fn be_called_by_name() {
    let name = env::args_os().next();
    let name = name.as_ref().and_then(|path| Path::new(path).file_name());
    if let Some(name) = name.and_then(|name| CString::new(name.as_bytes()).ok()) {
        // It is for people who look at lists of processes.
        let _ = set_name(&name);
    }
}

/// A mount that is nowhere to be seen.
#[expect(unsafe_code, reason = "rustix does not have this system call")]
fn make_read_only(mount: &OwnedFd) -> io::Result<()> {
    let attributes = libc::mount_attr {
        attr_set: libc::MOUNT_ATTR_RDONLY,
        attr_clr: 0,
        propagation: 0,
        userns_fd: 0,
    };
    // SAFETY: the kernel reads an empty text and these attributes, of the length that it is told.
    let done = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    match done {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loader_is_no_program_of_ours() {
        for loader in ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-musl-aarch64.so.1", "/lib/ld.so"] {
            assert!(is_loader(Path::new(loader)), "{loader}");
        }
        assert!(!is_loader(Path::new("/usr/bin/docknet")));
    }
}
