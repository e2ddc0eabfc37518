//! The three streams of a program: nothing, pipes, or a terminal.

use std::fmt;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::process::{Command, Stdio as Given};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use rustix::fs::{Gid, OFlags, Uid, fchown, fcntl_getfl, fcntl_setfl};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::unix::pipe;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::output::{Keep, Output, Stream};

/// So many writes wait for a program that does not read.
const WAITING: usize = 16;
/// A read takes as much at once.
const CHUNK: usize = 16 << 10;

/// What a program reads from and writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stdio {
    Pipes {
        /// Or else it reads nothing.
        stdin: bool,
    },
    Terminal(Size),
}

/// The size of a terminal. Nothing in both: unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Size {
    pub(crate) rows: u16,
    pub(crate) columns: u16,
}

/// The ends that the program gets, and ours.
#[derive(Default)]
pub(super) struct Opened {
    theirs: Vec<OwnedFd>,
    stdin: Option<OwnedFd>,
    outputs: Vec<(Stream, OwnedFd)>,
    terminal: Option<OwnedFd>,
    input_closes: Option<Box<dyn FnOnce() + Send>>,
}

/// Which of our ends there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ends {
    terminal: bool,
    stdin: bool,
    outputs: Vec<Stream>,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("ends", &self.ends().0).finish_non_exhaustive()
    }
}

/// Our ends, at work.
#[derive(Clone, Debug)]
pub(super) struct Streams {
    pub(super) output: Arc<Output>,
    pub(super) input: Option<Input>,
    pub(super) terminal: Option<Terminal>,
}

impl Opened {
    /// The program's ends go into the command. They belong to its user, so that it can open `/dev/stdout` again.
    pub(super) fn new(
        stdio: Stdio,
        user: Option<(Uid, Gid)>,
        command: &mut Command,
    ) -> io::Result<Self> {
        let mut opened = Self::default();
        match stdio {
            Stdio::Pipes { stdin } => opened.pipes(stdin, command)?,
            Stdio::Terminal(size) => opened.terminal(size, command)?,
        }
        if let Some((uid, gid)) = user {
            for end in &opened.theirs {
                // Where it is refused, the program still has what is open.
                fchown(end, Some(uid), Some(gid)).ok();
            }
        }
        opened.theirs.clear();
        Ok(opened)
    }

    /// Our ends, as files that another process may have as well: [`of`](Self::of) there.
    pub(super) fn ends(&self) -> (Ends, impl Iterator<Item = BorrowedFd<'_>>) {
        let ends = Ends {
            terminal: self.terminal.is_some(),
            stdin: self.stdin.is_some(),
            outputs: self.outputs.iter().map(|(stream, _)| *stream).collect(),
        };
        let single = [&self.terminal, &self.stdin].into_iter().flatten();
        let files = single.chain(self.outputs.iter().map(|(_, end)| end)).map(OwnedFd::as_fd);
        (ends, files)
    }

    /// Nothing if these are not all of them.
    pub(super) fn of(ends: &Ends, mut files: impl Iterator<Item = OwnedFd>) -> Option<Self> {
        let mut opened = Self::default();
        if ends.terminal {
            opened.terminal = Some(files.next()?);
        }
        if ends.stdin {
            opened.stdin = Some(files.next()?);
        }
        for stream in &ends.outputs {
            opened.outputs.push((*stream, files.next()?));
        }
        Some(opened)
    }

    /// Somebody else has the end to which the program's input is written, too.
    pub(super) fn when_input_closes(&mut self, then: impl FnOnce() + Send + 'static) {
        self.input_closes = Some(Box::new(then));
    }

    pub(super) fn close_input(&mut self) {
        self.stdin = None;
    }

    fn pipes(&mut self, stdin: bool, command: &mut Command) -> io::Result<()> {
        if stdin {
            let (theirs, ours) = io::pipe()?;
            self.stdin = Some(ours.into());
            command.stdin(self.given(theirs.into())?);
        } else {
            command.stdin(Given::null());
        }
        let (ours, theirs) = io::pipe()?;
        self.outputs.push((Stream::Stdout, ours.into()));
        command.stdout(self.given(theirs.into())?);
        let (ours, theirs) = io::pipe()?;
        self.outputs.push((Stream::Stderr, ours.into()));
        command.stderr(self.given(theirs.into())?);
        Ok(())
    }

