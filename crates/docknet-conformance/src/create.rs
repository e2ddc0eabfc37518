//! Creating networks.

use bytes::Bytes;
use docknet::{Client, Driver, ErrorKind, NetworkSpec, Pool, Result, Scope};
use serde_json::Value;

use crate::expect::refused;
use crate::{behaviours, lab};

/// A network that is created is there, under its name and its id.
pub async fn makes_a_network(client: &Client) -> Result<()> {
    let network = client.networks().create(lab::spec("net")).await?;
    let by_name = client.networks().get(network.name()).await?;
    let by_id = client.networks().get(network.id().as_str()).await?;
    assert_eq!((by_name.id(), by_id.name()), (network.id(), network.name()));
    Ok(())
}

/// A name alone makes a local bridge with an IPv4 subnet and a gateway in it.
pub async fn a_name_alone_makes_a_bridge(client: &Client) -> Result<()> {
    let name = lab::name("plain");
    let network = client.networks().create(&name).await?;
    let info = network.info();
    assert_eq!(
        (info.name.as_str(), &info.driver, &info.scope),
        (name.as_str(), &Driver::Bridge, &Scope::Local)
    );
    assert!(!info.internal && !info.ipv6 && !info.ingress && !info.config_only, "{info:?}");
    let [pool] = &info.ipam.pools[..] else { panic!("one pool, not {:?}", info.ipam.pools) };
    let (subnet, gateway) = (pool.subnet.expect("a subnet"), pool.gateway.expect("a gateway"));
    assert!(subnet.addr().is_ipv4() && subnet.contains(&gateway), "{subnet} {gateway}");
    Ok(())
}

