//! What an engine has: its networks and its containers, in two requests.

use docknet::{Client, Container, EndpointInfo, Filters, Network, NetworkId};

use crate::failure::Outcome;

/// The networks of an engine and all of its containers, stopped ones too.
#[derive(Debug)]
pub(crate) struct Survey {
    pub(crate) networks: Vec<Network>,
    pub(crate) containers: Vec<Container>,
}

impl Survey {
    pub(crate) async fn take(client: &Client) -> Outcome<Self> {
        let (networks, containers) = (client.networks(), client.containers());
        let all = Filters::new();
        let (networks, containers) = tokio::try_join!(networks.list(), containers.list_all(&all))?;
        Ok(Self { networks, containers })
    }

    /// Who is connected to this network, or will be when it starts.
    pub(crate) fn endpoints(
        &self,
        network: &NetworkId,
    ) -> impl Iterator<Item = (&Container, &EndpointInfo)> {
        self.containers
            .iter()
            .flat_map(|container| {
                container.endpoints().values().map(move |endpoint| (container, endpoint))
            })
            .filter(move |(_, endpoint)| endpoint.network_id == *network)
    }
}
