//! One container, as far as networks need it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use docknet_types::{ContainerId, ContainerInfo, ContainerStatus, EndpointInfo};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::undecodable;
use crate::exec::demultiplex;
use crate::request::{Request, Target};
use crate::snapshot::Snapshot;
use crate::{Client, Result};

/// A container, as it was when it was fetched: it never changes by itself; [`reload`](Self::reload) fetches it anew.
///
/// Two of them are equal if their ids are.
#[derive(Clone)]
pub struct Container {
    client: Client,
    id: ContainerId,
    snapshot: Arc<Snapshot<ContainerInfo>>,
}

impl Container {
    pub(crate) fn read(client: &Client, json: Bytes) -> Result<Self> {
        Snapshot::one(json).map(|snapshot| Self::of(client, snapshot))
    }

    pub(crate) fn read_list(client: &Client, json: &Bytes) -> Result<Vec<Self>> {
        Ok(Snapshot::list(json)?.into_iter().map(|snapshot| Self::of(client, snapshot)).collect())
    }

    fn of(client: &Client, mut snapshot: Snapshot<ContainerInfo>) -> Self {
        let id = ContainerId::new(std::mem::take(&mut snapshot.id));
        // Engines put a slash before the names of containers; a network's name may begin with one of its own.
        if let Some(own) = snapshot.name.strip_prefix('/') {
            snapshot.name = own.to_owned();
        }
        Self { client: client.clone(), id, snapshot: Arc::new(snapshot) }
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> &ContainerId {
        &self.id
    }

    /// The first twelve characters of the id.
    #[must_use]
    pub fn short_id(&self) -> &str {
        self.id.short()
    }

    /// The name, without a slash before it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.snapshot.name
    }

    /// What it did when it was fetched.
    #[must_use]
    pub fn status(&self) -> &ContainerStatus {
        &self.info().status
    }

    /// The engine's own JSON, every field of it: what a list shows, or after [`reload`](Self::reload) an inspection.
    #[must_use]
    pub fn attrs(&self) -> &Value {
        self.snapshot.attrs()
    }

    /// The engine's own JSON, byte for byte.
    #[must_use]
    pub fn attrs_json(&self) -> &str {
        self.snapshot.json()
    }

    /// The same, typed.
    #[must_use]
    pub fn info(&self) -> &ContainerInfo {
        self.snapshot.info(ContainerInfo::from_json)
    }

    /// Its connections, by the network's name.
    ///
    /// ```
    /// # use docknet::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let script = Script::new([
    /// #     expect("GET /containers/web/json").reply(200, r#"{"Id":"4f66ad9a0b2e","Name":"/web","State":{"Status":"running"},"NetworkSettings":{"Networks":{"backend":{"NetworkID":"8dc8b98ebcbf"}}}}"#),
    /// # ]);
    /// # let client = script.client();
    /// let container = client.containers().get("web").await?;
    /// for (network, endpoint) in container.endpoints() {
    ///     println!("{network}: {:?}", endpoint.ipv4());
    /// }
    /// # script.finish();
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn endpoints(&self) -> &BTreeMap<String, EndpointInfo> {
        &self.info().endpoints
    }

    /// Starts it. To start one that runs is no error.
    ///
    /// ```
    /// # use docknet::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let script = Script::new([
    /// #     expect("GET /containers/web/json").reply(200, r#"{"Id":"4f66ad9a0b2e","Name":"/web","State":{"Status":"running"},"NetworkSettings":{"Networks":{"backend":{"NetworkID":"8dc8b98ebcbf"}}}}"#),
    /// #     expect("POST /containers/4f66ad9a0b2e/start").reply(204, ""),
    /// # ]);
    /// # let client = script.client();
    /// let container = client.containers().get("web").await?;
    /// container.start().await?;
    /// # script.finish();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NotFound` for one of its networks that is gone, `AddressInUse`, `AddressesExhausted`.
    pub async fn start(&self) -> Result<()> {
        self.act("container start", Method::POST, self.target().tail("/start")).await
    }

