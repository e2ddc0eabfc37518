//! Networks by bollard, on the engine whose socket is the argument.
//!
//! A step is a line "$ TITLE", and what it gave as JSON. Its own things begin with rs-.

use std::collections::HashMap;
use std::future::Future;

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::{
    ContainerCreateBody, NetworkConnectRequest, NetworkCreateRequest, NetworkDisconnectRequest,
    NetworkInspect,
};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, EventsOptionsBuilder, InspectContainerOptions,
    InspectNetworkOptionsBuilder, ListNetworksOptionsBuilder, PruneNetworksOptionsBuilder,
    RemoveContainerOptionsBuilder, StartContainerOptions, StopContainerOptionsBuilder,
};
use futures_util::StreamExt as _;
use serde::Serialize;
use serde_json::{Value, json, to_value};

const LABEL: &str = "docknet.clients=rs";

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let socket = std::env::args().nth(1).ok_or("of which socket?")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let docker = Docker::connect_with_unix(&socket, 60, bollard::API_DEFAULT_VERSION)?;
        let docker = docker.negotiate_version().await?;
        println!("$ version\n{}", docker.client_version());
        clear(&docker).await?;
        let begin = now()?;
        create(&docker).await;
        look(&docker).await?;
        connect(&docker).await?;
        prune(&docker).await;
        events(&docker, begin).await?;
        clear(&docker).await
    })
}

/// Says what came of it, and gives nothing where that is an error.
async fn step<T>(
    title: &str,
    call: impl Future<Output = Result<T, Error>>,
    show: impl FnOnce(&T) -> Value,
) {
    println!("$ {title}");
    let shown = match call.await {
        Ok(answer) => show(&answer),
        Err(Error::DockerResponseServerError { status_code, message }) => {
            json!({"status": status_code, "message": message})
        }
        Err(error) => json!({"error": error.to_string()}),
    };
    println!("{shown:#}");
}

fn nothing(_: &()) -> Value {
    Value::Null
}

fn all(answer: &impl Serialize) -> Value {
    to_value(answer).unwrap_or_default()
}

async fn clear(docker: &Docker) -> Outcome<()> {
    let force = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
    for name in ["rs-box", "rs-two"] {
        let _ = docker.remove_container(name, Some(force.clone())).await;
    }
    for network in docker.list_networks(Some(filtered(&[("label", LABEL)]))).await? {
        docker.remove_network(&network.id.unwrap_or_default()).await?;
    }
    Ok(())
}

fn filtered(pairs: &[(&str, &str)]) -> bollard::query_parameters::ListNetworksOptions {
    ListNetworksOptionsBuilder::new().filters(&filters(pairs)).build()
}

fn filters(pairs: &[(&str, &str)]) -> HashMap<String, Vec<String>> {
    let mut filters: HashMap<String, Vec<String>> = HashMap::new();
    for (key, value) in pairs {
        filters.entry((*key).to_owned()).or_default().push((*value).to_owned());
    }
    filters
}

async fn create(docker: &Docker) {
    let cases = [
        ("plain", json!({"Name": "rs-plain"})),
        (
            "everything",
            json!({
            "Name": "rs-full", "Driver": "bridge", "Internal": false, "Attachable": true, "Ingress": false,
            "EnableIPv4": true, "EnableIPv6": true, "Options": {"com.docker.network.driver.mtu": "1400"},
            "IPAM": {"Driver": "default", "Options": {"foo": "bar"}, "Config": [
                {"Subnet": "10.230.1.0/24", "IPRange": "10.230.1.128/25", "Gateway": "10.230.1.254",
                 "AuxiliaryAddresses": {"a": "10.230.1.7"}},
                {"Subnet": "fd00:230:1::/64"}]}}),
        ),
        (
            "internal",
            json!({"Name": "rs-inner", "Internal": true, "IPAM": {"Config": [{"Subnet": "10.230.2.0/24"}]}}),
        ),
        (
            "config only",
            json!({"Name": "rs-config", "ConfigOnly": true, "IPAM": {"Config": [{"Subnet": "10.230.3.0/24"}]}}),
        ),
        ("name taken", json!({"Name": "rs-plain"})),
        ("predefined", json!({"Name": "none"})),
        ("overlap", json!({"Name": "rs-bad", "IPAM": {"Config": [{"Subnet": "10.230.1.0/25"}]}})),
        (
            "garbage",
            json!({"Name": "rs-bad", "IPAM": {"Config": [{"Subnet": "foo", "Gateway": "bar"}]}}),
        ),
        ("no family", json!({"Name": "rs-bad", "EnableIPv4": false})),
        ("config missing", json!({"Name": "rs-bad", "ConfigFrom": {"Network": "rs-none"}})),
    ];
    for (title, mut request) in cases {
        if title != "config missing" {
            request["Labels"] = json!({"docknet.clients": "rs"});
        }
        let name = request["Name"].as_str().unwrap_or_default().to_owned();
        let Ok(request) = serde_json::from_value::<NetworkCreateRequest>(request) else {
            println!("$ create: {title}: no request");
            continue;
        };
        step(&format!("create: {title}"), docker.create_network(request), |made| {
            json!([made.id.len(), made.warning])
        })
        .await;
        step(&format!("create: {title}: inspect"), docker.inspect_network(&name, None), |found| {
            without_pools(found)
        })
        .await;
    }
}

