//! The containers of an engine, as far as networks need them.

use docknet_types::{ContainerSpec, Filters};
use http::Method;
use serde::Deserialize;

use crate::client::undecodable;
use crate::request::{Request, Target};
use crate::{Client, Container, Error, Result};

/// The containers of an engine: get, list, create.
#[derive(Clone, Debug)]
pub struct Containers(Client);

impl Containers {
    pub(crate) fn new(client: Client) -> Self {
        Self(client)
    }

    /// The container of this id or name, or of the only id that begins so.
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
    /// assert_eq!(*container.status(), ContainerStatus::Running);
    /// # script.finish();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NotFound`, `AmbiguousName`.
    pub async fn get(&self, id_or_name: &str) -> Result<Container> {
        const OPERATION: &str = "container inspect";
        let target = Target::path("/containers").segment(id_or_name).tail("/json");
        let json =
            self.0.call(Request::new(OPERATION, Method::GET, target).about(id_or_name)).await?;
        Container::read(&self.0, json).map_err(|error| error.doing(OPERATION, Some(id_or_name)))
    }

    /// The containers that run.
    ///
    /// ```
    /// # use docknet::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let script = Script::new([
    /// #     expect("GET /containers/json").reply(200, r#"[{"Id":"4f66ad9a0b2e","Names":["/web"],"State":"running","NetworkSettings":{"Networks":{"backend":{"NetworkID":"8dc8b98ebcbf"}}}}]"#),
    /// # ]);
    /// # let client = script.client();
    /// assert_eq!(client.containers().list().await?[0].name(), "web");
    /// # script.finish();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What the engine or the connection meets.
    pub async fn list(&self) -> Result<Vec<Container>> {
        self.list_with(&Filters::new()).await
    }

    /// The containers that run and match; in other states too if a filter says which.
    ///
    /// ```
    /// # use docknet::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let script = Script::new([
    /// #     expect("GET /containers/json?filters=%7B%22network%22%3A%7B%22backend%22%3Atrue%7D%7D").reply(200, r#"[{"Id":"4f66ad9a0b2e","Names":["/web"],"State":"running","NetworkSettings":{"Networks":{"backend":{"NetworkID":"8dc8b98ebcbf"}}}}]"#),
    /// # ]);
    /// # let client = script.client();
    /// let containers = client.containers().list_with(&Filters::new().network("backend")).await?;
    /// assert_eq!(containers.len(), 1);
    /// # script.finish();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `BadRequest` for filters that the engine does not know.
    pub async fn list_with(&self, filters: &Filters) -> Result<Vec<Container>> {
        self.list_of(Target::path("/containers/json").filters(filters)).await
    }

    /// The containers that match, whatever they do.
    ///
    /// ```
    /// # use docknet::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let script = Script::new([
    /// #     expect("GET /containers/json?all=true").reply(200, r#"[{"Id":"4f66ad9a0b2e","Names":["/web"],"State":"running","NetworkSettings":{"Networks":{"backend":{"NetworkID":"8dc8b98ebcbf"}}}}]"#),
    /// # ]);
    /// # let client = script.client();
    /// let containers = client.containers().list_all(&Filters::new()).await?;
    /// assert_eq!(containers.len(), 1);
    /// # script.finish();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `BadRequest` for filters that the engine does not know.
    pub async fn list_all(&self, filters: &Filters) -> Result<Vec<Container>> {
        self.list_of(Target::path("/containers/json").query("all", "true").filters(filters)).await
    }

    async fn list_of(&self, target: Target) -> Result<Vec<Container>> {
        const OPERATION: &str = "container list";
        let json = self.0.call(Request::new(OPERATION, Method::GET, target)).await?;
        Container::read_list(&self.0, &json).map_err(|error| error.doing(OPERATION, None))
    }

    /// Creates a container with its networks; [`Container::start`] starts it.
    ///
    /// Engines before API 1.44 take one network here. The others are connected after it then, and if that fails, the
    /// container is removed again.
    ///
    /// ```
    /// # use docknet::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let script = Script::new([
    /// #     expect("POST /containers/create?name=web").reply(201, r#"{"Id":"4f66ad9a0b2e"}"#),
    /// #     expect("GET /containers/4f66ad9a0b2e/json").reply(200, r#"{"Id":"4f66ad9a0b2e","Name":"/web","State":{"Status":"running"},"NetworkSettings":{"Networks":{"backend":{"NetworkID":"8dc8b98ebcbf"}}}}"#),
    /// #     expect("POST /containers/4f66ad9a0b2e/start").reply(204, ""),
    /// # ]);
    /// # let client = script.client();
    /// let spec = ContainerSpec::new("busybox")
    ///     .name("web")
    ///     .command(["sleep", "1000"])
    ///     .network("backend", EndpointSpec::new().alias("api"));
    /// let container = client.containers().create(spec).await?;
    /// container.start().await?;
    /// # script.finish();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NotFound` for an image that is not there, `NameTaken`, those of [`Network::connect`](crate::Network::connect).
    pub async fn create(&self, spec: impl Into<ContainerSpec>) -> Result<Container> {
        self.create_spec(&spec.into()).await
    }

    async fn create_spec(&self, spec: &ContainerSpec) -> Result<Container> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Created {
            id: String,
        }

        const OPERATION: &str = "container create";
        let subject = spec.name.as_deref().unwrap_or(&spec.image);
        let doing = |error: Error| error.doing(OPERATION, Some(subject));
        let engine = self.0.engine().await.map_err(doing)?;
        let (body, after) = spec.body(engine.version);
        let (at_once, later) = spec.networks.split_at(spec.networks.len() - after.len());
        let at_once =
            at_once.iter().flat_map(|(_, endpoint)| engine.would_drop_at_creation(endpoint));
        let later = later.iter().flat_map(|(_, endpoint)| engine.would_drop_of_endpoint(endpoint));
        let dropped: Vec<_> = at_once.chain(later).collect();
        self.0.refuse_unsupported(engine, &dropped).map_err(doing)?;
        let target = Target::path("/containers/create").maybe("name", spec.name.as_deref());
        let json = self
            .0
            .call(Request::json(OPERATION, Method::POST, target, &body).about(subject))
            .await?;
        let created: Created =
            serde_json::from_slice(&json).map_err(|error| doing(undecodable(&error)))?;
        for (network, endpoint) in after {
            let connected = async {
                self.0.networks().get(network).await?.connect(&created.id, endpoint.clone()).await
            };
            if let Err(error) = connected.await {
                let gone = self.remove(&created.id).await;
                return Err(match gone {
                    Ok(()) => doing(error),
                    Err(left) => doing(error)
                        .with_note(format!("the container {} is left: {left}", created.id)),
                });
            }
        }
        self.get(&created.id).await
    }

    /// Removes a container, running or not.
    pub(crate) async fn remove(&self, id: &str) -> Result<()> {
        let target =
            Target::path("/containers").segment(id).query("force", "true").query("v", "true");
        self.0.call(Request::new("container remove", Method::DELETE, target).about(id)).await?;
        Ok(())
    }
}
