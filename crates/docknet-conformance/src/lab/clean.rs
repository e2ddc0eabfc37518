//! Removing what a behaviour made.

use std::time::Duration;

use docknet::{Client, Container, ErrorKind, Filters, Network, Result};

use super::containers::{act, kill};
use super::{Lab, RUN_LABEL};

impl Lab {
    /// Removes everything that has this behaviour's label or a name it was given, on every node, and looks whether it
    /// is gone.
    ///
    /// # Errors
    /// What is left, in words.
    pub async fn clean_up(&self) -> Result<(), String> {
        // A network may hold another one, of which it is the configuration: that takes two. Podman lists no containers
        // while one of another behaviour is between two states, and a swarm's network goes some time after the last
        // container on any node.
        let tries = if self.0.nodes.len() > 1 { 40 } else { 12 };
        let mut left = String::new();
        for number in 0..tries {
            if number > 1 {
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
            match self.sweep_and_look().await {
                Ok(()) => return Ok(()),
                Err(trouble) => left = trouble,
            }
        }
        Err(left)
    }

    async fn sweep_and_look(&self) -> Result<(), String> {
        let mut failures = Vec::new();
        for client in &self.0.nodes {
            failures.extend(self.sweep(client).await);
        }
        if !failures.is_empty() {
            return Err(format!("this cannot be removed: {}", failures.join("; ")));
        }
        for client in &self.0.nodes {
            self.look(client).await?;
        }
        Ok(())
    }

    /// Removes what it can, and says what it could not.
    async fn sweep(&self, client: &Client) -> Vec<String> {
        let mut failures = Vec::new();
        match client.containers().list_all(&Filters::new()).await {
            Ok(all) => {
                for container in all.into_iter().filter(|container| self.owns_container(container))
                {
                    let _ended = kill(client, &container).await;
                    let name = container.name().to_owned();
                    note(&mut failures, &name, container.remove().await);
                }
            }
            // Podman lists nothing at all when one container is broken, and may still remove it by its name.
            Err(_) => {
                let plain =
                    |name: &String| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
                for name in self.names().into_iter().filter(plain) {
                    let _ended = kill(client, &name).await;
                    let target = format!("/containers/{name}?force=true&v=true");
                    note(&mut failures, &name, act(client, "DELETE", &target).await);
                }
            }
        }
        match client.networks().list().await {
            Ok(all) => {
                for network in all.into_iter().filter(|network| self.owns_network(network)) {
                    let name = network.name().to_owned();
                    note(&mut failures, &name, network.remove_detaching().await);
                }
            }
            Err(error) => failures.push(error.to_string()),
        }
        failures
    }

    async fn look(&self, client: &Client) -> Result<(), String> {
        let words = |error: docknet::Error| error.to_string();
        let networks = client.networks().list().await.map_err(words)?;
        let containers = client.containers().list_all(&Filters::new()).await.map_err(words)?;
        let networks = networks.iter().filter(|network| self.owns_network(network));
        let containers = containers.iter().filter(|container| self.owns_container(container));
        let left: Vec<_> =
            networks.map(Network::name).chain(containers.map(Container::name)).collect();
        if left.is_empty() { Ok(()) } else { Err(format!("this is left: {}", left.join(", "))) }
    }

    fn owns_network(&self, network: &Network) -> bool {
        let labels = &network.info().labels;
        labels.get(RUN_LABEL) == Some(&self.0.run)
            || self.names().iter().any(|name| name == network.name())
    }

    fn owns_container(&self, container: &Container) -> bool {
        let labels = &container.info().labels;
        labels.get(RUN_LABEL) == Some(&self.0.run)
            || self.names().iter().any(|name| name == container.name())
    }
}

fn note(failures: &mut Vec<String>, name: &str, outcome: Result<()>) {
    match outcome {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            failures.push(format!("{name}: {error}"))
        }
        _ => {}
    }
}
