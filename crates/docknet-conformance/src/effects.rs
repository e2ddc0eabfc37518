//! What networks do to traffic and names, seen from inside the containers.

use docknet::{Client, Container, EndpointSpec, IpNet, Pool, Result};

use crate::behaviours;
use crate::expect::{refused, soon};
use crate::inside::{addresses, default_gateways, reaches, resolve, shell, works};
use crate::lab::{subnet, subnet6};
use crate::stage::{Stage, failed, host};

behaviours!(
    effects:
    containers_of_a_network_reach_each_other [Containers, Processes],
    an_internal_network_gives_no_default_route [Containers, Processes],
    an_internal_network_has_no_way_out [Containers, Processes],
    two_networks_do_not_reach_each_other [Containers, Processes],
    a_container_on_two_networks_is_no_bridge [Containers, Processes],
    without_icc_containers_are_apart [Containers, Processes],
    a_partition_cuts_traffic_and_heals [Containers, Processes],
    names_and_short_ids_resolve [Containers],
    names_stay_in_their_network [Containers],
    a_shared_alias_resolves_to_all [Containers],
    ipv6_reaches [Containers, Processes],
    several_networks_at_creation [Containers],
    a_missing_network_at_creation_is_not_found [Containers],
);

/// Containers of one network reach each other, by packets and by TCP.
pub async fn containers_of_a_network_reach_each_other(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let subnet = subnet();
    let network = stage.network_on("net", subnet).await?;
    let ip = EndpointSpec::new().ipv4(host(subnet, 9)).alias("web");
    let web = stage.run(stage.idle("web").network(network.name(), ip)).await?;
    let other = stage.running_on("other", &network).await?;
    assert!(reaches(&other, host(subnet, 9)).await?, "no ping by address");
    assert!(reaches(&other, "web").await?, "no ping by name");
    shell(&web, "mkdir /tmp/www; echo hello > /tmp/www/index.html; httpd -p 8080 -h /tmp/www")
        .await?;
    // Not with `wget`, which looks up the port of "http": an old static busybox crashes over that.
    let get = "printf 'GET /index.html HTTP/1.0\\r\\n\\r\\n' | timeout 5 nc web 8080";
    let answer = shell(&other, get).await?;
    assert!(answer.ends_with("hello\n"), "the answer is {answer:?}");
    Ok(())
}

/// A network has a way out through its gateway; an internal one has none, and works all the same within.
pub async fn an_internal_network_has_no_way_out(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let (open, closed) = (subnet(), subnet());
    let open_network = stage.network_on("open", open).await?;
    let spec = stage.spec("closed").internal(true).pool(Pool::new(closed.into()));
    let closed_network = stage.create_network(spec).await?;
    let outside = stage.running_on("outside", &open_network).await?;
    let gateways = default_gateways(&outside).await?;
    assert!(gateways == [host(open, 1)], "the open network's gateways: {gateways:?}");
    let inside = stage.running_on("inside", &closed_network).await?;
    let neighbour = stage.running_on("neighbour", &closed_network).await?;
    assert!(!reaches(&inside, own(&outside, open).await?).await?, "it reaches another network");
    assert!(reaches(&inside, own(&neighbour, closed).await?).await?, "no ping within");
    Ok(())
}

/// An internal network gives no default route, so that what is meant for outside fails at once; another network's route
/// stays as it is.
pub async fn an_internal_network_gives_no_default_route(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let (open, closed) = (subnet(), subnet());
    let open_network = stage.network_on("open", open).await?;
    let spec = stage.spec("closed").internal(true).pool(Pool::new(closed.into()));
    let closed_network = stage.create_network(spec).await?;
    let both = stage.running_on("both", &open_network).await?;
    closed_network.connect(&both, EndpointSpec::new()).await?;
    let gateways = default_gateways(&both).await?;
    assert!(gateways == [host(open, 1)], "gateways on both networks: {gateways:?}");
    let inside = stage.running_on("inside", &closed_network).await?;
    let gateways = default_gateways(&inside).await?;
    assert!(gateways.is_empty(), "gateways on the internal network: {gateways:?}");
    Ok(())
}

