//! The main job on an engine in this process: nothing else is needed.
//!
//! ```sh
//! cargo run -p docknet-engine --example demo
//! ```
#![expect(clippy::print_stdout, reason = "a program that shows what it does")]

use std::error::Error;
use std::time::Instant;

use docknet::{ContainerSpec, Driver, EndpointSpec, Filters, NetworkSpec, Pool};
use docknet_engine::Engine;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let begun = Instant::now();
    let engine = Engine::memory().image("busybox").start().await?;
    let client = engine.client();
    println!("engine     up in {:?}, API {}", begun.elapsed(), client.api_version().await?);

    let networks = client.networks();
    let pool = Pool::new("192.168.52.0/24".parse()?).gateway("192.168.52.254".parse()?);
    let spec = NetworkSpec::new("network1").driver(Driver::Bridge).pool(pool);
    let begun = Instant::now();
    let network = networks.create(&spec).await?;
    println!("create     {} {} in {:?}", network.name(), network.short_id(), begun.elapsed());

    let containers = client.containers();
    for name in ["web", "db"] {
        containers.create(ContainerSpec::new("busybox").name(name)).await?.start().await?;
    }
    network.connect("web", EndpointSpec::new().alias("api").ipv4("192.168.52.9".parse()?)).await?;
    network.connect("db", EndpointSpec::new()).await?;
    let mut seen = networks.get("network1").await?;
    for member in seen.info().members.values() {
        println!(
            "connect    {} has {}",
            member.name,
            member.ipv4.map(|ip| ip.to_string()).unwrap_or_default()
        );
    }

    for refused in [networks.create(&spec).await.err(), seen.clone().remove().await.err()] {
        let error = refused.ok_or("this should have been refused")?;
        println!("refused    {:?}: {}", error.kind(), error.message());
    }

    for name in ["web", "db"] {
        network.disconnect(name).await?;
    }
    seen.reload().await?;
    println!("disconnect {} left", seen.info().members.len());
    let pruned = networks.prune(&Filters::new()).await?;
    println!("prune      {}", pruned.networks_deleted.join(", "));
    Ok(())
}
