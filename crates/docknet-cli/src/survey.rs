//! What an engine has: its networks and its containers, in two requests.

use docknet::{Client, Container, EndpointInfo, Filters, Network, NetworkInfo};

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
        network: &Network,
    ) -> impl Iterator<Item = (&Container, &EndpointInfo)> {
        let all = self.containers.iter().flat_map(|container| {
            container.endpoints().iter().map(move |(name, endpoint)| (container, name, endpoint))
        });
        all.filter(move |(_, name, endpoint)| match endpoint.network_id.as_str() {
            // A container that never ran knows its networks by what it was told.
            "" => *name == network.name() || *name == network.id().as_str(),
            id => id == network.id().as_str(),
        })
        .map(|(container, _, endpoint)| (container, endpoint))
    }
}

/// The subnets of a network, as texts.
pub(crate) fn subnets(info: &NetworkInfo) -> Vec<String> {
    let subnets = info.ipam.pools.iter().filter_map(|pool| pool.subnet);
    subnets.map(|subnet| subnet.to_string()).collect()
}

/// The addresses of an endpoint, as texts; none while its container does not run.
pub(crate) fn addresses(endpoint: &EndpointInfo) -> Vec<String> {
    let four = endpoint.ipv4().map(|net| net.addr().to_string());
    four.into_iter().chain(endpoint.ipv6().map(|net| net.addr().to_string())).collect()
}
