//! Looking at one network, and what a handle is.

use docknet::{Client, Driver, EndpointSpec, ErrorKind, InspectOptions, Pool, Result, Scope};
use serde_json::Value;

use crate::expect::refused;
use crate::{behaviours, lab};

/// A network is the same by its id, by its name and as it was made.
pub async fn by_id_and_by_name(client: &Client) -> Result<()> {
    let made = lab::network(client, |spec| spec.internal(true).label("app", "shop")).await?;
    let by_id = client.networks().get(made.id().as_str()).await?;
    let by_name = client.networks().get(made.name()).await?;
    assert_eq!(by_id.attrs(), by_name.attrs());
    assert_eq!(by_id.attrs(), made.attrs());
    Ok(())
}

/// What is not there is not found, and `find` says none.
pub async fn missing_is_not_found(client: &Client) -> Result<()> {
    let name = lab::name("nowhere");
    let error = refused(client.networks().get(&name).await, &[ErrorKind::NotFound]);
    assert!(
        error.is_not_found() && error.status().is_some_and(|status| status == 404),
        "{error:?}"
    );
    assert!(error.message().contains(&name), "{error}");
    assert_eq!(error.subject(), Some(name.as_str()));
    assert_eq!(client.networks().find(&name).await?, None);
    assert_eq!(client.networks().find(&"f".repeat(64)).await?, None);
    Ok(())
}

/// What is there is found.
pub async fn find_gives_what_is_there(client: &Client) -> Result<()> {
    let made = lab::network(client, |spec| spec).await?;
    let found = client.networks().find(made.name()).await?;
    assert_eq!(found.as_ref(), Some(&made));
    Ok(())
}

/// The engine's own networks are there: a bridge, the host's and none.
pub async fn predefined_networks_are_there(client: &Client) -> Result<()> {
    for (name, driver) in
        [("bridge", Driver::Bridge), ("host", Driver::Host), ("none", Driver::None)]
    {
        let network = client.networks().get(name).await?;
        assert_eq!((network.name(), &network.info().driver), (name, &driver));
        assert!(network.info().is_predefined(), "{name}");
    }
    Ok(())
}

/// In its own scope a network is found, and in another it is not.
pub async fn a_scope_is_looked_in(client: &Client) -> Result<()> {
    let made = lab::network(client, |spec| spec).await?;
    let here = InspectOptions::new().scope(Scope::Local);
    assert_eq!(client.networks().inspect(made.name(), &here).await?, made);
    let elsewhere = InspectOptions::new().scope(Scope::Swarm);
    refused(client.networks().inspect(made.name(), &elsewhere).await, &[ErrorKind::NotFound]);
    Ok(())
}

/// A verbose look shows the same network.
pub async fn verbose_shows_the_same(client: &Client) -> Result<()> {
    let made = lab::network(client, |spec| spec).await?;
    let verbose =
        client.networks().inspect(made.name(), &InspectOptions::new().verbose(true)).await?;
    assert_eq!((verbose.id(), &verbose.info().ipam), (made.id(), &made.info().ipam));
    Ok(())
}

/// What is typed is what the engine's JSON says, field by field, and nothing is left unread.
pub async fn typed_is_what_the_json_says(client: &Client) -> Result<()> {
    let subnet = lab::subnet();
    let pool = Pool::new(subnet.into()).gateway(lab::host(subnet, 254));
    let made = lab::network(client, |spec| {
        spec.internal(true)
            .label("app", "shop")
            .option("com.docker.network.driver.mtu", "1400")
            .pool(pool)
    });
    let network = client.networks().get(made.await?.name()).await?;
    let (info, json) = (network.info(), network.attrs());
    assert_eq!(info.undecoded, [""; 0]);
    for (typed, key) in [
        (info.id.as_str(), "Id"),
        (&info.name, "Name"),
        (&info.created, "Created"),
        (info.scope.as_str(), "Scope"),
        (info.driver.as_str(), "Driver"),
    ] {
        assert_eq!(json[key], typed, "{key}");
    }
    for (typed, key) in [
        (info.ipv6, "EnableIPv6"),
        (info.internal, "Internal"),
        (info.attachable, "Attachable"),
        (info.ingress, "Ingress"),
        (info.config_only, "ConfigOnly"),
    ] {
        assert_eq!(json[key], typed, "{key}");
    }
    let pool = &info.ipam.pools[0];
    let pool_json = &json["IPAM"]["Config"][0];
    assert_eq!(pool_json["Subnet"], pool.subnet.expect("a subnet").to_string());
    assert_eq!(pool_json["Gateway"], pool.gateway.expect("a gateway").to_string());
    assert_eq!(json["Labels"], serde_json::to_value(&info.labels).expect("JSON"));
    assert_eq!(json["Options"], serde_json::to_value(&info.options).expect("JSON"));
    assert!(info.labels.contains_key("app") && !info.options.is_empty(), "{info:?}");
    Ok(())
}

