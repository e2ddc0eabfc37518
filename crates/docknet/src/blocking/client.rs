//! The blocking client.

use bytes::Bytes;
use docknet_types::{ApiVersion, Engine};
use serde::de::DeserializeOwned;

use super::{Containers, Driver, Events, Networks};
use crate::{Body, Ping, Result};

/// A client of one engine, for programs without a runtime. Cheap to clone; clones share connections.
#[derive(Clone, Debug)]
pub struct Client {
    // Before the runtime: its connections go first.
    inner: crate::Client,
    driver: Driver,
}

impl Client {
    /// A client by the docker CLI's rules: see [`docknet::Client::from_env`](crate::Client::from_env).
    ///
    /// # Errors
    /// `Config` if something in the environment is not what it should be.
    pub fn from_env() -> Result<Self> {
        Self::of(crate::Client::from_env()?)
    }

    /// A client of the engine at this address.
    ///
    /// # Errors
    /// `Config` if it is no such address.
    pub fn connect(host: &str) -> Result<Self> {
        Self::of(crate::Client::connect(host)?)
    }

    /// A blocking client that does what this one does: for [`docknet::Client::builder`](crate::Client::builder),
    /// [`with_transport`](crate::Client::with_transport) and scripts.
    ///
    /// ```
    /// use docknet::{Script, blocking, expect};
    ///
    /// let script = Script::new([expect("GET /networks").reply(200, "[]")]);
    /// let client = blocking::Client::of(script.client())?;
    /// assert!(client.networks().list()?.is_empty());
    /// # Ok::<(), docknet::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Misuse` if the system has no resources for a runtime.
    pub fn of(client: crate::Client) -> Result<Self> {
        Ok(Self { inner: client, driver: Driver::new()? })
    }

    /// The engine's networks.
    #[must_use]
    pub fn networks(&self) -> Networks {
        Networks::new(self.inner.networks(), self.driver.clone())
    }

    /// The engine's containers, as far as networks need them.
    #[must_use]
    pub fn containers(&self) -> Containers {
        Containers::new(self.inner.containers(), self.driver.clone())
    }

    /// What happens on the engine, as an iterator.
    pub fn events(&self) -> Events {
        Events::new(self.inner.events(), self.driver.clone())
    }

    /// Where requests go, for messages.
    #[must_use]
    pub fn host(&self) -> String {
        self.inner.host()
    }

    /// Asks the engine who it is.
    ///
    /// # Errors
    /// `Connect` and the like if it does not answer.
    pub fn ping(&self) -> Result<Ping> {
        self.driver.run(self.inner.ping())
    }

    /// The engine as requests are made for it. It is asked once.
    ///
    /// # Errors
    /// `UnsupportedApi` if there is no version that both sides speak.
    pub fn engine(&self) -> Result<Engine> {
        self.driver.run(self.inner.engine())
    }

    /// The version in which the engine is spoken to.
    ///
    /// # Errors
    /// Those of [`engine`](Self::engine).
    pub fn api_version(&self) -> Result<ApiVersion> {
        self.driver.run(self.inner.api_version())
    }

    /// Sends a request of any kind and reads the answer's JSON.
    ///
    /// # Errors
    /// What the engine refuses, by kind; `Decode` if the answer does not read as `T`.
    pub fn request<T: DeserializeOwned>(&self, request: http::Request<Bytes>) -> Result<T> {
        self.driver.run(self.inner.request(request))
    }

    /// Sends a request of any kind, and gives the answer with all of its body, whatever its status.
    ///
    /// # Errors
    /// Those of the transport; never for a status.
    pub fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>> {
        self.driver.run(async {
            let (parts, body) = self.inner.send(request).await?.into_parts();
            let body: Body = body;
            Ok(http::Response::from_parts(parts, body.collect(self.inner.max_body()).await?))
        })
    }
}
