//! The same without `async`: a table of the networks, their subnets and who is connected.

use docknet::Filters;
use docknet::blocking::Client;

fn main() -> docknet::Result<()> {
    let client = Client::from_env()?;
    for details in client.networks().list_detailed(&Filters::new())? {
        let info = details.network.info();
        let subnets: Vec<_> = info
            .ipam
            .pools
            .iter()
            .filter_map(|pool| pool.subnet)
            .map(|subnet| subnet.to_string())
            .collect();
        let members: Vec<_> = details.containers.iter().map(|container| container.name()).collect();
        println!(
            "{:<20} {:<8} {:<20} {}",
            info.name,
            info.driver,
            subnets.join(","),
            members.join(" ")
        );
    }
    Ok(())
}
