//! Any bytes for an answer, any text for a name.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use docknet::{ApiVersion, Body, BoxFuture, Client, ErrorKind, Transport};
use proptest::prelude::*;
use tokio::runtime::Runtime;

use crate::server::{Kind, NETWORK, Server, chunked, ok};

/// A server that gives each connection the answer of the moment, and closes.
struct Parrot {
    server: Server,
    runtime: Runtime,
    answer: Arc<Mutex<Vec<u8>>>,
}

impl Parrot {
    fn new() -> Self {
        let answer = Arc::<Mutex<Vec<u8>>>::default();
        let said = Arc::clone(&answer);
        let server = Server::start_each(Kind::Unix, move |talk| {
            let answer = said.lock().unwrap_or_else(PoisonError::into_inner).clone();
            talk.reply(answer);
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { server, runtime, answer }
    }

    /// Every kind of call gets this answer; none may panic or wait for what does not come.
    fn answers(&self, bytes: Vec<u8>) {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = bytes;
        self.runtime.block_on(async {
            let client = self.server.builder().timeout(Duration::from_secs(5)).build().unwrap();
            let in_time = |kind: ErrorKind| assert_ne!(kind, ErrorKind::Timeout);
            match client.networks().get("x").await {
                Ok(network) => drop((network.info().clone(), network.attrs().clone())),
                Err(error) => in_time(error.kind()),
            }
            if let Err(error) = client.networks().list().await {
                in_time(error.kind());
            }
            match client.events().open().await {
                Ok(mut events) => {
                    let until_end = async { while events.next().await.is_some() {} };
                    tokio::time::timeout(Duration::from_secs(5), until_end).await.unwrap();
                }
                Err(error) => in_time(error.kind()),
            }
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_an_answer_or_an_error(answers in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..4)) {
        let parrot = Parrot::new();
        answers.into_iter().for_each(|answer| parrot.answers(answer));
    }

    #[test]
    fn an_answer_with_some_bytes_changed_is_one_or_an_error(
        in_chunks in any::<bool>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut answer = if in_chunks { chunked(NETWORK, 20) } else { ok(NETWORK) }.into_bytes();
        for (at, byte) in changes {
            let at = at.index(answer.len());
            answer[at] = byte;
        }
        let parrot = Parrot::new();
        parrot.answers(answer.clone());
        answer.truncate(cut.index(answer.len()));
        parrot.answers(answer);
    }

    #[test]
    fn any_body_is_an_answer_or_an_error(body in "[\\[\\]{}\",:0-9a-zIdName\\\\é ]{0,60}") {
        let parrot = Parrot::new();
        parrot.answers(ok(&body).into_bytes());
    }
}

/// Keeps the targets of requests, and answers nothing of use.
#[derive(Clone, Debug, Default)]
struct Targets(Arc<Mutex<Vec<String>>>);

impl Transport for Targets {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, docknet::Result<http::Response<Body>>> {
        let line = format!("{} {}", request.method(), request.uri());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        Box::pin(async { Ok(http::Response::new(Body::from("[]"))) })
    }

    fn describe(&self) -> String {
        "nowhere".to_owned()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_name_is_one_segment_of_the_path(name in prop_oneof![any::<String>(), "[./%?#a\\\\ ]{0,8}"]) {
        let targets = Targets::default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = Client::builder()
                .transport(targets.clone())
                .api_version(ApiVersion::new(1, 51))
                .build()
                .unwrap();
            let _answers = (
                client.networks().get(&name).await,
                client.networks().remove(&name).await,
                client.containers().get(&name).await,
            );
        });
        let targets = targets.0.lock().unwrap_or_else(PoisonError::into_inner);
        for line in targets.iter() {
            let own = line.strip_prefix("GET /v1.51/networks/")
                .or_else(|| line.strip_prefix("DELETE /v1.51/networks/"))
                .or_else(|| line.strip_prefix("GET /v1.51/containers/").and_then(|rest| rest.strip_suffix("/json")));
            match own {
                Some(segment) => {
                    prop_assert!(!segment.contains(['/', '?', '#']), "{line}");
                    prop_assert_eq!(decoded(segment), name.as_bytes());
                }
                // Where the name would be cleaned out of the path, it is looked up first.
                None => prop_assert!(line.starts_with("GET /v1.51/networks?filters="), "{line}"),
            }
        }
    }
}

fn decoded(segment: &str) -> Vec<u8> {
    let mut bytes = segment.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let hex = [bytes.next().unwrap(), bytes.next().unwrap()];
            decoded.push(u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap());
        } else {
            decoded.push(byte);
        }
    }
    decoded
}
