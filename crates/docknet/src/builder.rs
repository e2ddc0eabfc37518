//! How a client comes to be.

use std::path::PathBuf;
use std::time::Duration;

use docknet_types::ApiVersion;

use crate::client::{Settings, Unknown};
use crate::config::{Environment, Target, Wishes, resolve};
use crate::host::{Address, Authority};
use crate::transport::{Http1, Tcp};
use crate::{Client, Host, Result, TlsOptions, Transport};
#[cfg(not(all(unix, feature = "ssh", feature = "tls")))]
use crate::{Error, ErrorKind};

/// Sets up a [`Client`]. What is not set comes from the environment, as with the docker CLI.
///
/// Where the engine is, the first of these says:
///
/// 1. [`host`](Self::host)
/// 2. [`context`](Self::context)
/// 3. `DOCKER_HOST`
/// 4. `DOCKER_CONTEXT`
/// 5. the current context of the docker CLI, in `config.json` of its directory: `DOCKER_CONFIG`, or `.docker` at home
/// 6. the first of these sockets that is there: `/var/run/docker.sock`, `/run/docker.sock`,
///    `$XDG_RUNTIME_DIR/docker.sock`, `$XDG_RUNTIME_DIR/podman/podman.sock`, `/run/podman/podman.sock`,
///    `$XDG_RUNTIME_DIR/docknet.sock`, `/run/docknet.sock`
///
/// The context named `default` is no context. A variable that is empty says nothing.
///
/// Whether TLS is used, and how:
///
/// - `https://` always uses it, `tcp://` where it is asked for, the others never
/// - [`tls`](Self::tls) comes first
/// - in a context, its own certificates ask for it, and the environment says nothing
/// - otherwise `DOCKER_TLS_VERIFY`, whatever its value, asks `tcp://` for it, with the certificates in
///   `DOCKER_CERT_PATH` or else in the docker CLI's directory; `DOCKER_TLS` alone asks for it **without verification**,
///   as it does with the docker CLI. `https://` takes the same certificates, and verifies always
///
/// `DOCKER_API_VERSION` sets the [version](Self::api_version).
///
/// ```
/// use std::time::Duration;
///
/// let client = docknet::Client::builder()
///     .host("http://build1")
///     .timeout(Duration::from_secs(30))
///     .build()?;
/// assert_eq!(client.host(), "tcp://build1:2375");
/// # Ok::<(), docknet::Error>(())
/// ```
#[derive(Debug)]
#[must_use]
pub struct ClientBuilder {
    wishes: Wishes,
    ssh_config: Option<PathBuf>,
    transport: Option<Box<dyn Transport>>,
    max_connections: usize,
    settings: Settings,
}

impl ClientBuilder {
    pub(crate) fn new() -> Self {
        Self {
            wishes: Wishes::default(),
            ssh_config: None,
            transport: None,
            max_connections: 100,
            settings: Settings::default(),
        }
    }

