//! An engine that is asked, and whose answers are looked at.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_core::Stream;
use http::header::CONTENT_TYPE;
use http::{Method, Request, Uri};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::invariants;
use crate::api::Api;
use crate::api::answer::{Answer, AnswerBody};
use crate::api::body::RequestBody;
use crate::engine::EngineBuilder;
use crate::{Engine, Profile};

thread_local! {
    static RUNTIME: Runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime of one thread");
}

/// An engine in memory (or not), the same in every run.
pub(super) struct Lab {
    pub(super) profile: Profile,
    engine: Engine,
    kept: Kept,
}

/// Whether an engine has to wait for a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    InMemory,
    #[cfg(feature = "disk")]
    OnDisk,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    /// Null if it was no JSON.
    pub(super) json: Value,
}

impl Lab {
    pub(super) fn new(profile: Profile) -> Self {
        let engine = wait(builder(profile).start()).expect("an engine in memory starts");
        Self { profile, engine, kept: Kept::InMemory }
    }

    #[cfg(feature = "disk")]
    pub(super) fn on_disk(
        profile: Profile,
        dir: &std::path::Path,
    ) -> Result<Self, crate::StartError> {
        let builder = builder(profile).state(dir).durability(crate::Durability::Process);
        let engine = wait(builder.start())?;
        Ok(Self { profile, engine, kept: Kept::OnDisk })
    }

    /// With a network of both families, a container that runs on it, and one that does not run.
    pub(super) fn furnished(profile: Profile) -> Self {
        let lab = Self::new(profile);
        let network = r#"{"Name":"net","EnableIPv6":true,"IPAM":{"Config":[
            {"Subnet":"10.5.0.0/28","Gateway":"10.5.0.1"},{"Subnet":"fd00:5::/64"}]}}"#;
        for (target, body) in [
            ("/networks/create", network),
            ("/networks/create", r#"{"Name":"plain"}"#),
            (
                "/containers/create?name=run",
                r#"{"Image":"host","HostConfig":{"NetworkMode":"net"}}"#,
            ),
            ("/containers/create?name=idle", r#"{"Image":"host"}"#),
            ("/containers/run/start", ""),
        ] {
            let reply = lab.call("POST", target, body);
            assert!(reply.status < 300, "{target}: {reply:?}");
        }
        lab
    }

    pub(super) fn call(&self, method: &str, target: &str, body: impl Into<Bytes>) -> Reply {
        let request = Request::builder()
            .method(method)
            .uri(target)
            .header(CONTENT_TYPE, "application/json")
            .body(body.into());
        self.send(request.unwrap_or_else(|why| panic!("{method} {target}: {why}")))
    }

    /// Sends a request, and looks at whether the answer is one.
    pub(super) fn send(&self, request: Request<Bytes>) -> Reply {
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let api = Api::new(self.engine.0.clone());
        let answer = api.answer(request.map(RequestBody::Whole));
        let answer = match self.kept {
            Kept::InMemory => at_once(answer, || {
                // An archive is read by a thread of its own.
                assert!(uri.path().ends_with("/images/load"), "{method} {uri} waits");
            }),
            #[cfg(feature = "disk")]
            Kept::OnDisk => wait(answer),
        };
        RUNTIME.with(|runtime| {
            let _context = runtime.enter();
            looked_at(&method, &uri, answer)
        })
    }

    /// That what the engine knows fits together, and would after it was read from a disk.
    pub(super) fn check(&self) {
        let state = self.engine.0.read();
        invariants::check(self.profile, &state);
        invariants::check_restored(self.profile, &state);
    }

    pub(super) fn state(&self) -> std::sync::Arc<crate::core::state::State> {
        self.engine.0.read()
    }
}

fn builder(profile: Profile) -> EngineBuilder {
    let eth0 = "198.51.100.1/24".parse().expect("an address");
    Engine::memory().like(profile).seed(7).link("eth0", [eth0])
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.with(|runtime| runtime.block_on(future))
}

/// What a future has to say; if it does not say it at once, `late` is asked whether it may wait.
fn at_once<T>(future: impl Future<Output = T>, late: impl FnOnce()) -> T {
    let mut future = std::pin::pin!(future);
    RUNTIME.with(|runtime| {
        let first = {
            let _context = runtime.enter();
            future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        };
        match first {
            Poll::Ready(value) => value,
            Poll::Pending => {
                late();
                runtime.block_on(future)
            }
        }
    })
}

fn looked_at(method: &Method, uri: &Uri, answer: Answer) -> Reply {
    let about = format!("{method} {uri}");
    if answer.status.as_u16() == 101 {
        assert!(matches!(answer.body, AnswerBody::Hijack(_)), "{about}: 101 and no connection");
    }
    let answer = answer.without_upgrade().for_method(method);
    let status = answer.status.as_u16();
    assert!((200..=599).contains(&status), "{about}: {status}");
    // The progress of an image is a value after the other.
    let several = matches!(answer.body, AnswerBody::Stream(_)) || uri.path().contains("/images/");
    let body = match answer.body {
        AnswerBody::Bytes(bytes) => bytes.to_vec(),
        AnswerBody::Stream(pieces) => beginning(pieces),
        AnswerBody::Hijack(_) => panic!("{about}: a connection is left"),
        AnswerBody::Drop => panic!("{about}: no answer, and nobody asked for that"),
    };
    let content_type = answer.headers.get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or("?"));
    assert!(body.is_empty() || content_type.is_some(), "{about}: a body of no type");
    let is_json = content_type.is_some_and(|text| text.starts_with("application/json"));
    if !is_json || body.is_empty() {
        return Reply { status, json: Value::Null };
    }
    let mut values = serde_json::Deserializer::from_slice(&body).into_iter::<Value>();
    let json = values.next().and_then(Result::ok);
    let json =
        json.unwrap_or_else(|| panic!("{about}: no JSON: {}", String::from_utf8_lossy(&body)));
    let more = values.next();
    assert!(more.is_none_or(|value| several && value.is_ok()), "{about}: more than JSON");
    if status >= 400 {
        let message = json.get("message").and_then(Value::as_str);
        assert!(message.is_some(), "{about}: {status} without words: {json}");
    }
    Reply { status, json }
}

/// What a stream has at once, up to a number of pieces.
fn beginning(mut pieces: Pin<Box<dyn Stream<Item = Bytes> + Send>>) -> Vec<u8> {
    let mut context = Context::from_waker(Waker::noop());
    let mut all = Vec::new();
    for _ in 0..64 {
        match pieces.as_mut().poll_next(&mut context) {
            Poll::Ready(Some(piece)) => all.extend_from_slice(&piece),
            Poll::Ready(None) | Poll::Pending => break,
        }
    }
    all
}
