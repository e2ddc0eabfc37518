//! What goes back to a client.

mod plain;

use std::pin::Pin;

use bytes::Bytes;
use futures_core::Stream;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite};

use self::plain::Plain;

/// An answer, before it is known what carries it: a socket, or a client in the same process.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: AnswerBody,
}

pub(crate) enum AnswerBody {
    /// All of it. An empty one is sent with a length of zero (or none, where the status has no body).
    Bytes(Bytes),
    /// Pieces as they come, for as long as somebody listens.
    Stream(Pin<Box<dyn Stream<Item = Bytes> + Send>>),
    /// The connection itself, after a 101, or after a 200 where the client asked for no upgrade: what exec and attach do.
    Hijack(Hijack),
    /// No answer at all: the connection is closed. For faults that a test asks for.
    Drop,
}

/// What is done with a connection that is handed over.
pub(crate) type Hijack =
    Box<dyn FnOnce(Box<dyn Duplex>) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// What comes through a connection that was handed over to exec or attach.
pub(crate) const RAW_STREAM: HeaderValue =
    HeaderValue::from_static("application/vnd.docker.raw-stream");

/// A connection that was handed over.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

impl Answer {
    /// A status and nothing else.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: AnswerBody::Bytes(Bytes::new()) }
    }

    /// A value as JSON, with a line feed at the end as Go's encoder writes one.
    pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Self {
        let mut json = serde_json::to_vec(value).unwrap_or_default();
        json.push(b'\n');
        Self::typed(status, "application/json", json)
    }

    /// `{"message": …}`, as every refusal is worded.
    pub(crate) fn refusal(status: StatusCode, message: &str) -> Self {
        Self::json(status, &serde_json::json!({ "message": message }))
    }

    /// No answer: the connection is closed.
    pub(crate) fn dropped() -> Self {
        Self { body: AnswerBody::Drop, ..Self::empty(StatusCode::OK) }
    }

    pub(crate) fn typed(
        status: StatusCode,
        content_type: &'static str,
        body: impl Into<Bytes>,
    ) -> Self {
        let mut answer = Self::empty(status);
        answer.headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        answer.body = AnswerBody::Bytes(body.into());
        answer
    }

    /// The same for a client that asked for no upgrade: a hijack becomes a stream, with nothing to read on its other side.
    /// Whoever reads the stream drives it.
    pub(crate) fn without_upgrade(mut self) -> Self {
        if let AnswerBody::Hijack(hijack) = self.body {
            self.status = StatusCode::OK;
            self.headers.entry(CONTENT_TYPE).or_insert(RAW_STREAM);
            self.body = AnswerBody::Stream(Box::pin(Plain::new(hijack)));
        }
        self
    }

    /// The same, with no body where HTTP has none.
    #[cfg(any(test, feature = "client"))]
    pub(crate) fn for_method(mut self, method: &http::Method) -> Self {
        let none = self.status.is_informational()
            || matches!(self.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        let dropped = matches!(self.body, AnswerBody::Drop);
        if (none || method == http::Method::HEAD) && !dropped {
            self.body = AnswerBody::Bytes(Bytes::new());
        }
        self
    }
}