    /// The engine's address, as [`Host`] reads it.
    ///
    /// ```
    /// let client = docknet::Client::builder().host("unix:///run/podman/podman.sock").build()?;
    /// assert_eq!(client.host(), "unix:///run/podman/podman.sock");
    /// # Ok::<(), docknet::Error>(())
    /// ```
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.wishes.host = Some(host.into());
        self
    }

    /// The engine of a context of the docker CLI, by its name.
    ///
    /// ```
    /// use docknet::{Client, ErrorKind};
    ///
    /// let error = Client::builder().context("no-such-context").build().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Config);
    /// ```
    pub fn context(mut self, name: impl Into<String>) -> Self {
        self.wishes.context = Some(name.into());
        self
    }

    /// The docker CLI's directory, with its settings, contexts and certificates, instead of `DOCKER_CONFIG` and
    /// `.docker` at home.
    ///
    /// ```no_run
    /// let client = docknet::Client::builder().config_dir("/etc/agent/docker").context("prod").build()?;
    /// # Ok::<(), docknet::Error>(())
    /// ```
    pub fn config_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.wishes.config_dir = Some(dir.into());
        self
    }

    /// Uses TLS, with these certificates. It is an error if the host turns out to be one that does not use TLS.
    ///
    /// ```
    /// use docknet::{Client, TlsOptions};
    ///
    /// # let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls");
    /// let builder = Client::builder().host("tcp://engine.example").tls(TlsOptions::from_dir(dir)?);
    /// # #[cfg(feature = "tls")]
    /// assert_eq!(builder.build()?.host(), "https://engine.example:2376");
    /// # Ok::<(), docknet::Error>(())
    /// ```
    pub fn tls(mut self, tls: TlsOptions) -> Self {
        self.wishes.tls = Some(tls);
        self
    }

    /// Settings for `ssh` (its `-F`) instead of the user's own. Either way `ssh` asks nothing: keys with a passphrase
    /// belong into an agent, and host keys into a file of known hosts.
    ///
    /// ```
    /// # #[cfg(feature = "ssh")]
    /// let client = docknet::Client::builder().host("ssh://build1").ssh_config("/etc/agent/ssh_config").build()?;
    /// # Ok::<(), docknet::Error>(())
    /// ```
    pub fn ssh_config(mut self, file: impl Into<PathBuf>) -> Self {
        self.ssh_config = Some(file.into());
        self
    }

    /// Sends requests through this instead of a connection of its own. The environment says nothing then, and what was
    /// set about hosts and connections does not count.
    ///
    /// ```
    /// use docknet::{Client, Script};
    ///
    /// let client = Client::builder().transport(Script::new([])).build()?;
    /// assert_eq!(client.host(), "a script");
    /// # Ok::<(), docknet::Error>(())
    /// ```
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Box::new(transport));
        self
    }

    /// How long a call may take, from its first byte to the last of the answer; two minutes if nothing is said. Event
    /// streams go on for as long as they like.
    ///
    /// ```
    /// use std::time::Duration;
    /// use docknet::{Client, ErrorKind, Script, expect};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// let slow = Script::new([expect("GET /_ping").after(Duration::from_secs(1))]);
    /// let client = Client::builder().transport(slow).timeout(Duration::from_millis(10)).build()?;
    /// assert_eq!(client.ping().await.unwrap_err().kind(), ErrorKind::Timeout);
    /// # Ok::<(), docknet::Error>(())
    /// # }).map_err(std::io::Error::other)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = Some(timeout);
        self
    }

    /// Waits for as long as it takes.
    ///
    /// ```
    /// let client = docknet::Client::builder().host("unix:///run/docker.sock").no_timeout().build()?;
    /// # Ok::<(), docknet::Error>(())
    /// ```
    pub fn no_timeout(mut self) -> Self {
        self.settings.timeout = None;
        self
    }

    /// Speaks this version of the API instead of the newest that both sides know.
    ///
    /// ```
    /// use docknet::{ApiVersion, Client, Script, expect};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// let script = Script::new([expect("GET /v1.44/networks").reply(200, "[]")]);
    /// let client = Client::builder().transport(script).api_version(ApiVersion::new(1, 44)).build()?;
    /// assert!(client.networks().list().await?.is_empty());
    /// # Ok::<(), docknet::Error>(())
    /// # }).map_err(std::io::Error::other)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn api_version(mut self, version: ApiVersion) -> Self {
        self.settings.api_version = Some(version);
        self
    }

    /// How many bytes an answer may have; 256 MiB if nothing is said.
    ///
    /// ```
    /// use docknet::{ApiVersion, Client, ErrorKind, Script, expect};
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// let script = Script::new([expect("GET /networks").reply(200, "[          ]")]);
    /// let client = Client::builder().transport(script).api_version(ApiVersion::NEWEST).max_body(8).build()?;
    /// assert_eq!(client.networks().list().await.unwrap_err().kind(), ErrorKind::BodyTooLarge);
    /// # Ok::<(), docknet::Error>(())
    /// # }).map_err(std::io::Error::other)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.settings.max_body = bytes;
        self
    }

    /// How many connections may be in use at a time, event streams aside; 100 if nothing is said. Calls beyond that wait.
    ///
    /// ```
    /// // Each connection is a process on both sides, and sshd takes ten at a time that have not logged in yet.
    /// # #[cfg(feature = "ssh")]
    /// let client = docknet::Client::builder().host("ssh://build1").max_connections(4).build()?;
    /// # Ok::<(), docknet::Error>(())
    /// ```
    pub fn max_connections(mut self, number: usize) -> Self {
        self.max_connections = number;
        self
    }

    /// Sends what the engine would drop without a word, with a warning in the log, instead of refusing it.
    ///
    /// ```
    /// let client = docknet::Client::builder().host("unix:///run/docker.sock").send_unsupported().build()?;
    /// # Ok::<(), docknet::Error>(())
    /// ```
    pub fn send_unsupported(mut self) -> Self {
        self.settings.unknown = Unknown::Warn;
        self
    }

    /// The client. This reads the docker CLI's files if it has to, and connects to nothing.
    ///
    /// ```
    /// use docknet::{Client, ErrorKind};
    ///
    /// let error = Client::builder().host("/run/docker.sock").build().unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Config);
    /// assert!(error.to_string().contains("unix:///run/docker.sock"));
    /// ```
    ///
    /// # Errors
    /// `Config` if something of it is not what it should be; the message names it.
    pub fn build(mut self) -> Result<Client> {
        if let Some(transport) = self.transport {
            return Ok(Client::assemble(transport, self.settings));
        }
        let environment = Environment::of_process()?;
        if self.settings.api_version.is_none() {
            self.settings.api_version = environment.api_version()?;
        }
        let target = resolve(self.wishes, &environment, |socket| socket.exists())?;
        let transport = open(&target, self.ssh_config, self.max_connections)?;
        Ok(Client::assemble(Box::new(transport), self.settings))
    }
}