/// Which of the default pools is free depends on what others do.
fn without_pools(network: &NetworkInspect) -> Value {
    let mut value = all(network);
    if network.name.as_deref() == Some("rs-plain") {
        value["IPAM"]["Config"] = Value::Null;
    }
    value
}

async fn look(docker: &Docker) -> Outcome<()> {
    let id = docker.inspect_network("rs-full", None).await?.id.unwrap_or_default();
    let by_name = |network: &NetworkInspect| json!(network.name);
    step("inspect: id", docker.inspect_network(&id, None), by_name).await;
    step(
        "inspect: prefix",
        docker.inspect_network(id.get(..12).unwrap_or_default(), None),
        by_name,
    )
    .await;
    let options = InspectNetworkOptionsBuilder::new().verbose(true).scope("local").build();
    step("inspect: verbose", docker.inspect_network("rs-full", Some(options)), all).await;
    let options = InspectNetworkOptionsBuilder::new().scope("swarm").build();
    step("inspect: swarm", docker.inspect_network("rs-full", Some(options)), all).await;
    step("inspect: missing", docker.inspect_network("rs-missing", None), all).await;
    for (title, pairs) in [
        ("label", &[("label", LABEL)][..]),
        ("name", &[("name", "^rs-full$")]),
        ("id", &[("id", id.as_str())]),
        ("driver", &[("driver", "null"), ("label", LABEL)]),
        ("custom", &[("type", "custom"), ("label", LABEL)]),
        ("builtin", &[("type", "builtin")]),
        ("dangling", &[("dangling", "true"), ("label", LABEL)]),
        ("unknown", &[("foo", "bar")]),
    ] {
        step(&format!("list: {title}"), docker.list_networks(Some(filtered(pairs))), |found| {
            let mut names: Vec<_> = found.iter().filter_map(|n| n.name.clone()).collect();
            names.sort();
            json!(names)
        })
        .await;
    }
    step("list: all of it", docker.list_networks(Some(filtered(&[("name", "rs-full")]))), all)
        .await;
    Ok(())
}

