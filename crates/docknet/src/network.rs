//! One network.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use docknet_types::{EndpointSpec, Filters, Flavour, NetworkId, NetworkInfo};
use http::Method;
use serde::Serialize;
use serde_json::Value;

use crate::request::{Request, Target};
use crate::snapshot::Snapshot;
use crate::{Client, Container, Error, ErrorKind, Result};

/// A network, as it was when it was fetched: it never changes by itself; [`reload`](Self::reload) fetches it anew.
///
/// Two of them are equal if their ids are.
#[derive(Clone)]
pub struct Network {
    client: Client,
    id: NetworkId,
    snapshot: Arc<Snapshot<NetworkInfo>>,
    warning: Option<Arc<str>>,
}

impl Network {
    pub(crate) fn read(client: &Client, json: Bytes) -> Result<Self> {
        Snapshot::one(json).map(|snapshot| Self::of(client, snapshot))
    }

    pub(crate) fn read_list(client: &Client, json: &Bytes) -> Result<Vec<Self>> {
        Ok(Snapshot::list(json)?.into_iter().map(|snapshot| Self::of(client, snapshot)).collect())
    }

    fn of(client: &Client, mut snapshot: Snapshot<NetworkInfo>) -> Self {
        let id = NetworkId::new(std::mem::take(&mut snapshot.id));
        Self { client: client.clone(), id, snapshot: Arc::new(snapshot), warning: None }
    }

    pub(crate) fn with_warning(mut self, warning: Option<String>) -> Self {
        self.warning = warning.map(Arc::from);
        self
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> &NetworkId {
        &self.id
    }

    /// The first twelve characters of the id.
    #[must_use]
    pub fn short_id(&self) -> &str {
        self.id.short()
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.snapshot.name
    }

    /// The engine's own JSON, every field of it: `network.attrs()["IPAM"]["Config"][0]["Subnet"]`.
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
    pub fn info(&self) -> &NetworkInfo {
        self.snapshot.info(NetworkInfo::from_json)
    }

    /// What the engine had to remark when the network was created, if this is the handle that `create` gave.
    #[must_use]
    pub fn warning(&self) -> Option<&str> {
        self.warning.as_deref()
    }

    /// The containers that run on it now, in one request.
    ///
    /// ```
    /// # use docknet::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let script = Script::new([
    /// #     expect("GET /networks/backend").reply(200, r#"{"Name":"backend","Id":"8dc8b98ebcbf","Driver":"bridge","Labels":{"app":"shop"}}"#),
    /// #     expect("GET /containers/json?filters=%7B%22network%22%3A%7B%228dc8b98ebcbf%22%3Atrue%7D%7D").reply(200, r#"[{"Id":"4f66ad9a0b2e","Names":["/web"],"State":"running","NetworkSettings":{"Networks":{"backend":{"NetworkID":"8dc8b98ebcbf"}}}}]"#),
    /// # ]);
    /// # let client = script.client();
    /// let network = client.networks().get("backend").await?;
    /// for container in network.containers().await? {
    ///     println!("{} {:?}", container.name(), container.endpoints()["backend"].ipv4());
    /// }
    /// # script.finish();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What the engine or the connection meets. A container that goes meanwhile is left out.
    pub async fn containers(&self) -> Result<Vec<Container>> {
        self.client.containers().list_with(&Filters::new().network(self.id.as_str())).await
    }

    /// Connects a container: by id, by name, or a [`Container`].
    ///
    /// ```
    /// # use docknet::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let script = Script::new([
    /// #     expect("GET /networks/backend").reply(200, r#"{"Name":"backend","Id":"8dc8b98ebcbf","Driver":"bridge","Labels":{"app":"shop"}}"#),
    /// #     expect("POST /networks/8dc8b98ebcbf/connect").reply(200, r#""#),
    /// # ]);
    /// # let client = script.client();
    /// let network = client.networks().get("backend").await?;
    /// let endpoint = EndpointSpec::new().alias("api").ipv4("10.7.0.9".parse().unwrap());
    /// network.connect("web", endpoint).await?;
    /// # script.finish();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NotFound`, `AlreadyConnected`, `AddressInUse`, `AddressNotInPool`, `AddressesExhausted`, `NotConnectable`,
    /// `InvalidSpec`; `UnsupportedApi` if the engine would drop a part of the spec without a word.
    pub async fn connect(&self, container: impl AsRef<str>, endpoint: EndpointSpec) -> Result<()> {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Connect<'a> {
            container: &'a str,
            endpoint_config: &'a EndpointSpec,
        }

        const OPERATION: &str = "network connect";
        let engine = self.client.engine().await.map_err(|error| self.doing(OPERATION, error))?;
        self.client
            .refuse_unsupported(engine, &engine.would_drop_of_endpoint(&endpoint))
            .map_err(|error| self.doing(OPERATION, error))?;
        let body = Connect { container: container.as_ref(), endpoint_config: &endpoint };
        let target = Target::path("/networks").segment(self.id.as_str()).tail("/connect");
        self.client
            .call(Request::json(OPERATION, Method::POST, target, &body).about(self.name()))
            .await?;
        Ok(())
    }

