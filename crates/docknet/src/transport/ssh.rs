//! SSH: the system's `ssh` runs `docker system dial-stdio` on the other machine, which copies bytes between us and its
//! engine. So the user's settings, agents, host keys and jump hosts are as they are for `ssh` itself.
//!
//! A connection is a process here and one there, and takes a handshake: it is well worth keeping.

use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::process::{ExitStatus, Stdio};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};

use super::{BoxFuture, Dial, Stream};
use crate::host::SshTarget;
use crate::{Error, ErrorKind, Result};

#[derive(Debug)]
pub(crate) struct Ssh {
    arguments: Vec<String>,
    config: Option<PathBuf>,
    engine: String,
}

impl Ssh {
    pub(crate) fn new(target: &SshTarget, engine: String, config: Option<PathBuf>) -> Self {
        Self { arguments: arguments(target), config, engine }
    }

    fn command(&self) -> Command {
        let mut command = Command::new("ssh");
        if let Some(config) = &self.config {
            command.arg("-F").arg(config);
        }
        command.args(&self.arguments);
        // A key pressed for the program, as Ctrl-C, is not for `ssh`: the program may want to clean up.
        command.process_group(0).kill_on_drop(true);
        command
    }

    fn start(&self) -> io::Result<Session> {
        // Sockets instead of pipes: one can look whether something waits in them, and read them to the end without
        // waiting for what other processes may hold.
        let (stdio, remote_stdio) = pair()?;
        let (stderr, remote_stderr) = pair()?;
        let child = self
            .command()
            .stdin(Stdio::from(remote_stdio.try_clone()?))
            .stdout(Stdio::from(remote_stdio))
            .stderr(Stdio::from(remote_stderr))
            .spawn()?;
        Ok(Session {
            child,
            stdio,
            stderr,
            said: Vec::new(),
            ended: false,
            answered: false,
            engine: self.engine.clone(),
        })
    }
}

impl Dial for Ssh {
    fn dial(&self) -> BoxFuture<'_, Result<Stream>> {
        Box::pin(async {
            let session = self.start().map_err(|error| {
                let engine = &self.engine;
                let hint = match error.kind() {
                    io::ErrorKind::NotFound => "; the program `ssh` has to be installed",
                    _ => "",
                };
                let text = format!("cannot connect to {engine}: cannot start ssh: {error}{hint}");
                Error::new(ErrorKind::Connect, text).with_source(error)
            })?;
            Ok(Stream::Ssh(Box::new(session)))
        })
    }

    fn host(&self) -> &str {
        // It is a Unix socket that the engine answers on.
        "localhost"
    }

    fn describe(&self) -> String {
        self.engine.clone()
    }
}

/// A running `ssh`. Dropping it kills the process.
///
/// What it writes to its standard error is read along with the rest: there is no task for that which could be left over,
/// and nobody is waiting when nobody reads.
#[derive(Debug)]
pub(crate) struct Session {
    child: Child,
    stdio: UnixStream,
    stderr: UnixStream,
    said: Vec<u8>,
    ended: bool,
    answered: bool,
    engine: String,
}

impl Session {
    /// Whether the process is still there.
    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    pub(super) fn socket(&self) -> &UnixStream {
        &self.stdio
    }

    /// Takes what the process said so far, and asks to be woken when it says more.
    fn listen(&mut self, cx: &mut Context<'_>) {
        let mut bytes = [0; 1024];
        loop {
            let mut buffer = ReadBuf::new(&mut bytes);
            match Pin::new(&mut self.stderr).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    self.remember(buffer.filled())
                }
                _ => return,
            }
        }
    }

    /// Takes the rest, when the process has ended. The runtime may not know of it yet, hence the system calls.
    fn listen_to_the_end(&mut self) {
        let mut bytes = [0; 1024];
        loop {
            let read = (&*socket2::SockRef::from(&self.stderr)).read(&mut bytes);
            match read {
                Ok(length) if length > 0 => self.remember(&bytes[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                _ => return,
            }
        }
    }

    fn remember(&mut self, bytes: &[u8]) {
        self.said.extend_from_slice(bytes);
        let excess = self.said.len().saturating_sub(REMEMBERED);
        self.said.drain(..excess);
    }

    /// Why it ended before it answered. Then the process ends soon as well, and only then everything is said.
    fn poll_why(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        self.ended = true;
        let status = ready!(pin!(self.child.wait()).poll(cx));
        self.listen_to_the_end();
        let text = format!("cannot connect to {}: {}", self.engine, last_words(&self.said, status));
        Poll::Ready(io::Error::other(Error::new(ErrorKind::Connect, text)))
    }

    /// Whether this is what the other end of a socket leaves when it closes.
    fn is_end(error: &io::Error) -> bool {
        matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
    }

    fn poll_written<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match written {
            Poll::Ready(Err(error)) if !self.answered && Self::is_end(&error) => {
                self.poll_why(cx).map(Err)
            }
            written => written,
        }
    }
}

