//! The client: one engine, spoken to in one version.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use docknet_types::{ApiVersion, Engine, Flavour, Unsupported};
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Uri};
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use crate::request::Request;
use crate::transport::Endless;
use crate::{
    Body, ClientBuilder, Containers, Error, ErrorKind, Events, Networks, Result, Transport,
};

/// A client of one engine. Cheap to clone; clones share connections.
///
/// Nothing is sent before the first call, which also finds out what the engine speaks.
///
/// ```
/// use docknet::Client;
///
/// # fn main() -> docknet::Result<()> {
/// let client = Client::connect("unix:///run/docker.sock")?;
/// let networks = client.networks();
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    transport: Box<dyn Transport>,
    settings: Settings,
    ping: OnceLock<Ping>,
    /// Held by the call that asks for it.
    asking: Mutex<()>,
}

/// How long a call waits for another one that asks the engine who it is, before it asks as well.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a client does the same in every call.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) timeout: Option<Duration>,
    pub(crate) api_version: Option<ApiVersion>,
    pub(crate) max_body: usize,
    pub(crate) unknown: Unknown,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            timeout: Some(Duration::from_secs(120)),
            api_version: None,
            max_body: 256 << 20,
            unknown: Unknown::Refuse,
        }
    }
}

/// What to do with parts of a request that the engine would drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    Refuse,
    Warn,
}

/// What an engine says of itself, first of all.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ping {
    /// The newest version of the API that it speaks.
    pub api_version: ApiVersion,
    /// Whose engine it is.
    pub flavour: Flavour,
    /// The engine's name and version, as in `Docker/28.5.2 (linux)`; empty if it does not say.
    pub server: String,
}

impl Client {
    /// A client by the docker CLI's rules, in its order: `DOCKER_HOST`, `DOCKER_CONTEXT`, the current context of the
    /// docker CLI, the default socket, the socket of a rootless engine. TLS and the version come from
    /// `DOCKER_TLS_VERIFY`, `DOCKER_CERT_PATH` and `DOCKER_API_VERSION`.
    ///
    /// ```no_run
    /// # async fn example() -> docknet::Result<()> {
    /// let client = docknet::Client::from_env()?;
    /// println!("{} networks", client.networks().list().await?.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Config` if one of these is not what it should be; the message names it.
    pub fn from_env() -> Result<Self> {
        Self::builder().build()
    }

    /// A client of the engine at this address: `unix://`, `tcp://`, `http://`, `https://` or `ssh://`.
    ///
    /// # Errors
    /// `Config` if it is no such address.
    pub fn connect(host: &str) -> Result<Self> {
        Self::builder().host(host).build()
    }

    /// A client with settings of its own; what is not set comes from the environment, as in
    /// [`from_env`](Self::from_env).
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// A client that sends its requests through anything that answers them.
    pub fn with_transport(transport: impl Transport) -> Self {
        Self::assemble(Box::new(transport), Settings::default())
    }

    pub(crate) fn assemble(transport: Box<dyn Transport>, settings: Settings) -> Self {
        Self(Arc::new(Inner { transport, settings, ping: OnceLock::new(), asking: Mutex::new(()) }))
    }

    /// The same, with nothing left to ask.
    pub(crate) fn knowing(self, ping: Ping) -> Self {
        self.0.ping.get_or_init(|| ping);
        self
    }

    /// The engine's networks.
    #[must_use]
    pub fn networks(&self) -> Networks {
        Networks::new(self.clone())
    }

    /// The engine's containers, as far as networks need them.
    #[must_use]
    pub fn containers(&self) -> Containers {
        Containers::new(self.clone())
    }

    /// What happens on the engine, as a stream.
    pub fn events(&self) -> Events {
        Events::new(self.clone())
    }

    /// Where requests go, for messages.
    #[must_use]
    pub fn host(&self) -> String {
        self.0.transport.describe()
    }