async fn connect(docker: &Docker) -> Outcome<()> {
    for (name, endpoints) in [
        (
            "rs-box",
            json!({"rs-full": {"IPAMConfig": {"IPv4Address": "10.230.1.200"}, "Aliases": ["api"]}}),
        ),
        ("rs-two", json!({"rs-full": {}, "rs-inner": {"MacAddress": "92:d0:c6:0a:29:33"}})),
    ] {
        let body: ContainerCreateBody = serde_json::from_value(json!({
            "Image": "busybox", "Cmd": ["sleep", "1000"], "HostConfig": {"NetworkMode": "rs-full"},
            "NetworkingConfig": {"EndpointsConfig": endpoints}}))?;
        let options = CreateContainerOptionsBuilder::new().name(name).build();
        step(&format!("{name}: create"), docker.create_container(Some(options), body), |made| {
            json!([made.id.len(), made.warnings])
        })
        .await;
        settings(docker, name, "created").await;
        step(
            &format!("{name}: start"),
            docker.start_container(name, None::<StartContainerOptions>),
            nothing,
        )
        .await;
        settings(docker, name, "started").await;
    }
    for (title, network, request) in [
        ("plain", "rs-plain", json!({"Container": "rs-box"})),
        ("again", "rs-plain", json!({"Container": "rs-box"})),
        (
            "everything",
            "rs-inner",
            json!({"Container": "rs-box", "EndpointConfig": {
            "IPAMConfig": {"IPv4Address": "10.230.2.77", "LinkLocalIPs": ["169.254.34.68"]}, "Aliases": ["web"],
            "Links": ["rs-two:peer"], "DriverOpts": {"foo": "bar"}, "GwPriority": 3}}),
        ),
        (
            "outside",
            "rs-inner",
            json!({"Container": "rs-two", "EndpointConfig": {"IPAMConfig": {"IPv4Address": "10.99.0.1"}}}),
        ),
        ("no such network", "rs-none", json!({"Container": "rs-box"})),
        ("no such container", "rs-full", json!({"Container": "rs-none"})),
        ("host", "host", json!({"Container": "rs-box"})),
    ] {
        let request: NetworkConnectRequest = serde_json::from_value(request)?;
        step(&format!("connect: {title}"), docker.connect_network(network, request), nothing).await;
    }
    settings(docker, "rs-box", "connected").await;
    step("members", docker.inspect_network("rs-full", None), |network| {
        let mut members: Vec<_> =
            network.containers.clone().unwrap_or_default().into_values().collect();
        members.sort_by(|a, b| a.name.cmp(&b.name));
        all(&members)
    })
    .await;
    step("remove: in use", docker.remove_network("rs-plain"), nothing).await;
    for (title, network, request) in [
        ("plain", "rs-inner", json!({"Container": "rs-box"})),
        ("again", "rs-inner", json!({"Container": "rs-box"})),
        ("again, force", "rs-inner", json!({"Container": "rs-box", "Force": true})),
        ("no such network", "rs-none", json!({"Container": "rs-box"})),
        ("no such container", "rs-full", json!({"Container": "rs-none"})),
        ("no such container, force", "rs-full", json!({"Container": "rs-none", "Force": true})),
    ] {
        let request: NetworkDisconnectRequest = serde_json::from_value(request)?;
        step(&format!("disconnect: {title}"), docker.disconnect_network(network, request), nothing)
            .await;
    }
    let options = StopContainerOptionsBuilder::new().t(0).build();
    step("stop", docker.stop_container("rs-box", Some(options)), nothing).await;
    settings(docker, "rs-box", "stopped").await;
    for name in ["rs-box", "rs-two"] {
        let force = RemoveContainerOptionsBuilder::new().force(true).build();
        step(&format!("{name}: remove"), docker.remove_container(name, Some(force)), nothing).await;
    }
    step("remove", docker.remove_network("rs-full"), nothing).await;
    step("remove: again", docker.remove_network("rs-full"), nothing).await;
    step("remove: predefined", docker.remove_network("bridge"), nothing).await;
    Ok(())
}

/// A container's networks, but for addresses out of a default pool.
async fn settings(docker: &Docker, name: &str, when: &str) {
    let found = docker.inspect_container(name, None::<InspectContainerOptions>);
    step(&format!("{name}: {when}"), found, |found| {
        let mut networks = all(&found.network_settings.as_ref().and_then(|s| s.networks.clone()));
        if let Some(plain) = networks.get_mut("rs-plain") {
            plain["IPAddress"] = Value::Null;
            plain["Gateway"] = Value::Null;
            plain["IPPrefixLen"] = Value::Null;
        }
        networks
    })
    .await;
}

async fn prune(docker: &Docker) {
    for (title, pairs) in [
        ("too young", &[("label", LABEL), ("until", "24h")][..]),
        ("unknown", &[("foo", "bar")]),
        ("all of it", &[("label", LABEL)]),
        ("again", &[("label", LABEL)]),
    ] {
        let options = PruneNetworksOptionsBuilder::new().filters(&filters(pairs)).build();
        step(&format!("prune: {title}"), docker.prune_networks(Some(options)), |pruned| {
            let mut value = all(pruned);
            if let Some(names) = value["NetworksDeleted"].as_array_mut() {
                names.sort_by_key(Value::to_string);
            }
            value
        })
        .await;
    }
}

/// What was told while all of this went on, for two of the networks.
async fn events(docker: &Docker, begin: String) -> Outcome<()> {
    let until = now()?;
    let asked = filters(&[("type", "network"), ("network", "rs-full"), ("network", "rs-inner")]);
    let options = EventsOptionsBuilder::new().since(&begin).until(&until).filters(&asked).build();
    println!("$ events");
    let mut stream = std::pin::pin!(docker.events(Some(options)));
    // Those of one action may come in either order.
    let mut lines = Vec::new();
    while let Some(event) = stream.next().await {
        let event = event?;
        let attributes = event.actor.and_then(|actor| actor.attributes).unwrap_or_default();
        let attributes: std::collections::BTreeMap<_, _> = attributes.into_iter().collect();
        lines.push(format!("{:?} {attributes:?}", event.action));
    }
    println!("{} events", lines.len());
    lines.sort();
    for line in lines {
        println!("{line}");
    }
    Ok(())
}

/// Seconds with their fraction. The engine is on this machine: its clock is ours.
fn now() -> Outcome<String> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    Ok(format!("{}.{:09}", now.as_secs(), now.subsec_nanos()))
}
