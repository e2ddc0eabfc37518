//! A service with one of everything.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use http::header::CONTENT_LENGTH;
use http::{Method, Request, StatusCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{Notify, mpsc};

use super::super::{ListenAddress, Server, Service, serve};
use crate::api::answer::{Answer, AnswerBody};
use crate::api::body::RequestBody;

#[derive(Clone, Default)]
pub(super) struct Tiny(Arc<State>);

#[derive(Default)]
pub(super) struct State {
    /// Streams that somebody still listens to.
    listening: AtomicUsize,
    /// Requests that never end, under way.
    waiting: AtomicUsize,
    changed: Notify,
    /// Ends what `/held` holds.
    pub(super) released: Notify,
}

impl State {
    /// Waits until so many streams are listened to.
    pub(super) async fn until_listening(&self, count: usize) {
        self.until(&self.listening, count).await;
    }

    /// Waits until so many requests are under way.
    pub(super) async fn until_waiting(&self, count: usize) {
        self.until(&self.waiting, count).await;
    }

    async fn until(&self, number: &AtomicUsize, count: usize) {
        loop {
            let changed = self.changed.notified();
            let mut changed = std::pin::pin!(changed);
            changed.as_mut().enable();
            if number.load(Ordering::SeqCst) == count {
                return;
            }
            changed.await;
        }
    }
}

impl Tiny {
    pub(super) fn state(&self) -> &Arc<State> {
        &self.0
    }

    pub(super) async fn on_tcp(&self) -> Server {
        let address: ListenAddress = "tcp://127.0.0.1:0".parse().unwrap();
        serve(&address, self.clone()).await.unwrap()
    }

    pub(super) async fn on_unix(&self) -> (Server, tempfile::TempDir) {
        let home = tempfile::tempdir().unwrap();
        let address = ListenAddress::unix(home.path().join("tiny.sock")).unwrap();
        (serve(&address, self.clone()).await.unwrap(), home)
    }
}

impl Service for Tiny {
    async fn answer(&self, request: Request<RequestBody>) -> Answer {
        let (head, body) = request.into_parts();
        match (&head.method, unversioned(head.uri.path())) {
            (&Method::POST, "/echo") => match body.collect(1 << 20).await {
                Ok(bytes) => Answer::typed(StatusCode::CREATED, "text/plain", bytes),
                Err(error) => Answer::refusal(StatusCode::PAYLOAD_TOO_LARGE, &error.to_string()),
            },
            (&Method::POST, "/count") => Answer::json(StatusCode::OK, &count(body).await),
            (&Method::GET | &Method::HEAD, "/_ping") => {
                let mut answer = Answer::typed(StatusCode::OK, "text/plain", "OK");
                answer.headers.insert("Api-Version", "1.51".parse().unwrap());
                answer
            }
            (&Method::OPTIONS, _) => Answer::empty(StatusCode::OK),
            (&Method::DELETE, _) => Answer::empty(StatusCode::NO_CONTENT),
            (_, "/three") => stream(Counter(0)),
            (_, "/events") => stream(self.events()),
            (_, "/held") => {
                // Listens first: whoever counts may release at once.
                let mut released = std::pin::pin!(self.0.released.notified());
                released.as_mut().enable();
                let _under_way = Counted::new(&self.0, |state| &state.waiting);
                released.await;
                Answer::typed(StatusCode::OK, "text/plain", "at last")
            }
            (_, "/panic") => panic!("a test asked for it"),
            (&Method::HEAD, "/empty") => {
                let mut answer = Answer::empty(StatusCode::OK);
                answer.headers.insert(CONTENT_LENGTH, 0.into());
                answer
            }
            (_, "/drop") => Answer { body: AnswerBody::Drop, ..Answer::empty(StatusCode::OK) },
            (_, "/attach") => hijack(),
            (_, path) => Answer::refusal(StatusCode::NOT_FOUND, &format!("no such path: {path}")),
        }
    }
}

/// `/x` of `/v1.51/x`, too.
fn unversioned(path: &str) -> &str {
    let version = |path: &str| path.strip_prefix("/v1.").and_then(|rest| rest.find('/'));
    version(path).map_or(path, |at| &path["/v1.".len() + at..])
}

async fn count(mut body: RequestBody) -> usize {
    let mut length = 0;
    while let Some(chunk) = body.next_chunk().await {
        length += chunk.unwrap().len();
    }
    length
}

fn stream(pieces: impl Stream<Item = Bytes> + Send + 'static) -> Answer {
    Answer { body: AnswerBody::Stream(Box::pin(pieces)), ..Answer::empty(StatusCode::OK) }
}

/// Says back what it hears, in capitals, and then goodbye.
fn hijack() -> Answer {
    let body = AnswerBody::Hijack(Box::new(|mut io| {
        Box::pin(async move {
            let mut buffer = [0; 1024];
            loop {
                let Ok(length) = io.read(&mut buffer).await else { return };
                if length == 0 {
                    break;
                }
                let capitals = buffer[..length].to_ascii_uppercase();
                if io.write_all(&capitals).await.is_err() {
                    return;
                }
            }
            let _ = io.write_all(b"bye\n").await;
        })
    }));
    Answer { body, ..Answer::empty(StatusCode::OK) }
}

struct Counter(usize);

impl Stream for Counter {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Bytes>> {
        self.0 += 1;
        Poll::Ready((self.0 <= 3).then(|| format!("{{\"n\":{}}}\n", self.0).into()))
    }
}

/// One event, and then silence.
struct Events {
    receiver: mpsc::UnboundedReceiver<Bytes>,
    _sender: mpsc::UnboundedSender<Bytes>,
    _listening: Counted,
}

impl Tiny {
    fn events(&self) -> Events {
        let (sender, receiver) = mpsc::unbounded_channel();
        sender.send(Bytes::from_static(b"{\"Type\":\"network\"}\n")).unwrap();
        let listening = Counted::new(&self.0, |state| &state.listening);
        Events { receiver, _sender: sender, _listening: listening }
    }
}

impl Stream for Events {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        self.receiver.poll_recv(cx)
    }
}

/// One more, as long as it lives.
struct Counted(Arc<State>, fn(&State) -> &AtomicUsize);

impl Counted {
    fn new(state: &Arc<State>, number: fn(&State) -> &AtomicUsize) -> Self {
        number(state).fetch_add(1, Ordering::SeqCst);
        state.changed.notify_waiters();
        Self(Arc::clone(state), number)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        (self.1)(&self.0).fetch_sub(1, Ordering::SeqCst);
        self.0.changed.notify_waiters();
    }
}
