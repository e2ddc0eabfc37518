//! Bodies of responses.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;

use super::http1::Incoming;
use crate::{Error, ErrorKind, Result};

/// The body of a response, as it comes in.
///
/// ```
/// use docknet::Body;
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let mut body = Body::from("hello");
/// assert_eq!(body.next_chunk().await.transpose()?, Some("hello".into()));
/// assert!(body.next_chunk().await.is_none());
/// # Ok::<(), docknet::Error>(())
/// # }).map_err(std::io::Error::other)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Body {
    source: Source,
    limit: Option<Limit>,
}

enum Source {
    Whole(Option<Bytes>),
    Connection(Box<Incoming>),
    Stream(Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>),
}

/// When a body must have ended, and what to say if it has not.
struct Limit {
    sleep: Pin<Box<tokio::time::Sleep>>,
    late: Option<Error>,
}

impl Body {
    /// A body that comes in pieces.
    pub fn from_stream(stream: impl Stream<Item = Result<Bytes>> + Send + 'static) -> Self {
        Self::of(Source::Stream(Box::pin(stream)))
    }

    fn of(source: Source) -> Self {
        Self { source, limit: None }
    }

    /// The same, ending with this error if it goes on beyond a time.
    pub(crate) fn until(mut self, deadline: tokio::time::Instant, late: Error) -> Self {
        self.limit =
            Some(Limit { sleep: Box::pin(tokio::time::sleep_until(deadline)), late: Some(late) });
        self
    }

    pub(super) fn from_connection(incoming: Incoming) -> Self {
        Self::of(Source::Connection(Box::new(incoming)))
    }

    /// The next piece; none at the end.
    pub async fn next_chunk(&mut self) -> Option<Result<Bytes>> {
        std::future::poll_fn(|cx| self.poll_chunk(cx)).await
    }

    /// All of it, if it is no longer than the limit.
    ///
    /// # Errors
    /// `BodyTooLarge` as soon as the limit is passed, and what the transport meets.
    pub async fn collect(mut self, limit: usize) -> Result<Bytes> {
        let too_large = |length: u64| {
            Error::new(
                ErrorKind::BodyTooLarge,
                format!(
                    "the answer has {length} bytes or more, and this client takes {limit}: raise `max_body`, or filter"
                ),
            )
        };
        let announced = self.announced().unwrap_or(0);
        if announced > limit as u64 {
            return Err(too_large(announced));
        }
        let Some(first) = self.next_chunk().await.transpose()? else {
            return Ok(Bytes::new());
        };
        let Some(second) = self.next_chunk().await.transpose()? else {
            return within(first, limit).map_err(too_large);
        };
        // An engine's word for the length is a hint, not a reason to take memory.
        let mut whole = BytesMut::with_capacity(
            usize::try_from(announced).unwrap_or(0).min(1 << 22).max(first.len() + second.len()),
        );
        whole.extend_from_slice(&first);
        let mut next = Some(second);
        while let Some(chunk) = next {
            whole.extend_from_slice(&chunk);
            if whole.len() > limit {
                return Err(too_large(whole.len() as u64));
            }
            next = self.next_chunk().await.transpose()?;
        }
        Ok(whole.freeze())
    }

    /// The length that the response announced.
    fn announced(&self) -> Option<u64> {
        match &self.source {
            Source::Whole(bytes) => bytes.as_ref().map(|bytes| bytes.len() as u64),
            Source::Connection(incoming) => incoming.announced(),
            Source::Stream(_) => None,
        }
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        if let Some(Limit { sleep, late }) = &mut self.limit
            && sleep.as_mut().poll(cx).is_ready()
        {
            // Whatever it comes from goes with it: a connection is closed.
            self.source = Source::Whole(None);
            return Poll::Ready(late.take().map(Err));
        }
        match &mut self.source {
            Source::Whole(bytes) => {
                Poll::Ready(bytes.take().filter(|bytes| !bytes.is_empty()).map(Ok))
            }
            Source::Connection(incoming) => incoming.poll_chunk(cx),
            Source::Stream(stream) => stream.as_mut().poll_next(cx),
        }
    }
}

fn within(bytes: Bytes, limit: usize) -> Result<Bytes, u64> {
    if bytes.len() > limit { Err(bytes.len() as u64) } else { Ok(bytes) }
}

impl Stream for Body {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_chunk(cx)
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::of(Source::Whole(Some(bytes)))
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self::from(Bytes::from_static(text.as_bytes()))
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::from(Bytes::from(text))
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from(Bytes::from(bytes))
    }
}

/// Says where it comes from, never what it says: bodies may hold secrets.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.source {
            Source::Whole(_) => "Body(whole)",
            Source::Connection(_) => "Body(connection)",
            Source::Stream(_) => "Body(stream)",
        })
    }
}
