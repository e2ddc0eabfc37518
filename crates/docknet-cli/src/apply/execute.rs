//! Does a plan step by step. If a step fails or somebody interrupts, what was done is undone in reverse.

use std::collections::BTreeMap;
use std::fmt;

use docknet::{Client, Container, Error, Network};

use super::plan::{Step, Who};
use crate::output::visible;

/// A plan that was not done to its end.
#[derive(Debug)]
pub(crate) struct Halted {
    /// What failed, and why; none if it was interrupted.
    pub(crate) cause: Option<(String, Error)>,
    /// How many steps were done and undone again.
    pub(crate) undone: usize,
    /// What is not as it was before, and why.
    pub(crate) left: Vec<String>,
}

/// What an execution talks to besides the engine.
pub(crate) trait Watcher {
    /// A step begins, or is undone.
    fn begins(&mut self, what: &str);
    /// Whether no other step is to be begun.
    fn interrupted(&self) -> bool;
}

/// Does these steps, or none of them.
pub(crate) async fn execute(
    client: &Client,
    networks: Vec<Network>,
    steps: &[Step],
    watcher: &mut impl Watcher,
) -> Result<(), Halted> {
    let networks =
        networks.into_iter().map(|network| (network.name().to_owned(), network)).collect();
    let mut hands = Hands { client, networks };
    for (at, step) in steps.iter().enumerate() {
        let done = steps.get(..at).unwrap_or_default();
        if watcher.interrupted() {
            let (undone, left) = hands.undo(done, watcher).await;
            return Err(Halted { cause: None, undone, left });
        }
        watcher.begins(&step.to_string());
        if let Err(error) = hands.act(step).await {
            // An answer that was lost says nothing about the call.
            let done = match hands.has_happened(step, &error).await {
                true => steps.get(..=at).unwrap_or_default(),
                false => done,
            };
            let (undone, left) = hands.undo(done, watcher).await;
            return Err(Halted { cause: Some((step.to_string(), error)), undone, left });
        }
    }
    if watcher.interrupted() {
        // It came during the last step: all is done, which is one of the two ends that were asked for.
        watcher.begins("everything was done already");
    }
    Ok(())
}

struct Hands<'a> {
    client: &'a Client,
    /// The networks as they are now, by name.
    networks: BTreeMap<String, Network>,
}