/// The engine's JSON is kept byte for byte, and the value of it is the same.
pub async fn the_json_is_kept(client: &Client) -> Result<()> {
    let made = lab::network(client, |spec| spec.label("réseau", "\u{1f433} < & >")).await?;
    let value: Value = serde_json::from_str(made.attrs_json()).expect("JSON");
    assert_eq!(&value, made.attrs());
    assert_eq!(value["Labels"]["réseau"], "\u{1f433} < & >");
    Ok(())
}

/// A handle stays as it was until it is loaded anew.
pub async fn a_handle_changes_when_it_is_reloaded(client: &Client) -> Result<()> {
    let mut network = lab::network(client, |spec| spec).await?;
    let before = network.attrs().clone();
    let container = lab::running(client, &[]).await?;
    network.connect(&container, EndpointSpec::new()).await?;
    assert_eq!(network.attrs(), &before);
    network.reload().await?;
    let members: Vec<_> = network.info().members.keys().map(|id| id.as_str().to_owned()).collect();
    assert_eq!(members, [container.id().as_str()]);
    network.disconnect(&container).await?;
    network.reload().await?;
    assert!(network.info().members.is_empty(), "{:?}", network.info().members);
    Ok(())
}

/// A handle of a network that is gone keeps what it knew, and every call says that it is not found.
pub async fn a_handle_outlives_its_network(client: &Client) -> Result<()> {
    let mut network = lab::network(client, |spec| spec.label("app", "shop")).await?;
    let container = lab::running(client, &[]).await?;
    network.clone().remove().await?;
    refused(network.reload().await, &[ErrorKind::NotFound]);
    refused(network.connect(&container, EndpointSpec::new()).await, &[ErrorKind::NotFound]);
    refused(network.disconnect(&container).await, &[ErrorKind::NotFound]);
    refused(network.clone().remove_detaching().await, &[ErrorKind::NotFound]);
    refused(network.clone().remove().await, &[ErrorKind::NotFound]);
    assert_eq!(network.info().labels["app"], "shop");
    Ok(())
}

/// A handle means its network, and not another of the same name that came later.
pub async fn a_handle_means_its_own_network(client: &Client) -> Result<()> {
    let spec = lab::spec("again").pool(Pool::new(lab::subnet().into()));
    let first = client.networks().create(&spec).await?;
    first.clone().remove().await?;
    let second = client.networks().create(&spec).await?;
    assert_ne!(first, second);
    let mut stale = first.clone();
    refused(stale.reload().await, &[ErrorKind::NotFound]);
    refused(first.remove().await, &[ErrorKind::NotFound]);
    assert_eq!(client.networks().get(&spec.name).await?, second);
    Ok(())
}

/// Handles are equal if their networks are the same one.
pub async fn handles_of_one_network_are_equal(client: &Client) -> Result<()> {
    let one = lab::network(client, |spec| spec).await?;
    let other = lab::network(client, |spec| spec).await?;
    let again = client.networks().get(one.name()).await?;
    assert!(one == again && one != other, "{one:?} {again:?} {other:?}");
    Ok(())
}

behaviours!(get:
    by_id_and_by_name,
    missing_is_not_found,
    find_gives_what_is_there,
    predefined_networks_are_there,
    a_scope_is_looked_in,
    verbose_shows_the_same,
    typed_is_what_the_json_says,
    the_json_is_kept,
    a_handle_changes_when_it_is_reloaded [Containers],
    a_handle_outlives_its_network [Containers],
    a_handle_means_its_own_network,
    handles_of_one_network_are_equal,
);