    /// Asks the engine who it is. This always goes to the engine, and shows that it answers.
    ///
    /// ```
    /// # use docknet::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let script = Script::new([
    /// #     expect("GET /_ping").header("Api-Version", "1.51"),
    /// # ]);
    /// # let client = script.client();
    /// let ping = client.ping().await?;
    /// assert_eq!(ping.flavour, Flavour::Docker);
    /// # script.finish();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Connect` and the like if it does not answer.
    pub async fn ping(&self) -> Result<Ping> {
        let limited = self.limited(async {
            let request = http::Request::get("/_ping").header(USER_AGENT, AGENT).body(Bytes::new());
            let response = self.0.transport.send(request.map_err(invalid)?).await?;
            let (parts, body) = response.into_parts();
            let text = body.collect(self.0.settings.max_body).await?;
            if !parts.status.is_success() {
                return Err(Error::refused(parts.status, &text));
            }
            let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
            let api_version = header("api-version").and_then(|version| version.parse().ok()).ok_or_else(|| {
                let engine = self.host();
                Error::new(ErrorKind::Protocol, format!("{engine} does not say which API version it speaks: is it a Docker engine?"))
            })?;
            let podman = parts.headers.contains_key("libpod-api-version");
            let flavour = if podman { Flavour::Podman } else { Flavour::Docker };
            Ok(Ping { api_version, flavour, server: header("server").unwrap_or_default().to_owned() })
        });
        limited.await.map_err(|error| error.doing("ping", None))
    }

    /// The engine as requests are made for it: its flavour, and the version in which it is spoken to. It is asked once,
    /// and also if the version was pinned: what it would drop of a request depends on whose engine it is. An answer
    /// that leads to no version is not kept.
    ///
    /// ```
    /// # use docknet::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let script = Script::new([]);
    /// # let client = script.client();
    /// let engine = client.engine().await?;
    /// assert_eq!(engine.version, ApiVersion::new(1, 51));
    /// # script.finish();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `UnsupportedApi` if there is no version that both sides speak, and what [`ping`](Self::ping) meets.
    pub async fn engine(&self) -> Result<Engine> {
        let Ping { api_version, flavour, .. } = match self.0.ping.get() {
            Some(known) => known,
            // Boxed: it happens once, and would make the future of every call several times as large.
            None => Box::pin(self.limited(self.ask())).await?,
        };
        let version =
            self.0.settings.api_version.unwrap_or_else(|| ApiVersion::NEWEST.min(*api_version));
        Ok(Engine::new(*flavour, version))
    }

    /// Asks the engine who it is, or waits for the call that does.
    async fn ask(&self) -> Result<&Ping> {
        // That call may stand still, in a runtime that nobody drives or a future that nobody polls: hence no waiting
        // for ever.
        let _turn = tokio::time::timeout(PATIENCE, self.0.asking.lock()).await;
        if let Some(known) = self.0.ping.get() {
            return Ok(known);
        }
        let ping = self.ping().await?;
        if self.0.settings.api_version.is_none() {
            self.check_range(&ping).await?;
        }
        Ok(self.0.ping.get_or_init(|| ping))
    }

    /// The version in which the engine is spoken to: the one that was pinned, or the newest that both sides speak.
    ///
    /// # Errors
    /// Those of [`engine`](Self::engine).
    pub async fn api_version(&self) -> Result<ApiVersion> {
        match self.0.settings.api_version {
            Some(pinned) => Ok(pinned),
            None => Ok(self.engine().await?.version),
        }
    }

    async fn check_range(&self, ping: &Ping) -> Result<()> {
        if (ApiVersion::OLDEST..=ApiVersion::NEWEST).contains(&ping.api_version) {
            return Ok(());
        }
        // Only now its oldest version matters, and only /version tells it.
        let oldest = self.oldest_version().await?;
        if ping.api_version > ApiVersion::NEWEST
            && oldest.is_none_or(|oldest| oldest <= ApiVersion::NEWEST)
        {
            return Ok(());
        }
        let range = match oldest {
            Some(oldest) => format!("{oldest} to {}", ping.api_version),
            None => format!("up to {}", ping.api_version),
        };
        Err(Error::new(
            ErrorKind::UnsupportedApi,
            format!(
                "docknet speaks API {} to {}, and {} speaks {range}: no version is common to both",
                ApiVersion::OLDEST,
                ApiVersion::NEWEST,
                self.host(),
            ),
        ))
    }

