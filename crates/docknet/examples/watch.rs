//! Follow the networks of an engine and who is connected, until Ctrl-C.

use docknet::{Change, Client};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::from_env()?;
    let mut changes = client.networks().watch();
    while let Some(change) = changes.next().await {
        match change {
            Ok(Change::Resync(networks)) => {
                println!("{} networks:", networks.len());
                for details in networks {
                    let members: Vec<_> =
                        details.containers.iter().map(|container| container.name()).collect();
                    println!("  {} [{}]", details.network.name(), members.join(", "));
                }
            }
            Ok(Change::Created(network)) => println!("+ {}", network.name()),
            Ok(Change::Removed { name, .. }) => println!("- {name}"),
            Ok(Change::Attached { name, container, .. }) => {
                println!("{} joined {name}", container.short())
            }
            Ok(Change::Detached { name, container, .. }) => {
                println!("{} left {name}", container.short())
            }
            Ok(_) => {}
            // The next item is another try.
            Err(error) => eprintln!("{error}"),
        }
    }
    Ok(())
}
