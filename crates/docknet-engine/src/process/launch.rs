//! Starts a program in a container's namespaces.

use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child as Started, Command, ExitStatus};
use std::sync::{Arc, mpsc};
use std::thread;

use rustix::process::{Pid, PidfdFlags, Rlimit, Signal, getpid, pidfd_open, pidfd_send_signal};
use rustix::thread::CapabilitySet;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::child::{Child, Executed, Identity, Report};
use super::filter::Filter;
use super::output::Keep;
use super::root::{Root, Sealed};
use super::stdio::{Opened, Stdio, Streams};
use super::user::{self, User};
use super::{inside, lookup};
use crate::core::container::{LOST, Mount};

/// What Docker gives a container that asks for no more and no less.
pub(crate) const DEFAULT_CAPABILITIES: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::MKNOD)
    .union(CapabilitySet::NET_RAW)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETFCAP)
    .union(CapabilitySet::SETPCAP)
    .union(CapabilitySet::NET_BIND_SERVICE)
    .union(CapabilitySet::SYS_CHROOT)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::AUDIT_WRITE);

/// A program and how it runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Program {
    /// The program, looked up in the `PATH` of `env`, and its arguments.
    pub(crate) arguments: Vec<OsString>,
    /// All of its environment.
    pub(crate) env: Vec<(OsString, OsString)>,
    pub(crate) cwd: PathBuf,
    /// `user`, or `user:group`, by name or number, as the files know them that it sees. Nothing: as the engine.
    pub(crate) user: Option<String>,
    /// As much as it or what it executes can have.
    #[serde(with = "bits")]
    pub(crate) capabilities: CapabilitySet,
    /// Whether it is refused system calls that it has no use for.
    pub(crate) filtered: bool,
    /// Whether what it executes can never give it more than it has.
    pub(crate) no_new_privileges: bool,
    /// How many files it may have open, now and at most, if not as many as what starts it; nothing in the place of a number: any.
    pub(crate) open_files: Option<(Option<u64>, Option<u64>)>,
    pub(crate) stdio: Stdio,
}

/// The first program of a container, and the namespaces for it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Launch {
    pub(crate) program: Program,
    /// Always there, but in a message that it goes beside.
    #[serde(skip)]
    pub(crate) network: Option<OwnedFd>,
    /// Nothing: the host's.
    pub(crate) hostname: Option<String>,
    /// Nothing: it sees the host's files.
    pub(crate) root: Option<Root>,
    /// Where it sees the host's files, none of the places for these is made.
    pub(crate) mounts: Vec<Mount>,
    /// Which file is seen in place of which.
    pub(crate) files: Vec<(PathBuf, PathBuf)>,
    pub(crate) sysctls: Vec<(String, OsString)>,
}

/// Why a program did not start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub(crate) enum LaunchError {
    #[error("{0}")]
    NotFound(String),
    #[error("{0}")]
    NotExecutable(String),
    #[error("{0}")]
    Io(String),
}

impl LaunchError {
    /// What Docker says of a container whose program did not start.
    pub(crate) fn exit_code(&self) -> i64 {
        match self {
            Self::NotFound(_) => 127,
            Self::NotExecutable(_) => 126,
            Self::Io(_) => 128,
        }
    }
}

/// Where a program is started.
#[derive(Debug)]
pub(super) enum Place {
    New(Box<Launch>),
    /// Beside the first process of a container.
    Beside {
        process: OwnedFd,
        program: Box<Program>,
    },
}

/// A program that was started.
#[derive(Clone, Debug)]
pub(super) struct Running {
    pub(super) pid: Pid,
    /// Names the process even after it ended.
    pub(super) process: Arc<OwnedFd>,
    pub(super) streams: Streams,
    pub(super) exit: watch::Receiver<Option<i64>>,
}

/// A process that was started, and our ends of its streams.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) pid: Pid,
    pub(super) process: Arc<OwnedFd>,
    pub(super) opened: Opened,
}

