//! Answers as hyper sends them.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use http::header::{CONNECTION, CONTENT_TYPE, UPGRADE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use hyper::ext::ReasonPhrase;

use super::stop::{Stop, Stopped};
use crate::api::answer::RAW_STREAM;

/// The body of an answer.
pub(super) enum Reply {
    Whole(Bytes),
    Stream { pieces: Pin<Box<dyn Stream<Item = Bytes> + Send>>, stopped: Stopped },
}

impl Reply {
    pub(super) fn stream(pieces: Pin<Box<dyn Stream<Item = Bytes> + Send>>, stop: &Stop) -> Self {
        Self::Stream { pieces, stopped: stop.stopped() }
    }

    pub(super) fn with(self, status: StatusCode, headers: HeaderMap) -> Response<Self> {
        let mut response = Response::new(self);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }

    /// What comes before a connection is handed over.
    pub(super) fn switching_protocols(headers: HeaderMap) -> Response<Self> {
        let mut response = Self::Whole(Bytes::new()).with(StatusCode::SWITCHING_PROTOCOLS, headers);
        let headers = response.headers_mut();
        headers.entry(CONTENT_TYPE).or_insert(RAW_STREAM);
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("tcp"));
        response.extensions_mut().insert(ReasonPhrase::from_static(b"UPGRADED"));
        response
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
            }
            Self::Stream { pieces, stopped } => {
                if stopped.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(None);
                }
                pieces.as_mut().poll_next(cx).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Stream { .. } => SizeHint::new(),
        }
    }
}
