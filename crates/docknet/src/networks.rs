//! The networks of an engine.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use docknet_types::{ApiVersion, Filters, Flavour, IpNet, NetworkSpec, Scope};
use http::Method;
use serde::Deserialize;

use crate::client::undecodable;
use crate::prune::{self, PrunePlan, Pruned};
use crate::request::{Request, Target, is_routable};
use crate::{Client, Container, Error, ErrorKind, Network, Result, Watch};

/// The networks of an engine: create, get, list, prune.
#[derive(Clone, Debug)]
pub struct Networks(Client);

impl Networks {
    pub(crate) fn new(client: Client) -> Self {
        Self(client)
    }

    /// Creates a network, and gets it. A name alone is a spec, too.
    ///
    /// A warning of the engine is in [`Network::warning`].
    ///
    /// ```
    /// # use docknet::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let script = Script::new([
    /// #     expect("POST /networks/create").reply(201, r#"{"Id":"8dc8b98ebcbf","Warning":""}"#),
    /// #     expect("GET /networks/8dc8b98ebcbf").reply(200, r#"{"Name":"backend","Id":"8dc8b98ebcbf","Driver":"bridge","Labels":{"app":"shop"}}"#),
    /// # ]);
    /// # let client = script.client();
    /// let spec = NetworkSpec::new("backend").driver(Driver::Bridge).label("app", "shop");
    /// let network = client.networks().create(spec).await?;
    /// assert_eq!(network.name(), "backend");
    /// # script.finish();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NameTaken`, `PoolOverlap`, `PoolExhausted`, `InvalidSpec`, `NoSuchDriver`, `NoSwarm`, `Predefined`;
    /// `UnsupportedApi` if the engine would drop a part of the spec without a word.
    pub async fn create(&self, spec: impl Into<NetworkSpec>) -> Result<Network> {
        self.create_spec(spec.into()).await
    }

    async fn create_spec(&self, spec: NetworkSpec) -> Result<Network> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Created {
            id: String,
            #[serde(default)]
            warning: Option<String>,
        }

