//! The main job: create a network with a subnet of one's own, look at it, connect a container, list, disconnect,
//! remove, prune. It needs an engine and an image called `busybox`:
//!
//! ```sh
//! cargo run --example quickstart
//! ```

use docknet::{Client, ContainerSpec, Driver, EndpointSpec, Filters, NetworkSpec, Pool};

type Outcome = Result<(), Box<dyn std::error::Error>>;

const LABEL: &str = "docknet.example=quickstart";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let client = Client::from_env()?;
    println!("engine       {} at {}", client.ping().await?.server, client.host());
    let outcome = main_job(&client).await;

    // Whatever happened, nothing is left behind.
    let of_ours = Filters::new().label(LABEL);
    for container in client.containers().list_all(&of_ours).await? {
        container.remove().await?;
    }
    let pruned = client.networks().prune(&of_ours).await?;
    println!("pruned       {}", pruned.networks_deleted.join(" "));
    outcome
}

async fn main_job(client: &Client) -> Outcome {
    let networks = client.networks();
    let network = networks
        .create(
            NetworkSpec::new("network1")
                .driver(Driver::Bridge)
                .label("docknet.example", "quickstart")
                .pool(Pool::new("192.168.52.0/24".parse()?).gateway("192.168.52.254".parse()?)),
        )
        .await?;
    println!("created      {} {}", network.short_id(), network.name());

    for pool in &network.info().ipam.pools {
        if let (Some(subnet), Some(gateway)) = (pool.subnet, pool.gateway) {
            println!("inspected    subnet {subnet}, gateway {gateway}");
        }
    }

    let web = ContainerSpec::new("busybox")
        .name("docknet-quickstart")
        .label("docknet.example", "quickstart")
        .command(["sleep", "1000"]);
    let web = client.containers().create(web).await?;
    web.start().await?;
    network.connect(&web, EndpointSpec::new().alias("api").ipv4("192.168.52.9".parse()?)).await?;
    for container in network.containers().await? {
        if let Some(address) = container.endpoints()[network.name()].ipv4() {
            println!("connected    {} {} at {address}", container.short_id(), container.name());
        }
    }

    for network in networks.list_with(&Filters::new().label(LABEL)).await? {
        println!("listed       {} {}", network.short_id(), network.name());
    }

    network.disconnect(&web).await?;
    println!("disconnected {}", web.name());
    network.remove().await?;
    println!("removed      network1");
    networks.create(NetworkSpec::new("network2").label("docknet.example", "quickstart")).await?;
    println!("created      network2, which nobody uses");
    Ok(())
}
