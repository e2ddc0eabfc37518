//! What a test asks to be broken is broken, once, and nothing else.
#![allow(clippy::unwrap_used, reason = "a test may fail")]
#![cfg(feature = "client")]

use std::time::Duration;

use docknet::{Client, ContainerSpec, EndpointSpec, ErrorKind};
use docknet_engine::{Engine, Fault, Profile};

async fn engine() -> (Engine, Client) {
    let engine = Engine::memory().image("busybox").start().await.unwrap();
    let client = engine.client();
    (engine, client)
}

#[tokio::test]
async fn a_refused_call_changes_nothing_and_the_next_one_works() {
    let (engine, client) = engine().await;
    let networks = client.networks();
    engine.faults().add(Fault::refuse(507, "no space left").on("POST", "/networks/create"));
    let error = networks.create("net").await.unwrap_err();
    assert_eq!((error.status().unwrap().as_u16(), error.message()), (507, "no space left"));
    assert!(networks.find("net").await.unwrap().is_none());
    networks.create("net").await.unwrap();
}

#[tokio::test]
async fn only_the_calls_that_are_named_meet_it() {
    let (engine, client) = engine().await;
    let networks = client.networks();
    let (first, second) =
        (networks.create("net").await.unwrap(), networks.create("b").await.unwrap());
    engine
        .faults()
        .add(Fault::refuse(500, "busy").on("DELETE", format!("/networks/{}", first.id())));
    second.remove().await.unwrap();
    assert_eq!(first.clone().remove().await.unwrap_err().message(), "busy");
    first.remove().await.unwrap();
    assert_eq!(engine.faults().pending(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_delay_lasts_as_long_as_asked_for() {
    let (engine, client) = engine().await;
    engine.faults().add(Fault::delay(Duration::from_secs(90)).on("POST", "/networks/create"));
    let begun = tokio::time::Instant::now();
    client.networks().create("late").await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(90));

    engine.faults().add(Fault::delay(Duration::from_secs(500)).on("POST", "/networks/create"));
    let error = client.networks().create("too-late").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    // The caller went away while the call waited to be carried out.
    assert!(client.networks().find("too-late").await.unwrap().is_none());
}

#[tokio::test]
async fn a_connection_is_lost_before_or_after_the_call_takes_effect() {
    let (engine, in_process) = engine().await;
    let server = engine.serve(&"tcp://127.0.0.1:0".parse().unwrap()).await.unwrap();
    let on_a_socket = Client::connect(&server.address().to_string()).unwrap();
    for (client, way) in [(in_process, "process"), (on_a_socket, "socket")] {
        let networks = client.networks();
        let (before, after) = (format!("before-{way}"), format!("after-{way}"));
        engine.faults().add(Fault::drop_before().on("POST", "/networks/create"));
        assert_eq!(
            networks.create(&before).await.unwrap_err().kind(),
            ErrorKind::Protocol,
            "{way}"
        );
        engine.faults().add(Fault::drop_after().on("POST", "/networks/create"));
        assert_eq!(networks.create(&after).await.unwrap_err().kind(), ErrorKind::Protocol, "{way}");
        assert!(networks.find(&before).await.unwrap().is_none(), "{way}");
        assert!(networks.find(&after).await.unwrap().is_some(), "{way}");
    }
    server.shutdown().await;
}

#[tokio::test]
async fn without_addresses_networks_and_endpoints_are_refused_in_the_engines_words() {
    let (engine, client) = engine().await;
    let networks = client.networks();
    let network = networks.create("net").await.unwrap();
    let web = client.containers().create(ContainerSpec::new("busybox").name("web")).await.unwrap();
    web.start().await.unwrap();

    engine.faults().add(Fault::out_of_addresses().times(2));
    assert_eq!(networks.create("b").await.unwrap_err().kind(), ErrorKind::PoolExhausted);
    let error = network.connect(&web, EndpointSpec::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddressesExhausted);
    assert!(error.message().starts_with("no available IPv4 addresses"), "{error}");
    network.connect(&web, EndpointSpec::new()).await.unwrap();
}

#[tokio::test]
async fn an_engine_of_another_kind_refuses_in_its_own_form() {
    let engine = Engine::memory().like(Profile::Podman5).start().await.unwrap();
    engine.faults().add(Fault::refuse(500, "no space left").on("GET", "/networks"));
    let error = engine.client().networks().list().await.unwrap_err();
    assert_eq!(error.message(), "no space left");
}
