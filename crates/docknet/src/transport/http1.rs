//! HTTP/1.1 over byte streams, with connections kept for the next call.
//!
//! The future of a call drives its own connection; no task is spawned. So a dropped call leaves nothing behind, no
//! connection outlives its client, and an exchange costs no switch between tasks.

use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderValue;
use http::header::HOST;
use http_body::Body as _;
use hyper::client::conn::http1::{self, SendRequest};
use tokio::runtime::{Handle, Id};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::io::{HyperIo, Watched, told};
use super::{Body, BoxFuture, Dial, Endless, Transport};
use crate::{Error, ErrorKind, Result};

/// How long a connection is kept for the next call.
const KEPT_FOR: Duration = Duration::from_secs(60);

/// Speaks HTTP/1.1 to one engine.
#[derive(Debug)]
pub(crate) struct Http1(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    dial: Box<dyn Dial>,
    kept: Mutex<Vec<Kept>>,
    places: Arc<Semaphore>,
    /// How many connections are kept: as many as there are calls at a time, since each of them had one.
    most: usize,
}

#[derive(Debug)]
struct Kept {
    connection: Connection,
    since: Instant,
}

impl Http1 {
    /// Calls beyond `max_connections` at a time wait for a place.
    pub(crate) fn new(dial: impl Dial, max_connections: usize) -> Self {
        let most = max_connections.clamp(1, Semaphore::MAX_PERMITS);
        let places = Arc::new(Semaphore::new(most));
        Self(Arc::new(Shared { dial: Box::new(dial), kept: Mutex::default(), places, most }))
    }
}

impl Transport for Http1 {
    fn send(&self, request: http::Request<Bytes>) -> BoxFuture<'_, Result<http::Response<Body>>> {
        Box::pin(self.0.send(request))
    }

    fn describe(&self) -> String {
        self.0.dial.describe()
    }
}

impl Shared {
    async fn send(
        self: &Arc<Self>,
        mut request: http::Request<Bytes>,
    ) -> Result<http::Response<Body>> {
        let runtime = Handle::try_current().map_err(|_| outside_a_runtime())?.id();
        let place = match request.extensions().get::<Endless>() {
            Some(Endless) => None,
            None => Arc::clone(&self.places).acquire_owned().await.ok(),
        };
        if let Ok(host) = HeaderValue::from_str(self.dial.host()) {
            request.headers_mut().insert(HOST, host);
        }
        if let Some(kept) = self.take(runtime) {
            match kept.exchange(request.clone()).await {
                Ok(done) => return Ok(self.respond(done, place)),
                // Nothing of it was sent, so it cannot have been processed: once more on a new connection.
                Err(Broken { sent: false, error }) => {
                    tracing::debug!(%error, "a kept connection was closed, opening another");
                }
                Err(Broken { sent: true, error }) => return Err(self.broken(error)),
            }
        }
        let stream = self.dial.dial().await?;
        let connection =
            Connection::open(stream, runtime).await.map_err(|error| self.broken(error))?;
        let done =
            connection.exchange(request).await.map_err(|broken| self.broken(broken.error))?;
        Ok(self.respond(done, place))
    }

    /// A connection of this runtime's that is still good. Another runtime may stand still and never wake us.
    fn take(&self, runtime: Id) -> Option<Connection> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(at) = kept.iter().rposition(|kept| kept.connection.runtime == runtime) {
            let Kept { connection, since } = kept.remove(at);
            if since.elapsed() < KEPT_FOR && connection.is_free() && connection.watched.is_quiet() {
                return Some(connection);
            }
        }
        None
    }

    fn keep(&self, connection: Connection) {
        // Whether something waits to be read shows when it is taken again.
        if !connection.is_free() {
            return;
        }
        let now = Instant::now();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // The oldest are first.
        let expired = kept.partition_point(|kept| now.duration_since(kept.since) >= KEPT_FOR);
        kept.drain(..expired);
        if kept.len() == self.most {
            // The newest is the one that the next call can use: the oldest may belong to a runtime that is gone.
            kept.remove(0);
        }
        kept.push(Kept { connection, since: now });
    }

    fn respond(
        self: &Arc<Self>,
        done: Done,
        place: Option<OwnedSemaphorePermit>,
    ) -> http::Response<Body> {
        let Done { response, connection } = done;
        let (parts, body) = response.into_parts();
        let mut incoming =
            Incoming { body, connection: Some(connection), shared: Arc::clone(self), place };
        let body = if incoming.body.is_end_stream() {
            incoming.finish();
            Body::from(Bytes::new())
        } else {
            Body::from_connection(incoming)
        };
        http::Response::from_parts(parts, body)
    }

    fn broken(&self, error: hyper::Error) -> Error {
        if let Some(error) = told(&error) {
            return Error::new(error.kind(), error.message());
        }
        let engine = self.dial.describe();
        let text = if error.is_incomplete_message() {
            format!("{engine} closed the connection before it had answered")
        } else if error.is_parse() {
            format!("{engine} answered what is not HTTP ({error})")
        } else {
            format!("the connection to {engine} broke ({})", causes(&error))
        };
        Error::new(ErrorKind::Protocol, text).with_source(error)
    }
}

