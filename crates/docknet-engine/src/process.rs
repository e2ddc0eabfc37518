//! Programs in containers: they run in a container's namespaces, over the files of its image or the host's own.
//!
//! There is no runtime between: a thread enters the namespaces and starts the program as the first process of its PID namespace.
//! When that one ends, the kernel ends all others there.
//!
//! Over the host's files it is no sandbox. A program sees them, and as root it can change them: it has Docker's default
//! capabilities, its own network, processes, hostname and mounts, and nothing else that would hold it.

mod child;
mod filter;
mod held;
mod inside;
mod launch;
mod log;
mod lookup;
mod output;
mod root;
mod stdio;
mod table;
mod user;

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::{self, Read as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use docknet_types::ContainerId;
use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, kill_process, pidfd_send_signal};
use tokio::runtime::{Builder, Handle};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

pub(crate) use self::filter::IS_KNOWN as FILTERS;
pub(crate) use self::held::Holder;
pub use self::held::hold_programs;
pub(crate) use self::inside::unshare;
pub(crate) use self::launch::{DEFAULT_CAPABILITIES, Launch, LaunchError, Program};
use self::launch::{Place, Running, failed, launch};
use self::output::Keep;
pub(crate) use self::output::{Entry, Follower, Output, Reader, Said, Since, Stream};
pub(crate) use self::root::Root;
pub(crate) use self::stdio::{Input, Size, Stdio};
pub(crate) use self::table::{Machine, Process};

/// The programs of an engine's containers, one first program a container.
///
/// What reads, writes and waits has threads of its own: nothing depends on the runtime of whoever calls. Dropped, it kills
/// them, unless somebody holds them that outlives it.
#[derive(Debug)]
pub(crate) struct Processes(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    containers: Mutex<Containers>,
    exits: mpsc::UnboundedSender<(ContainerId, i64)>,
    failures: broadcast::Sender<ContainerId>,
    /// Who holds them, if they outlive this.
    holder: Option<Arc<Holder>>,
    /// Where each container has a directory of its own.
    dir: Option<PathBuf>,
    /// Who waits for the programs of which containers.
    expected: Mutex<HashMap<ContainerId, usize>>,
    reactor: Reactor,
}

#[derive(Debug, Default)]
struct Containers {
    known: HashMap<ContainerId, Running>,
    /// Nobody asks any more. What starts only now must not outlive the others.
    closed: bool,
}

/// A reader that is to come.
#[derive(Debug)]
pub(crate) struct Expected {
    shared: Arc<Shared>,
    id: ContainerId,
}

impl Drop for Expected {
    fn drop(&mut self) {
        let mut expected = self.shared.expected();
        if let Some(count) = expected.get_mut(&self.id) {
            *count -= 1;
            if *count == 0 {
                expected.remove(&self.id);
            }
        }
        drop(expected);
        if let Some(running) = self.shared.containers().known.get(&self.id) {
            running.streams.output.expect_nobody();
        }
    }
}

/// A command in a container, beside its first program.
#[derive(Clone, Debug)]
pub(crate) struct Exec(Running);

/// For a program that was killed.
const DYING: Duration = Duration::from_secs(10);
/// Who is as many behind gives up.
const FAILURES: usize = 64;

impl Processes {
    /// And where the end of each first program is told, with its exit code, after the last of its output. What they say is kept in
    /// the directories that containers have in this one.
    pub(crate) fn new(
        holder: Option<Holder>,
        dir: Option<PathBuf>,
    ) -> io::Result<(Self, mpsc::UnboundedReceiver<(ContainerId, i64)>)> {
        let (exits, ends) = mpsc::unbounded_channel();
        let (failures, _) = broadcast::channel(FAILURES);
        let reactor = Reactor::new()?;
        let (containers, expected) = (Mutex::default(), Mutex::default());
        let holder = holder.map(Arc::new);
        let shared = Shared { containers, exits, failures, holder, dir, expected, reactor };
        Ok((Self(Arc::new(shared)), ends))
    }

    /// Starts a container's first program, and waits for that.
    pub(crate) fn start_blocking(
        &self,
        id: &ContainerId,
        launch: Launch,
    ) -> Result<Pid, LaunchError> {
        self.await_former(id);
        let started = self
            .begin(id, launch)
            .and_then(|started| started.blocking_recv().map_err(failed("starting the program"))?);
        if started.is_err() {
            // It need not matter to anybody.
            self.0.failures.send(id.clone()).ok();
        }
        started
    }

