//! What goes back to a client.

use std::pin::Pin;

use bytes::Bytes;
use futures_core::Stream;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite};

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
    Hijack(Box<dyn FnOnce(Box<dyn Duplex>) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>),
    /// No answer at all: the connection is closed. For faults that a test asks for.
    Drop,
}

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
}
