//! What goes over the wire, to the byte: every call, in the versions of Docker 20.10 and of Docker 28.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[path = "wire/containers.rs"]
mod containers;
#[path = "wire/flows.rs"]
mod flows;
#[path = "wire/negotiation.rs"]
mod negotiation;
#[path = "wire/networks.rs"]
mod networks;

use docknet::{ApiVersion, Client, Network, Reply, Script, expect};

const OLD: ApiVersion = ApiVersion::new(1, 41);
const NEW: ApiVersion = ApiVersion::new(1, 51);
const BOTH: [ApiVersion; 2] = [OLD, NEW];

/// Makes calls in this version, and sees that exactly these requests come, in this order.
async fn on(
    version: ApiVersion,
    replies: impl IntoIterator<Item = Reply>,
    calls: impl AsyncFnOnce(Client),
) {
    let script = Script::new(replies);
    calls(script.client_of(version)).await;
    script.finish();
}

/// `GET /networks/x` as it is in this version.
fn line(version: ApiVersion, line: &str) -> Reply {
    let (method, target) = line.split_once(' ').unwrap();
    // No body unless the test says one.
    expect(&format!("{method} /v{version}{target}")).with_body("")
}

fn network(name: &str) -> String {
    format!(r#"{{"Name":"{name}","Id":"{name}-id","Scope":"local","Driver":"bridge"}}"#)
}

fn container(name: &str) -> String {
    format!(r#"{{"Id":"{name}-id","Name":"/{name}"}}"#)
}

/// A network that is there, so that something can be done to it.
async fn there(
    version: ApiVersion,
    name: &str,
    replies: impl IntoIterator<Item = Reply>,
) -> (Script, Network) {
    let get = line(version, &format!("GET /networks/{name}")).reply(200, network(name));
    let script = Script::new([get].into_iter().chain(replies));
    let network = script.client_of(version).networks().get(name).await.unwrap();
    (script, network)
}