    /// Somebody is to read all that a program says, once it runs. Until that is dropped, the program waits for it.
    pub(crate) fn expect(&self, id: &ContainerId) -> Expected {
        *self.0.expected().entry(id.clone()).or_default() += 1;
        Expected { shared: Arc::clone(&self.0), id: id.clone() }
    }

    /// A program that was killed a moment ago takes a moment to end.
    fn await_former(&self, id: &ContainerId) {
        if let Ok(former) = self.running(id) {
            let ended = async { tokio::time::timeout(DYING, wait(former.exit)).await };
            // If it is still there, the start says so.
            self.0.reactor.handle.block_on(ended).ok();
        }
    }

    /// The number of a container's program, if there is one.
    pub(crate) fn pid(&self, id: &ContainerId) -> Option<u32> {
        let running = self.running(id).ok()?;
        u32::try_from(running.pid.as_raw_pid()).ok()
    }

    /// With what a container's program ended; nothing while it runs, or if there is none.
    pub(crate) fn exit_code(&self, id: &ContainerId) -> Option<i64> {
        self.running(id).ok().and_then(|running| *running.exit.borrow())
    }

    /// Waits until a program of this container cannot be started.
    pub(crate) fn failure(&self, id: &ContainerId) -> impl Future<Output = ()> + Send + use<> {
        let (mut failures, id) = (self.0.failures.subscribe(), id.clone());
        async move { while failures.recv().await.is_ok_and(|failed| failed != id) {} }
    }

    #[cfg(test)]
    async fn start(&self, id: &ContainerId, launch: Launch) -> Result<Pid, LaunchError> {
        self.begin(id, launch)?.await.map_err(failed("starting the program"))?
    }

    fn begin(
        &self,
        id: &ContainerId,
        launch: Launch,
    ) -> Result<oneshot::Receiver<Result<Pid, LaunchError>>, LaunchError> {
        let reader = match self.0.expected().contains_key(id) {
            true => Reader::Comes,
            false => Reader::Nobody,
        };
        if self.running(id).is_ok_and(|running| running.exit.borrow().is_none()) {
            return Err(LaunchError::Io(format!("container {id} runs a program already")));
        }
        let (sender, started) = oneshot::channel();
        let began = self.began(id, sender);
        let keep = Keep { reader, file: self.log(id), goes_on: false };
        match &self.0.holder {
            Some(holder) => {
                let runtime = self.0.reactor.handle.clone();
                held::hold(Arc::clone(holder), id.clone(), launch, keep, runtime, began)
                    .map_err(failed("making a thread"))?;
            }
            None => self.launch(Place::New(Box::new(launch)), keep, began)?,
        }
        Ok(started)
    }

    /// What is told of a first program's start, and gives what is told of its end.
    fn began(
        &self,
        id: &ContainerId,
        sender: oneshot::Sender<Result<Pid, LaunchError>>,
    ) -> impl FnOnce(Result<Running, LaunchError>) -> Box<dyn FnOnce(i64)> + Send + use<> {
        let (shared, id) = (Arc::clone(&self.0), id.clone());
        move |result| {
            let pid = result.map(|running| {
                let pid = running.pid;
                shared.add(id.clone(), running);
                pid
            });
            sender.send(pid).ok();
            // If nobody listens any more, the engine is going.
            Box::new(move |code| drop(shared.exits.send((id, code))))
        }
    }

    /// The containers whose programs a former engine left running, or that ended since. They are this one's now.
    pub(crate) fn recover_blocking(&self) -> io::Result<Vec<ContainerId>> {
        let Some(holder) = &self.0.holder else { return Ok(Vec::new()) };
        let mut recovered = Vec::new();
        for program in holder.recover()? {
            let id = program.id().clone();
            let (sender, started) = oneshot::channel();
            let (began, runtime) = (self.began(&id, sender), self.0.reactor.handle.clone());
            let keep = Keep { reader: Reader::Nobody, file: self.log(&id), goes_on: true };
            thread::Builder::new()
                .name("container".to_owned())
                .spawn(move || program.follow(keep, &runtime, began))?;
            // One that cannot be read from is not there.
            if started.blocking_recv().is_ok_and(|started| started.is_ok()) {
                recovered.push(id);
            }
        }
        Ok(recovered)
    }

    /// Kills all first programs, and waits until they have ended, or for a while.
    pub(crate) async fn end_all(&self) {
        let all: Vec<Running> = self.0.containers().known.values().cloned().collect();
        all.iter().for_each(Running::kill);
        let ended = async {
            for running in all {
                wait(running.exit).await;
            }
        };
        // The caller goes on all the same: it is about to end.
        let _ = tokio::time::timeout(DYING, ended).await;
    }

