//! The engine's side of what holds its programs.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use docknet_types::ContainerId;
use rustix::process::Pid;
use tokio::runtime::Handle;

use super::super::child::inherits_nothing;
use super::super::launch::{Begun, Launch, LaunchError, Running, failed, follow};
use super::super::output::Keep;
use super::super::stdio::{Ends, Opened};
use super::wire::{receive, send};
use super::{Reply, Request, Run, VERSION};

const SOCKET: &str = "programs.sock";
/// For a program to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// The process that holds an engine's programs: started when there is a first one, and found again by the next engine.
#[derive(Debug)]
pub(crate) struct Holder {
    socket: PathBuf,
    /// What is run, and becomes it.
    command: Vec<OsString>,
    link: Mutex<Option<Arc<Link>>>,
}

/// A connection with it.
#[derive(Debug)]
struct Link {
    stream: UnixStream,
    /// One message after the other.
    sending: Mutex<()>,
    /// Nothing once it has ended.
    waiting: Mutex<Option<Waiting>>,
}

#[derive(Debug, Default)]
struct Waiting {
    starts: HashMap<Run, mpsc::Sender<Result<Program, LaunchError>>>,
    ends: HashMap<Run, mpsc::Sender<i64>>,
}

/// A program that it holds.
#[derive(Debug)]
pub(crate) struct Program {
    id: ContainerId,
    run: Run,
    begun: Begun,
    ended: mpsc::Receiver<i64>,
    link: Arc<Link>,
}

/// Has a program started where it outlives this process, on a thread that then waits for it: as
/// [`launch`](super::super::launch::launch) does for others.
pub(crate) fn hold<E: FnOnce(i64)>(
    holder: Arc<Holder>,
    id: ContainerId,
    launch: Launch,
    keep: Keep,
    runtime: Handle,
    began: impl FnOnce(Result<Running, LaunchError>) -> E + Send + 'static,
) -> io::Result<()> {
    thread::Builder::new().name("container".to_owned()).spawn(move || {
        let started = holder.start(id, launch);
        // An engine that ends is not held up by what runs on.
        drop(holder);
        match started {
            Ok(program) => program.follow(keep, &runtime, began),
            Err(why) => drop(began(Err(why))),
        }
    })?;
    Ok(())
}

impl Holder {
    /// In this directory, with this command.
    pub(crate) fn new(dir: &Path, command: Vec<OsString>) -> Self {
        Self { socket: dir.join(SOCKET), command, link: Mutex::default() }
    }

    /// What a former engine's holder still has.
    pub(crate) fn recover(&self) -> io::Result<Vec<Program>> {
        let Some((link, programs)) = self.find()? else { return Ok(Vec::new()) };
        *self.link() = Some(link);
        Ok(programs)
    }

    /// The one that is there, and what it holds.
    fn find(&self) -> io::Result<Option<(Arc<Link>, Vec<Program>)>> {
        match UnixStream::connect(&self.socket) {
            Ok(stream) => Link::open(stream),
            Err(why) if is_nobody(&why) => Ok(None),
            Err(why) => Err(why),
        }
    }

    fn start(&self, id: ContainerId, mut launch: Launch) -> Result<Program, LaunchError> {
        let network = launch.network.take();
        let (sender, started) = mpsc::channel();
        let ask = || {
            let link = self.find_or_start()?;
            let run = fastrand::u64(..);
            link.waiting(|waiting| waiting.starts.insert(run, sender))?;
            let files: Vec<_> = network.iter().map(OwnedFd::as_fd).collect();
            link.send(&Request::Start { run, id, launch: Box::new(launch) }, &files)
        };
        ask().map_err(asking)?;
        started.recv_timeout(PATIENCE).unwrap_or_else(|why| match why {
            RecvTimeoutError::Timeout => Err(asking(io::ErrorKind::TimedOut.into())),
            RecvTimeoutError::Disconnected => Err(asking(gone())),
        })
    }

