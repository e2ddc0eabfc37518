//! The main job: create a network with a subnet of one's own, look at it, connect a container, list, disconnect,
//! remove, prune. It needs an engine and an image called `busybox`:
//!
//! ```sh
//! cargo run --example quickstart
//! ```

use docknet::{Client, ContainerSpec, Driver, EndpointSpec, Filters, NetworkSpec, Pool};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::from_env()?;
    println!("engine      {} ({})", client.ping().await?.server, client.host());
    let networks = client.networks();

    let spec = NetworkSpec::new("network1")
        .driver(Driver::Bridge)
        .label("docknet.example", "quickstart")
        .pool(Pool::new("192.168.52.0/24".parse()?).gateway("192.168.52.254".parse()?));
    let network = networks.ensure(&spec).await?;
    let pool = &network.info().ipam.pools[0];
    println!("created     {} {}", network.short_id(), network.name());
    println!("inspected   subnet {:?}, gateway {:?}", pool.subnet, pool.gateway);

    let container =
        ContainerSpec::new("busybox").name("docknet-quickstart").command(["sleep", "1000"]);
    let web = client.containers().create(container).await?;
    let outcome = walk_through(&client, &network, &web).await;

    // Whatever happened, nothing is left behind.
    web.remove().await?;
    network.remove_detaching().await?;
    println!("removed     network1");
    let pruned = networks.prune(&Filters::new().label("docknet.example=quickstart")).await?;
    println!("pruned      {:?}", pruned.networks_deleted);
    outcome
}

async fn walk_through(
    client: &Client,
    network: &docknet::Network,
    web: &docknet::Container,
) -> Result<(), Box<dyn std::error::Error>> {
    web.start().await?;
    network.connect(web, EndpointSpec::new().alias("api").ipv4("192.168.52.9".parse()?)).await?;
    for container in network.containers().await? {
        let address = container.endpoints()["network1"].ipv4();
        println!("connected   {} {} {address:?}", container.short_id(), container.name());
    }
    let listed = client.networks().list().await?;
    println!(
        "listed      {}",
        listed.iter().map(docknet::Network::name).collect::<Vec<_>>().join(" ")
    );
    network.disconnect(web).await?;
    println!("disconnected {}", web.name());
    Ok(())
}