/// Containers of two networks do not reach each other.
pub async fn two_networks_do_not_reach_each_other(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let (first, second) = (subnet(), subnet());
    let a = stage.running_on("a", &stage.network_on("net-a", first).await?).await?;
    let b = stage.running_on("b", &stage.network_on("net-b", second).await?).await?;
    assert!(reaches(&a, host(first, 1)).await?, "a does not reach its own gateway");
    assert!(!reaches(&a, own(&b, second).await?).await?, "a reaches b");
    assert!(!reaches(&b, own(&a, first).await?).await?, "b reaches a");
    Ok(())
}

/// A container on two networks reaches both; their other containers do not reach each other through it.
pub async fn a_container_on_two_networks_is_no_bridge(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let (first, second) = (subnet(), subnet());
    let closed = |what, subnet: docknet::Ipv4Net| {
        stage.spec(what).internal(true).pool(Pool::new(subnet.into()))
    };
    let left = stage.create_network(closed("left", first)).await?;
    let right = stage.create_network(closed("right", second)).await?;
    let (a, b) = (stage.running_on("a", &left).await?, stage.running_on("b", &right).await?);
    let middle = stage.running_on("middle", &left).await?;
    right.connect(&middle, EndpointSpec::new()).await?;
    assert!(reaches(&middle, own(&a, first).await?).await?, "the middle does not reach a");
    assert!(reaches(&middle, own(&b, second).await?).await?, "the middle does not reach b");
    assert!(!reaches(&a, own(&b, second).await?).await?, "a reaches b");
    Ok(())
}

/// `enable_icc=false` keeps the containers of a network apart, and lets them out.
pub async fn without_icc_containers_are_apart(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let subnet = subnet();
    let spec = stage.spec("net").pool(Pool::new(subnet.into()));
    let spec = spec.option("com.docker.network.bridge.enable_icc", "false");
    let network = stage.create_network(spec).await?;
    let (a, b) = (stage.running_on("a", &network).await?, stage.running_on("b", &network).await?);
    assert!(reaches(&a, host(subnet, 1)).await?, "a does not reach its gateway");
    assert!(!reaches(&a, own(&b, subnet).await?).await?, "a reaches b");
    Ok(())
}

/// A disconnection cuts the traffic that is under way, and a connection at the same address heals it.
pub async fn a_partition_cuts_traffic_and_heals(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let subnet = subnet();
    let network = stage.network_on("net", subnet).await?;
    let a = stage.running_on("a", &network).await?;
    let b = stage.running("b").await?;
    let ip = EndpointSpec::new().ipv4(host(subnet, 9));
    network.connect(&b, ip.clone()).await?;
    let line = format!("ping -i 0.2 {} > /tmp/log 2>&1 &", host(subnet, 9));
    shell(&a, &line).await?;
    soon("the first answers", async || Ok(answers(&a).await? > 2)).await?;
    network.disconnect(&b).await?;
    let at_the_cut = answers(&a).await?;
    assert!(!reaches(&a, host(subnet, 9)).await?, "it is cut off, and answers");
    let later = answers(&a).await?;
    // One answer may have been on its way.
    assert!(later <= at_the_cut + 1, "{at_the_cut} answers at the cut, {later} later");
    network.connect(&b, ip).await?;
    // It has another hardware address now, and is found by that as soon as it speaks.
    assert!(reaches(&b, a.name()).await?, "it is back, and reaches nobody");
    soon("answers after the heal", async || Ok(answers(&a).await? > later + 2)).await
}

/// A container is found by its name, by the short form of its id and by its aliases, from its own network.
pub async fn names_and_short_ids_resolve(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let subnet = subnet();
    let network = stage.network_on("net", subnet).await?;
    let endpoint = EndpointSpec::new().ipv4(host(subnet, 9)).alias("api");
    let web = stage.run(stage.idle("web").network(network.name(), endpoint)).await?;
    let other = stage.running_on("other", &network).await?;
    for name in [web.name(), web.short_id(), "api"] {
        let found = resolve(&other, name).await?;
        assert!(found == [host(subnet, 9)], "{name} is {found:?}");
    }
    Ok(())
}