        const OPERATION: &str = "network create";
        // Podman would make a name up, and Docker 20.10 take it for one that is there.
        if spec.name.trim().is_empty() {
            let error =
                Error::new(ErrorKind::InvalidSpec, "a network's name is wanted, and this is empty");
            return Err(error.doing(OPERATION, Some(&spec.name)));
        }
        let engine =
            self.0.engine().await.map_err(|error| error.doing(OPERATION, Some(&spec.name)))?;
        let name = spec.name.clone();
        self.0
            .refuse_unsupported(engine, &engine.would_drop_of_network(&spec))
            .map_err(|error| error.doing(OPERATION, Some(&name)))?;
        let spec = spec.for_version(engine.version);
        let request =
            Request::json(OPERATION, Method::POST, Target::path("/networks/create"), &spec)
                .about(&name);
        let created: Created = serde_json::from_slice(&self.0.call(request).await?)
            .map_err(|error| undecodable(&error).doing(OPERATION, Some(&name)))?;
        let network = self.get(&created.id).await?;
        Ok(network.with_warning(created.warning.filter(|warning| !warning.is_empty())))
    }

    /// The network of this name, made if it is not there. What the spec leaves open may be anything.
    ///
    /// Calls of several programs at once all get the same network. Only engines before API 1.44 can make several then, if
    /// they are to choose the subnet.
    ///
    /// ```
    /// # use docknet::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let script = Script::new([
    /// #     expect("GET /networks?filters=%7B%22name%22%3A%7B%22%5Ebackend%24%22%3Atrue%7D%7D").reply(200, r#"[{"Name":"backend","Id":"8dc8b98ebcbf","Driver":"bridge","Labels":{"app":"shop"}}]"#),
    /// #     expect("GET /networks?filters=%7B%22name%22%3A%7B%22%5Ebackend%24%22%3Atrue%7D%7D").reply(200, r#"[{"Name":"backend","Id":"8dc8b98ebcbf","Driver":"bridge","Labels":{"app":"shop"}}]"#),
    /// # ]);
    /// # let client = script.client();
    /// let spec = NetworkSpec::new("backend").label("app", "blog");
    /// match client.networks().ensure(spec).await {
    ///     Ok(network) => println!("{} is there", network.name()),
    ///     Err(error) => assert!(error.message().contains(r#"label "app" is "shop", not "blog""#)),
    /// }
    /// # client.networks().ensure("backend").await?;
    /// # script.finish();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Conflict` if there is one that is not what the spec asks for: the message names the fields that differ.
    /// Otherwise those of [`create`](Self::create).
    pub async fn ensure(&self, spec: impl Into<NetworkSpec>) -> Result<Network> {
        let spec = spec.into();
        self.ensure_spec(&spec)
            .await
            .map_err(|error| error.doing("network ensure", Some(&spec.name)))
    }

    async fn ensure_spec(&self, spec: &NetworkSpec) -> Result<Network> {
        if let Some(there) = self.by_name(&spec.name).await? {
            return self.same_as(spec, there).await;
        }
        let error = match self.create(spec).await {
            Err(error) if error.is_conflict() => error,
            created => return created,
        };
        match self.made_meanwhile(spec, error.kind()).await? {
            Some(there) => self.same_as(spec, there).await,
            None => Err(error),
        }
    }

    /// The network of this spec's name that somebody else was faster to make.
    async fn made_meanwhile(
        &self,
        spec: &NetworkSpec,
        refusal: ErrorKind,
    ) -> Result<Option<Network>> {
        const PAUSE: Duration = Duration::from_millis(100);
        const PATIENCE: Duration = Duration::from_secs(20);
        // Docker 20.10 takes a subnet long before it shows the network.
        let engine = self.0.engine().await?;
        let is_being_made = refusal == ErrorKind::PoolOverlap
            && engine.flavour == Flavour::Docker
            && engine.version < ApiVersion::new(1, 44);
        let begun = Instant::now();
        while is_being_made && begun.elapsed() < PATIENCE {
            let networks = self.list().await?;
            if networks.iter().any(|network| overlaps(spec, network)) {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.by_name(&spec.name).await
    }

    async fn same_as(&self, spec: &NetworkSpec, there: Network) -> Result<Network> {
        let engine = self.0.engine().await?;
        let differences = spec.differences(there.info(), engine.flavour);
        if differences.is_empty() {
            return Ok(there);
        }
        let list = differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        let text = format!(
            "a network of this name is there ({}), and is another: {list}",
            there.id().short()
        );
        Err(Error::new(ErrorKind::Conflict, text))
    }

    /// The network of this id or name, or of the only id that begins so.
    ///
    /// ```
    /// # use docknet::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let script = Script::new([
    /// #     expect("GET /networks/backend").reply(200, r#"{"Name":"backend","Id":"8dc8b98ebcbf","Driver":"bridge","Labels":{"app":"shop"}}"#),
    /// # ]);
    /// # let client = script.client();
    /// let network = client.networks().get("backend").await?;
    /// assert_eq!(network.attrs()["Labels"]["app"], "shop");
    /// # script.finish();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NotFound`, `AmbiguousName`.
    pub async fn get(&self, id_or_name: &str) -> Result<Network> {
        self.inspect(id_or_name, &InspectOptions::new()).await
    }

    /// The same, with the services of a swarm's network, or of one scope only.
    ///
    /// ```
    /// # use docknet::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let script = Script::new([
    /// #     expect("GET /networks/backend?verbose=true&scope=swarm").reply(200, r#"{"Name":"backend","Id":"8dc8b98ebcbf","Driver":"bridge","Labels":{"app":"shop"}}"#),
    /// # ]);
    /// # let client = script.client();
    /// let options = InspectOptions::new().verbose(true).scope(Scope::Swarm);
    /// let network = client.networks().inspect("backend", &options).await?;
    /// println!("{} services", network.info().services.len());
    /// # script.finish();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NotFound`, `AmbiguousName`.
    pub async fn inspect(&self, id_or_name: &str, options: &InspectOptions) -> Result<Network> {
        const OPERATION: &str = "network inspect";
        let reference = self.reference(OPERATION, id_or_name).await?;
        let target = Target::path("/networks")
            .segment(&reference)
            .maybe("verbose", options.verbose.then_some("true"))
            .maybe("scope", options.scope.as_ref().map(Scope::as_str));
        let json =
            self.0.call(Request::new(OPERATION, Method::GET, target).about(id_or_name)).await?;
        Network::read(&self.0, json).map_err(|error| error.doing(OPERATION, Some(id_or_name)))
    }

    /// The same as [`get`](Self::get), or none if there is no such network.
    ///
    /// ```
    /// # use docknet::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let script = Script::new([
    /// #     expect("GET /networks/backend").reply(404, r#"{"message":"network backend not found"}"#),
    /// # ]);
    /// # let client = script.client();
    /// assert!(client.networks().find("backend").await?.is_none());
    /// # script.finish();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `AmbiguousName`; never `NotFound`.
    pub async fn find(&self, id_or_name: &str) -> Result<Option<Network>> {
        match self.get(id_or_name).await {
            Ok(network) => Ok(Some(network)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Every network. Docker leaves out who is connected; see [`list_detailed`](Self::list_detailed).
    ///
    /// ```
    /// # use docknet::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let script = Script::new([
    /// #     expect("GET /networks").reply(200, r#"[{"Name":"backend","Id":"8dc8b98ebcbf","Driver":"bridge","Labels":{"app":"shop"}}]"#),
    /// # ]);
    /// # let client = script.client();
    /// for network in client.networks().list().await? {
    ///     println!("{} {}", network.short_id(), network.name());
    /// }
    /// # script.finish();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// What the engine or the connection meets.
    pub async fn list(&self) -> Result<Vec<Network>> {
        self.list_with(&Filters::new()).await
    }

    /// The networks that match.
    ///
    /// ```
    /// # use docknet::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let script = Script::new([
    /// #     expect("GET /networks?filters=%7B%22label%22%3A%7B%22app%3Dshop%22%3Atrue%7D%7D").reply(200, r#"[{"Name":"backend","Id":"8dc8b98ebcbf","Driver":"bridge","Labels":{"app":"shop"}}]"#),
    /// # ]);
    /// # let client = script.client();
    /// let shop = client.networks().list_with(&Filters::new().label("app=shop")).await?;
    /// assert_eq!(shop[0].name(), "backend");
    /// # script.finish();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `BadRequest` for filters that the engine does not know.
    pub async fn list_with(&self, filters: &Filters) -> Result<Vec<Network>> {
        const OPERATION: &str = "network list";
        let request =
            Request::new(OPERATION, Method::GET, Target::path("/networks").filters(filters));
        let json = self.0.call(request).await?;
        Network::read_list(&self.0, &json).map_err(|error| error.doing(OPERATION, None))
    }

    /// The networks that match, each with the containers connected to it, stopped ones too, in two requests however many there are.
    ///
    /// ```
    /// # use docknet::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let script = Script::new([
    /// #     expect("GET /networks").reply(200, r#"[{"Name":"backend","Id":"8dc8b98ebcbf","Driver":"bridge","Labels":{"app":"shop"}}]"#),
    /// #     expect("GET /containers/json?all=true").reply(200, r#"[{"Id":"4f66ad9a0b2e","Names":["/web"],"State":"running","NetworkSettings":{"Networks":{"backend":{"NetworkID":"8dc8b98ebcbf"}}}}]"#),
    /// # ]);
    /// # let client = script.client();
    /// for details in client.networks().list_detailed(&Filters::new()).await? {
    ///     let names: Vec<_> = details.containers.iter().map(Container::name).collect();
    ///     assert_eq!((details.network.name(), names), ("backend", vec!["web"]));
    /// }
    /// # script.finish();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `BadRequest` for filters that the engine does not know.
    pub async fn list_detailed(&self, filters: &Filters) -> Result<Vec<NetworkDetails>> {
        let networks = self.list_with(filters).await?;
        let containers = self.0.containers().list_all(&Filters::new()).await?;
        Ok(join(&networks, &containers))
    }

    /// Removes a network.
    ///
    /// ```
    /// # use docknet::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let script = Script::new([
    /// #     expect("DELETE /networks/backend").reply(204, ""),
    /// # ]);
    /// # let client = script.client();
    /// client.networks().remove("backend").await?;
    /// # script.finish();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NotFound`, `AmbiguousName`, `InUse`, `Predefined`.
    pub async fn remove(&self, id_or_name: &str) -> Result<()> {
        self.remove_as(id_or_name, id_or_name).await
    }

    /// Removes a network, known to the caller by this name.
    pub(crate) async fn remove_as(&self, id_or_name: &str, subject: &str) -> Result<()> {
        const OPERATION: &str = "network remove";
        let doing = |error: Error| error.doing(OPERATION, Some(subject));
        let mut reference = self.reference(OPERATION, id_or_name).await?;
        if self.0.engine().await.map_err(doing)?.flavour == Flavour::Podman {
            // It looks for users of the network by the very text of the path, and they have names: addressed by its
            // id, a network that is in use goes, and its containers can be neither restarted nor removed.
            let target = Target::path("/networks").segment(&reference);
            let json =
                self.0.call(Request::new(OPERATION, Method::GET, target).about(subject)).await?;
            Network::read(&self.0, json).map_err(doing)?.name().clone_into(&mut reference);
        }
        let target = Target::path("/networks").segment(&reference);
        self.0.call(Request::new(OPERATION, Method::DELETE, target).about(subject)).await?;
        Ok(())
    }

    /// Removes the networks that no running container uses, of those that match. Docker also removes networks that
    /// stopped containers need to start again; [`plan_prune`](Self::plan_prune) does not.
    ///
    /// ```
    /// # use docknet::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let script = Script::new([
    /// #     expect("POST /networks/prune?filters=%7B%22label%22%3A%7B%22app%3Dshop%22%3Atrue%7D%7D").reply(200, r#"{"NetworksDeleted":["backend"]}"#),
    /// # ]);
    /// # let client = script.client();
    /// let pruned = client.networks().prune(&Filters::new().label("app=shop")).await?;
    /// assert_eq!(pruned.networks_deleted, ["backend"]);
    /// # script.finish();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `BadRequest` for filters that the engine does not know: it knows `label`, `label!` and `until`.
    pub async fn prune(&self, filters: &Filters) -> Result<Pruned> {
        const OPERATION: &str = "network prune";
        // Docker closes the connection without an answer to an empty `until`, which these filters cannot hold.
        let request =
            Request::new(OPERATION, Method::POST, Target::path("/networks/prune").filters(filters));
        let json = self.0.call(request).await?;
        serde_json::from_slice(&json).map_err(|error| undecodable(&error).doing(OPERATION, None))
    }

    /// What a prune with these filters would remove, and what it would keep and why. Networks that stopped containers
    /// refer to are kept. [`PrunePlan::execute`] does it.
    ///
    /// ```
    /// # use docknet::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let script = Script::new([
    /// #     expect("GET /networks").reply(200, r#"[{"Name":"backend","Id":"8dc8b98ebcbf","Driver":"bridge","Labels":{"app":"shop"}}]"#),
    /// #     expect("GET /containers/json?all=true").reply(200, r#"[{"Id":"4f66ad9a0b2e","Names":["/web"],"State":"running","NetworkSettings":{"Networks":{"backend":{"NetworkID":"8dc8b98ebcbf"}}}}]"#),
    /// # ]);
    /// # let client = script.client();
    /// let plan = client.networks().plan_prune(&Filters::new()).await?;
    /// for (network, reason) in &plan.keep {
    ///     assert_eq!(format!("{} is {reason}", network.name()), "backend is used by web");
    /// }
    /// let pruned = plan.execute().await?;
    /// assert!(pruned.networks_deleted.is_empty());
    /// # script.finish();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `InvalidSpec` for filters other than `label`, `label!` and `until`, and for a time that does not read as one.
    pub async fn plan_prune(&self, filters: &Filters) -> Result<PrunePlan> {
        prune::plan(&self.0, filters).await.map_err(|error| error.doing("network prune plan", None))
    }

    /// Every network, then every change of them and of who is connected, in order; and all of them again after a gap.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch::new(self.0.clone())
    }

    /// The network of exactly this name.
    async fn by_name(&self, name: &str) -> Result<Option<Network>> {
        let found = self.list_with(&Filters::new().name(exactly(name))).await?;
        let mut same = found.into_iter().filter(|network| network.name() == name);
        let first = same.next();
        match same.count() {
            0 => Ok(first),
            more => {
                let text = format!("{} networks have this name", more + 1);
                Err(Error::new(ErrorKind::AmbiguousName, text))
            }
        }
    }

    /// What to write in a path for this network: the text itself, or the id where the text would not arrive.
    pub(crate) async fn reference(
        &self,
        operation: &'static str,
        id_or_name: &str,
    ) -> Result<String> {
        if id_or_name.is_empty() || is_routable(id_or_name) {
            return Ok(id_or_name.to_owned());
        }
        let found = self
            .by_name(id_or_name)
            .await
            .map_err(|error| error.doing(operation, Some(id_or_name)))?;
        found.map(|network| network.id().to_string()).ok_or_else(|| {
            let text = format!("network {id_or_name} not found");
            Error::new(ErrorKind::NotFound, text).doing(operation, Some(id_or_name))
        })
    }
}

/// Every network, with the containers that run on it.
pub(crate) async fn running(client: &Client) -> Result<Vec<NetworkDetails>> {
    let networks = client.networks().list().await?;
    let containers = client.containers().list().await?;
    Ok(join(&networks, &containers))
}

/// Whether a network has addresses that this spec asks for.
fn overlaps(spec: &NetworkSpec, network: &Network) -> bool {
    let theirs = || network.info().ipam.pools.iter().filter_map(|pool| pool.subnet);
    let overlap = |one: &IpNet, other: &IpNet| {
        one.contains(&other.network()) || other.contains(&one.network())
    };
    spec.ipam.pools.iter().any(|ours| theirs().any(|theirs| overlap(&ours.subnet, &theirs)))
}

/// Puts containers to the networks that they name.
fn join(networks: &[Network], containers: &[Container]) -> Vec<NetworkDetails> {
    let mut by_network: BTreeMap<&str, Vec<&Container>> = BTreeMap::new();
    for container in containers {
        for (name, endpoint) in container.endpoints() {
            // A container that never ran knows its networks by name only.
            let id = endpoint.network_id.as_str();
            by_network.entry(if id.is_empty() { name } else { id }).or_default().push(container);
        }
    }
    let details = networks.iter().map(|network| {
        let keys = BTreeSet::from([network.id().as_str(), network.name()]);
        let connected = keys.into_iter().filter_map(|key| by_network.get(key)).flatten().copied();
        NetworkDetails { network: network.clone(), containers: connected.cloned().collect() }
    });
    details.collect()
}

/// A regular expression that matches this text alone.
fn exactly(name: &str) -> String {
    let mut pattern = String::from("^");
    for c in name.chars() {
        if c.is_ascii_punctuation() {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('$');
    pattern
}

/// What an inspection is to show.
///
/// ```
/// use docknet::{InspectOptions, Scope};
///
/// let options = InspectOptions::new().verbose(true).scope(Scope::Swarm);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct InspectOptions {
    /// Whether the services of a swarm's network are shown.
    pub verbose: bool,
    /// The scope in which to look.
    pub scope: Option<Scope>,
}

impl InspectOptions {
    /// The engine's defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Shows the services of a swarm's network.
    pub fn verbose(mut self, verbose: bool) -> Self {
        self.verbose = verbose;
        self
    }

    /// Looks in this scope only.
    pub fn scope(mut self, scope: impl Into<Scope>) -> Self {
        self.scope = Some(scope.into());
        self
    }
}

/// A network, and who is connected to it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NetworkDetails {
    /// The network.
    pub network: Network,
    /// The containers connected to it, running or not.
    pub containers: Vec<Container>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_a_pattern_of_itself() {
        assert_eq!(exactly("a.b*c"), "^a\\.b\\*c$");
        assert_eq!(exactly("réseau 1"), "^réseau 1$");
    }
}