    fn find_or_start(&self) -> io::Result<Arc<Link>> {
        let mut link = self.link();
        if let Some(link) = link.as_ref().filter(|link| link.is_open()) {
            return Ok(Arc::clone(link));
        }
        if let Some((found, programs)) = self.find()? {
            // The connection was lost, and with it what was known of these: they are told to have ended.
            for program in programs {
                found.send(&Request::Forget { run: program.run }, &[])?;
            }
            *link = Some(Arc::clone(&found));
            return Ok(found);
        }
        // Whoever was there has ended: nobody else has this directory.
        match fs::remove_file(&self.socket) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why),
            _ => {}
        }
        let listener = UnixListener::bind(&self.socket)?;
        let (program, arguments) = self.command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        // Who waits for what the engine says must not wait for what outlives it.
        let mut command = Command::new(program);
        command.args(arguments).current_dir("/");
        command.stdin(OwnedFd::from(listener)).stdout(Stdio::null()).stderr(Stdio::null());
        inherits_nothing(&mut command);
        let mut child = command.spawn().map_err(|why| {
            io::Error::new(why.kind(), format!("starting {}: {why}", program.display()))
        })?;
        thread::Builder::new().name("holder".to_owned()).spawn(move || child.wait())?;
        let opened = Link::open(UnixStream::connect(&self.socket)?)?;
        let (opened, _nothing_yet) = opened.ok_or_else(gone)?;
        *link = Some(Arc::clone(&opened));
        Ok(opened)
    }

    /// The engine ends: those who wait for programs wait no longer.
    pub(crate) fn leave(&self) {
        if let Some(link) = self.link().take() {
            let _ = link.stream.shutdown(Shutdown::Both);
        }
    }

    fn link(&self) -> MutexGuard<'_, Option<Arc<Link>>> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Link {
    /// A connection, and what is there already. Nothing if nobody answers: it was about to end.
    fn open(stream: UnixStream) -> io::Result<Option<(Arc<Self>, Vec<Program>)>> {
        let waiting = Mutex::new(Some(Waiting::default()));
        let link = Arc::new(Self { stream, sending: Mutex::default(), waiting });
        let mut programs = Vec::new();
        if link.send(&Request::Hello { version: VERSION }, &[]).is_err() {
            return Ok(None);
        }
        loop {
            match receive(&link.stream) {
                Ok(Some((Reply::Welcome { version: VERSION }, _))) => break,
                Ok(Some((Reply::Welcome { version }, _))) => {
                    return Err(io::Error::other(format!(
                        "programs of containers are held by a docknet that speaks version {version}, and this one speaks {VERSION}"
                    )));
                }
                Ok(Some((Reply::Held { run, id, pid, ends }, files))) => {
                    programs.push(link.program(run, id, pid, &ends, files)?);
                }
                Ok(Some((Reply::Ended { run, code }, _))) => link.ended(run, code),
                Ok(Some((Reply::NotStarted { .. }, _))) => {}
                Ok(None) => return Ok(None),
                Err(why) if why.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
                Err(why) => return Err(why),
            }
        }
        let reads = Arc::clone(&link);
        thread::Builder::new().name("holder-replies".to_owned()).spawn(move || reads.listen())?;
        Ok(Some((link, programs)))
    }

    /// Hears what becomes of programs, until the holder ends or nobody wants to know.
    fn listen(self: Arc<Self>) {
        while let Ok(Some((reply, files))) = receive(&self.stream) {
            match reply {
                Reply::Held { run, id, pid, ends } => {
                    let started = self.program(run, id, pid, &ends, files);
                    if started.is_err() {
                        // It runs, and nobody would know.
                        let _ = self.send(&Request::Forget { run }, &[]);
                    }
                    self.started(run, started.map_err(asking));
                }
                Reply::NotStarted { run, why } => self.started(run, Err(why)),
                Reply::Ended { run, code } => self.ended(run, code),
                Reply::Welcome { .. } => {}
            }
        }
        // What cannot be understood ends it for both.
        let _ = self.stream.shutdown(Shutdown::Both);
        // Whoever waits learns it by this.
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn program(
        self: &Arc<Self>,
        run: Run,
        id: ContainerId,
        pid: i32,
        ends: &Ends,
        files: Vec<OwnedFd>,
    ) -> io::Result<Program> {
        let misfit = || io::Error::new(io::ErrorKind::InvalidData, "a program without its files");
        let mut files = files.into_iter();
        let process = Arc::new(files.next().ok_or_else(misfit)?);
        let mut opened = Opened::of(ends, files).ok_or_else(misfit)?;
        let closes = Arc::clone(self);
        opened.when_input_closes(move || {
            // If it has ended, so has the program.
            let _ = closes.send(&Request::CloseInput { run }, &[]);
        });
        let pid = Pid::from_raw(pid).ok_or_else(misfit)?;
        let (sender, ended) = mpsc::channel();
        self.waiting(|waiting| waiting.ends.insert(run, sender))?;
        Ok(Program {
            id,
            run,
            begun: Begun { pid, process, opened },
            ended,
            link: Arc::clone(self),
        })
    }

    fn started(&self, run: Run, started: Result<Program, LaunchError>) {
        let waits = self.waiting(|waiting| waiting.starts.remove(&run)).ok().flatten();
        if waits.is_none_or(|waits| waits.send(started).is_err()) {
            // Who asked for it has given up.
            let _ = self.send(&Request::Forget { run }, &[]);
        }
    }

    fn ended(&self, run: Run, code: i64) {
        if let Ok(Some(waits)) = self.waiting(|waiting| waiting.ends.remove(&run)) {
            let _ = waits.send(code);
        }
    }

    fn waiting<T>(&self, look: impl FnOnce(&mut Waiting) -> T) -> io::Result<T> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.as_mut().map(look).ok_or_else(gone)
    }

    fn is_open(&self) -> bool {
        self.waiting(|_| ()).is_ok()
    }

    fn send(&self, request: &Request, files: &[BorrowedFd<'_>]) -> io::Result<()> {
        let _one = self.sending.lock().unwrap_or_else(PoisonError::into_inner);
        send(&self.stream, request, files)
    }
}

impl Program {
    pub(crate) fn id(&self) -> &ContainerId {
        &self.id
    }

    /// Waits for it, on the calling thread.
    pub(in crate::process) fn follow<E: FnOnce(i64)>(
        self,
        keep: Keep,
        runtime: &Handle,
        began: impl FnOnce(Result<Running, LaunchError>) -> E,
    ) {
        let Self { run, begun, ended, link, .. } = self;
        follow((begun, keep), runtime, began, |drained| {
            let code = ended.recv().ok()?;
            drained.recv().ok();
            // All that it said was read. Who waits for its end may be about to end as well, so the holder hears of it first.
            let _ = link.send(&Request::Forget { run }, &[]);
            Some(code)
        });
    }
}

fn is_nobody(why: &io::Error) -> bool {
    matches!(why.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

fn asking(why: io::Error) -> LaunchError {
    failed("asking the process that holds programs")(why)
}

fn gone() -> io::Error {
    io::Error::other("it has ended")
}
