//! Creating networks.

use docknet::{Client, Result};

use crate::{behaviours, lab};

/// A network that is created is there, under its name and its id.
pub async fn makes_a_network(client: &Client) -> Result<()> {
    let network = client.networks().create(lab::spec("net")).await?;
    let by_name = client.networks().get(network.name()).await?;
    let by_id = client.networks().get(network.id().as_str()).await?;
    assert_eq!((by_name.id(), by_id.name()), (network.id(), network.name()));
    Ok(())
}

behaviours!(create: makes_a_network);
