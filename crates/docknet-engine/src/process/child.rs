//! What the new process does between fork and exec.

use std::convert::Infallible;
use std::ffi::{CString, NulError, OsStr};
use std::io::{self, Read};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::ptr;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Gid, Mode, Uid};
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount};
use rustix::process::{
    Resource, Rlimit, Signal, chdir, ioctl_tiocsctty, set_parent_process_death_signal, setrlimit,
    setsid, umask,
};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, capability_is_in_bounding_set,
    clear_ambient_capability_set, remove_capability_from_bounding_set, set_capabilities,
    set_no_new_privs, set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};

use super::filter::Filter;
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
    pub(super) filter: Option<Filter>,
    pub(super) no_new_privileges: bool,
    /// How many files it may have open, if not as many as the engine.
    pub(super) open_files: Option<Rlimit>,
    /// The process with which it ends.
    pub(super) dies_with: Option<OwnedFd>,
    pub(super) executed: Executed,
    /// Where it tells which step failed.
    pub(super) report: OwnedFd,
}

/// What it becomes.
#[derive(Debug)]
pub(super) struct Executed {
    path: CString,
    directory: CString,
    arguments: Vector,
    variables: Vector,
}

/// Texts as the kernel takes them: their addresses, and a zero.
#[derive(Debug)]
struct Vector {
    _texts: Vec<CString>,
    addresses: Vec<*const libc::c_char>,
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
    Privileges,
    Filter,
    Others,
    Directory,
    Execute,
}

/// What a report says in words.
fn explain(report: u8) -> &'static str {
    match report {
        0 => "beginning a session",
        1 => "taking the terminal",
        2 => "mounting /proc",
        3 => "dropping capabilities",
        4 => "changing to the user",
        5 => "tying the process to its engine",
        6 => "limiting the number of open files",
        7 => "leaving the host's files",
        8 => "giving up new privileges",
        9 => "refusing system calls",
        10 => "closing the engine's files",
        11 => "changing to the working directory",
        _ => "preparing the process",
    }
}

/// Why a process did not become the program.
#[derive(Debug)]
pub(super) enum Report {
    /// The program could not be executed.
    NotExecuted(io::Error),
    /// Something before that, in words.
    Failed(&'static str, io::Error),
}

impl Report {
    /// Waits until a process is the program, or has told why it is not.
    pub(super) fn read(mut from: impl Read) -> io::Result<Option<Self>> {
        let mut told = Vec::with_capacity(REPORT);
        from.read_to_end(&mut told)?;
        let Ok([step, errno @ ..]) = <[u8; REPORT]>::try_from(told) else { return Ok(None) };
        let error = io::Error::from_raw_os_error(i32::from_ne_bytes(errno));
        Ok(Some(match step == Step::Execute as u8 {
            true => Self::NotExecuted(error),
            false => Self::Failed(explain(step), error),
        }))
    }
}

/// A step, and a number of the kernel's. So little is written as a whole.
const REPORT: usize = 5;

impl Child {
    /// What this command forks becomes the program itself, and never comes back: not before every file of the engine's is closed
    /// that is not needed on the way. By a directory among them, `/proc/self/fd` would lead to the host's files when the kernel looks for
    /// the program or for what runs it. Marks that close files with the exec are too late for that.
    #[expect(unsafe_code, reason = "code between fork and exec")]
    pub(super) fn take_over(self, command: &mut Command) {
        let become_program = move || -> io::Result<()> {
            let Err((step, error)) = self.become_program();
            let [a, b, c, d] = error.raw_os_error().to_ne_bytes();
            // Whoever reads it hears of the end otherwise.
            rustix::io::write(&self.report, &[step as u8, a, b, c, d]).ok();
            // SAFETY: it ends the process, and runs nothing before. Where the library would tell of a failure is closed.
            unsafe { libc::_exit(NOT_EXECUTED) }
        };
        // SAFETY: only system calls, without allocation or locks, so it does not matter what other threads did at the fork.
        unsafe { command.pre_exec(become_program) };
    }