/// What leads to this host. Without a feature that it needs, the error says which.
fn open(target: &Target, ssh_config: Option<PathBuf>, max_connections: usize) -> Result<Http1> {
    let Target { host, tls } = target;
    match host.address() {
        Address::Ssh(target) => ssh(target, host, ssh_config, max_connections),
        Address::Tcp { host, port, .. } => {
            let port = port.unwrap_or(if tls.is_some() { 2376 } else { 2375 });
            let authority = Authority { host: host.clone(), port };
            match tls {
                Some(options) => tls_over(&authority, options, max_connections),
                None => Ok(Http1::new(Tcp::new(authority), max_connections)),
            }
        }
        Address::Unix(path) => unix(path, host, max_connections),
    }
}

#[cfg(all(unix, feature = "ssh"))]
fn ssh(
    target: &crate::host::SshTarget,
    host: &Host,
    config: Option<PathBuf>,
    max_connections: usize,
) -> Result<Http1> {
    let ssh = crate::transport::Ssh::new(target, host.to_string(), config);
    Ok(Http1::new(ssh, max_connections))
}

#[cfg(not(all(unix, feature = "ssh")))]
fn ssh(_: &crate::host::SshTarget, host: &Host, _: Option<PathBuf>, _: usize) -> Result<Http1> {
    Err(lacking(host, if cfg!(unix) { "the feature `ssh` of docknet" } else { "a Unix system" }))
}

#[cfg(feature = "tls")]
fn tls_over(authority: &Authority, options: &TlsOptions, max_connections: usize) -> Result<Http1> {
    Ok(Http1::new(crate::transport::Tls::new(authority.clone(), options)?, max_connections))
}

#[cfg(not(feature = "tls"))]
fn tls_over(authority: &Authority, _: &TlsOptions, _: usize) -> Result<Http1> {
    Err(lacking(format!("TLS to {authority}"), "the feature `tls` of docknet"))
}

#[cfg(unix)]
fn unix(path: &str, _: &Host, max_connections: usize) -> Result<Http1> {
    Ok(Http1::new(crate::transport::Unix(path.into()), max_connections))
}

#[cfg(not(unix))]
fn unix(_: &str, host: &Host, _: usize) -> Result<Http1> {
    Err(lacking(host, "a Unix system"))
}

#[cfg(not(all(unix, feature = "ssh", feature = "tls")))]
fn lacking(what: impl std::fmt::Display, needed: &str) -> Error {
    Error::new(ErrorKind::Config, format!("{what} takes {needed}"))
}