impl Hands<'_> {
    async fn act(&mut self, step: &Step) -> Result<(), Error> {
        match step {
            Step::Connect { network, container, spec } => {
                self.network(network).await?.connect(container.id.as_str(), spec.clone()).await
            }
            Step::Create { spec } => {
                let network = self.client.networks().create(spec).await?;
                self.networks.insert(spec.name.clone(), network);
                Ok(())
            }
            Step::Disconnect { network, container, .. } => {
                self.network(network).await?.disconnect(container.id.as_str()).await
            }
            Step::Remove { network, .. } => {
                let handle = self.network(network).await?;
                handle.remove().await?;
                self.networks.remove(network);
                Ok(())
            }
        }
    }

    /// Undoes these steps, the last one first. Gives how many, and what could not be.
    async fn undo(&mut self, done: &[Step], watcher: &mut impl Watcher) -> (usize, Vec<String>) {
        let mut left = Vec::new();
        for step in done.iter().rev() {
            watcher.begins(&format!("undo: {step}"));
            if let Err(what) = self.undo_one(step).await {
                left.push(what);
            }
        }
        (done.len(), left)
    }

    async fn undo_one(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Connect { network, container, .. } => {
                let undo = Step::Disconnect {
                    network: network.clone(),
                    container: container.clone(),
                    plain: docknet::EndpointSpec::new(),
                    exact: docknet::EndpointSpec::new(),
                };
                self.surely(&undo).await.map_err(|error| {
                    format!(
                        "container `{}` is connected to network `{network}` still: {}",
                        container.name,
                        error.message()
                    )
                })
            }
            Step::Create { spec } => {
                let undo = Step::Remove { network: spec.name.clone(), spec: spec.clone() };
                self.surely(&undo).await.map_err(|error| {
                    format!("network `{}` is there still: {}", spec.name, error.message())
                })
            }
            Step::Disconnect { network, container, plain, exact } => {
                let connect = |spec: &docknet::EndpointSpec| Step::Connect {
                    network: network.clone(),
                    container: container.clone(),
                    spec: spec.clone(),
                };
                let Err(error) = self.surely(&connect(exact)).await else { return Ok(()) };
                let lost = |error: &Error| {
                    format!(
                        "container `{}` is not connected to network `{network}` any more: {}",
                        container.name,
                        error.message()
                    )
                };
                if plain == exact {
                    return Err(lost(&error));
                }
                // Engines give no chosen address in a subnet that they picked themselves.
                self.surely(&connect(plain)).await.map_err(|error| lost(&error))?;
                self.address_kept(network, container, exact).await
            }
            Step::Remove { network, spec } => {
                let undo = Step::Create { spec: spec.clone() };
                self.surely(&undo).await.map_err(|error| {
                    format!(
                        "network `{network}` is gone and cannot be made again: {}",
                        error.message()
                    )
                })
            }
        }
    }

    async fn address_kept(
        &self,
        network: &str,
        container: &Who,
        exact: &docknet::EndpointSpec,
    ) -> Result<(), String> {
        let now = self.client.containers().get(container.id.as_str()).await;
        let endpoint = now.ok().and_then(|now| now.endpoints().get(network).cloned());
        let (ipv4, ipv6) = endpoint
            .map(|endpoint| {
                (endpoint.ipv4().map(|net| net.addr()), endpoint.ipv6().map(|net| net.addr()))
            })
            .unwrap_or_default();
        if (ipv4, ipv6) == (exact.ipv4, exact.ipv6) {
            return Ok(());
        }
        let text = |ipv4: Option<std::net::Ipv4Addr>, ipv6: Option<std::net::Ipv6Addr>| {
            let all: Vec<_> = ipv4
                .iter()
                .map(ToString::to_string)
                .chain(ipv6.iter().map(ToString::to_string))
                .collect();
            if all.is_empty() { "no address".to_owned() } else { all.join(" and ") }
        };
        Err(format!(
            "container `{}` has {} on network `{network}`, and had {}",
            container.name,
            text(ipv4, ipv6),
            text(exact.ipv4, exact.ipv6)
        ))
    }

    /// Does it, and once more if that fails: there is nothing to fall back on.
    async fn surely(&mut self, step: &Step) -> Result<(), Error> {
        let Err(error) = self.act(step).await else { return Ok(()) };
        if self.has_happened(step, &error).await {
            return Ok(());
        }
        let Err(error) = self.act(step).await else { return Ok(()) };
        if self.has_happened(step, &error).await { Ok(()) } else { Err(error) }
    }

    /// Whether the engine did it, although it said otherwise or nothing.
    async fn has_happened(&mut self, step: &Step, error: &Error) -> bool {
        match step {
            // The same for an endpoint.
            Step::Connect { .. } if error.status().is_some_and(|status| status.as_u16() < 500) => {
                false
            }
            Step::Connect { network, container, .. } => {
                self.is_connected(network, container).await == Some(true)
            }
            Step::Disconnect { network, container, .. } => {
                self.is_connected(network, container).await == Some(false)
            }
            // Refused in so many words: a network of this name is somebody else's, made meanwhile.
            Step::Create { .. } if error.status().is_some_and(|status| status.as_u16() < 500) => {
                false
            }
            Step::Create { spec } => match self.client.networks().find(&spec.name).await {
                Ok(Some(network)) if network.name() == spec.name => {
                    self.networks.insert(spec.name.clone(), network);
                    true
                }
                _ => false,
            },
            Step::Remove { network, .. } => {
                let Some(handle) = self.networks.get(network) else { return true };
                let gone =
                    matches!(self.client.networks().find(handle.id().as_str()).await, Ok(None));
                if gone {
                    self.networks.remove(network);
                }
                gone
            }
        }
    }

    async fn is_connected(&self, network: &str, container: &Who) -> Option<bool> {
        let now: Container = self.client.containers().get(container.id.as_str()).await.ok()?;
        let id = self.networks.get(network).map(|network| network.id().clone());
        let by_id =
            now.endpoints().values().any(|endpoint| Some(&endpoint.network_id) == id.as_ref());
        Some(by_id || now.endpoints().contains_key(network))
    }

    async fn network(&self, name: &str) -> Result<Network, Error> {
        match self.networks.get(name) {
            Some(network) => Ok(network.clone()),
            None => self.client.networks().get(name).await,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect { network, container, .. } => {
                write!(
                    f,
                    "connect container `{}` to network `{}`",
                    visible(&container.name),
                    visible(network)
                )
            }
            Self::Create { spec } => write!(f, "create network `{}`", visible(&spec.name)),
            Self::Disconnect { network, container, .. } => {
                write!(
                    f,
                    "disconnect container `{}` from network `{}`",
                    visible(&container.name),
                    visible(network)
                )
            }
            Self::Remove { network, .. } => write!(f, "remove network `{}`", visible(network)),
        }
    }
}

#[cfg(test)]
mod tests;
