//! A look into a container: what its own kernel interfaces, routes and resolver say.

use std::net::IpAddr;

use docknet::{Container, IpNet, MacAddr, Result};

use crate::stage::failed;

/// The output of a command line that must work.
pub(crate) async fn shell(container: &Container, line: &str) -> Result<String> {
    let output = container.exec(["sh", "-c", line]).await?;
    if output.success() {
        return Ok(output.stdout_text());
    }
    let said = format!("{}{}", output.stdout_text(), output.stderr_text());
    Err(failed(format!("`{line}` in {} ended with {}: {said}", container.name(), output.exit_code)))
}

/// Whether a command line works.
pub(crate) async fn works(container: &Container, line: &str) -> Result<bool> {
    Ok(container.exec(["sh", "-c", line]).await?.success())
}

/// Every address of every interface but the loopback, link-local IPv6 ones apart.
pub(crate) async fn addresses(container: &Container) -> Result<Vec<IpNet>> {
    let text = shell(container, "ip -o addr show").await?;
    let mut found = Vec::new();
    for line in text.lines() {
        let mut words = line.split_whitespace().skip(1);
        let (device, family, address) = (words.next(), words.next(), words.next());
        let (Some(device), Some("inet" | "inet6"), Some(address)) = (device, family, address)
        else {
            continue;
        };
        let address: IpNet =
            address.parse().map_err(|_| failed(format!("no address in {line:?}")))?;
        let automatic =
            matches!(address, IpNet::V6(v6) if v6.addr().segments()[0] & 0xffc0 == 0xfe80);
        if device != "lo" && !automatic {
            found.push(address);
        }
    }
    Ok(found)
}

/// Whether one of its interfaces has this address.
pub(crate) async fn has_address(container: &Container, ip: impl Into<IpAddr>) -> Result<bool> {
    let ip = ip.into();
    Ok(addresses(container).await?.iter().any(|address| address.addr() == ip))
}

/// The hardware addresses of its interfaces.
pub(crate) async fn macs(container: &Container) -> Result<Vec<MacAddr>> {
    let text = shell(container, "cat /sys/class/net/*/address").await?;
    text.lines()
        .map(|line| line.trim().parse().map_err(|_| failed(format!("no MAC address: {line:?}"))))
        .collect()
}

/// The names of its interfaces, the loopback apart.
pub(crate) async fn interfaces(container: &Container) -> Result<Vec<String>> {
    let text = shell(container, "ls /sys/class/net").await?;
    Ok(text.split_whitespace().filter(|name| *name != "lo").map(str::to_owned).collect())
}

/// The gateways of its default routes.
pub(crate) async fn default_gateways(container: &Container) -> Result<Vec<IpAddr>> {
    let text = shell(container, "ip route show default; ip -6 route show default").await?;
    let gateway = |line: &str| {
        let mut words = line.split_whitespace().skip_while(|word| *word != "via");
        words.nth(1)?.parse().ok()
    };
    Ok(text.lines().filter_map(gateway).collect())
}

/// The addresses that a name has inside; none if it has none.
pub(crate) async fn resolve(container: &Container, name: &str) -> Result<Vec<IpAddr>> {
    // An unknown name goes on to resolvers that nobody reaches from here: that must not take long.
    let output = container.exec(["timeout", "4", "nslookup", name]).await?.stdout_text();
    let answer = output.split_once("Name:").map(|(_, answer)| answer).unwrap_or_default();
    let address = |line: &str| line.strip_prefix("Address:")?.trim().parse().ok();
    Ok(answer.lines().filter_map(address).collect())
}

/// Whether a ping comes back, by address or name.
pub(crate) async fn reaches(container: &Container, to: impl ToString) -> Result<bool> {
    works(container, &format!("ping -c1 -W2 {}", to.to_string())).await
}
