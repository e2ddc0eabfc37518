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
            // Nothing here ever waits, and a loop of calls must leave room for others all the same.
            tokio::task::consume_budget().await;
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use docknet::Client;
    use http::StatusCode;

    use super::*;

    /// Holds what it is asked, or never ends.
    #[derive(Clone)]
    struct Held(Arc<()>);

    impl Service for Held {
        async fn answer(&self, request: Request<RequestBody>) -> Answer {
            let held = Arc::clone(&self.0);
            if request.uri().path().ends_with("/never") {
                std::future::pending::<()>().await;
            }
            let body = AnswerBody::Hijack(Box::new(|io| {
                Box::pin(async move {
                    std::future::pending::<()>().await;
                    drop((io, held));
                })
            }));
            Answer { body, ..Answer::empty(StatusCode::OK) }
        }
    }

    fn post(path: &str) -> Request<Bytes> {
        Request::post(path).body(Bytes::new()).unwrap()
    }

    #[tokio::test]
    async fn a_call_that_is_dropped_leaves_nothing_behind() {
        let held = Held(Arc::new(()));
        let transport = InProcess::new(held.clone());
        let before = Arc::strong_count(&held.0);
        let mut call = transport.send(post("/never"));
        std::future::poll_fn(|cx| {
            assert!(call.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        assert!(Arc::strong_count(&held.0) > before);
        drop(call);
        assert_eq!(Arc::strong_count(&held.0), before);
    }

    #[tokio::test]
    async fn a_body_that_is_dropped_leaves_nothing_behind() {
        let held = Held(Arc::new(()));
        let transport = InProcess::new(held.clone());
        let before = Arc::strong_count(&held.0);
        let mut body = transport.send(post("/attach")).await.unwrap().into_body();
        std::future::poll_fn(|cx| {
            assert!(Pin::new(&mut body).poll_next(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        assert!(Arc::strong_count(&held.0) > before);
        drop(body);
        assert_eq!(Arc::strong_count(&held.0), before);
    }

    #[test]
    fn says_where_it_is() {
        let transport = InProcess::new(Held(Arc::new(())));
        assert_eq!(transport.describe(), "docknet engine in this process");
        assert!(format!("{:?}", Client::with_transport(transport)).contains("InProcess"));
    }
}