/// Every network has an id of its own, of 64 hexadecimal digits, of which the short id has the first twelve.
pub async fn ids_are_64_hexadecimal_digits(client: &Client) -> Result<()> {
    let one = lab::network(client, |spec| spec).await?;
    let other = lab::network(client, |spec| spec).await?;
    assert_ne!(one.id(), other.id());
    for network in [&one, &other] {
        let id = network.id().as_str();
        assert!(id.len() == 64 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
        assert_eq!(network.short_id(), &id[..12]);
    }
    Ok(())
}

/// A network says when it was made, and a later one a later time.
pub async fn says_when_it_was_made(client: &Client) -> Result<()> {
    let one = lab::network(client, |spec| spec).await?;
    let other = lab::network(client, |spec| spec).await?;
    let (earlier, later) = (&one.info().created, &other.info().created);
    // 2026-01-31T12:00:00…: texts of one engine sort as their times do, up to the seconds.
    assert!(earlier.as_bytes()[10] == b'T' && earlier.len() >= 20, "{earlier}");
    assert!(earlier[..19] <= later[..19], "{earlier} and then {later}");
    Ok(())
}

/// Labels come back as they were given: empty ones, long ones and those with odd characters too.
pub async fn keeps_labels(client: &Client) -> Result<()> {
    let odd = [
        ("empty", ""),
        ("a=b", "c=d"),
        ("with blank", " \n\t"),
        ("réseau", "ネット 🐳"),
        ("com.example.json", r#"{"a":[1]}"#),
    ];
    let spec = lab::spec("labels")
        .labels(odd)
        .label("long", "x".repeat(100_000))
        .pool(Pool::new(lab::subnet().into()));
    let network = client.networks().create(spec.clone()).await?;
    assert_eq!(client.networks().get(network.name()).await?.info().labels, spec.labels);
    Ok(())
}

/// A thousand labels come back.
pub async fn keeps_a_thousand_labels(client: &Client) -> Result<()> {
    let many = (0..1000).map(|n| (format!("label-{n}"), n.to_string()));
    let network = lab::network(client, |spec| spec.labels(many)).await?;
    let labels = client.networks().get(network.name()).await?.info().labels.clone();
    assert_eq!(labels.len(), 1002);
    assert_eq!(labels["label-999"], "999");
    Ok(())
}

/// An internal network says so.
pub async fn keeps_internal(client: &Client) -> Result<()> {
    let inside = lab::network(client, |spec| spec.internal(true)).await?;
    let outside = lab::network(client, |spec| spec.internal(false)).await?;
    assert!(client.networks().get(inside.name()).await?.info().internal);
    assert!(!client.networks().get(outside.name()).await?.info().internal);
    Ok(())
}

/// An attachable network says so.
pub async fn keeps_attachable(client: &Client) -> Result<()> {
    let yes = lab::network(client, |spec| spec.attachable(true)).await?;
    let no = lab::network(client, |spec| spec.attachable(false)).await?;
    assert!(client.networks().get(yes.name()).await?.info().attachable, "attachable is not kept");
    assert!(!client.networks().get(no.name()).await?.info().attachable);
    Ok(())
}

/// A second network of a name is refused, and the first is as before.
pub async fn a_name_that_is_taken_is_refused(client: &Client) -> Result<()> {
    let first = lab::network(client, |spec| spec.internal(true)).await?;
    refused(client.networks().create(first.name()).await, &[ErrorKind::NameTaken]);
    let again = NetworkSpec::new(first.name()).check_duplicate(true).driver(Driver::Bridge);
    let error = refused(client.networks().create(again).await, &[ErrorKind::NameTaken]);
    assert!(error.is_conflict() && error.message().contains(first.name()), "{error}");
    assert_eq!(client.networks().get(first.name()).await?.attrs(), first.attrs());
    Ok(())
}

/// A second network of a name is refused even where it is asked for.
pub async fn a_duplicate_that_is_asked_for_is_refused(client: &Client) -> Result<()> {
    let first = lab::network(client, |spec| spec).await?;
    let second = NetworkSpec::new(first.name()).check_duplicate(false);
    refused(client.networks().create(second).await, &[ErrorKind::NameTaken]);
    assert_eq!(client.networks().get(first.name()).await?.id(), first.id());
    Ok(())
}

/// The names of the engine's own networks are refused.
pub async fn predefined_names_are_refused(client: &Client) -> Result<()> {
    for name in ["bridge", "host", "none", "default"] {
        let spec = NetworkSpec::new(name).labels(lab::labels());
        // The manager of a swarm finds the name taken first.
        let kinds = [ErrorKind::Predefined, ErrorKind::NameTaken];
        refused(client.networks().create(spec).await, &kinds);
    }
    Ok(())
}

/// What the engine remarks when it makes a network is on the handle, and nothing where it is silent.
pub async fn gives_the_engines_warning(client: &Client) -> Result<()> {
    let spec = |name: &str| {
        let spec = NetworkSpec::new(lab::name(name)).labels(lab::labels());
        spec.option("com.example.unheard-of", "1").pool(Pool::new(lab::subnet().into()))
    };
    let body = serde_json::to_vec(&spec("raw")).expect("a spec is JSON");
    let mut request = http::Request::new(Bytes::from(body));
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = http::Uri::from_static("/networks/create");
    let raw: Value = client.request(request).await?;
    let said = raw["Warning"].as_str().filter(|text| !text.is_empty());
    assert_eq!(client.networks().create(spec("warned")).await?.warning(), said);
    let silent = lab::network(client, |spec| spec).await?;
    assert_eq!(silent.warning(), None);
    Ok(())
}

/// IPv6 with a subnet of one's own: the network has it beside an IPv4 one.
pub async fn ipv6_with_a_subnet(client: &Client) -> Result<()> {
    let (four, six) = (lab::subnet(), lab::subnet6());
    let network = lab::network(client, |spec| {
        spec.ipv6(true).pool(Pool::new(four.into())).pool(Pool::new(six.into()))
    })
    .await?;
    let info = network.info();
    let subnets: Vec<_> = info.ipam.pools.iter().filter_map(|pool| pool.subnet).collect();
    assert!(
        info.ipv6 && subnets.contains(&six.into()) && subnets.contains(&four.into()),
        "{info:?}"
    );
    Ok(())
}

/// IPv6 without a subnet: the network gets one.
pub async fn ipv6_gets_a_subnet(client: &Client) -> Result<()> {
    let network =
        lab::network(client, |spec| spec.ipv6(true).pool(Pool::new(lab::subnet().into()))).await?;
    let subnets: Vec<_> = network.info().ipam.pools.iter().filter_map(|pool| pool.subnet).collect();
    assert!(subnets.iter().any(|subnet| subnet.addr().is_ipv6()), "{subnets:?}");
    assert!(network.info().ipv6);
    Ok(())
}

/// An IPv6 subnet alone does not turn IPv6 on.
pub async fn an_ipv6_subnet_alone_is_no_ipv6(client: &Client) -> Result<()> {
    let (four, six) = (lab::subnet(), lab::subnet6());
    let network =
        lab::network(client, |spec| spec.pool(Pool::new(four.into())).pool(Pool::new(six.into())))
            .await?;
    assert!(!network.info().ipv6, "IPv6 is on");
    Ok(())
}

/// A network may do without IPv4.
pub async fn without_ipv4(client: &Client) -> Result<()> {
    let six = lab::subnet6();
    let network =
        lab::network(client, |spec| spec.ipv4(false).ipv6(true).pool(Pool::new(six.into())))
            .await?;
    let info = network.info();
    let subnets: Vec<_> = info.ipam.pools.iter().filter_map(|pool| pool.subnet).collect();
    assert_eq!((info.ipv4, info.ipv6, subnets), (Some(false), true, vec![six.into()]));
    Ok(())
}

/// A network without IPv4 and without IPv6 is refused, by the engine or because the engine would make another.
pub async fn without_ipv4_and_ipv6_is_refused(client: &Client) -> Result<()> {
    let spec = lab::spec("nothing").ipv4(false).ipv6(false);
    let name = spec.name.clone();
    refused(
        client.networks().create(spec).await,
        &[ErrorKind::InvalidSpec, ErrorKind::UnsupportedApi],
    );
    assert_eq!(client.networks().find(&name).await?, None);
    Ok(())
}

/// A routing mesh that is no network of a swarm is refused.
pub async fn ingress_on_a_bridge_is_refused(client: &Client) -> Result<()> {
    let spec = lab::spec("ingress").ingress(true).driver(Driver::Bridge);
    let name = spec.name.clone();
    refused(
        client.networks().create(spec).await,
        &[ErrorKind::InvalidSpec, ErrorKind::UnsupportedApi],
    );
    assert_eq!(client.networks().find(&name).await?, None);
    Ok(())
}

/// A refused network leaves nothing: neither its name nor its subnet is taken.
pub async fn a_refusal_leaves_nothing(client: &Client) -> Result<()> {
    let subnet = lab::subnet();
    let good = lab::spec("net").pool(Pool::new(subnet.into()));
    let bad = good.clone().option("com.docker.network.driver.mtu", "garbage");
    refused(client.networks().create(bad).await, &[ErrorKind::InvalidSpec]);
    assert_eq!(client.networks().find(&good.name).await?, None);
    let network = client.networks().create(good).await?;
    assert_eq!(network.info().ipam.pools[0].subnet, Some(subnet.into()));
    Ok(())
}

behaviours!(create:
    makes_a_network,
    a_name_alone_makes_a_bridge,
    ids_are_64_hexadecimal_digits,
    says_when_it_was_made,
    keeps_labels,
    keeps_a_thousand_labels,
    keeps_internal,
    keeps_attachable,
    a_name_that_is_taken_is_refused,
    a_duplicate_that_is_asked_for_is_refused,
    predefined_names_are_refused,
    gives_the_engines_warning,
    ipv6_with_a_subnet,
    ipv6_gets_a_subnet,
    an_ipv6_subnet_alone_is_no_ipv6,
    without_ipv4,
    without_ipv4_and_ipv6_is_refused,
    ingress_on_a_bridge_is_refused,
    a_refusal_leaves_nothing,
);