/// Starts the program on a thread of its own, which then waits for it and ends.
///
/// So the thread that a death signal is tied to lives exactly as long as the program, and no other work ever runs in the
/// namespaces.
///
/// `began` is told of the start or of its failure, and gives what is told of the end. All output is there by then.
pub(super) fn launch<E: FnOnce(i64)>(
    place: Place,
    keep: Keep,
    runtime: Handle,
    began: impl FnOnce(Result<Running, LaunchError>) -> E + Send + 'static,
) -> io::Result<()> {
    thread::Builder::new().name("container".to_owned()).spawn(move || {
        // The first process takes all others with it, so nobody holds the other ends. A command may leave some behind.
        let drains = matches!(place, Place::New(_));
        match spawn(&place) {
            Err(error) => drop(began(Err(error))),
            Ok((mut child, begun)) => {
                // The namespace of the network may go with the container now.
                drop(place);
                follow((begun, keep), &runtime, began, |drained| {
                    let code = wait(&mut child);
                    if drains {
                        drained.recv().ok();
                    }
                    Some(code)
                });
            }
        }
    })?;
    Ok(())
}

/// Reads what a program says, and waits for its end, on the calling thread: for a code, or for nothing if nobody can know any more. Who
/// waits may also wait until all that was said has been read: until the end of what it is given.
pub(super) fn follow<E: FnOnce(i64)>(
    (begun, keep): (Begun, Keep),
    runtime: &Handle,
    began: impl FnOnce(Result<Running, LaunchError>) -> E,
    wait: impl FnOnce(&mpsc::Receiver<()>) -> Option<i64>,
) {
    let Begun { pid, process, opened } = begun;
    let (alive, drained) = mpsc::channel::<()>();
    let (exit, exited) = watch::channel(None);
    let streams = match opened.serve(runtime, &alive, keep) {
        Ok(streams) => streams,
        Err(error) => {
            // It may have ended by itself. Nobody reads what it says, so nobody is waited for.
            let _ = pidfd_send_signal(process.as_fd(), Signal::KILL);
            drop(alive);
            wait(&drained);
            return drop(began(Err(failed("watching over the program")(error))));
        }
    };
    drop(alive);
    let ended = began(Ok(Running { pid, process, streams, exit: exited }));
    let code = wait(&drained).unwrap_or(LOST);
    exit.send_replace(Some(code));
    ended(code);
}

/// Starts a program from the calling thread, which is to wait for it, and to do nothing else: it is in the program's namespaces.
pub(super) fn spawn(place: &Place) -> Result<(Started, Begun), LaunchError> {
    // However this process ends, the program of a container ends with it.
    let dies_with = match place {
        Place::New(_) => {
            Some(pidfd_open(getpid(), PidfdFlags::empty()).map_err(failed("naming the engine"))?)
        }
        Place::Beside { .. } => None,
    };
    let (program, leaves) = match place {
        Place::New(launch) => (&launch.program, enter(launch)?),
        Place::Beside { process, program } => {
            inside::enter(process.as_fd())?;
            (&**program, None)
        }
    };
    let user = program.user.as_deref().map(user::find).transpose().map_err(LaunchError::Io)?;
    let home = user.as_ref().map(|user| user.home.clone());
    let (path, executed) = executed(program, home.as_deref())?;
    let mut command = Command::new(path);
    let user = user.map(|User { uid, gid, groups, .. }| Identity {
        uid,
        gid,
        groups: [gid].into_iter().chain(groups).collect(),
    });
    let owner = user.as_ref().map(|user| (user.uid, user.gid));
    let opened = Opened::new(program.stdio, owner, &mut command)
        .map_err(failed("making the standard streams"))?;
    let (reported, report) = io::pipe().map_err(failed("making a pipe"))?;
    let child = Child {
        mounts_proc: matches!(place, Place::New(_)),
        controls_terminal: matches!(program.stdio, Stdio::Terminal(_)),
        leaves,
        user,
        capabilities: program.capabilities,
        filter: program.filtered.then(|| Filter::new(program.capabilities)).flatten(),
        no_new_privileges: program.no_new_privileges,
        open_files: program.open_files.map(|(current, maximum)| Rlimit { current, maximum }),
        dies_with,
        executed,
        report: report.into(),
    };
    child.take_over(&mut command);
    let spawned = command.spawn();
    // With it go the program's ends of the pipes, and the report's.
    drop(command);
    let mut child = spawned.map_err(failed("making a process"))?;
    let begun = match Report::read(reported) {
        Ok(None) => name(&child).map_err(failed("naming the program's process")),
        Ok(Some(Report::NotExecuted(error))) => Err(not_executed(program, &error)),
        Ok(Some(Report::Failed(doing, error))) => Err(failed(doing)(error)),
        Err(error) => Err(failed("hearing of the program's process")(error)),
    };
    match begun {
        Ok((pid, process)) => Ok((child, Begun { pid, process, opened })),
        Err(why) => {
            child.kill().and_then(|()| child.wait()).ok();
            Err(why)
        }
    }
}