    /// Disconnects a container: by id, by name, or a [`Container`].
    ///
    /// ```
    /// # use docknet::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let script = Script::new([
    /// #     expect("GET /networks/backend").reply(200, r#"{"Name":"backend","Id":"8dc8b98ebcbf","Driver":"bridge","Labels":{"app":"shop"}}"#),
    /// #     expect("POST /networks/8dc8b98ebcbf/disconnect").reply(200, r#""#),
    /// # ]);
    /// # let client = script.client();
    /// let network = client.networks().get("backend").await?;
    /// network.disconnect("web").await?;
    /// # script.finish();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NotConnected`, `NotFound`, `NotConnectable`.
    pub async fn disconnect(&self, container: impl AsRef<str>) -> Result<()> {
        self.disconnect_as(container.as_ref(), false).await
    }

    /// Disconnects a container by force: also one that is gone but has left its endpoint behind.
    ///
    /// ```
    /// # use docknet::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let script = Script::new([
    /// #     expect("GET /networks/backend").reply(200, r#"{"Name":"backend","Id":"8dc8b98ebcbf","Driver":"bridge","Labels":{"app":"shop"}}"#),
    /// #     expect("POST /networks/8dc8b98ebcbf/disconnect").reply(200, r#""#),
    /// # ]);
    /// # let client = script.client();
    /// let network = client.networks().get("backend").await?;
    /// network.disconnect_forced("web").await?;
    /// # script.finish();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NotConnected`, `NotFound`, `NotConnectable`.
    pub async fn disconnect_forced(&self, container: impl AsRef<str>) -> Result<()> {
        self.disconnect_as(container.as_ref(), true).await
    }

    async fn disconnect_as(&self, container: &str, force: bool) -> Result<()> {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Disconnect<'a> {
            container: &'a str,
            force: bool,
        }