    /// Starts a command in the namespaces of a container's first program, which must run.
    pub(crate) async fn exec(
        &self,
        id: &ContainerId,
        program: Program,
        reader: Reader,
    ) -> Result<Exec, LaunchError> {
        let running = self.running(id).map_err(failed("exec"))?;
        let process = running.process.try_clone().map_err(failed("exec"))?;
        let (sender, started) = oneshot::channel();
        // The thread that waits for it reads its output through the reactor.
        let shared = Arc::clone(&self.0);
        let began = move |result: Result<Running, LaunchError>| {
            sender.send(result.map(Exec)).ok();
            move |_| drop(shared)
        };
        let keep = Keep { reader, ..Keep::default() };
        self.launch(Place::Beside { process, program: Box::new(program) }, keep, began)?;
        started.await.map_err(failed("starting the command"))?
    }

    fn launch<E: FnOnce(i64)>(
        &self,
        place: Place,
        keep: Keep,
        began: impl FnOnce(Result<Running, LaunchError>) -> E + Send + 'static,
    ) -> Result<(), LaunchError> {
        launch(place, keep, self.0.reactor.handle.clone(), began).map_err(failed("making a thread"))
    }

    /// To the first program only, as Docker does. It gets what it handles; of the rest, only KILL and STOP.
    pub(crate) fn signal(&self, id: &ContainerId, signal: i32) -> io::Result<()> {
        self.running(id)?.signal(signal)
    }

    /// Stops every process in the container.
    pub(crate) fn pause(&self, id: &ContainerId) -> io::Result<()> {
        let running = self.running(id)?;
        let mut stopped = HashSet::new();
        loop {
            // Until none is new: those not yet stopped may have forked meanwhile.
            let found = processes_beside(running.pid)?;
            let new: Vec<_> = found.into_iter().filter(|pid| stopped.insert(*pid)).collect();
            if new.is_empty() {
                return Ok(());
            }
            for pid in new {
                // It may have ended by itself.
                kill_process(pid, Signal::STOP).ok();
            }
        }
    }

    /// Lets them go on.
    pub(crate) fn unpause(&self, id: &ContainerId) -> io::Result<()> {
        let running = self.running(id)?;
        for pid in processes_beside(running.pid)? {
            kill_process(pid, Signal::CONT).ok();
        }
        Ok(())
    }

    /// All that run in a container, by their numbers.
    pub(crate) fn list(&self, id: &ContainerId, machine: &Machine) -> io::Result<Vec<Process>> {
        let mut pids = processes_beside(self.running(id)?.pid)?;
        pids.sort_unstable_by_key(|pid| pid.as_raw_pid());
        // One that has ended meanwhile is none.
        Ok(pids.into_iter().filter_map(|pid| Process::look(pid, machine)).collect())
    }

    /// The exit code of the first program, when it has one; 128 and the signal if one ended it.
    #[cfg(test)]
    fn wait(
        &self,
        id: &ContainerId,
    ) -> io::Result<impl Future<Output = Option<i64>> + Send + use<>> {
        Ok(wait(self.running(id)?.exit))
    }

    pub(crate) fn resize(&self, id: &ContainerId, size: Size) -> io::Result<()> {
        self.running(id)?.resize(size)
    }

    /// Of a container that a former engine ran, too.
    pub(crate) fn output(&self, id: &ContainerId) -> io::Result<Arc<Output>> {
        let running = self.running(id).map(|running| running.streams.output);
        running.or_else(|none| Output::of_file(&self.log(id).ok_or(none)?))
    }

    /// What this container says.
    fn log(&self, id: &ContainerId) -> Option<PathBuf> {
        self.0.dir.as_ref().map(|dir| dir.join(id.as_str()).join("log"))
    }

    /// Nothing if the program reads nothing.
    pub(crate) fn input(&self, id: &ContainerId) -> io::Result<Option<Input>> {
        Ok(self.running(id)?.streams.input)
    }

    /// Its output goes with it. A program that still runs is killed.
    pub(crate) fn forget(&self, id: &ContainerId) {
        if let Some(running) = self.0.containers().known.remove(id) {
            running.kill();
        }
    }

    fn running(&self, id: &ContainerId) -> io::Result<Running> {
        self.0.containers().known.get(id).cloned().ok_or_else(|| {
            io::Error::new(io::ErrorKind::NotFound, format!("container {id} has no program"))
        })
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        match &self.0.holder {
            Some(holder) => holder.leave(),
            None => self.0.containers().close(),
        }
    }
}