/// An error and what led to it: hyper says only the outermost, as in "operation was canceled".
fn causes(error: &hyper::Error) -> String {
    let chain = std::iter::successors(std::error::Error::source(error), |error| error.source());
    chain.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

pub(crate) fn outside_a_runtime() -> Error {
    Error::new(
        ErrorKind::Misuse,
        "there is no tokio runtime here: call from within one, or use `docknet::blocking`",
    )
}

/// One connection, and what drives it.
struct Connection {
    sender: SendRequest<Whole>,
    driver: http1::Connection<HyperIo, Whole>,
    ended: bool,
    watched: Arc<Watched>,
    runtime: Id,
}

struct Done {
    response: http::Response<hyper::body::Incoming>,
    connection: Connection,
}

struct Broken {
    error: hyper::Error,
    sent: bool,
}

impl Connection {
    async fn open(stream: super::Stream, runtime: Id) -> Result<Self, hyper::Error> {
        let (io, watched) = HyperIo::new(stream);
        let (sender, driver) = http1::Builder::new().handshake(io).await?;
        Ok(Self { sender, driver, ended: false, watched, runtime })
    }

    fn is_free(&self) -> bool {
        !self.ended && self.sender.is_ready()
    }

    async fn exchange(mut self, request: http::Request<Bytes>) -> Result<Done, Broken> {
        self.watched.begin();
        let mut answer = pin!(self.sender.send_request(request.map(|bytes| Whole(Some(bytes)))));
        let result = std::future::poll_fn(|cx| {
            // The answer can only come out of the driver. What is there already is fetched without the waker: to take
            // it wakes the driver, and the runtime would take a turn for nothing in every call.
            for waker in [Waker::noop(), cx.waker()] {
                drive(&mut self.driver, &mut self.ended, waker);
                if let Poll::Ready(result) = answer.as_mut().poll(&mut nobody()) {
                    return Poll::Ready(result);
                }
            }
            Poll::Pending
        })
        .await;
        match result {
            Ok(response) => Ok(Done { response, connection: self }),
            Err(error) => Err(Broken { error, sent: self.watched.wrote() }),
        }
    }
}

/// Lets a connection read and write what it can. What it meets comes out at the other end: of the answer's future, or
/// of the body.
fn drive(driver: &mut http1::Connection<HyperIo, Whole>, ended: &mut bool, waker: &Waker) {
    if !*ended {
        *ended = Pin::new(driver).poll(&mut Context::from_waker(waker)).is_ready();
    }
}

/// For what only looks: the driver has the waker.
fn nobody() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("ended", &self.ended)
            .field("runtime", &self.runtime)
            .finish_non_exhaustive()
    }
}

/// The body of a response, with the connection that it comes from.
pub(super) struct Incoming {
    body: hyper::body::Incoming,
    connection: Option<Connection>,
    shared: Arc<Shared>,
    place: Option<OwnedSemaphorePermit>,
}

impl Incoming {
    /// The length that the response announced.
    pub(super) fn announced(&self) -> Option<u64> {
        self.body.size_hint().exact()
    }

    pub(super) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        if let Poll::Ready(piece) = self.poll_piece() {
            return Poll::Ready(piece);
        }
        // As above, first without the waker.
        for waker in [Waker::noop(), cx.waker()] {
            if let Some(Connection { driver, ended, .. }) = &mut self.connection {
                drive(driver, ended, waker);
            }
            if let Poll::Ready(piece) = self.poll_piece() {
                return Poll::Ready(piece);
            }
        }
        Poll::Pending
    }

    fn poll_piece(&mut self) -> Poll<Option<Result<Bytes>>> {
        loop {
            match ready!(Pin::new(&mut self.body).poll_frame(&mut nobody())) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => return Poll::Ready(Some(Ok(data))),
                    Err(_trailers) => {}
                },
                Some(Err(error)) => {
                    (self.connection, self.place) = (None, None);
                    return Poll::Ready(Some(Err(self.shared.broken(error))));
                }
                None => {
                    self.finish();
                    return Poll::Ready(None);
                }
            }
        }
    }

    /// The body has ended: the connection is free for the next call.
    fn finish(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            // The driver has to see the end as well before it takes another request.
            drive(&mut connection.driver, &mut connection.ended, Waker::noop());
            self.shared.keep(connection);
        }
        self.place = None;
    }
}

/// The body of a request: all there is, at once.
struct Whole(Option<Bytes>);

impl http_body::Body for Whole {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        let bytes = self.0.take().filter(|bytes| !bytes.is_empty());
        Poll::Ready(bytes.map(|bytes| Ok(http_body::Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(self.0.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}