    async fn oldest_version(&self) -> Result<Option<ApiVersion>> {
        #[derive(serde::Deserialize)]
        struct Version {
            #[serde(rename = "MinAPIVersion", default)]
            oldest: String,
        }
        let request = http::Request::get("/version")
            .header(USER_AGENT, AGENT)
            .body(Bytes::new())
            .map_err(invalid)?;
        let bytes = self
            .limited(async { self.accept(self.0.transport.send(request).await?).await })
            .await?;
        let version: Version =
            serde_json::from_slice(&bytes).map_err(|error| undecodable(&error))?;
        Ok(version.oldest.parse().ok())
    }

    /// Sends a request of any kind and reads the answer's JSON. The path is one of the engine's API, without a version.
    ///
    /// ```
    /// use docknet::{Client, Script, expect};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// let client = Script::new([expect("GET /info").reply(200, r#"{"Name":"node1"}"#)]).client();
    /// let info: serde_json::Value = client.request(http::Request::get("/info").body("".into()).unwrap()).await?;
    /// assert_eq!(info["Name"], "node1");
    /// # Ok::<(), docknet::Error>(())
    /// # }).map_err(std::io::Error::other)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// What the engine refuses, by kind; `Decode` if the answer does not read as `T`.
    pub async fn request<T: DeserializeOwned>(&self, request: http::Request<Bytes>) -> Result<T> {
        let bytes =
            self.limited(async { self.accept(self.dispatch(request).await?).await }).await?;
        serde_json::from_slice(&bytes).map_err(|error| undecodable(&error))
    }

    /// Sends a request of any kind, and gives the answer, whatever its status. The path is one of the engine's API,
    /// without a version. The client's limit of time covers the body, too.
    ///
    /// ```
    /// use docknet::{Script, expect};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> docknet::Result<()> {
    /// let client = Script::new([expect("GET /_ping").reply(200, "OK")]).client();
    /// let mut response = client.send(http::Request::get("/_ping").body("".into()).unwrap()).await?;
    /// assert_eq!(response.status(), 200);
    /// assert_eq!(response.body_mut().next_chunk().await.transpose()?, Some("OK".into()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of the transport; never for a status.
    pub async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Body>> {
        let begun = tokio::time::Instant::now();
        let response = self.limited(self.dispatch(request)).await?;
        Ok(match self.0.settings.timeout {
            Some(limit) => response.map(|body| body.until(begun + limit, self.late(limit))),
            None => response,
        })
    }

    async fn dispatch(&self, mut request: http::Request<Bytes>) -> Result<http::Response<Body>> {
        let version = self.api_version().await?;
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let versioned = format!("/v{version}{target}");
        *request.uri_mut() = versioned.parse::<Uri>().map_err(|error| invalid(error.into()))?;
        request.headers_mut().entry(USER_AGENT).or_insert(AGENT);
        if !request.body().is_empty() {
            request.headers_mut().entry(CONTENT_TYPE).or_insert(JSON);
        }
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let response = self.0.transport.send(request).await?;
        tracing::debug!(%method, target = %uri.path(), status = response.status().as_u16(), "answered");
        Ok(response)
    }

    /// How many bytes an answer may have.
    #[cfg(feature = "blocking")]
    pub(crate) fn max_body(&self) -> usize {
        self.0.settings.max_body
    }

    /// A call with an answer that is read to its end.
    pub(crate) async fn call(&self, request: Request) -> Result<Bytes> {
        let Request { operation, subject, http } = request;
        self.limited(async { self.accept(self.dispatch(http?).await?).await })
            .await
            .map_err(|error| error.doing(operation, subject.as_deref()))
    }