    fn terminal(&mut self, size: Size, command: &mut Command) -> io::Result<()> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let ours = openpt(flags)?;
        grantpt(&ours)?;
        unlockpt(&ours)?;
        set_size(&ours, size)?;
        let theirs = ioctl_tiocgptpeer(&ours, flags)?;
        command.stdin(theirs.try_clone()?).stdout(theirs.try_clone()?).stderr(self.given(theirs)?);
        self.terminal = Some(ours);
        Ok(())
    }

    fn given(&mut self, end: OwnedFd) -> io::Result<Given> {
        self.theirs.push(end.try_clone()?);
        Ok(end.into())
    }

    /// What the program says goes into its output; what comes through the input goes to the program. Each task on our ends
    /// keeps `alive`.
    pub(super) fn serve<T: Clone + Send + 'static>(
        self,
        runtime: &Handle,
        alive: &T,
        keep: Keep,
    ) -> io::Result<Streams> {
        let _registers_here = runtime.enter();
        let mut sources = Vec::new();
        for (stream, end) in self.outputs {
            sources.push((stream, source(end)?));
        }
        let (mut stdin, closes) = (self.stdin, self.input_closes);
        if let Some(terminal) = &self.terminal {
            sources.push((Stream::Stdout, source(terminal.try_clone()?)?));
            stdin = Some(terminal.try_clone()?);
        }
        let sink = stdin.map(sink).transpose()?;
        let output = Output::new(sources.len(), keep);
        for (stream, mut end) in sources {
            let (output, alive) = (Arc::clone(&output), alive.clone());
            runtime.spawn(async move {
                let closes = Closes(output);
                // An error is the end too: EIO of a terminal that no program holds any more.
                read_all(&mut end, stream, &closes.0).await.ok();
                drop((closes, alive));
            });
        }
        let input = sink.map(|mut end| {
            let (sender, receiver) = mpsc::channel(WAITING);
            runtime.spawn(async move {
                // The program does not read any more: those who write learn it by the closed channel.
                write_all(&mut end, receiver).await.ok();
                drop(end);
                if let Some(closes) = closes {
                    closes();
                }
            });
            Input(Arc::new(Mutex::new(Some(sender))))
        });
        Ok(Streams { output, input, terminal: self.terminal.map(|end| Terminal(Arc::new(end))) })
    }
}

/// The program's standard input, shared by all who are attached.
#[derive(Clone, Debug)]
pub(crate) struct Input(Arc<Mutex<Option<mpsc::Sender<Bytes>>>>);

/// The program reads no more, or its input was closed before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the program's standard input is closed")]
pub(crate) struct InputClosed;

impl Input {
    /// Waits while the program does not read and much is waiting already.
    pub(crate) async fn write(&self, bytes: Bytes) -> Result<(), InputClosed> {
        let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        sender.ok_or(InputClosed)?.send(bytes).await.map_err(|_| InputClosed)
    }

    /// The program reads what was written, then the end. A terminal has no end: there, only nobody can write any more.
    pub(crate) fn close(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// The terminal of a program, from outside.
#[derive(Clone, Debug)]
pub(super) struct Terminal(Arc<OwnedFd>);

impl Terminal {
    pub(super) fn resize(&self, size: Size) -> io::Result<()> {
        set_size(&self.0, size)
    }
}

fn set_size(terminal: &OwnedFd, size: Size) -> io::Result<()> {
    let Size { rows, columns } = size;
    Ok(tcsetwinsize(
        terminal,
        Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 },
    )?)
}

/// Closes on drop, so that followers end even if the runtime does.
struct Closes(Arc<Output>);

impl Drop for Closes {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// A terminal is read as a pipe is.
fn source(end: OwnedFd) -> io::Result<pipe::Receiver> {
    set_nonblocking(&end)?;
    pipe::Receiver::from_owned_fd_unchecked(end)
}

fn sink(end: OwnedFd) -> io::Result<pipe::Sender> {
    set_nonblocking(&end)?;
    pipe::Sender::from_owned_fd_unchecked(end)
}

fn set_nonblocking(end: &OwnedFd) -> io::Result<()> {
    Ok(fcntl_setfl(end, fcntl_getfl(end)? | OFlags::NONBLOCK)?)
}

async fn read_all(end: &mut pipe::Receiver, stream: Stream, output: &Output) -> io::Result<()> {
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(CHUNK);
        output.has_room().await;
        if end.read_buf(&mut buffer).await? == 0 {
            return Ok(());
        }
        // Copied, since what is kept would keep the whole buffer.
        output.push(stream, &Bytes::copy_from_slice(&buffer), Timestamp::now());
        buffer.clear();
    }
}

async fn write_all(end: &mut pipe::Sender, mut receiver: mpsc::Receiver<Bytes>) -> io::Result<()> {
    while let Some(bytes) = receiver.recv().await {
        end.write_all(&bytes).await?;
    }
    Ok(())
}