/// The calling thread enters what a container has of its own.
fn enter(launch: &Launch) -> Result<Option<(OwnedFd, Sealed)>, LaunchError> {
    let host = inside::enter_new(launch)?;
    let Some((host, root)) = host.zip(launch.root.as_ref()) else { return Ok(None) };
    let cwd = &launch.program.cwd;
    std::fs::create_dir_all(cwd)
        .map_err(failed(format_args!("making the working directory {}", cwd.display())))?;
    Ok(Some((host, Sealed { hides: !root.privileged, read_only: root.read_only })))
}

/// The file of a program, and what becomes it. `HOME` is its user's, unless there is one.
fn executed(program: &Program, home: Option<&OsStr>) -> Result<(PathBuf, Executed), LaunchError> {
    let Program { arguments, env, cwd, .. } = program;
    let Some(name) = arguments.first() else {
        return Err(LaunchError::Io("no command specified".to_owned()));
    };
    std::fs::read_dir(cwd)
        .map_err(failed(format_args!("the working directory {}", cwd.display())))?;
    let path = lookup::executable(name, env, cwd)?;
    let home = home.filter(|_| !env.iter().any(|(name, _)| name == "HOME"));
    let home = home.map(|home| (OsStr::new("HOME"), home));
    let variables = env.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()));
    let executed = Executed::new(
        path.as_os_str(),
        cwd.as_os_str(),
        arguments.iter().map(OsString::as_os_str),
        variables.chain(home),
    );
    executed
        .map(|executed| (path, executed))
        .map_err(|_| LaunchError::Io("a zero in an argument or a variable".to_owned()))
}

fn not_executed(program: &Program, error: &io::Error) -> LaunchError {
    let name = program.arguments.first().map(|name| name.display().to_string()).unwrap_or_default();
    match error.kind() {
        // The file is there, so it is what its first line names.
        io::ErrorKind::NotFound => {
            LaunchError::NotFound(format!("exec {name}: no such file or directory"))
        }
        io::ErrorKind::PermissionDenied => {
            LaunchError::NotExecutable(format!("exec {name}: permission denied"))
        }
        _ => LaunchError::Io(format!("exec {name}: {error}")),
    }
}

fn name(child: &Started) -> io::Result<(Pid, Arc<OwnedFd>)> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| io::Error::other("no such process id"))?;
    // It cannot be another's: nobody else waits for this child.
    Ok((pid, Arc::new(pidfd_open(pid, PidfdFlags::empty())?)))
}

/// To its end.
pub(super) fn wait(child: &mut Started) -> i64 {
    child.wait().map_or(LOST, exit_code)
}

/// As a shell has it.
fn exit_code(status: ExitStatus) -> i64 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.map_or(LOST, i64::from)
}

/// Sets of capabilities as numbers.
mod bits {
    use rustix::thread::CapabilitySet;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(set: &CapabilitySet, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(set.bits())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<CapabilitySet, D::Error> {
        u64::deserialize(from).map(CapabilitySet::from_bits_retain)
    }
}

/// Says what was being done.
pub(super) fn failed<E: Display>(doing: impl Display) -> impl FnOnce(E) -> LaunchError {
    move |error| LaunchError::Io(format!("{doing}: {error}"))
}