    /// A call that changes something, if it is not so already: 304 says that it was.
    pub(crate) async fn change(&self, request: Request) -> Result<()> {
        match self.call(request).await {
            Err(error) if error.status() == Some(http::StatusCode::NOT_MODIFIED) => Ok(()),
            answer => answer.map(drop),
        }
    }

    /// A call whose answer goes on: the limit of time covers its head only.
    pub(crate) async fn open(&self, request: Request) -> Result<Body> {
        let Request { operation, subject, http } = request;
        let opened = self.limited(async {
            let mut request = http?;
            request.extensions_mut().insert(Endless);
            let response = self.dispatch(request).await?;
            if response.status().is_success() {
                Ok(response.into_body())
            } else {
                Box::pin(self.refusal(response)).await
            }
        });
        opened.await.map_err(|error| error.doing(operation, subject.as_deref()))
    }

    /// The body of an answer, if its status says success.
    async fn accept(&self, response: http::Response<Body>) -> Result<Bytes> {
        if response.status().is_success() {
            response.into_body().collect(self.0.settings.max_body).await
        } else {
            Box::pin(self.refusal(response)).await
        }
    }

    async fn refusal<T>(&self, response: http::Response<Body>) -> Result<T> {
        let (parts, body) = response.into_parts();
        if parts.status.is_informational() {
            let text = format!(
                "{} answered {}, and nobody asked to leave HTTP",
                self.host(),
                parts.status
            );
            return Err(Error::new(ErrorKind::Protocol, text));
        }
        let body = body.collect(self.0.settings.max_body).await?;
        if parts.status.is_redirection() && parts.status != http::StatusCode::NOT_MODIFIED {
            let to = parts
                .headers
                .get(http::header::LOCATION)
                .and_then(|to| to.to_str().ok())
                .unwrap_or("nowhere");
            let text = format!(
                "{} redirects to {to}, and engines do not do that: nothing was done",
                self.host()
            );
            return Err(Error::new(ErrorKind::Protocol, text));
        }
        Err(Error::refused(parts.status, &body))
    }

    /// Gives up when the client's limit of time is reached.
    async fn limited<T>(&self, exchange: impl Future<Output = Result<T>>) -> Result<T> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(crate::transport::outside_a_runtime());
        }
        let Some(limit) = self.0.settings.timeout else {
            return exchange.await;
        };
        tokio::time::timeout(limit, exchange).await.unwrap_or_else(|_| Err(self.late(limit)))
    }

    fn late(&self, limit: Duration) -> Error {
        Error::new(ErrorKind::Timeout, format!("{} did not answer within {limit:?}", self.host()))
    }

    /// Refuses what the engine would drop without a word, or warns, as the client is set up.
    pub(crate) fn refuse_unsupported(&self, engine: Engine, dropped: &[Unsupported]) -> Result<()> {
        if dropped.is_empty() {
            return Ok(());
        }
        let list = dropped.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let flavour = match engine.flavour {
            Flavour::Podman => "Podman",
            _ => "the engine",
        };
        let text = format!(
            "{flavour}, spoken to in API {}, would drop this without a word: {list}",
            engine.version
        );
        if self.0.settings.unknown == Unknown::Warn {
            tracing::warn!("{text}");
            return Ok(());
        }
        Err(Error::new(ErrorKind::UnsupportedApi, text))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("transport", &self.0.transport)
            .field("settings", &self.0.settings)
            .finish()
    }
}

const AGENT: HeaderValue = HeaderValue::from_static(concat!("docknet/", env!("CARGO_PKG_VERSION")));
const JSON: HeaderValue = HeaderValue::from_static("application/json");

pub(crate) fn invalid(error: http::Error) -> Error {
    Error::new(ErrorKind::InvalidSpec, format!("this does not go into a request: {error}"))
        .with_source(error)
}

pub(crate) fn undecodable(error: &serde_json::Error) -> Error {
    Error::new(
        ErrorKind::Decode,
        format!("the engine's answer does not read as it should: {error}"),
    )
}
