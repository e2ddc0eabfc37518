//! Containers that do nothing, in every state.

use bytes::Bytes;
use docknet::{Client, Container, ContainerSpec, EndpointSpec, Error, ErrorKind, Network, Result};
use http::Request;

use super::{labels, name};

/// The image of every container.
pub const IMAGE: &str = "busybox:latest";

/// The spec of a container that does nothing, and ends at once when it is stopped.
pub fn idle(what: &str) -> ContainerSpec {
    let spec = ContainerSpec::new(IMAGE).name(name(what)).command([
        "sh",
        "-c",
        "trap 'exit 0' TERM; sleep 100000 & wait",
    ]);
    labels().into_iter().fold(spec, |spec, (key, value)| spec.label(key, value))
}

/// Makes a container that does nothing, on these networks; on the engine's default network if there are none.
///
/// # Errors
/// What the engine refuses.
pub async fn container(client: &Client, what: &str, networks: &[&Network]) -> Result<Container> {
    let join =
        |spec: ContainerSpec, network: &&Network| spec.network(network.name(), EndpointSpec::new());
    client.containers().create(networks.iter().fold(idle(what), join)).await
}

/// A container that never ran.
///
/// # Errors
/// What the engine refuses.
pub async fn created(client: &Client, networks: &[&Network]) -> Result<Container> {
    container(client, "created", networks).await
}

/// A container that runs.
///
/// # Errors
/// What the engine refuses.
pub async fn running(client: &Client, networks: &[&Network]) -> Result<Container> {
    start(container(client, "running", networks).await?).await
}

/// A container that ran and ended.
///
/// # Errors
/// What the engine refuses.
pub async fn exited(client: &Client, networks: &[&Network]) -> Result<Container> {
    let mut container = start(container(client, "exited", networks).await?).await?;
    container.stop_within(5).await?;
    container.reload().await?;
    Ok(container)
}

/// A container that was halted.
///
/// # Errors
/// What the engine refuses.
pub async fn paused(client: &Client, networks: &[&Network]) -> Result<Container> {
    let mut container = start(container(client, "paused", networks).await?).await?;
    pause(client, &container).await?;
    container.reload().await?;
    Ok(container)
}

async fn start(mut container: Container) -> Result<Container> {
    container.start().await?;
    container.reload().await?;
    Ok(container)
}

/// Halts a container.
///
/// # Errors
/// What the engine refuses.
pub async fn pause(client: &Client, container: impl AsRef<str>) -> Result<()> {
    act(client, "POST", &format!("/containers/{}/pause", container.as_ref())).await
}

/// Lets a container go on.
///
/// # Errors
/// What the engine refuses.
pub async fn unpause(client: &Client, container: impl AsRef<str>) -> Result<()> {
    act(client, "POST", &format!("/containers/{}/unpause", container.as_ref())).await
}

/// Ends a container at once: Podman waits ten seconds for one that is removed while it does not listen.
///
/// # Errors
/// What the engine refuses.
pub async fn kill(client: &Client, container: impl AsRef<str>) -> Result<()> {
    act(client, "POST", &format!("/containers/{}/kill", container.as_ref())).await
}

/// Sends what the SDK has no call for.
pub(super) async fn act(client: &Client, method: &str, target: &str) -> Result<()> {
    let invalid = |error: http::Error| Error::new(ErrorKind::Misuse, error.to_string());
    let request =
        Request::builder().method(method).uri(target).body(Bytes::new()).map_err(invalid)?;
    let status = client.send(request).await?.status();
    if status.is_success() || status == http::StatusCode::NOT_MODIFIED {
        return Ok(());
    }
    let kind = match status.as_u16() {
        404 => ErrorKind::NotFound,
        409 => ErrorKind::Conflict,
        _ => ErrorKind::Server,
    };
    Err(Error::new(kind, format!("{method} {target}: {status}")))
}
