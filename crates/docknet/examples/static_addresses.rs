//! Static addresses that automatic ones never collide with: containers that ask for an address get it from outside the
//! range that the engine hands out.

use docknet::{Client, ContainerSpec, EndpointSpec, NetworkSpec, Pool};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::from_env()?;
    let spec = NetworkSpec::new("docknet-static").pool(
        Pool::new("192.168.53.0/24".parse()?)
            .gateway("192.168.53.1".parse()?)
            // Automatic addresses are the upper half, static ones the lower.
            .range("192.168.53.128/25".parse()?),
    );
    for problem in spec.problems() {
        eprintln!("this will not work: {problem}");
    }
    let network = client.networks().ensure(spec).await?;

    let sleeper = |name: &str, endpoint: EndpointSpec| {
        ContainerSpec::new("busybox")
            .name(name)
            .command(["sleep", "1000"])
            .network(network.name(), endpoint)
    };
    let db = client
        .containers()
        .create(sleeper("docknet-db", EndpointSpec::new().ipv4("192.168.53.10".parse()?)))
        .await?;
    let web = client
        .containers()
        .create(sleeper("docknet-web", EndpointSpec::new().alias("www")))
        .await?;
    for container in [&db, &web] {
        container.start().await?;
    }
    for mut container in [db.clone(), web.clone()] {
        container.reload().await?;
        let endpoint = &container.endpoints()[network.name()];
        println!("{:<12} {:?}", container.name(), endpoint.ipv4());
    }

    for container in [db, web] {
        container.remove().await?;
    }
    network.remove().await?;
    Ok(())
}
