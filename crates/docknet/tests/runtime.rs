//! One client and many tasks, several runtimes, or none.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[allow(dead_code, reason = "the server does more than these tests ask for")]
#[path = "hard_server/server.rs"]
mod server;

use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use docknet::{BoxFuture, Client, EndpointSpec, ErrorKind, Filters, Script, expect};
use tokio::runtime::{Builder, Runtime};

use crate::server::{BOTH, Kind, NETWORK, Server, Talk, ok};

const PING: &str = "HTTP/1.1 200 OK\r\nApi-Version: 1.51\r\nContent-Length: 2\r\n\r\nOK";

fn engine(talk: &mut Talk) {
    while let Some(request) = talk.request() {
        talk.write(if request.contains(" /_ping") { PING.to_owned() } else { ok(NETWORK) });
    }
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn many_threads() -> Runtime {
    Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap()
}

#[test]
fn a_thousand_tasks_share_a_client_and_its_connections() {
    for kind in BOTH {
        for runtime in [current_thread(), many_threads()] {
            let server = Server::start_each(kind, |talk| {
                while talk.request().is_some() {
                    std::thread::sleep(Duration::from_millis(1));
                    talk.write(ok(NETWORK));
                }
            });
            let client = server.builder().max_connections(7).build().unwrap();
            runtime.block_on(async {
                let calls: Vec<_> = (0..1000)
                    .map(|_| {
                        let client = client.clone();
                        tokio::spawn(async move { client.networks().get("x").await.map(drop) })
                    })
                    .collect();
                for call in calls {
                    call.await.unwrap().unwrap();
                }
            });
            assert_eq!(server.requests(), 1000);
            assert!(server.log().most_open <= 7, "{} at once", server.log().most_open);
            assert!(server.log().most_open >= 2, "one after another");
            assert!(server.connections() <= 7, "{} connections", server.connections());
        }
    }
}

#[test]
fn a_client_outlives_its_runtimes() {
    let server = Server::start_each(Kind::Unix, engine);
    let client = server.client();
    for _ in 0..40 {
        let runtime = current_thread();
        for _ in 0..3 {
            runtime.block_on(client.networks().get("x")).unwrap();
        }
    }
    // One a runtime: those of runtimes that are gone are of no use, and do not keep newer ones from being kept.
    assert_eq!((server.requests(), server.connections()), (120, 40));
}

#[test]
fn several_runtimes_at_once() {
    let server = Server::start_each(Kind::Unix, engine);
    let client = server.client();
    std::thread::scope(|threads| {
        for number in 0..6 {
            let client = client.clone();
            threads.spawn(move || {
                let runtime = if number % 2 == 0 { current_thread() } else { many_threads() };
                for _ in 0..50 {
                    runtime.block_on(client.networks().get("x")).unwrap();
                }
            });
        }
    });
    assert_eq!((server.requests(), server.connections()), (300, 6));
}

/// Polls a call once, in a runtime that nobody drives from then on.
fn stand_still<'a, T>(runtime: &Runtime, mut call: BoxFuture<'a, T>) -> BoxFuture<'a, T> {
    runtime.block_on(async {
        // Some steps are made, and the rest is not.
        let step = std::future::poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_pending()));
        assert!(step.await, "it ended at once");
    });
    call
}

#[test]
fn a_runtime_that_stands_still_does_not_hold_up_another() {
    let server = Server::start_each(Kind::Unix, engine);
    let client = server.client();
    let (still, lively) = (current_thread(), current_thread());
    // It has a connection that is kept, and one in use.
    still.block_on(client.networks().get("x")).unwrap();
    let networks = client.networks();
    let _call = stand_still(&still, Box::pin(networks.get("x")));
    let started = Instant::now();
    lively.block_on(client.networks().get("x")).unwrap();
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}

#[test]
fn a_question_for_the_version_that_stands_still_does_not_hold_up_others() {
    let server = Server::start_each(Kind::Unix, engine);
    for lively in [true, false] {
        let client = server.client();
        let still = current_thread();
        let networks = client.networks();
        let _call = stand_still(&still, Box::pin(networks.get("x")));
        // In another runtime, or in the same one where only the first call is not polled any more.
        let runtime = if lively { current_thread() } else { still };
        let started = Instant::now();
        runtime.block_on(client.networks().get("x")).unwrap();
        assert!(started.elapsed() < Duration::from_secs(6), "{:?}", started.elapsed());
    }
}

#[test]
fn outside_a_runtime_calls_say_so() {
    fn outside<T>(call: impl Future<Output = docknet::Result<T>>) -> ErrorKind {
        let mut call = Box::pin(call);
        match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Err(error)) => error.kind(),
            Poll::Ready(Ok(_)) => panic!("it worked"),
            Poll::Pending => panic!("it waits"),
        }
    }

    let server = Server::start_each(Kind::Unix, engine);
    let script = Script::new([expect("GET /networks/x").reply(200, NETWORK)]);
    let network = current_thread().block_on(script.client().networks().get("x")).unwrap();
    for client in [server.client(), server.builder().no_timeout().build().unwrap(), script.client()]
    {
        let request = || http::Request::get("/info").body(Bytes::new()).unwrap();
        let none = Filters::new();
        for kind in [
            outside(client.ping()),
            outside(client.networks().get("x")),
            outside(client.networks().list()),
            outside(client.networks().create("x")),
            outside(client.networks().ensure("x")),
            outside(client.networks().prune(&none)),
            outside(client.networks().plan_prune(&none)),
            outside(client.containers().get("x")),
            outside(client.events().open()),
            outside(client.send(request())),
            outside(client.request::<serde_json::Value>(request())),
        ] {
            assert_eq!(kind, ErrorKind::Misuse);
        }
    }
    assert_eq!(outside(network.connect("web", EndpointSpec::new())), ErrorKind::Misuse);
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_network_and_its_client_cross_threads() {
    fn crosses<T: Send + Sync + 'static>() {}
    crosses::<Client>();
    crosses::<docknet::Network>();
    crosses::<docknet::Container>();
    fn can_be_spawned<T: Send>(_: &T) {}
    let client = Script::new([]).client();
    let networks = client.networks();
    can_be_spawned(&networks.get("x"));
    can_be_spawned(&networks.create("x"));
    can_be_spawned(&client.events());
    can_be_spawned(&networks.watch());
}
