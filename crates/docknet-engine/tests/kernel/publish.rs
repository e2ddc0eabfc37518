//! Published ports.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};

use docknet::{ContainerSpec, EndpointSpec, NetworkSpec};
use serde_json::json;

use crate::lab::{
    HOST, HOST6, Lab, SERVER, ask, ask_udp, assert_silent, ip, listen, listen_udp, tell_who_asks,
};

const LOCAL: Ipv4Addr = Ipv4Addr::LOCALHOST;

fn publishing(bindings: serde_json::Value) -> ContainerSpec {
    ContainerSpec::new("app").host_config("PortBindings", bindings)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_port_is_reached_from_everywhere() {
    let lab = Lab::new().await;
    let internet = lab.internet().await;
    lab.network(NetworkSpec::new("front").ipv6(true)).await;
    lab.network("back").await;
    let spec = publishing(json!({
        "80/tcp": [{ "HostPort": "8080" }],
        "53/udp": [{ "HostPort": "5353" }],
    }));
    let web = lab.run("web", "front", spec).await;
    listen(&web, 80, "web");
    listen_udp(&web, 53, "names");
    let (beside, elsewhere) =
        (lab.container("api", "front").await, lab.container("db", "back").await);
    for from in [&internet.server, &lab.host, &beside, &elsewhere, &web] {
        assert_eq!(ask(from, (HOST, 8080)), "web");
        assert_eq!(ask_udp(from, (HOST, 5353)), "names");
    }
    for from in [&internet.server, &lab.host, &beside] {
        assert_eq!(ask(from, (HOST6, 8080)), "web");
        assert_eq!(ask_udp(from, (HOST6, 5353)), "names");
    }
    assert_eq!(ask(&lab.host, (LOCAL, 8080)), "web");
    let refused = lab.host.within(|| TcpStream::connect((Ipv6Addr::LOCALHOST, 8080)));
    assert_eq!(refused.unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);
    // Nothing else is open, not even to those who know the way.
    let address = lab.ip("web", "front").await;
    ip(&internet.server, &format!("route add 172.16.0.0/12 via {HOST}"));
    assert_silent(&internet.server, (address, 80));
    assert_silent(&elsewhere, (address, 80));
    assert_silent(&internet.server, (HOST, 80));

    lab.client.containers().get("web").await.unwrap().stop().await.unwrap();
    assert_silent(&internet.server, (HOST, 8080));
    assert_silent(&lab.host, (LOCAL, 8080));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_of_one_address_is_reached_there_only() {
    let lab = Lab::new().await;
    let internet = lab.internet().await;
    lab.network("front").await;
    let local = publishing(json!({ "80/tcp": [{ "HostIp": "127.0.0.1", "HostPort": "8080" }] }));
    listen(&lab.run("local", "front", local).await, 80, "local");
    assert_eq!(ask(&lab.host, (LOCAL, 8080)), "local");
    assert_silent(&internet.server, (HOST, 8080));
    // The same port of another address is another's.
    let outer =
        publishing(json!({ "80/tcp": [{ "HostIp": HOST.to_string(), "HostPort": "8080" }] }));
    listen(&lab.run("outer", "front", outer).await, 80, "outer");
    assert_eq!(ask(&internet.server, (HOST, 8080)), "outer");
    assert_eq!(ask(&lab.host, (LOCAL, 8080)), "local");
    // Neither a container nor a neighbour gets there, even one that sends packets for 127.0.0.1 out.
    let other = lab.container("other", "front").await;
    for (from, link, gateway) in
        [(&other, "eth0", "172.18.0.1".to_owned()), (&internet.server, "up1", HOST.to_string())]
    {
        from.within(|| fs::write(format!("/proc/sys/net/ipv4/conf/{link}/route_localnet"), "1"))
            .unwrap();
        ip(from, "addr del 127.0.0.1/8 dev lo");
        ip(from, &format!("route add 127.0.0.1/32 via {gateway} dev {link}"));
        assert_silent(from, (LOCAL, 8080));
    }
    assert_silent(&other, (Ipv4Addr::new(172, 18, 0, 1), 8080));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_cannot_have_one_port() {
    let lab = Lab::new().await;
    lab.network("front").await;
    let bindings = json!({ "80/tcp": [{ "HostPort": "8080" }] });
    lab.run("web", "front", publishing(bindings.clone())).await;
    let containers = lab.client.containers();
    let spec = publishing(bindings).name("other").network("front", EndpointSpec::new());
    let other = containers.create(spec).await.unwrap();
    let error = other.start().await.unwrap_err().to_string();
    assert!(error.contains("Bind for 0.0.0.0:8080 failed: port is already allocated"), "{error}");
    containers.get("web").await.unwrap().stop().await.unwrap();
    other.start().await.unwrap();

    // Nor can a container have what a program of the host has, nor the other way round.
    let taken = lab.host.within(|| TcpListener::bind("127.0.0.1:8081")).unwrap();
    let spec = publishing(json!({ "80/tcp": [{ "HostPort": "8081" }] }));
    let spec = spec.name("late").network("front", EndpointSpec::new());
    let late = containers.create(spec).await.unwrap();
    let error = late.start().await.unwrap_err().to_string();
    assert!(error.contains("8081"), "{error}");
    assert!(error.contains("address already in use"), "{error}");
    drop(taken);
    late.start().await.unwrap();
    lab.host.within(|| TcpListener::bind("0.0.0.0:8081")).unwrap_err();
    late.stop().await.unwrap();
    lab.host.within(|| TcpListener::bind("0.0.0.0:8081")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn any_port_is_one_that_is_told() {
    let lab = Lab::new().await;
    lab.network("front").await;
    let spec = ContainerSpec::new("app")
        .extra("ExposedPorts", json!({ "80/tcp": {}, "81/tcp": {} }))
        .host_config("PublishAllPorts", true);
    let web = lab.run("web", "front", spec).await;
    listen(&web, 80, "80");
    listen(&web, 81, "81");
    let shown = lab.client.containers().get("web").await.unwrap();
    let attrs = shown.attrs();
    for port in ["80", "81"] {
        let told = &attrs["NetworkSettings"]["Ports"][format!("{port}/tcp")][0]["HostPort"];
        let told: u16 = told.as_str().unwrap().parse().unwrap();
        assert_eq!(ask(&lab.host, (LOCAL, told)), port);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_routed_network_opens_the_ports_of_its_containers() {
    let lab = Lab::new().await;
    let internet = lab.internet().await;
    let mode = "com.docker.network.bridge.gateway_mode_ipv4";
    lab.network(NetworkSpec::new("routed").option(mode, "routed")).await;
    let web = lab.run("web", "routed", publishing(json!({ "80/tcp": [{}] }))).await;
    listen(&web, 80, "web");
    listen(&web, 81, "other");
    let address = lab.ip("web", "routed").await;
    ip(&internet.server, &format!("route add 172.16.0.0/12 via {HOST}"));
    tell_who_asks(&internet.server, 80);
    assert_eq!(ask(&internet.server, (address, 80)), "web");
    assert_silent(&internet.server, (address, 81));
    assert_eq!(ask(&web, (SERVER, 80)), address.to_string());

    lab.network(NetworkSpec::new("open").option(mode, "nat-unprotected")).await;
    let open = lab.container("open", "open").await;
    listen(&open, 81, "open");
    assert_eq!(ask(&internet.server, (lab.ip("open", "open").await, 81)), "open");
}

#[tokio::test(flavor = "multi_thread")]
async fn ports_move_with_the_default_route() {
    let lab = Lab::new().await;
    let internet = lab.internet().await;
    lab.network("front").await;
    lab.network("aback").await;
    let web = lab.run("web", "front", publishing(json!({ "80/tcp": [{ "HostPort": "8080" }] })));
    let web = web.await;
    listen(&web, 80, "web");
    assert_eq!(ask(&internet.server, (HOST, 8080)), "web");
    let networks = lab.client.networks();
    networks.get("aback").await.unwrap().connect("web", EndpointSpec::new()).await.unwrap();
    assert_eq!(ask(&internet.server, (HOST, 8080)), "web");
    networks.get("front").await.unwrap().disconnect("web").await.unwrap();
    assert_eq!(ask(&internet.server, (HOST, 8080)), "web");
    let _: IpAddr = lab.ip("web", "aback").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_port_leads_to_a_network_that_the_host_does_not_reach() {
    let lab = Lab::new().await;
    ip(&lab.host, "link add parent0 type bridge");
    let pool = docknet::Pool::new("10.7.0.0/24".parse().unwrap());
    let spec = NetworkSpec::new("beside").driver("macvlan").option("parent", "parent0").pool(pool);
    lab.network(spec).await;
    let bindings = json!({ "80/tcp": [{ "HostPort": "8080" }] });
    lab.run("web", "beside", publishing(bindings.clone())).await;
    lab.host.within(|| TcpListener::bind("0.0.0.0:8080")).unwrap();
    // So somebody else can have it.
    lab.network("front").await;
    let other = lab.run("other", "front", publishing(bindings)).await;
    listen(&other, 80, "other");
    assert_eq!(ask(&lab.host, (LOCAL, 8080)), "other");
}
