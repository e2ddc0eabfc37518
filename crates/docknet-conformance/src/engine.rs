//! An engine under test, and what it has.

use std::fmt;

use bytes::Bytes;
use docknet::{Client, Error, ErrorKind, Result};
use http::Request;
use serde_json::Value;

use crate::Needs;
use crate::lab::{self, Lab};

/// An engine under test.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Engine {
    /// What it is called here.
    pub name: String,
    /// Whose it is.
    pub product: Product,
    /// Its version.
    pub version: Version,
    /// Its version in full, as it says it.
    pub full_version: String,
    /// The API version in which it is spoken to.
    pub api_version: String,
    /// A client of each node; the first is tested.
    pub nodes: Vec<Client>,
    /// The link beside it for macvlan networks, as `DOCKNET_MACVLAN_PARENT` names it.
    pub parent: Option<String>,
    met: Vec<Needs>,
    node: String,
    managers: Vec<String>,
}

/// Whose engine it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Product {
    /// Docker Engine.
    Docker,
    /// docknet's own.
    Docknet,
    /// Podman.
    Podman,
}

/// The first two numbers of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "two numbers, for patterns and constants")]
pub struct Version(pub u16, pub u16);

impl Engine {
    /// Looks at an engine: who it is, and what it has. Several addresses are the nodes of one swarm.
    ///
    /// # Errors
    /// What the engine or the connection meets.
    pub async fn connect<S: AsRef<str>>(
        name: impl Into<String>,
        hosts: impl IntoIterator<Item = S>,
    ) -> Result<Self> {
        let nodes: Vec<Client> =
            hosts.into_iter().map(|host| Client::connect(host.as_ref())).collect::<Result<_>>()?;
        Self::of(name, nodes).await
    }

    /// The same with clients that are there already.
    ///
    /// # Errors
    /// What the engine or the connection meets; `Config` if there is no client.
    pub async fn of(name: impl Into<String>, nodes: Vec<Client>) -> Result<Self> {
        let client = nodes
            .first()
            .ok_or_else(|| Error::new(ErrorKind::Config, "an engine has one address at least"))?;
        let version: Value = client.request(get("/version")).await?;
        let info: Value = client.request(get("/info")).await?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let managers = info["Swarm"]["RemoteManagers"].as_array().into_iter().flatten();
        let full_version = text(&version["Version"]);
        let parent = std::env::var("DOCKNET_MACVLAN_PARENT").ok().filter(|name| !name.is_empty());
        let mut engine = Self {
            name: name.into(),
            product: Product::from_version(&version),
            version: Version::parse(&full_version),
            full_version,
            api_version: client.api_version().await?.to_string(),
            met: needs_met(&nodes, &info).await?,
            node: text(&info["Swarm"]["NodeID"]),
            managers: managers.map(|manager| text(&manager["NodeID"])).collect(),
            nodes,
            parent: None,
        };
        if engine.version.0 == 28 && engine.product != Product::Podman {
            engine.met.push(Needs::Wording);
        }
        if let Some(parent) = parent {
            engine = engine.beside(parent);
        }
        Ok(engine)
    }

    /// An engine that has this link beside it, for macvlan networks.
    #[must_use]
    pub fn beside(mut self, parent: impl Into<String>) -> Self {
        self.parent = Some(parent.into());
        if !self.meets(Needs::Parent) {
            self.met.push(Needs::Parent);
        }
        self
    }

    /// Puts the workers of a swarm to their manager, as its further nodes: a swarm is one engine.
    #[must_use]
    pub fn join_swarms(engines: Vec<Self>) -> Vec<Self> {
        let (workers, mut engines): (Vec<_>, Vec<_>) = engines
            .into_iter()
            .partition(|engine| !engine.managers.is_empty() && !engine.meets(Needs::Swarm));
        for worker in workers {
            match engines.iter_mut().find(|engine| worker.managers.contains(&engine.node)) {
                Some(manager) => {
                    manager.nodes.extend(worker.nodes);
                    manager.met.push(Needs::TwoNodes);
                }
                None => engines.push(worker),
            }
        }
        engines
    }

    /// The client that is tested.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.nodes[0]
    }

    /// Whether this is in a swarm, and one of the others is the same engine in none: what is not about swarms is looked at
    /// there only.
    #[must_use]
    pub fn is_twin_in_swarm(&self, others: &[Self]) -> bool {
        let same = |other: &Self| {
            (other.product, &other.full_version) == (self.product, &self.full_version)
        };
        !self.meets(Needs::NoSwarm)
            && others.iter().any(|other| same(other) && other.meets(Needs::NoSwarm))
    }

    /// Whether the engine has what is needed.
    #[must_use]
    pub fn meets(&self, need: Needs) -> bool {
        need == Needs::Exclusive || self.met.contains(&need)
    }
}

impl Product {
    fn from_version(version: &Value) -> Self {
        let text = format!("{}{}", version["Platform"], version["Components"]).to_lowercase();
        if text.contains("docknet") {
            Self::Docknet
        } else if text.contains("podman") {
            Self::Podman
        } else {
            Self::Docker
        }
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Docker => "Docker",
            Self::Docknet => "docknet",
            Self::Podman => "Podman",
        })
    }
}

impl Version {
    /// Numbers that are not there are zero.
    fn parse(text: &str) -> Self {
        let mut numbers =
            text.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
        Self(numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
    }
}

async fn needs_met(nodes: &[Client], info: &Value) -> Result<Vec<Needs>> {
    let client = &nodes[0];
    let mut met = Vec::new();
    let in_swarm = info["Swarm"]["LocalNodeState"] == "active";
    if !in_swarm {
        met.push(Needs::NoSwarm);
    } else if info["Swarm"]["ControlAvailable"] == true {
        met.push(Needs::Swarm);
        if nodes.len() > 1 {
            met.push(Needs::TwoNodes);
        }
    }
    if client.send(get(&format!("/images/{}/json", lab::IMAGE))).await?.status().is_success() {
        met.push(Needs::Containers);
        if has_processes(client).await? {
            met.push(Needs::Processes);
        }
    }
    Ok(met)
}

/// Has a program run in a container. Only an engine that says that its containers have no processes has none: whatever
/// else goes wrong there is for behaviours to find.
async fn has_processes(client: &Client) -> Result<bool> {
    const NONE: &str = "have no processes";
    let lab = Lab::new("processes", std::slice::from_ref(client));
    let answer = lab
        .enter(async {
            let container = lab::running(client, &[]).await?;
            container.exec(["true"]).await
        })
        .await;
    let cleaned = lab.clean_up().await;
    let says_none = match &answer {
        Ok(output) => {
            let said = format!("{}{}", output.stdout_text(), output.stderr_text());
            output.exit_code == 126 && said.contains(NONE)
        }
        Err(error) => error.message().contains(NONE),
    };
    match cleaned {
        Ok(()) => Ok(!says_none),
        Err(left) => Err(Error::new(ErrorKind::Server, left)),
    }
}

fn get(path: &str) -> Request<Bytes> {
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = path.parse().unwrap_or_default();
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_engines_call_themselves() {
        assert_eq!(Version::parse("20.10.24+dfsg1"), Version(20, 10));
        assert_eq!(Version::parse("5.4.2"), Version(5, 4));
        let podman = serde_json::json!({"Components": [{"Name": "Podman Engine"}]});
        assert_eq!(Product::from_version(&podman), Product::Podman);
        let docker =
            serde_json::json!({"Platform": {"Name": ""}, "Components": [{"Name": "Engine"}]});
        assert_eq!(Product::from_version(&docker), Product::Docker);
    }
}
