//! What an engine says of itself, as far as networks go.

use bytes::Bytes;
use docknet::{Client, Error, ErrorKind, IpNet};
use serde::Deserialize;

use crate::failure::Outcome;
use crate::host::Host;
use crate::pools::bridge;
use crate::survey::Survey;

/// From its `/info`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct About {
    default_address_pools: Option<Vec<Pool>>,
    operating_system: String,
    swarm: Option<Swarm>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Pool {
    base: IpNet,
    size: u8,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Swarm {
    local_node_state: String,
}

impl About {
    pub(crate) async fn ask(client: &Client) -> Outcome<Self> {
        let request = http::Request::get("/info").body(Bytes::new());
        let request = request.map_err(|error| Error::new(ErrorKind::Misuse, error.to_string()))?;
        Ok(client.request(request).await?)
    }

    /// The default pools, each with the size of its subnets. Docker names none where they are its own.
    pub(crate) fn default_pools(&self) -> Option<Vec<(IpNet, u8)>> {
        let pools = self.default_address_pools.as_ref().filter(|pools| !pools.is_empty())?;
        Some(pools.iter().map(|pool| (pool.base, pool.size)).collect())
    }

    /// `active`, `inactive`, `locked`, `error`, …
    pub(crate) fn swarm(&self) -> Option<&str> {
        self.swarm.as_ref().map(|swarm| swarm.local_node_state.as_str())
    }

    /// Whether its containers are network namespaces of our own engine's.
    pub(crate) fn has_namespaces(&self) -> bool {
        self.operating_system == "docknet on Linux"
    }

    /// This machine's network, if the engine's networks are part of it; or why they are not.
    pub(crate) fn host(&self, client: &Client, survey: &Survey) -> Result<Host, String> {
        if !client.host().starts_with("unix://") {
            return Err("the engine is not on this machine".to_owned());
        }
        if self.operating_system == "docknet in memory" {
            return Err("the engine is in memory, and has no links of this machine's".to_owned());
        }
        let host =
            Host::look().ok_or_else(|| "this machine does not tell of its network".to_owned())?;
        let bridges = survey.networks.iter().filter_map(|network| bridge(network.info()));
        part_of(host, bridges)
    }
}

/// A socket may lead into a virtual machine, or out of another network namespace: then no bridge of the engine's is here.
fn part_of(host: Host, bridges: impl IntoIterator<Item = String>) -> Result<Host, String> {
    let mut bridges = bridges.into_iter().peekable();
    if bridges.peek().is_some() && !bridges.any(|bridge| host.links.contains_key(&bridge)) {
        return Err(
            "none of the engine's bridges is on this machine, or in this network namespace"
                .to_owned(),
        );
    }
    Ok(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(json: &str) -> About {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn pools_are_those_that_are_named() {
        let told = about(r#"{"DefaultAddressPools":[{"Base":"10.10.0.0/16","Size":24}]}"#);
        assert_eq!(told.default_pools(), Some(vec![("10.10.0.0/16".parse().unwrap(), 24)]));
        assert_eq!(about(r#"{"DefaultAddressPools":null,"Swarm":null}"#).default_pools(), None);
    }

    #[test]
    fn an_engine_in_memory_or_elsewhere_has_no_part_in_this_machine() {
        let here = Client::connect("unix:///run/docker.sock").unwrap();
        let there = Client::connect("tcp://build1:2375").unwrap();
        let none = Survey { networks: Vec::new(), containers: Vec::new() };
        let ours = about(r#"{"OperatingSystem":"docknet in memory"}"#);
        assert!(ours.host(&here, &none).unwrap_err().contains("memory"));
        assert!(about(r#"{"OperatingSystem":"Debian"}"#).host(&there, &none).is_err());
    }

    #[test]
    fn an_engine_whose_bridges_are_elsewhere_is_elsewhere() {
        let link = crate::host::Link { mtu: None, up: true, tunnel: false };
        let host = Host { links: [("docker0".to_owned(), link)].into(), ..Host::default() };
        let names =
            |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert!(part_of(host.clone(), names(&["br-1", "docker0"])).is_ok());
        assert!(part_of(host.clone(), names(&[])).is_ok());
        assert!(part_of(host, names(&["br-1"])).is_err());
    }
}