        let target = Target::path("/networks").segment(self.id.as_str()).tail("/disconnect");
        let body = Disconnect { container, force };
        let request = Request::json("network disconnect", Method::POST, target, &body);
        self.client.call(request.about(self.name())).await?;
        Ok(())
    }

    /// Fetches it anew.
    ///
    /// ```
    /// # use docknet::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let script = Script::new([
    /// #     expect("GET /networks/backend").reply(200, r#"{"Name":"backend","Id":"8dc8b98ebcbf","Driver":"bridge","Labels":{"app":"shop"}}"#),
    /// #     expect("GET /networks/8dc8b98ebcbf").reply(200, r#"{"Name":"backend","Id":"8dc8b98ebcbf","Driver":"bridge","Labels":{"app":"shop"}}"#),
    /// # ]);
    /// # let client = script.client();
    /// let network = client.networks().get("backend").await?;
    /// let mut network = network;
    /// network.reload().await?;
    /// # script.finish();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NotFound` if it is gone; the handle is as before then.
    pub async fn reload(&mut self) -> Result<()> {
        let fresh = self.client.networks().get(self.id.as_str()).await?;
        self.snapshot = fresh.snapshot;
        Ok(())
    }

    /// Removes it.
    ///
    /// ```
    /// # use docknet::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let script = Script::new([
    /// #     expect("GET /networks/backend").reply(200, r#"{"Name":"backend","Id":"8dc8b98ebcbf","Driver":"bridge","Labels":{"app":"shop"}}"#),
    /// #     expect("DELETE /networks/8dc8b98ebcbf").reply(204, ""),
    /// # ]);
    /// # let client = script.client();
    /// let network = client.networks().get("backend").await?;
    /// network.remove().await?;
    /// # script.finish();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `InUse`, `Predefined`, `NotFound`.
    pub async fn remove(self) -> Result<()> {
        self.client.networks().remove_as(self.id.as_str(), self.name()).await
    }

    /// Disconnects every container, stopped ones and leftovers of containers that are gone too, and removes it. A network of
    /// the engine's own is refused before anybody is disconnected.
    ///
    /// ```
    /// # use docknet::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let script = Script::new([
    /// #     expect("GET /networks/backend").reply(200, r#"{"Name":"backend","Id":"8dc8b98ebcbf","Driver":"bridge","Labels":{"app":"shop"}}"#),
    /// #     expect("GET /networks/8dc8b98ebcbf").reply(200, r#"{"Name":"backend","Id":"8dc8b98ebcbf","Driver":"bridge","Labels":{"app":"shop"}}"#),
    /// #     expect("GET /containers/json?all=true&filters=%7B%22network%22%3A%7B%228dc8b98ebcbf%22%3Atrue%2C%22backend%22%3Atrue%7D%7D").reply(200, r#"[{"Id":"4f66ad9a0b2e","Names":["/web"],"State":"running","NetworkSettings":{"Networks":{"backend":{"NetworkID":"8dc8b98ebcbf"}}}}]"#),
    /// #     expect("POST /networks/8dc8b98ebcbf/disconnect").reply(200, r#""#),
    /// #     expect("DELETE /networks/8dc8b98ebcbf").reply(204, ""),
    /// # ]);
    /// # let client = script.client();
    /// let network = client.networks().get("backend").await?;
    /// network.remove_detaching().await?;
    /// # script.finish();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`remove`](Self::remove). What could not be disconnected is named then.
    pub async fn remove_detaching(self) -> Result<()> {
        if self.info().is_predefined() {
            // By its name at least: the engine knows. What Docker does not refuse as its own is a user's network of that
            // name; Podman has none such, and looks first whether somebody uses its own.
            match self.clone().remove().await {
                Err(error) if error.kind() == ErrorKind::InUse => {
                    if self.client.engine().await?.flavour == Flavour::Podman {
                        let own = format!("{} is the engine's own network", self.name());
                        let error = Error::new(ErrorKind::Predefined, own);
                        return Err(self.doing("network remove", error));
                    }
                }
                outcome => return outcome,
            }
        }
        let mut failures = Vec::new();
        for container in self.endpoints().await? {
            match self.disconnect_forced(&container).await {
                Ok(()) => {}
                // It went by itself.
                Err(error)
                    if matches!(error.kind(), ErrorKind::NotConnected | ErrorKind::NotFound) => {}
                Err(error) => failures.push(error.to_string()),
            }
        }
        self.remove().await.map_err(|error| match failures.is_empty() {
            true => error,
            false => error.with_note(failures.join("; ")),
        })
    }

    /// Every container that has an endpoint here: those that the network shows, and stopped ones, which it does not. An
    /// endpoint whose container is gone is known by its name only.
    async fn endpoints(&self) -> Result<Vec<String>> {
        let mut now = self.clone();
        now.reload().await?;
        // A container that never ran knows its networks by name only.
        let of_network = Filters::new().network(self.id.as_str()).network(self.name());
        let containers = self.client.containers().list_all(&of_network).await?;
        let known = |id: &str| containers.iter().any(|container| container.id() == id);
        let leftovers = now
            .info()
            .members
            .iter()
            .filter(|(id, _)| !known(id.as_str()) && may_be_disconnected(id.as_str()));
        let mut endpoints: Vec<_> = leftovers.map(|(_, member)| member.name.clone()).collect();
        endpoints.extend(containers.iter().map(|container| container.id().to_string()));
        Ok(endpoints)
    }

    fn doing(&self, operation: &'static str, error: Error) -> Error {
        error.doing(operation, Some(self.name()))
    }
}

/// Whether this is the id of a container, or of an endpoint without one. Networks of a swarm also have endpoints for the
/// engine's own balancing, as in `lb-backend`: they go with the network, and Docker 28 panics if they are disconnected.
fn may_be_disconnected(member: &str) -> bool {
    let id = member.strip_prefix("ep-").unwrap_or(member);
    id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("id", &self.id)
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

impl PartialEq for Network {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Network {}

impl std::hash::Hash for Network {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_of_the_engine_itself_are_left_alone() {
        for id in ["4f66", "ep-4f66"] {
            assert!(may_be_disconnected(id), "{id}");
        }
        for id in ["lb-backend", "lb-4f66", "ingress-sbox", "gateway_ingress-sbox"] {
            assert!(!may_be_disconnected(id), "{id}");
        }
    }
}
