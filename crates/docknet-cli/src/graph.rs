//! Networks and what is connected to them, as pictures.

mod dot;
mod mermaid;
mod model;
mod parts;
mod svg;
mod text;

pub(crate) use self::dot::dot;
pub(crate) use self::mermaid::mermaid;
pub(crate) use self::model::{Graph, Shown};
pub(crate) use self::svg::svg;
pub(crate) use self::text::text;

#[cfg(test)]
mod lab {
    //! Pictures for tests.

    use super::model::{Container, Endpoint, Graph, Network};
    use super::parts::parts;

    pub(super) fn network(name: &str, subnet: &str) -> Network {
        Network {
            id: format!("{name:0<64}"),
            name: name.to_owned(),
            driver: "bridge".to_owned(),
            scope: "local".to_owned(),
            subnets: vec![subnet.to_owned()],
            gateways: vec![subnet.replace("0/24", "1")],
            internal: false,
            leads_out: true,
        }
    }

    pub(super) fn internal(name: &str, subnet: &str) -> Network {
        Network { internal: true, leads_out: false, ..network(name, subnet) }
    }

    /// A container on these networks, with these addresses.
    pub(super) fn container(name: &str, on: &[(&str, &str)]) -> Container {
        let endpoint = |(network, address): &(&str, &str)| Endpoint {
            network: (*network).to_owned(),
            addresses: vec![(*address).to_owned()],
            mac: None,
            aliases: vec![format!("{name}-alias")],
            default_route: false,
        };
        Container {
            id: format!("{name:0<64}"),
            name: name.to_owned(),
            image: "busybox".to_owned(),
            state: "running".to_owned(),
            running: true,
            endpoints: on.iter().map(endpoint).collect(),
        }
    }

    pub(super) fn shop() -> Graph {
        let networks = vec![
            network("frontend", "10.7.0.0/24"),
            internal("backend", "10.8.0.0/24"),
            network("monitoring", "10.9.0.0/24"),
        ];
        let containers = vec![
            container("proxy", &[("frontend", "10.7.0.2")]),
            container("web", &[("frontend", "10.7.0.3"), ("backend", "10.8.0.2")]),
            Container {
                running: false,
                state: "exited".to_owned(),
                ..container("db", &[("backend", "")])
            },
            container("grafana", &[("monitoring", "10.9.0.2")]),
        ];
        Graph {
            engine: "unix:///run/docker.sock".to_owned(),
            parts: parts(networks, containers),
            hidden: Vec::new(),
        }
    }

    /// Many networks, of which neighbours share a container here and there.
    pub(super) fn many(networks: usize, containers: usize) -> Graph {
        let all = (0..networks)
            .map(|at| {
                network(&format!("network-{at}"), &format!("10.{}.{}.0/24", at / 256, at % 256))
            })
            .collect();
        let container = |at: usize| {
            let (first, second) = (at % networks, (at + 1) % networks);
            let (name, one, two) = (
                format!("container-{at}"),
                format!("network-{first}"),
                format!("network-{second}"),
            );
            let mut on = vec![(one.as_str(), "10.0.0.2")];
            if at.is_multiple_of(7) && first != second {
                on.push((two.as_str(), "10.0.0.3"));
            }
            container(&name, &on)
        };
        let containers = (0..containers).map(container).collect();
        Graph { engine: "test".to_owned(), parts: parts(all, containers), hidden: Vec::new() }
    }
}
