//! The SDK on an engine in the same process.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use docknet::{Body, BoxFuture, Error, ErrorKind, Transport};
use futures_core::Stream;
use http::{Request, Response};

use crate::api::answer::{Answer, AnswerBody};
use crate::api::body::RequestBody;
use crate::serve::Service;

/// Requests go to the engine as they are: no socket, no task, no thread.
pub(crate) struct InProcess<S>(S);

impl<S: Service> InProcess<S> {
    pub(crate) fn new(service: S) -> Self {
        Self(service)
    }
}

impl<S: Service> Transport for InProcess<S> {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, docknet::Result<Response<Body>>> {
        Box::pin(async move {
            let method = request.method().clone();
            let answer = self.0.answer(request.map(RequestBody::Whole)).await;
            let Answer { status, headers, body } = answer.without_upgrade().for_method(&method);
            let body = match body {
                AnswerBody::Bytes(bytes) => Body::from(bytes),
                AnswerBody::Stream(pieces) => Body::from_stream(Pieces(pieces)),
                // Nothing is left of a hijack here.
                AnswerBody::Hijack(_) | AnswerBody::Drop => {
                    return Err(Error::new(
                        ErrorKind::Protocol,
                        format!("{} closed the connection without an answer", self.describe()),
                    ));
                }
            };
            let mut response = Response::new(body);
            *response.status_mut() = status;
            *response.headers_mut() = headers;
            Ok(response)
        })
    }

    fn describe(&self) -> String {
        "docknet engine in this process".to_owned()
    }
}

impl<S> fmt::Debug for InProcess<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcess")
    }
}

/// A stream that cannot fail as one that could.
struct Pieces(Pin<Box<dyn Stream<Item = Bytes> + Send>>);

impl Stream for Pieces {
    type Item = docknet::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx).map(|piece| piece.map(Ok))
    }
}
