//! An engine for tests that answers by a script.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use docknet_types::{ApiVersion, Engine, Flavour};
use http::{HeaderName, HeaderValue, StatusCode};

use super::{Body, BoxFuture, Exchange, Transport};
use crate::client::Settings;
use crate::{Client, Error, ErrorKind, Ping, Result};

/// A transport that answers the requests of a test, each as the script says, in its order. Any other request fails,
/// and [`finish`](Self::finish) tells what is left.
///
/// ```
/// use docknet::{ErrorKind, Script, expect};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let script = Script::new([
///     expect("GET /networks/backend").reply(404, r#"{"message":"network backend not found"}"#),
/// ]);
/// let error = script.client().networks().get("backend").await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::NotFound);
/// script.finish();
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Script(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    replies: VecDeque<Reply>,
    seen: Vec<Exchange>,
    surprises: Vec<String>,
}

impl Script {
    /// A script of these replies.
    pub fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        let state = State { replies: replies.into_iter().collect(), ..State::default() };
        Self(Arc::new(Mutex::new(state)))
    }

    /// What was [recorded](super::Recorder), to be answered again in the same order.
    pub fn replay(exchanges: impl IntoIterator<Item = Exchange>) -> Self {
        Self::new(exchanges.into_iter().map(|exchange| {
            let headers = exchange.response_headers;
            let mut reply = expect(&exchange.request).reply(exchange.status, exchange.response);
            for (name, value) in headers {
                reply = reply.header(&name, &value);
            }
            reply
        }))
    }

    /// A client that takes this script for Docker and speaks API 1.51. It does not ask: the script needs no
    /// `GET /_ping`.
    ///
    /// A client that asks, as clients of sockets do, is `Client::with_transport(script.clone())`.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client_of(ApiVersion::new(1, 51))
    }

    /// The same in this version.
    #[must_use]
    pub fn client_of(&self, version: ApiVersion) -> Client {
        self.client_as(Engine::new(Flavour::Docker, version))
    }

    /// A client that takes this script for this engine, without asking.
    ///
    /// ```
    /// use docknet::{ApiVersion, Engine, ErrorKind, Flavour, NetworkSpec, Script};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// let podman = Script::new([]).client_as(Engine::new(Flavour::Podman, ApiVersion::new(1, 41)));
    /// let error = podman.networks().create(NetworkSpec::new("a").config_from("b")).await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::UnsupportedApi);
    /// # });
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn client_as(&self, engine: Engine) -> Client {
        let Engine { flavour, version, .. } = engine;
        let settings = Settings { api_version: Some(version), ..Settings::default() };
        Client::assemble(Box::new(self.clone()), settings).knowing(Ping {
            api_version: version,
            flavour,
            server: String::new(),
        })
    }

    /// The requests so far, and what was answered.
    #[must_use]
    pub fn seen(&self) -> Vec<Exchange> {
        self.state().seen.clone()
    }

    /// Ends the test's use of the script.
    ///
    /// # Panics
    /// If a reply was not used, or a request came that the script does not have.
    pub fn finish(&self) {
        let state = self.state();
        assert!(
            state.surprises.is_empty(),
            "requests that the script does not have: {:#?}",
            state.surprises
        );
        let left: Vec<_> = state.replies.iter().map(|reply| &reply.request).collect();
        assert!(left.is_empty(), "requests that never came: {left:#?}");
    }

    fn next(&self, request: &http::Request<Bytes>) -> Result<Reply> {
        let mut state = self.state();
        let line = format!("{} {}", request.method(), request.uri());
        let expected = state.replies.front();
        if !expected.is_some_and(|reply| reply.matches(&line, request.body())) {
            let body = String::from_utf8_lossy(request.body());
            let wanted = match expected {
                Some(reply) => format!("{} {:?}", reply.request, reply.body),
                None => "nothing more".to_owned(),
            };
            let surprise = format!("{line} {body:?}, where the script has {wanted}");
            state.surprises.push(surprise.clone());
            return Err(Error::new(
                ErrorKind::Protocol,
                format!("the script has no such request: {surprise}"),
            ));
        }
        let Some(reply) = state.replies.pop_front() else {
            return Err(Error::new(ErrorKind::Protocol, "the script is at its end"));
        };
        state.seen.push(Exchange::of(&line, request.body(), &reply));
        Ok(reply)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Script {
    fn send(&self, request: http::Request<Bytes>) -> BoxFuture<'_, Result<http::Response<Body>>> {
        Box::pin(async move {
            let reply = self.next(&request)?;
            // Without a delay it runs on any executor, with or without a clock.
            if !reply.delay.is_zero() {
                tokio::time::sleep(reply.delay).await;
            }
            if let Some((kind, message)) = reply.failure {
                return Err(Error::new(kind, message));
            }
            let mut response = http::Response::new(Body::from(reply.response));
            *response.status_mut() = StatusCode::from_u16(reply.status).map_err(|error| {
                Error::new(ErrorKind::Misuse, format!("a status of the script: {error}"))
            })?;
            for (name, value) in reply.headers {
                let (Ok(name), Ok(value)) =
                    (HeaderName::try_from(&name), HeaderValue::try_from(&value))
                else {
                    return Err(Error::new(
                        ErrorKind::Misuse,
                        format!("a header of the script: {name}: {value}"),
                    ));
                };
                response.headers_mut().append(name, value);
            }
            Ok(response)
        })
    }

    fn describe(&self) -> String {
        "a script".to_owned()
    }
}

/// Begins a line of a script: the method and the target, as in `GET /networks/backend`. Without `/v1.…` at the
/// front, any version matches.
pub fn expect(request: &str) -> Reply {
    Reply {
        request: request.to_owned(),
        body: None,
        status: 200,
        response: Bytes::new(),
        headers: Vec::new(),
        failure: None,
        delay: Duration::ZERO,
    }
}

/// A line of a [`Script`]: which request, and what to answer. Without a reply it is 200 and empty.
#[derive(Clone, Debug)]
#[must_use]
pub struct Reply {
    request: String,
    body: Option<Bytes>,
    pub(super) status: u16,
    pub(super) response: Bytes,
    pub(super) headers: Vec<(String, String)>,
    failure: Option<(ErrorKind, String)>,
    delay: Duration,
}

impl Reply {
    /// The request must have exactly this body.
    pub fn with_body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Answers with a status and a body.
    pub fn reply(mut self, status: u16, body: impl Into<Bytes>) -> Self {
        (self.status, self.response) = (status, body.into());
        self
    }

    /// Adds a header to the answer.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Fails instead of answering, as a transport does.
    pub fn fail(mut self, kind: ErrorKind, message: impl Into<String>) -> Self {
        self.failure = Some((kind, message.into()));
        self
    }

    /// Takes this long.
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    fn matches(&self, line: &str, body: &Bytes) -> bool {
        let same_line =
            self.request == line || without_version(line).is_some_and(|line| self.request == line);
        same_line && self.body.as_ref().is_none_or(|wanted| wanted == body)
    }
}

/// `GET /v1.51/networks` without the version.
fn without_version(line: &str) -> Option<String> {
    let (method, target) = line.split_once(' ')?;
    let rest = target.strip_prefix("/v")?;
    let (version, path) = rest.split_once('/')?;
    version.parse::<ApiVersion>().ok()?;
    Some(format!("{method} /{path}"))
}
