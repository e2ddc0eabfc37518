//! What calls cost, in requests, connections and memory: figures that no machine is too slow for.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[allow(dead_code, reason = "the server does more than these tests ask for")]
#[path = "hard_server/server.rs"]
mod server;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};

use docknet::Filters;

use crate::server::{Kind, NETWORK, Server, ok};

const PING: &str = "HTTP/1.1 200 OK\r\nApi-Version: 1.51\r\nContent-Length: 2\r\n\r\nOK";

/// Answers everything: objects by name or id, lists where a list is asked for.
fn engine() -> Server {
    Server::start_each(Kind::Unix, |talk| {
        while let Some(request) = talk.request() {
            let target = request.split(' ').nth(1).unwrap();
            let path = target.split('?').next().unwrap();
            talk.write(match path {
                "/_ping" => PING.to_owned(),
                "/v1.51/networks" | "/v1.51/containers/json" => ok("[]"),
                "/v1.51/networks/create" => ok(r#"{"Id":"8dc8b98ebcbf4d8a"}"#),
                _ => ok(NETWORK),
            });
        }
    })
}

#[tokio::test]
async fn a_call_is_one_request_and_all_calls_are_one_connection() {
    let server = engine();
    let client = server.client();
    let networks = client.networks();
    // The version is asked for once.
    let mut network = networks.get("x").await.unwrap();
    assert_eq!(server.requests(), 2);
    let mut before = 2;
    let mut more = |what: &str, requests: usize| {
        before += requests;
        assert_eq!(server.requests(), before, "{what}");
    };
    network.reload().await.unwrap();
    more("reload", 1);
    networks.get("x").await.unwrap();
    more("get", 1);
    networks.list().await.unwrap();
    more("list", 1);
    networks.list_detailed(&Filters::new()).await.unwrap();
    more("list_detailed", 2);
    network.containers().await.unwrap();
    more("containers", 1);
    networks.create("x").await.unwrap();
    more("create", 2);
    network.connect("web", docknet::EndpointSpec::new()).await.unwrap();
    more("connect", 1);
    network.disconnect("web").await.unwrap();
    more("disconnect", 1);
    networks.prune(&Filters::new()).await.unwrap();
    more("prune", 1);
    let _read = (network.info(), network.attrs());
    more("info and attrs", 0);
    network.remove().await.unwrap();
    more("remove", 1);
    assert_eq!(server.connections(), 1);
}

/// Counts how often it is woken.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A wake of the task that runs costs a turn of the runtime and a system call, in every call.
#[tokio::test]
async fn a_call_never_wakes_its_own_task() {
    let server = engine();
    let client = server.client();
    let networks = client.networks();
    for _ in 0..20 {
        let mut call = Box::pin(networks.get("x"));
        let ended = std::future::poll_fn(|cx| {
            let bell = Arc::<Bell>::default();
            let waker = Waker::from(Arc::clone(&bell));
            let mut polled = call.as_mut().poll(&mut Context::from_waker(&waker));
            let woken_within = bell.0.load(Ordering::Relaxed);
            if polled.is_pending() {
                // For what comes now the real waker is needed.
                polled = call.as_mut().poll(cx);
            }
            polled.map(|network| (network.is_ok(), woken_within))
        });
        assert_eq!(ended.await, (true, 0));
    }
}

/// Objects of a list are parts of the answer: a handle costs no copy of it.
#[tokio::test]
async fn a_list_is_held_once() {
    let server = Server::start_each(Kind::Unix, |talk| {
        while talk.request().is_some() {
            talk.write(ok(&format!("[{}]", vec![NETWORK; 1000].join(","))));
        }
    });
    let list = server.client().networks().list().await.unwrap();
    let first = list[0].attrs_json().as_ptr();
    for (number, network) in list.iter().enumerate() {
        let at = network.attrs_json().as_ptr().addr() - first.addr();
        assert_eq!(at, number * (NETWORK.len() + 1));
    }
}

#[test]
fn nothing_is_opened_before_the_first_call() {
    let server = engine();
    let client = server.client();
    let _networks = (client.networks(), client.containers(), client.events(), client.clone());
    let waiting = client.networks();
    let _never_polled = waiting.get("x");
    assert_eq!(server.connections(), 0);
}