impl Exec {
    pub(crate) fn pid(&self) -> Pid {
        self.0.pid
    }

    pub(crate) fn output(&self) -> &Arc<Output> {
        &self.0.streams.output
    }

    /// Nothing if the command reads nothing.
    pub(crate) fn input(&self) -> Option<&Input> {
        self.0.streams.input.as_ref()
    }

    pub(crate) fn resize(&self, size: Size) -> io::Result<()> {
        self.0.resize(size)
    }

    /// Nothing while it runs.
    pub(crate) fn exit_code(&self) -> Option<i64> {
        *self.0.exit.borrow()
    }

    /// Its output may go on, if it left other processes with it.
    pub(crate) fn wait(&self) -> impl Future<Output = Option<i64>> + Send + use<> {
        wait(self.0.exit.clone())
    }
}

impl Shared {
    fn expected(&self) -> MutexGuard<'_, HashMap<ContainerId, usize>> {
        self.expected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, id: ContainerId, running: Running) {
        let mut containers = self.containers();
        if containers.closed {
            running.kill();
        }
        containers.known.insert(id, running);
    }

    fn containers(&self) -> MutexGuard<'_, Containers> {
        self.containers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Containers {
    fn close(&mut self) {
        self.closed = true;
        self.known.values().for_each(Running::kill);
    }
}

/// A file of a container's. There it may be anything by now: none but a plain one is read, and no more than anybody needs. One that has to
/// be waited for is not, and a terminal does not become the engine's.
pub(crate) fn read_file(path: impl AsRef<Path>) -> io::Result<String> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = fs::File::options().read(true).custom_flags(flags).open(path)?;
    let there = file.metadata()?;
    if !there.is_file() || there.len() > LONGEST {
        return Err(io::Error::other("it is no file, or longer than a mebibyte"));
    }
    io::read_to_string(file.take(LONGEST))
}

const LONGEST: u64 = 1 << 20;

/// Also one of those that have numbers only.
#[expect(unsafe_code, reason = "rustix knows those with names")]
fn numbered(signal: i32) -> Option<Signal> {
    // Those before the first are for libraries.
    const REAL_TIME: std::ops::RangeInclusive<i32> = 34..=64;
    // SAFETY: no library here has these for its own, and they are sent to other processes.
    let other = || unsafe { Signal::from_raw_unchecked(signal) };
    Signal::from_named_raw(signal).or_else(|| REAL_TIME.contains(&signal).then(other))
}

impl Running {
    fn signal(&self, signal: i32) -> io::Result<()> {
        let named = numbered(signal).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, format!("{signal} is not a known signal"))
        })?;
        Ok(pidfd_send_signal(self.process.as_fd(), named)?)
    }

    fn kill(&self) {
        // It may have ended already.
        pidfd_send_signal(self.process.as_fd(), Signal::KILL).ok();
    }

    fn resize(&self, size: Size) -> io::Result<()> {
        match &self.streams.terminal {
            Some(terminal) => terminal.resize(size),
            None => Err(io::Error::new(io::ErrorKind::Unsupported, "the program has no terminal")),
        }
    }
}

async fn wait(mut exit: watch::Receiver<Option<i64>>) -> Option<i64> {
    exit.wait_for(Option::is_some).await.ok().and_then(|code| *code)
}

/// All that are in the PID namespace of a process. Not those in a further one below it.
fn processes_beside(first: Pid) -> io::Result<Vec<Pid>> {
    let namespace = pid_namespace(first)?;
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw)
        else {
            continue;
        };
        if pid_namespace(pid).is_ok_and(|of| of == namespace) {
            found.push(pid);
        }
    }
    Ok(found)
}

fn pid_namespace(of: Pid) -> io::Result<PathBuf> {
    fs::read_link(Path::new("/proc").join(of.as_raw_pid().to_string()).join("ns/pid"))
}

/// A runtime on a thread of its own, for what is read and written.
#[derive(Debug)]
struct Reactor {
    handle: Handle,
    /// Dropped, it ends the thread.
    _stop: oneshot::Sender<()>,
}

impl Reactor {
    fn new() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        thread::Builder::new().name("container-io".to_owned()).spawn(move || {
            runtime.block_on(async {
                stopped.await.ok();
            });
        })?;
        Ok(Self { handle, _stop: stop })
    }
}

#[cfg(test)]
mod tests;
