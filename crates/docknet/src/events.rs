//! What happens on an engine, as it happens.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};

use bytes::{Buf, BytesMut};
use docknet_types::{Event, Filters};
use futures_core::Stream;
use http::Method;

use crate::request::{Request, Target};
use crate::{Body, BoxFuture, Client, Error, ErrorKind, Result};

/// A stream of events: every one from now on, unless a setter says otherwise. The engine is asked when the stream is
/// first polled, or by [`open`](Self::open).
///
/// It ends when the engine ends it, or with the first error of the connection; dropping it closes the connection. An
/// event that does not read as one is an error in its place, and the stream goes on.
///
/// ```no_run
/// # async fn example(client: docknet::Client) -> docknet::Result<()> {
/// let mut events = client.events().networks().open().await?;
/// while let Some(event) = events.next().await {
///     let event = event?;
///     println!("{} {}", event.action, event.id);
/// }
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct Events {
    client: Client,
    query: Query,
    state: State,
}

#[derive(Clone, Debug, Default)]
struct Query {
    filters: Filters,
    since: Option<SystemTime>,
    until: Option<SystemTime>,
}

enum State {
    Unopened,
    Opening(BoxFuture<'static, Result<Body>>),
    Reading { body: Body, buffer: BytesMut },
    Ended,
}

/// No event is near as long; what is, is no event.
const LONGEST: usize = 1 << 20;

impl Events {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, query: Query::default(), state: State::Unopened }
    }

    /// Events of networks only, or of networks too.
    pub fn networks(self) -> Self {
        self.filter("type", "network")
    }

    /// Events of containers only, or of containers too.
    pub fn containers(self) -> Self {
        self.filter("type", "container")
    }

    /// Events that match this filter: `type`, `event`, `network`, `container` and so on. Docker ignores keys that it does
    /// not know, Podman refuses them.
    pub fn filter(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.filters = self.query.filters.raw(key, value);
        self
    }

    /// Events that match these filters, instead of those set before.
    pub fn filters(mut self, filters: &Filters) -> Self {
        self.query.filters = filters.clone();
        self
    }

    /// Begins with what the engine still remembers of this time, by the engine's clock.
    pub fn since(mut self, time: SystemTime) -> Self {
        self.query.since = Some(time);
        self
    }

    /// Ends at this time, by the engine's clock.
    pub fn until(mut self, time: SystemTime) -> Self {
        self.query.until = Some(time);
        self
    }

    /// Asks for the events now: once this returns, the engine is sending what happens.
    ///
    /// # Errors
    /// `BadRequest` for a filter that the engine does not know.
    pub async fn open(mut self) -> Result<Self> {
        let body = self.query.clone().send(self.client.clone()).await?;
        self.state = State::Reading { body, buffer: BytesMut::new() };
        Ok(self)
    }

    /// The next event; none at the end.
    pub async fn next(&mut self) -> Option<Result<Event>> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Event>>> {
        loop {
            match &mut self.state {
                State::Unopened => {
                    self.state =
                        State::Opening(Box::pin(self.query.clone().send(self.client.clone())));
                }
                State::Opening(opening) => {
                    let body = ready!(opening.as_mut().poll(cx))?;
                    self.state = State::Reading { body, buffer: BytesMut::new() };
                }
                State::Reading { body, buffer } => {
                    if let Some(line) = take_line(buffer) {
                        match read(&line) {
                            Some(event) => return Poll::Ready(Some(event)),
                            None => continue,
                        }
                    }
                    if buffer.len() > LONGEST {
                        let text = format!("an event has more than {LONGEST} bytes");
                        return Poll::Ready(Some(Err(Error::new(ErrorKind::Protocol, text))));
                    }
                    match ready!(Pin::new(body).poll_next(cx)).transpose()? {
                        Some(chunk) => buffer.extend_from_slice(&chunk),
                        None => {
                            let rest = std::mem::take(buffer);
                            self.state = State::Ended;
                            return Poll::Ready(read(&rest));
                        }
                    }
                }
                State::Ended => return Poll::Ready(None),
            }
        }
    }
}

impl Query {
    async fn send(self, client: Client) -> Result<Body> {
        let seconds = |time: SystemTime| {
            let since_1970 = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
            format!("{}.{:09}", since_1970.as_secs(), since_1970.subsec_nanos())
        };
        let target = Target::path("/events")
            .maybe("since", self.since.map(seconds).as_deref())
            .maybe("until", self.until.map(seconds).as_deref())
            .filters(&self.filters);
        client.open(Request::new(OPERATION, Method::GET, target)).await
    }
}

const OPERATION: &str = "events";

impl Stream for Events {
    type Item = Result<Event>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let event = ready!(self.poll_event(cx));
        if matches!(&event, Some(Err(error)) if error.kind() != ErrorKind::Decode) {
            self.state = State::Ended;
        }
        Poll::Ready(event.map(|event| event.map_err(|error| error.doing(OPERATION, None))))
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Unopened => "unopened",
            State::Opening(_) => "opening",
            State::Reading { .. } => "reading",
            State::Ended => "ended",
        };
        f.debug_struct("Events")
            .field("query", &self.query)
            .field("state", &state)
            .finish_non_exhaustive()
    }
}

fn take_line(buffer: &mut BytesMut) -> Option<BytesMut> {
    let end = buffer.iter().position(|byte| *byte == b'\n')?;
    let line = buffer.split_to(end);
    buffer.advance(1);
    Some(line)
}

/// An event from a line; none from an empty one. From API 1.52 on a line may begin with a record separator (RFC 7464).
fn read(line: &[u8]) -> Option<Result<Event>> {
    let line = line.strip_prefix(b"\x1e").unwrap_or(line).trim_ascii();
    if line.is_empty() {
        return None;
    }
    Some(serde_json::from_slice(line).map_err(|error| {
        Error::new(ErrorKind::Decode, format!("an event does not read as one: {error}"))
            .with_source(error)
    }))
}