/// A name of one network is unknown in another, and unknown again once its container was cut off.
pub async fn names_stay_in_their_network(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let (one, two) = (stage.network("one").await?, stage.network("two").await?);
    let web = stage.running_on("web", &one).await?;
    let (inside, outside) =
        (stage.running_on("in", &one).await?, stage.running_on("out", &two).await?);
    assert!(!resolve(&inside, web.name()).await?.is_empty(), "it is not found at home");
    let found = resolve(&outside, web.name()).await?;
    assert!(found.is_empty(), "{found:?} on another network");
    one.disconnect(&web).await?;
    soon("the name is forgotten", async || Ok(resolve(&inside, web.name()).await?.is_empty())).await
}

/// A name that several containers share resolves to all of them.
pub async fn a_shared_alias_resolves_to_all(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let subnet = subnet();
    let network = stage.network_on("net", subnet).await?;
    for number in [11, 12] {
        let endpoint = EndpointSpec::new().ipv4(host(subnet, number)).alias("pool");
        let spec = stage.idle(&format!("web{number}")).network(network.name(), endpoint);
        stage.run(spec).await?;
    }
    let other = stage.running_on("other", &network).await?;
    let mut found = resolve(&other, "pool").await?;
    found.sort();
    assert!(found == [host(subnet, 11), host(subnet, 12)], "the shared name is {found:?}");
    Ok(())
}

/// Containers of a network with IPv6 reach each other over it.
pub async fn ipv6_reaches(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let (v4, v6) = (subnet(), subnet6());
    let spec = stage.spec("net").ipv6(true).pool(Pool::new(v4.into()));
    let network = stage.create_network(spec.pool(Pool::new(v6.into()))).await?;
    let (a, b) = (stage.running_on("a", &network).await?, stage.running_on("b", &network).await?);
    let ip = addresses(&b).await?.into_iter().find(|address| matches!(address, IpNet::V6(_)));
    let ip = ip.ok_or_else(|| failed("b has no IPv6 address"))?.addr();
    // The addresses may still be looking for duplicates.
    soon("a reaches b over IPv6", async || works(&a, &format!("ping -6 -c1 -W2 {ip}")).await)
        .await?;
    let found = resolve(&a, b.name()).await?;
    assert!(found.contains(&ip), "{ip} is none of {found:?}");
    Ok(())
}

/// A container is created on several networks at once, whatever the engine takes in one request.
pub async fn several_networks_at_creation(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let mut spec = stage.idle("web");
    let mut asked = Vec::new();
    for what in ["one", "two", "three"] {
        let subnet = subnet();
        let network = stage.network_on(what, subnet).await?;
        spec = spec.network(network.name(), EndpointSpec::new().ipv4(host(subnet, 9)));
        asked.push(host(subnet, 9));
    }
    let container = stage.run(spec).await?;
    let mut found: Vec<_> =
        addresses(&container).await?.into_iter().map(|address| address.addr()).collect();
    found.sort();
    asked.sort();
    assert!(found == asked, "asked for {asked:?}, it has {found:?}");
    assert!(container.endpoints().len() == 3, "{:?}", container.endpoints().keys());
    Ok(())
}

/// A container that asks for a network that is not there never runs: its creation is undone, or its start is refused.
pub async fn a_missing_network_at_creation_is_not_found(client: &Client) -> Result<()> {
    let stage = Stage::new(client);
    let network = stage.network("net").await?;
    let spec = stage.idle("web").network(network.name(), EndpointSpec::new());
    let spec = spec.network(stage.name("nowhere"), EndpointSpec::new());
    let outcome = match stage.create(&spec).await {
        Ok(container) => container.start().await,
        Err(error) => {
            let left = client.containers().get(&stage.name("web")).await;
            assert!(left.is_err_and(|error| error.is_not_found()), "the container is left");
            Err(error)
        }
    };
    refused(outcome, &[docknet::ErrorKind::NotFound]);
    Ok(())
}

/// The address that a container has in a subnet.
async fn own(container: &Container, subnet: docknet::Ipv4Net) -> Result<std::net::IpAddr> {
    let all = addresses(container).await?;
    let own = all.iter().find(|a| matches!(a, IpNet::V4(a) if subnet.contains(&a.addr())));
    own.map(IpNet::addr).ok_or_else(|| failed(format!("nothing of {subnet} in {all:?}")))
}

/// How many answers came so far.
async fn answers(container: &Container) -> Result<usize> {
    Ok(shell(container, "cat /tmp/log").await?.matches("bytes from").count())
}
