//! Cut a node off its cluster, see that it is, and heal the cluster again: `disconnect` is a network partition.

use docknet::{Client, Container, ContainerSpec, EndpointSpec};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::from_env()?;
    let network = client.networks().create("docknet-cluster").await?;
    let mut nodes = Vec::new();
    for name in ["docknet-node1", "docknet-node2", "docknet-node3"] {
        let spec = ContainerSpec::new("busybox").name(name).command(["httpd", "-f", "-h", "/etc"]);
        let node =
            client.containers().create(spec.network(network.name(), EndpointSpec::new())).await?;
        node.start().await?;
        nodes.push(node);
    }

    show("whole", &nodes).await?;
    network.disconnect(&nodes[2]).await?;
    show("node3 is cut off", &nodes).await?;
    network.connect(&nodes[2], EndpointSpec::new()).await?;
    show("healed", &nodes).await?;

    for node in nodes {
        node.remove().await?;
    }
    network.remove().await?;
    Ok(())
}

/// Who reaches whom.
async fn show(state: &str, nodes: &[Container]) -> docknet::Result<()> {
    println!("{state}:");
    for from in nodes {
        for to in nodes.iter().filter(|to| *to != from) {
            // Podman's containers may not ping.
            let page = format!("http://{}/passwd", to.name());
            let fetch = from.exec(["wget", "-q", "-T", "1", "-O", "/dev/null", &page]).await?;
            let outcome = if fetch.success() { "reached" } else { "not reached" };
            println!("  {} -> {}: {outcome}", from.name(), to.name());
        }
    }
    Ok(())
}