impl Drop for Session {
    /// Waits for the process, as the runtime may stand still from now on and never do it: then one that is dead would
    /// stay in the system's table. It takes well under a millisecond, or else it is left to the runtime.
    fn drop(&mut self) {
        let _ = self.child.start_kill();
        let limit = Instant::now() + Duration::from_millis(20);
        while self.is_alive() && Instant::now() < limit {
            std::thread::sleep(Duration::from_micros(100));
        }
    }
}

impl AsyncRead for Session {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.listen(cx);
        if this.ended {
            return this.poll_why(cx).map(Err);
        }
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut this.stdio).poll_read(cx, buffer));
        let ended = match &read {
            Ok(()) => buffer.filled().len() == before,
            Err(error) => Self::is_end(error),
        };
        if ended && !this.answered {
            return this.poll_why(cx).map(Err);
        }
        this.answered = true;
        Poll::Ready(read)
    }
}

impl AsyncWrite for Session {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stdio).poll_write(cx, bytes);
        this.poll_written(cx, written)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.stdio).poll_flush(cx);
        this.poll_written(cx, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stdio).poll_shutdown(cx)
    }
}

/// How much of what `ssh` says is kept: the end tells why it gave up.
const REMEMBERED: usize = 4096;

/// What `ssh` or the other machine said, on one line; or how it ended, if nothing was said.
fn last_words(said: &[u8], status: io::Result<ExitStatus>) -> String {
    let said = String::from_utf8_lossy(said);
    let lines = said
        .lines()
        .map(|line| line.chars().filter(|c| !c.is_control()).collect::<String>().trim().to_owned());
    let words = lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ");
    let end = match status {
        Ok(status) => format!("ssh ended with {status}"),
        Err(error) => format!("ssh ended, and how is not known ({error})"),
    };
    if words.is_empty() { format!("{end} and said nothing") } else { format!("{words} ({end})") }
}

/// A socket for us, and the other end for a child.
fn pair() -> io::Result<(UnixStream, OwnedFd)> {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    Ok((UnixStream::from_std(ours)?, theirs.into()))
}

/// What `ssh` is called with. It never asks for anything: a library has no business at its program's terminal.
fn arguments(target: &SshTarget) -> Vec<String> {
    let SshTarget { user, host, port, socket } = target;
    let mut arguments = vec!["-T", "-o", "ConnectTimeout=30", "-o", "BatchMode=yes"];
    let port = port.map(|port| port.to_string());
    if let Some(user) = user {
        arguments.extend(["-l", user]);
    }
    if let Some(port) = &port {
        arguments.extend(["-p", port]);
    }
    arguments.extend(["--", host, "docker"]);
    let socket = socket.as_ref().map(|socket| quoted(&format!("unix://{socket}")));
    if let Some(socket) = &socket {
        arguments.extend(["--host", socket]);
    }
    arguments.extend(["system", "dial-stdio"]);
    arguments.into_iter().map(str::to_owned).collect()
}

/// A word for the shell on the other side: `ssh` joins its words with spaces and has them read by the user's shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '/' | ':' | '_');
    if word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(host: &str) -> String {
        let host: crate::Host = host.parse().unwrap();
        match host.address() {
            crate::host::Address::Ssh(target) => arguments(target).join(" "),
            _ => unreachable!("{host} is not for ssh"),
        }
    }

    #[test]
    fn every_word_has_its_place() {
        let front = "-T -o ConnectTimeout=30 -o BatchMode=yes";
        let cases = [
            ("ssh://h", "-- h docker system dial-stdio"),
            ("ssh://h/", "-- h docker system dial-stdio"),
            ("ssh://me@h:22", "-l me -p 22 -- h docker system dial-stdio"),
            ("ssh://a@b@[::1]", "-l a@b -- ::1 docker system dial-stdio"),
            ("ssh://h/run/x.sock", "-- h docker --host unix:///run/x.sock system dial-stdio"),
            ("ssh://h/$(id)", "-- h docker --host 'unix:///$(id)' system dial-stdio"),
            ("ssh://h/a'b;c", r"-- h docker --host 'unix:///a'\''b;c' system dial-stdio"),
        ];
        for (host, end) in cases {
            assert_eq!(words(host), format!("{front} {end}"));
        }
    }

    #[test]
    fn a_shell_reads_a_quoted_word_as_it_was() {
        for word in ["/a b", "/'", "/''a'", "/$HOME`id`", "/\\", "/*", "~", "/\"", "/é", ""] {
            let script = format!("printf %s {}", quoted(word));
            let read = std::process::Command::new("sh").arg("-c").arg(script).output().unwrap();
            assert_eq!(String::from_utf8(read.stdout).unwrap(), word);
        }
    }

    #[test]
    fn last_words_fit_a_line() {
        let status = || Ok(ExitStatus::default());
        let said = b"\r\nWarning: a\r\n\x1b[31mPermission denied\n\n";
        assert_eq!(
            last_words(said, status()),
            "Warning: a; [31mPermission denied (ssh ended with exit status: 0)"
        );
        assert_eq!(last_words(b" \n", status()), "ssh ended with exit status: 0 and said nothing");
    }
}
