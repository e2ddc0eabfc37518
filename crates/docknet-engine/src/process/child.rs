//! What the new process does between fork and exec.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Gid, Mode, Uid};
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount};
use rustix::process::{
    Resource, Rlimit, Signal, ioctl_tiocsctty, set_parent_process_death_signal, setrlimit, setsid,
    umask,
};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, capability_is_in_bounding_set,
    clear_ambient_capability_set, remove_capability_from_bounding_set, set_capabilities,
    set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};

use super::root::{Sealed, leave_host};

/// All that it needs, made before the fork: after it, nothing may allocate.
#[derive(Debug)]
pub(super) struct Child {
    /// The first process of a PID namespace needs a /proc that shows it.
    pub(super) mounts_proc: bool,
    /// Its standard input is a terminal, which it shall control.
    pub(super) controls_terminal: bool,
    /// The host's files, which it leaves for those of its container.
    pub(super) leaves: Option<(OwnedFd, Sealed)>,
    pub(super) user: Option<Identity>,
    pub(super) capabilities: CapabilitySet,
    /// How many files it may have open, if not as many as the engine.
    pub(super) open_files: Option<Rlimit>,
    /// The process with which it ends.
    pub(super) dies_with: Option<OwnedFd>,
    /// Where it tells which step failed.
    pub(super) report: OwnedFd,
}

/// By whom the program is run.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) uid: Uid,
    pub(super) gid: Gid,
    /// All of them.
    pub(super) groups: Vec<Gid>,
}

/// What can fail, as the report has it.
#[derive(Clone, Copy, Debug)]
enum Step {
    Session,
    Terminal,
    Proc,
    Capabilities,
    User,
    Parent,
    OpenFiles,
    Files,
}

/// What a report says in words.
pub(super) fn explain(report: u8) -> &'static str {
    match report {
        0 => "beginning a session",
        1 => "taking the terminal",
        2 => "mounting /proc",
        3 => "dropping capabilities",
        4 => "changing to the user",
        5 => "tying the process to its engine",
        6 => "limiting the number of open files",
        7 => "leaving the host's files",
        _ => "preparing the process",
    }
}

impl Child {
    #[expect(unsafe_code, reason = "code between fork and exec")]
    pub(super) fn prepare_in(self, command: &mut Command) {
        let prepare = move || {
            self.prepare().map_err(|(step, error)| {
                // Without the report the error is told all the same.
                rustix::io::write(&self.report, &[step as u8]).ok();
                io::Error::from(error)
            })
        };
        // SAFETY: only system calls, without allocation or locks, so it does not matter what other threads did at the fork.
        unsafe { command.pre_exec(prepare) };
    }

    fn prepare(&self) -> Result<(), (Step, Errno)> {
        let at = |step| move |error| (step, error);
        umask(Mode::WGRP | Mode::WOTH);
        setsid().map_err(at(Step::Session))?;
        if self.controls_terminal {
            ioctl_tiocsctty(rustix::stdio::stdin()).map_err(at(Step::Terminal))?;
        }
        if self.mounts_proc {
            mount_proc().map_err(at(Step::Proc))?;
        }
        if let Some((host, sealed)) = &self.leaves {
            leave_host(host, *sealed).map_err(at(Step::Files))?;
        }
        if let Some(limit) = &self.open_files {
            setrlimit(Resource::Nofile, *limit).map_err(at(Step::OpenFiles))?;
        }
        drop_capabilities(self.capabilities).map_err(at(Step::Capabilities))?;
        if let Some(user) = &self.user {
            become_user(user).map_err(at(Step::User))?;
        }
        keep_files_from_it();
        // A change of the user takes the signal away again, so it comes last.
        if let Some(parent) = &self.dies_with {
            die_with(parent).map_err(at(Step::Parent))?;
        }
        Ok(())
    }
}

fn mount_proc() -> Result<(), Errno> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    match mount(c"proc", c"/proc", c"proc", flags, None) {
        // In a user namespace, where parts of /proc are hidden already. The program then sees the /proc that there is.
        Err(Errno::PERM) => Ok(()),
        other => other,
    }
}

/// Whatever it executes never has more than these.
fn drop_capabilities(kept: CapabilitySet) -> Result<(), Errno> {
    for bit in 0..u64::BITS {
        let capability = CapabilitySet::from_bits_retain(1 << bit);
        // The kernel knows no further one.
        let Ok(bounded) = capability_is_in_bounding_set(capability) else { break };
        if bounded && !kept.contains(capability) {
            remove_capability_from_bounding_set(capability)?;
        }
    }
    clear_ambient_capability_set()?;
    let sets = capabilities(None)?;
    set_capabilities(None, CapabilitySets { inheritable: CapabilitySet::empty(), ..sets })
}

/// Files that this process had open without closing them for others, from whoever started it, are not for containers: through a
/// directory among them the host's files could be reached.
#[expect(unsafe_code, reason = "rustix does not have this system call")]
fn keep_files_from_it() {
    const FIRST: libc::c_uint = 3;
    // SAFETY: a mark on descriptors, which takes effect at the exec. Kernels before 5.11 do not know it, and do nothing.
    unsafe {
        libc::syscall(libc::SYS_close_range, FIRST, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC);
    }
}

fn become_user(Identity { uid, gid, groups }: &Identity) -> Result<(), Errno> {
    match set_thread_groups(groups) {
        // A user namespace may forbid it.
        Ok(()) | Err(Errno::PERM) => {}
        Err(error) => return Err(error),
    }
    set_thread_res_gid(*gid, *gid, *gid)?;
    set_thread_res_uid(*uid, *uid, *uid)
}

/// The signal comes when the thread that forked ends: it waits for this process until then, so that is when its process ends.
fn die_with(parent: &OwnedFd) -> Result<(), Errno> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // If it ended before, no signal comes any more.
    let mut ended = [PollFd::new(parent, PollFlags::IN)];
    match poll(&mut ended, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))? {
        0 => Ok(()),
        _ => Err(Errno::SRCH),
    }
}