    /// Stops it: asks its process to end, and ends it ten seconds later. To stop one that does not run is no error.
    ///
    /// ```
    /// # use docknet::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let script = Script::new([
    /// #     expect("GET /containers/web/json").reply(200, r#"{"Id":"4f66ad9a0b2e","Name":"/web","State":{"Status":"running"},"NetworkSettings":{"Networks":{"backend":{"NetworkID":"8dc8b98ebcbf"}}}}"#),
    /// #     expect("POST /containers/4f66ad9a0b2e/stop").reply(204, ""),
    /// # ]);
    /// # let client = script.client();
    /// let container = client.containers().get("web").await?;
    /// container.stop().await?;
    /// # script.finish();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn stop(&self) -> Result<()> {
        self.act("container stop", Method::POST, self.target().tail("/stop")).await
    }

    /// Stops it, giving its process this long to end.
    ///
    /// ```
    /// # use docknet::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let script = Script::new([
    /// #     expect("GET /containers/web/json").reply(200, r#"{"Id":"4f66ad9a0b2e","Name":"/web","State":{"Status":"running"},"NetworkSettings":{"Networks":{"backend":{"NetworkID":"8dc8b98ebcbf"}}}}"#),
    /// #     expect("POST /containers/4f66ad9a0b2e/stop?t=1").reply(204, ""),
    /// # ]);
    /// # let client = script.client();
    /// let container = client.containers().get("web").await?;
    /// container.stop_within(1).await?;
    /// # script.finish();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn stop_within(&self, seconds: u32) -> Result<()> {
        let target = self.target().tail("/stop").query("t", &seconds.to_string());
        self.act("container stop", Method::POST, target).await
    }

    /// Removes it, running or not, with its anonymous volumes.
    ///
    /// ```
    /// # use docknet::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let script = Script::new([
    /// #     expect("GET /containers/web/json").reply(200, r#"{"Id":"4f66ad9a0b2e","Name":"/web","State":{"Status":"running"},"NetworkSettings":{"Networks":{"backend":{"NetworkID":"8dc8b98ebcbf"}}}}"#),
    /// #     expect("DELETE /containers/4f66ad9a0b2e?force=true&v=true").reply(204, ""),
    /// # ]);
    /// # let client = script.client();
    /// let container = client.containers().get("web").await?;
    /// container.remove().await?;
    /// # script.finish();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn remove(self) -> Result<()> {
        self.client.containers().remove(self.id.as_str()).await
    }

    /// Fetches it anew, as an inspection shows it.
    ///
    /// ```
    /// # use docknet::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let script = Script::new([
    /// #     expect("GET /containers/web/json").reply(200, r#"{"Id":"4f66ad9a0b2e","Name":"/web","State":{"Status":"running"},"NetworkSettings":{"Networks":{"backend":{"NetworkID":"8dc8b98ebcbf"}}}}"#),
    /// #     expect("GET /containers/4f66ad9a0b2e/json").reply(200, r#"{"Id":"4f66ad9a0b2e","Name":"/web","State":{"Status":"running"},"NetworkSettings":{"Networks":{"backend":{"NetworkID":"8dc8b98ebcbf"}}}}"#),
    /// # ]);
    /// # let client = script.client();
    /// let container = client.containers().get("web").await?;
    /// let mut container = container;
    /// container.reload().await?;
    /// # script.finish();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NotFound` if it is gone; the handle is as before then.
    pub async fn reload(&mut self) -> Result<()> {
        let fresh = self.client.containers().get(self.id.as_str()).await?;
        self.snapshot = fresh.snapshot;
        Ok(())
    }

    /// Runs a command in it, and gives what it wrote and how it ended.
    ///
    /// ```
    /// # use docknet::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let script = Script::new([
    /// #     expect("GET /containers/web/json").reply(200, r#"{"Id":"4f66ad9a0b2e","Name":"/web","State":{"Status":"running"},"NetworkSettings":{"Networks":{"backend":{"NetworkID":"8dc8b98ebcbf"}}}}"#),
    /// #     expect("POST /containers/4f66ad9a0b2e/exec").reply(201, r#"{"Id":"e1"}"#),
    /// #     expect("POST /exec/e1/start").reply(200, r#""#),
    /// #     expect("GET /exec/e1/json").reply(200, r#"{"ExitCode":0}"#),
    /// # ]);
    /// # let client = script.client();
    /// let container = client.containers().get("web").await?;
    /// let output = container.exec(["ping", "-c", "1", "db"]).await?;
    /// assert!(output.success(), "{}", output.stderr_text());
    /// # script.finish();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Conflict` if it does not run. A command that fails is no error: see [`ExecOutput::exit_code`].
    pub async fn exec<S: Into<String>>(
        &self,
        command: impl IntoIterator<Item = S>,
    ) -> Result<ExecOutput> {
        let command: Vec<String> = command.into_iter().map(Into::into).collect();
        self.exec_command(&command).await
    }

    async fn exec_command(&self, command: &[String]) -> Result<ExecOutput> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Created {
            id: String,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Ended {
            exit_code: Option<i64>,
        }

        const OPERATION: &str = "container exec";
        let about = |request: Request| request.about(self.name());
        let body = json!({ "AttachStdout": true, "AttachStderr": true, "Cmd": command });
        let request = Request::json(OPERATION, Method::POST, self.target().tail("/exec"), &body);
        let json = self.client.call(about(request)).await?;
        let created: Created =
            serde_json::from_slice(&json).map_err(|error| undecodable(&error))?;

        let exec = || Target::path("/exec").segment(&created.id);
        let body = json!({ "Detach": false, "Tty": false });
        let request = Request::json(OPERATION, Method::POST, exec().tail("/start"), &body);
        let stream = self.client.call(about(request)).await?;
        let (stdout, stderr) = demultiplex(&stream)?;

        let json = self
            .client
            .call(about(Request::new(OPERATION, Method::GET, exec().tail("/json"))))
            .await?;
        let ended: Ended = serde_json::from_slice(&json).map_err(|error| undecodable(&error))?;
        Ok(ExecOutput { exit_code: ended.exit_code.unwrap_or(-1), stdout, stderr })
    }

    fn target(&self) -> Target {
        Target::path("/containers").segment(self.id.as_str())
    }

    async fn act(&self, operation: &'static str, method: Method, target: Target) -> Result<()> {
        self.client.change(Request::new(operation, method, target).about(self.name())).await
    }
}

/// What a command in a container wrote, and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExecOutput {
    /// The exit code: 0 for success, 126 and 127 if the command could not be run.
    pub exit_code: i64,
    /// What it wrote to its standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to its standard error.
    pub stderr: Vec<u8>,
}

impl ExecOutput {
    /// Whether the command ended with 0.
    #[must_use]
    pub fn success(&self) -> bool {
        self.exit_code == 0
    }

    /// Its standard output as text.
    #[must_use]
    pub fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Its standard error as text.
    #[must_use]
    pub fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

impl AsRef<str> for Container {
    /// The id: so that a container can be given where an id or a name is taken.
    fn as_ref(&self) -> &str {
        self.id.as_str()
    }
}

impl fmt::Debug for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Container")
            .field("id", &self.id)
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

impl PartialEq for Container {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Container {}

impl std::hash::Hash for Container {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}
