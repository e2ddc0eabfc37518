//! A look at a container from inside: what its own kernel interfaces, routes and resolver say.
//!
//! What an engine tells of a container must be what is inside, and is compared with it. Where containers have no
//! processes there is nobody to look, and what the engine tells is what counts; behaviours about that which no engine
//! tells, such as traffic, need [`Processes`](crate::Needs::Processes).

use std::net::IpAddr;

use docknet::{Container, Filters, IpNet, MacAddr, Result};

use crate::lab::{has_processes, nodes, own_label};
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
    let (told, link_local) = told_addresses(container).await?;
    if !has_processes() {
        return Ok(told.into_iter().chain(link_local).collect());
    }
    let found = addresses_inside(container).await?;
    let missing: Vec<_> = told.iter().filter(|address| !found.contains(address)).collect();
    assert!(missing.is_empty(), "the engine tells of {missing:?}, and inside are {found:?}");
    Ok(found)
}

/// The addresses that the engine shows, and the link-local ones that it was asked for.
async fn told_addresses(container: &Container) -> Result<(Vec<IpNet>, Vec<IpNet>)> {
    let told = reloaded(container).await?;
    let (mut found, mut link_local) = (Vec::new(), Vec::new());
    for endpoint in told.endpoints().values().filter(|endpoint| endpoint.is_up()) {
        found.extend(endpoint.ipv4().map(IpNet::V4));
        found.extend(endpoint.ipv6().map(IpNet::V6));
        link_local.extend(endpoint.asked.link_local.iter().copied().map(IpNet::from));
    }
    Ok((found, link_local))
}

async fn reloaded(container: &Container) -> Result<Container> {
    let mut now = container.clone();
    now.reload().await?;
    Ok(now)
}

async fn addresses_inside(container: &Container) -> Result<Vec<IpNet>> {
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
    let told = reloaded(container).await?;
    let told: Vec<_> = told.endpoints().values().filter_map(|endpoint| endpoint.mac()).collect();
    if !has_processes() {
        return Ok(told);
    }
    let text = shell(container, "cat /sys/class/net/*/address").await?;
    let found: Vec<MacAddr> = text
        .lines()
        .map(|line| line.trim().parse().map_err(|_| failed(format!("no MAC address: {line:?}"))))
        .collect::<Result<_>>()?;
    let missing: Vec<_> = told.iter().filter(|mac| !found.contains(mac)).collect();
    assert!(missing.is_empty(), "the engine tells of {missing:?}, and inside are {found:?}");
    Ok(found)
}

/// Its interfaces, the loopback apart: their names or, where nobody can look, those of their networks.
pub(crate) async fn interfaces(container: &Container) -> Result<Vec<String>> {
    if !has_processes() {
        let told = reloaded(container).await?;
        let up = told.endpoints().iter().filter(|(_, endpoint)| endpoint.is_up());
        return Ok(up.map(|(network, _)| network.clone()).collect());
    }
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

/// The addresses that a name has inside; none if it has none. Where nobody can ask there: those of the containers that
/// have this name on a network that the two share.
pub(crate) async fn resolve(container: &Container, name: &str) -> Result<Vec<IpAddr>> {
    if !has_processes() {
        return told_by_name(container, name).await;
    }
    // An unknown name goes on to resolvers that nobody reaches from here: that must not take long.
    let output = container.exec(["timeout", "4", "nslookup", name]).await?.stdout_text();
    let answer = output.split_once("Name:").map(|(_, answer)| answer).unwrap_or_default();
    let address = |line: &str| line.strip_prefix("Address:")?.trim().parse().ok();
    Ok(answer.lines().filter_map(address).collect())
}

async fn told_by_name(container: &Container, name: &str) -> Result<Vec<IpAddr>> {
    let asking = reloaded(container).await?;
    let nodes = nodes();
    let client = nodes.first().ok_or_else(|| failed("nobody to ask"))?;
    let mut found = Vec::new();
    for listed in client.containers().list_with(&Filters::new().label(own_label())).await? {
        let other = client.containers().get(listed.id().as_str()).await?;
        for endpoint in other.endpoints().values().filter(|endpoint| endpoint.is_up()) {
            let shared =
                asking.endpoints().values().find(|own| own.network_id == endpoint.network_id);
            let Some(own) = shared else { continue };
            let linked =
                own.asked.links.iter().any(|link| (&*link.0, &*link.1) == (other.name(), name));
            if linked || endpoint.dns_names.iter().any(|known| known == name) {
                found.extend(endpoint.ipv4().map(|address| IpAddr::V4(address.addr())));
                found.extend(endpoint.ipv6().map(|address| IpAddr::V6(address.addr())));
            }
        }
    }
    Ok(found)
}

/// Whether a ping comes back, by address or name.
pub(crate) async fn reaches(container: &Container, to: impl ToString) -> Result<bool> {
    works(container, &format!("ping -c1 -W2 {}", to.to_string())).await
}
