//! Who can reach whom.

use docknet::{EndpointSpec, NetworkSpec, Pool};

use crate::lab::{
    HOST, HOST6, Lab, SERVER, SERVER6, ask, assert_only_the_second_leaves, assert_silent, ip,
    listen, tell_who_asks,
};

#[tokio::test(flavor = "multi_thread")]
async fn containers_of_a_network_talk_and_those_of_another_do_not() {
    let lab = Lab::new().await;
    lab.network("front").await;
    lab.network("back").await;
    let (web, db) = (lab.container("web", "front").await, lab.container("db", "back").await);
    let api = lab.container("api", "front").await;
    listen(&web, 80, "web");
    let address = lab.ip("web", "front").await;
    assert_eq!(ask(&api, (address, 80)), "web");
    assert_silent(&db, (address, 80));

    // Connected, it can; cut off again, it cannot.
    let front = lab.client.networks().get("front").await.unwrap();
    front.connect("db", EndpointSpec::new()).await.unwrap();
    assert_eq!(ask(&db, (address, 80)), "web");
    front.disconnect("db").await.unwrap();
    assert_silent(&db, (address, 80));
    front.disconnect("web").await.unwrap();
    assert_silent(&api, (address, 80));
}

#[tokio::test(flavor = "multi_thread")]
async fn packets_leave_with_an_address_of_the_hosts() {
    let lab = Lab::new().await;
    let internet = lab.internet().await;
    tell_who_asks(&internet.server, 80);
    lab.network(NetworkSpec::new("front").ipv6(true)).await;
    let web = lab.container("web", "front").await;
    assert_eq!(ask(&web, (SERVER, 80)), HOST.to_string());
    assert_eq!(ask(&web, (SERVER6, 80)), HOST6.to_string());

    // Where nobody wants that, they leave as they are.
    let plain = "com.docker.network.bridge.enable_ip_masquerade";
    let pool = Pool::new("10.7.0.0/24".parse().unwrap());
    lab.network(NetworkSpec::new("plain").option(plain, "false").pool(pool)).await;
    let api = lab.container("api", "plain").await;
    ip(&internet.server, &format!("route add 10.7.0.0/24 via {HOST}"));
    assert_eq!(ask(&api, (SERVER, 80)), "10.7.0.2");
    // Nobody comes in that was not asked.
    listen(&api, 80, "api");
    assert_silent(&internet.server, ("10.7.0.2".parse::<std::net::IpAddr>().unwrap(), 80));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_internal_network_reaches_nothing_outside() {
    let lab = Lab::new().await;
    let internet = lab.internet().await;
    listen(&internet.server, 80, "internet");
    listen(&lab.host, 81, "host");
    lab.network(NetworkSpec::new("closed").internal(true)).await;
    let (web, db) = (lab.container("web", "closed").await, lab.container("db", "closed").await);
    listen(&db, 80, "db");
    let address = lab.ip("db", "closed").await;
    assert_eq!(ask(&web, (address, 80)), "db");
    assert_silent(&web, (SERVER, 80));
    // Not even one that makes itself a route.
    let gateway = lab.client.networks().get("closed").await.unwrap().info().ipam.pools[0].gateway;
    ip(&web, &format!("route add default via {}", gateway.unwrap()));
    assert_silent(&web, (SERVER, 80));
    assert_silent(&web, (HOST, 81));
    assert_eq!(ask(&web, (gateway.unwrap(), 81)), "host");
    let (own, host) = (lab.ip("web", "closed").await.to_string(), HOST.to_string());
    assert_only_the_second_leaves(&internet, (&web, &own), (&lab.host, &host));
    ip(&internet.server, &format!("route add 172.16.0.0/12 via {HOST}"));
    assert_silent(&internet.server, (address, 80));
}

#[tokio::test(flavor = "multi_thread")]
async fn containers_without_company_reach_the_outside_only() {
    let lab = Lab::new().await;
    let internet = lab.internet().await;
    listen(&internet.server, 80, "internet");
    let icc = "com.docker.network.bridge.enable_icc";
    lab.network(NetworkSpec::new("alone").option(icc, "false").ipv6(true)).await;
    let (web, db) = (lab.container("web", "alone").await, lab.container("db", "alone").await);
    listen(&db, 80, "db");
    let (v4, v6) = lab.ips("db", "alone").await;
    assert_silent(&web, (v4, 80));
    assert_silent(&web, (v6.unwrap(), 80));
    assert_eq!(ask(&web, (SERVER, 80)), "internet");
    assert_eq!(ask(&lab.host, (v4, 80)), "db");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_not_the_networks_does_not_leave_it() {
    let lab = Lab::new().await;
    let internet = lab.internet().await;
    let plain = "com.docker.network.bridge.enable_ip_masquerade";
    lab.network(NetworkSpec::new("front").option(plain, "false")).await;
    let web = lab.container("web", "front").await;
    ip(&web, "addr add 203.0.113.9/32 dev eth0");
    assert_only_the_second_leaves(&internet, (&web, "203.0.113.9"), (&web, "172.18.0.2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_default_route_follows_the_networks() {
    let lab = Lab::new().await;
    let internet = lab.internet().await;
    listen(&internet.server, 80, "internet");
    lab.network("front").await;
    lab.network("aback").await;
    lab.network(NetworkSpec::new("closed").internal(true)).await;
    let web = lab.container("web", "front").await;
    let gateway = || {
        let routes = web.command("ip").args(["route", "show", "default"]).output().unwrap();
        String::from_utf8(routes.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(gateway(), "default via 172.18.0.1 dev eth0");
    let connect = async |name: &str, spec| {
        let network = lab.client.networks().get(name).await.unwrap();
        network.connect("web", spec).await.unwrap();
        network
    };
    let closed = connect("closed", EndpointSpec::new().gateway_priority(7)).await;
    assert_eq!(gateway(), "default via 172.18.0.1 dev eth0");
    // Of two, the first by name, unless one has priority.
    let aback = connect("aback", EndpointSpec::new()).await;
    assert_eq!(gateway(), "default via 172.19.0.1 dev eth2");
    aback.disconnect("web").await.unwrap();
    assert_eq!(gateway(), "default via 172.18.0.1 dev eth0");
    let aback = connect("aback", EndpointSpec::new().gateway_priority(-1)).await;
    assert_eq!(gateway(), "default via 172.18.0.1 dev eth0");
    assert_eq!(ask(&web, (SERVER, 80)), "internet");
    for network in ["front", "closed"] {
        lab.client.networks().get(network).await.unwrap().disconnect("web").await.unwrap();
    }
    assert_eq!(gateway(), "default via 172.19.0.1 dev eth2");
    aback.disconnect("web").await.unwrap();
    assert_eq!(gateway(), "");
    drop(closed);
}

#[tokio::test(flavor = "multi_thread")]
async fn subnets_keep_clear_of_the_hosts_routes_as_they_come_and_go() {
    let lab = Lab::new().await;
    let next = async |name: &str| {
        let network = lab.client.networks().create(name).await.unwrap();
        let subnet = network.info().ipam.pools[0].subnet.unwrap().to_string();
        network.remove().await.unwrap();
        subnet
    };
    assert_eq!(next("first").await, "172.18.0.0/16");
    ip(&lab.host, "link add other type veth peer name end");
    ip(&lab.host, "link set other up");
    ip(&lab.host, "link set end up");
    ip(&lab.host, "addr add 172.18.7.1/24 dev other");
    ip(&lab.host, "route add 172.19.0.0/24 via 172.18.7.2");
    assert_eq!(next("second").await, "172.20.0.0/16");
    ip(&lab.host, "route del 172.19.0.0/24");
    assert_eq!(next("third").await, "172.19.0.0/16");
    // The kernel takes routes away with a link, and does not say so.
    ip(&lab.host, "link set other down");
    assert_eq!(next("fourth").await, "172.18.0.0/16");
    ip(&lab.host, "link set other up");
    assert_eq!(next("fifth").await, "172.19.0.0/16");
    ip(&lab.host, "link del other");
    assert_eq!(next("sixth").await, "172.18.0.0/16");
}