    fn become_program(&self) -> Result<Infallible, (Step, Errno)> {
        self.prepare()?;
        Err((Step::Execute, self.executed.execute()))
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
        self.close_others().map_err(at(Step::Others))?;
        // Where it is was looked for before, by a path that somebody inside may have changed: here it leads nowhere else any more.
        chdir(&self.executed.directory).map_err(at(Step::Directory))?;
        drop_capabilities(self.capabilities).map_err(at(Step::Capabilities))?;
        if self.no_new_privileges {
            set_no_new_privs(true).map_err(at(Step::Privileges))?;
        }
        // Another user may not. What comes after is allowed.
        if let Some(filter) = &self.filter {
            filter.install().map_err(at(Step::Filter))?;
        }
        if let Some(user) = &self.user {
            become_user(user).map_err(at(Step::User))?;
        }
        // A change of the user takes the signal away again, so it comes last.
        if let Some(parent) = &self.dies_with {
            die_with(parent).map_err(at(Step::Parent))?;
        }
        Ok(())
    }

    /// All files but the standard ones, and a pipe and a process that lead nowhere: whatever the engine had open, and whoever started
    /// it.
    fn close_others(&self) -> Result<(), Errno> {
        let kept = [Some(&self.report), self.dies_with.as_ref()];
        let mut kept = kept.map(|file| file.map_or(0, |file| file.as_raw_fd().unsigned_abs()));
        kept.sort_unstable();
        let mut from = FIRST;
        for file in kept.into_iter().filter(|file| *file >= FIRST) {
            if from < file {
                close(from, file - 1)?;
            }
            from = file + 1;
        }
        close(from, libc::c_uint::MAX)
    }
}

impl Executed {
    pub(super) fn new<'a>(
        path: &OsStr,
        directory: &OsStr,
        arguments: impl IntoIterator<Item = &'a OsStr>,
        variables: impl IntoIterator<Item = (&'a OsStr, &'a OsStr)>,
    ) -> Result<Self, NulError> {
        let text = |text: &OsStr| CString::new(text.as_bytes());
        let arguments = arguments.into_iter().map(text).collect::<Result<_, _>>()?;
        let variables = variables.into_iter();
        let variables = variables
            .map(|(name, value)| CString::new([name.as_bytes(), b"=", value.as_bytes()].concat()))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            path: text(path)?,
            directory: text(directory)?,
            arguments: Vector::new(arguments),
            variables: Vector::new(variables),
        })
    }

    /// Comes back only if it cannot be.
    #[expect(unsafe_code, reason = "the standard library has files open that are not to be there")]
    fn execute(&self) -> Errno {
        let (arguments, variables) = (&self.arguments.addresses, &self.variables.addresses);
        // SAFETY: texts and vectors end with a zero, and are there for as long as this is.
        unsafe { libc::execve(self.path.as_ptr(), arguments.as_ptr(), variables.as_ptr()) };
        Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::IO)
    }
}

impl Vector {
    fn new(texts: Vec<CString>) -> Self {
        let addresses = texts.iter().map(|text| text.as_ptr()).chain([ptr::null()]).collect();
        Self { _texts: texts, addresses }
    }
}

// SAFETY: the addresses are of texts of its own, which nobody changes.
#[expect(unsafe_code, reason = "addresses are made before the fork")]
unsafe impl Send for Vector {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "addresses are made before the fork")]
unsafe impl Sync for Vector {}

/// Behind the standard streams.
const FIRST: libc::c_uint = 3;
/// As a shell has it. Nobody looks at it.
const NOT_EXECUTED: libc::c_int = 127;

/// A program that lives on keeps no file open that this process was given without knowing: who waits for its end would wait for both.
#[expect(unsafe_code, reason = "code between fork and exec")]
pub(super) fn inherits_nothing(command: &mut Command) {
    let mark = || Ok(close_range(FIRST, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC as _)?);
    // SAFETY: a system call, without allocation or locks.
    unsafe { command.pre_exec(mark) };
}

fn close(from: libc::c_uint, to: libc::c_uint) -> Result<(), Errno> {
    const NO_FLAGS: libc::c_int = 0;
    close_range(from, to, NO_FLAGS)
}

#[expect(unsafe_code, reason = "rustix does not have this system call")]
fn close_range(from: libc::c_uint, to: libc::c_uint, flags: libc::c_int) -> Result<(), Errno> {
    // SAFETY: this process is about to be another program, and uses none of these any more.
    match unsafe { libc::syscall(libc::SYS_close_range, from, to, flags) } {
        0 => Ok(()),
        _ => Err(Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::IO)),
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
