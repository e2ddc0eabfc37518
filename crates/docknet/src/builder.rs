//! How a client comes to be.

use std::time::Duration;

use docknet_types::ApiVersion;

use crate::client::{Settings, Unknown};
use crate::transport::{Http1, Unix};
use crate::{Client, Error, ErrorKind, Result, Transport};

/// Sets up a [`Client`].
#[derive(Debug)]
#[must_use]
pub struct ClientBuilder {
    host: Option<String>,
    transport: Option<Box<dyn Transport>>,
    max_connections: usize,
    settings: Settings,
}

impl ClientBuilder {
    pub(crate) fn new() -> Self {
        Self { host: None, transport: None, max_connections: 100, settings: Settings::default() }
    }

    /// The engine's address.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// Sends requests through this instead of a socket.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Box::new(transport));
        self
    }

    /// How long a call may take, from its first byte to the last of the answer; two minutes if nothing is said.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = Some(timeout);
        self
    }

    /// Speaks this version of the API instead of the newest that both sides know.
    pub fn api_version(mut self, version: ApiVersion) -> Self {
        self.settings.api_version = Some(version);
        self
    }

    /// How many bytes an answer may have; 256 MiB if nothing is said.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.settings.max_body = bytes;
        self
    }

    /// Sends what the engine would drop without a word, with a warning in the log, instead of refusing it.
    pub fn send_unsupported(mut self) -> Self {
        self.settings.unknown = Unknown::Warn;
        self
    }

    /// The client.
    ///
    /// # Errors
    /// `Config` if something of it is not what it should be.
    pub fn build(self) -> Result<Client> {
        let transport = match self.transport {
            Some(transport) => transport,
            None => {
                let host = self.host.unwrap_or_default();
                let path = host
                    .strip_prefix("unix://")
                    .ok_or_else(|| Error::new(ErrorKind::Config, "host"))?;
                Box::new(Http1::new(Unix(path.into()), self.max_connections))
            }
        };
        Ok(Client::assemble(transport, self.settings))
    }
}
