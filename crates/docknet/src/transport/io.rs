//! Byte streams to an engine, and how hyper reads and writes them.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use hyper::rt::ReadBufCursor;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::BoxFuture;
use crate::{Error, Result};

/// Opens byte streams to one engine.
pub(crate) trait Dial: std::fmt::Debug + Send + Sync + 'static {
    /// Opens one.
    fn dial(&self) -> BoxFuture<'_, Result<Stream>>;

    /// The value of the `Host` header.
    fn host(&self) -> &str;

    /// Where it leads, for messages.
    fn describe(&self) -> String;
}

/// A byte stream to an engine.
#[derive(Debug)]
pub(crate) enum Stream {
    #[cfg(all(unix, feature = "ssh"))]
    Ssh(Box<super::ssh::Session>),
    Tcp(tokio::net::TcpStream),
    #[cfg(feature = "tls")]
    Tls(Box<super::tls::Session>),
    #[cfg(unix)]
    Unix(tokio::net::UnixStream),
}

impl Stream {
    /// Whether nothing waits to be read: an idle connection on which something does was closed by the peer, or is out
    /// of step. The runtime's own idea of it is as old as its last look at the kernel, hence the system call.
    fn is_quiet(&mut self) -> bool {
        let socket = match self {
            #[cfg(all(unix, feature = "ssh"))]
            Self::Ssh(session) => match session.is_alive() {
                true => socket2::SockRef::from(session.socket()),
                false => return false,
            },
            Self::Tcp(stream) => socket2::SockRef::from(&*stream),
            #[cfg(feature = "tls")]
            Self::Tls(session) => socket2::SockRef::from(session.socket()),
            #[cfg(unix)]
            Self::Unix(stream) => socket2::SockRef::from(&*stream),
        };
        let looked = socket.peek(&mut [MaybeUninit::uninit(); 1]);
        matches!(looked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// The stream, as tokio reads and writes it.
    fn inner(&mut self) -> Pin<&mut dyn ReadWrite> {
        let inner: &mut dyn ReadWrite = match self {
            #[cfg(all(unix, feature = "ssh"))]
            Self::Ssh(session) => &mut **session,
            Self::Tcp(stream) => stream,
            #[cfg(feature = "tls")]
            Self::Tls(session) => &mut **session,
            #[cfg(unix)]
            Self::Unix(stream) => stream,
        };
        Pin::new(inner)
    }
}

/// A stream's own words for its end, where it knows more than that it ended: an error of this crate, on its way through
/// hyper.
pub(super) fn told(error: &hyper::Error) -> Option<&Error> {
    let source = std::error::Error::source(error)?;
    source.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref()
}

trait ReadWrite: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> ReadWrite for T {}

/// How much one read takes at most: enough that the number of reads does not count, and little enough to stay in the
/// processor's cache.
const READ: usize = 64 * 1024;

/// A stream as hyper wants it, and its owner's view of it.
///
/// Reads go through a buffer of our own: handing hyper's uninitialised one to tokio takes `unsafe`, which this crate
/// forbids, and the copy costs less than the system call it follows.
pub(super) struct HyperIo {
    shared: Arc<Watched>,
    buffer: Box<[u8]>,
}

/// A stream that hyper uses, as the owner of the connection sees it. The two never act at the same time, so that the
/// lock is free whenever it is asked for.
#[derive(Debug)]
pub(super) struct Watched {
    stream: Mutex<Stream>,
    wrote: AtomicBool,
}

impl Watched {
    /// Begins an exchange: nothing of it is written yet.
    pub(super) fn begin(&self) {
        self.wrote.store(false, Ordering::Relaxed);
    }

    /// Whether the kernel took any byte of the exchange: from then on the engine may have seen it.
    pub(super) fn wrote(&self) -> bool {
        self.wrote.load(Ordering::Relaxed)
    }

    /// Whether the connection, idle, can be used again.
    pub(super) fn is_quiet(&self) -> bool {
        self.stream().is_quiet()
    }

    fn stream(&self) -> MutexGuard<'_, Stream> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HyperIo {
    pub(super) fn new(stream: Stream) -> (Self, Arc<Watched>) {
        let shared =
            Arc::new(Watched { stream: Mutex::new(stream), wrote: AtomicBool::new(false) });
        (Self { shared: Arc::clone(&shared), buffer: vec![0; READ].into_boxed_slice() }, shared)
    }
}

impl hyper::rt::Read for HyperIo {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut out: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let room = out.remaining().min(this.buffer.len());
        let mut buffer = ReadBuf::new(&mut this.buffer[..room]);
        ready!(this.shared.stream().inner().poll_read(cx, &mut buffer))?;
        out.put_slice(buffer.filled());
        Poll::Ready(Ok(()))
    }
}

impl hyper::rt::Write for HyperIo {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(self.shared.stream().inner().poll_write(cx, bytes))?;
        if written > 0 {
            self.shared.wrote.store(true, Ordering::Relaxed);
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shared.stream().inner().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shared.stream().inner().poll_shutdown(cx)
    }
}
