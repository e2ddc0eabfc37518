//! A transport that writes down what another one says.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Body, BoxFuture, Endless, Reply, Transport};
use crate::Result;

/// Longer bodies are an error: a recording is held in memory.
const LONGEST: usize = 64 << 20;

/// A request and its answer. Bodies that are not UTF-8 are recorded with replacement characters.
///
/// Bodies are recorded as they are, secrets included: take care where recordings go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Exchange {
    /// Method and target, as in `GET /v1.51/networks/backend`.
    pub request: String,
    /// The request's body.
    pub body: String,
    /// The answer's status.
    pub status: u16,
    /// The answer's headers.
    pub response_headers: Vec<(String, String)>,
    /// The answer's body; empty for event streams.
    pub response: String,
}

impl Exchange {
    pub(super) fn of(line: &str, body: &Bytes, reply: &Reply) -> Self {
        Self {
            request: line.to_owned(),
            body: text(body),
            status: reply.status,
            response_headers: reply.headers.clone(),
            response: text(&reply.response),
        }
    }
}

/// Passes requests on to another transport, and records them with their answers.
///
/// ```
/// use docknet::{Client, Recorder, Script, expect};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # let real_engine = Script::new([
/// #     expect("GET /_ping").reply(200, "OK").header("Api-Version", "1.51"),
/// #     expect("GET /networks").reply(200, "[]"),
/// # ]);
/// let recorder = Recorder::new(real_engine);
/// Client::with_transport(recorder.clone()).networks().list().await?;
///
/// // Later, and without the engine: the same calls get the same answers.
/// let replayed = Client::with_transport(Script::replay(recorder.exchanges()));
/// assert!(replayed.networks().list().await?.is_empty());
/// # Ok::<(), docknet::Error>(())
/// # }).map_err(std::io::Error::other)?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Recorder {
    inner: Arc<dyn Transport>,
    exchanges: Arc<Mutex<Vec<Exchange>>>,
}

impl Recorder {
    /// Records what goes through this transport.
    pub fn new(transport: impl Transport) -> Self {
        Self { inner: Arc::new(transport), exchanges: Arc::default() }
    }

    /// What was recorded so far, in the order of the answers.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Transport for Recorder {
    fn send(&self, request: http::Request<Bytes>) -> BoxFuture<'_, Result<http::Response<Body>>> {
        Box::pin(async move {
            let line = format!("{} {}", request.method(), request.uri());
            let (body, endless) =
                (text(request.body()), request.extensions().get::<Endless>().is_some());
            let (parts, response) = self.inner.send(request).await?.into_parts();
            let response_headers = parts.headers.iter().filter_map(|(name, value)| {
                // The length is that of the whole body, chunks are the connection's business.
                let kept = !matches!(
                    *name,
                    http::header::CONTENT_LENGTH | http::header::TRANSFER_ENCODING
                );
                kept.then(|| Some((name.to_string(), value.to_str().ok()?.to_owned()))).flatten()
            });
            let mut exchange = Exchange {
                request: line,
                body,
                status: parts.status.as_u16(),
                response_headers: response_headers.collect(),
                response: String::new(),
            };
            let passed_on = if endless {
                response
            } else {
                let bytes = response.collect(LONGEST).await?;
                exchange.response = text(&bytes);
                Body::from(bytes)
            };
            self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).push(exchange);
            Ok(http::Response::from_parts(parts, passed_on))
        })
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}

fn text(bytes: &Bytes) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
