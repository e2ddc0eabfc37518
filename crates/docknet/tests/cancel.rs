//! A call may be given up at every point: nothing stays behind.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

#[allow(dead_code, reason = "the server does more than these tests ask for")]
#[path = "hard_server/server.rs"]
mod server;

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use docknet::{BoxFuture, Client, ContainerSpec, EndpointSpec, Filters, NetworkSpec};
use tokio::runtime::Builder;
use tokio::sync::Notify;

use crate::server::{Kind, NETWORK, Server, Talk};

const CONTAINER: &str = r#"{"Id":"4f66","Name":"/web","State":{"Running":true}}"#;

/// Open files are those of the whole process: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn alone(test: impl AsyncFnOnce()) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(test());
}

fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Answers everything as an engine does, in small pieces, so that there are many points at which to give up.
fn engine(talk: &mut Talk) {
    while let Some(request) = talk.request() {
        let (method, target) = request.split_once(' ').unwrap();
        let path = target.split([' ', '?']).next().unwrap().trim_start_matches("/v1.51");
        let answer = match (method, path) {
            ("GET", "/_ping") => {
                "HTTP/1.1 200 OK\r\nApi-Version: 1.51\r\nContent-Length: 2\r\n\r\nOK".to_owned()
            }
            ("GET", "/networks") => server::chunked(&format!("[{NETWORK}]"), 30),
            ("GET", "/events") => {
                server::chunked("{\"Type\":\"network\",\"Action\":\"create\"}\n", 10)
            }
            ("POST", "/networks/create" | "/containers/create") => server::ok(r#"{"Id":"4f66"}"#),
            ("POST", "/containers/4f66/exec") => server::ok(r#"{"Id":"e"}"#),
            ("POST", "/exec/e/start") => server::ok("\x01\0\0\0\0\0\0\x02ab"),
            ("GET", "/exec/e/json") => server::ok(r#"{"ExitCode":0}"#),
            ("GET", "/containers/json") => server::ok(&format!("[{CONTAINER}]")),
            ("GET", path) if path.starts_with("/containers/") => server::ok(CONTAINER),
            ("GET", _) => server::ok(NETWORK),
            _ => server::ok(""),
        };
        for piece in answer.as_bytes().chunks(answer.len().div_ceil(6)) {
            std::thread::sleep(Duration::from_millis(1));
            if !talk.write(piece) {
                return;
            }
        }
    }
}

/// Counts and tells when it is woken.
#[derive(Default)]
struct Bell {
    rung: AtomicUsize,
    heard: Notify,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rung.fetch_add(1, Ordering::Relaxed);
        self.heard.notify_one();
    }
}

/// Polls so many times, each time once it was woken; whether it came to its end.
async fn poll_times<T>(
    mut call: Pin<&mut (impl Future<Output = T> + ?Sized)>,
    times: usize,
) -> bool {
    let bell = Arc::<Bell>::default();
    let waker = Waker::from(Arc::clone(&bell));
    for time in 0..times {
        if time > 0 {
            bell.heard.notified().await;
        }
        if call.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            return true;
        }
    }
    false
}

type Call = fn(Client) -> BoxFuture<'static, docknet::Result<()>>;

const CALLS: &[(&str, Call)] = &[
    ("get", |client| Box::pin(async move { client.networks().get("x").await.map(drop) })),
    ("list", |client| Box::pin(async move { client.networks().list().await.map(drop) })),
    ("create", |client| {
        Box::pin(async move { client.networks().create(NetworkSpec::new("x")).await.map(drop) })
    }),
    ("connect", |client| {
        Box::pin(async move {
            let network = client.networks().get("x").await?;
            network.connect("web", EndpointSpec::new()).await
        })
    }),
    ("list_detailed", |client| {
        Box::pin(async move { client.networks().list_detailed(&Filters::new()).await.map(drop) })
    }),
    ("container create", |client| {
        Box::pin(async move {
            let spec = ContainerSpec::new("busybox").network("x", EndpointSpec::new());
            client.containers().create(spec).await.map(drop)
        })
    }),
    ("exec", |client| {
        Box::pin(
            async move { client.containers().get("web").await?.exec(["true"]).await.map(drop) },
        )
    }),
    ("events", |client| {
        Box::pin(async move {
            let mut events = client.events().open().await?;
            events.next().await.transpose()?;
            Ok(())
        })
    }),
    ("a stream of events", |client| {
        Box::pin(async move { client.events().next().await.transpose().map(drop) })
    }),
];

/// One place: one that is not given back stops every call after it.
fn narrow(server: &Server) -> Client {
    server.builder().max_connections(1).timeout(Duration::from_secs(5)).build().unwrap()
}

#[test]
fn a_call_can_be_given_up_at_every_point() {
    alone(async || {
        for kind in server::BOTH {
            let server = Server::start_each(kind, engine);
            let client = narrow(&server);
            let before = open_files();
            let mut all_points = 0;
            for (name, call) in CALLS {
                let mut points = 0;
                loop {
                    let mut given_up = call(client.clone());
                    let ended = poll_times(given_up.as_mut(), points).await;
                    drop(given_up);
                    // What was cut off is closed; a connection that is in step may stay.
                    server.wait_until_open(1);
                    client.networks().get("x").await.unwrap_or_else(|error| {
                        panic!("after {name} was given up at point {points}: {error}")
                    });
                    if ended {
                        break;
                    }
                    points += 1;
                }
                assert!(points >= 2, "{name} was given up at {points} points only");
                all_points += points;
                assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
            }
            // A machine with other things to do lets some of the pieces come together.
            assert!(all_points >= 40, "{all_points} points in all");
            drop(client);
            server.wait_until_open(0);
            assert_eq!(open_files(), before, "open files");
        }
    });
}

#[test]
fn a_call_that_waits_for_a_place_can_be_given_up() {
    alone(async || {
        let server = Server::start_each(Kind::Unix, engine);
        let client = narrow(&server);
        let request = http::Request::get("/networks").body(bytes::Bytes::new()).unwrap();
        let holds_the_place = client.send(request).await.unwrap();
        for points in 0..3 {
            let networks = client.networks();
            let mut waiting = Box::pin(networks.get("x"));
            let polled = tokio::time::timeout(
                Duration::from_millis(20),
                poll_times(waiting.as_mut(), points),
            )
            .await;
            assert_ne!(polled, Ok(true), "there was a place");
        }
        drop(holds_the_place);
        client.networks().get("x").await.unwrap();
    });
}

#[test]
fn the_first_call_can_be_given_up_while_it_asks_for_the_version() {
    alone(async || {
        let server = Server::start_each(Kind::Unix, engine);
        for points in 0..8 {
            let client = server.client();
            let networks = client.networks();
            let mut first = Box::pin(networks.list());
            poll_times(first.as_mut(), points).await;
            drop(first);
            let second =
                tokio::time::timeout(Duration::from_secs(2), client.networks().list()).await;
            second.expect("waits for a call that was given up").unwrap();
        }
    });
}

#[test]
fn many_calls_given_up_at_any_time_leave_nothing() {
    alone(async || {
        let server = Server::start_each(Kind::Unix, engine);
        let client = server.builder().max_connections(4).build().unwrap();
        let before = open_files();
        for round in 0..200_u64 {
            let (_, call) = CALLS[usize::try_from(round).unwrap() % CALLS.len()];
            let limit = Duration::from_micros(round * 97 % 6000);
            let calls = [(); 6].map(|()| call(client.clone()));
            let all = async {
                for call in calls {
                    let _answer = call.await;
                }
            };
            let _late = tokio::time::timeout(limit, all).await;
        }
        client.networks().get("x").await.unwrap();
        drop(client);
        server.wait_until_open(0);
        assert_eq!(open_files(), before);
        assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
    });
}

#[test]
fn a_future_of_a_call_can_wander_from_task_to_task() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.unwrap();
    let server = Server::start_each(Kind::Unix, engine);
    let client = server.client();
    for (name, call) in CALLS {
        for stops in 1..6 {
            let mut wandering = Some(call(client.clone()));
            // Each task polls once, and hands it on without waiting: only the last one's waker counts.
            for _ in 0..stops {
                let Some(mut future) = wandering.take() else { break };
                let once = async move {
                    let polled =
                        std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
                    polled.is_pending().then_some(future)
                };
                wandering = runtime.block_on(runtime.spawn(once)).unwrap();
            }
            if let Some(future) = wandering {
                let ended = Duration::from_secs(5);
                let ended =
                    runtime.block_on(async move { tokio::time::timeout(ended, future).await });
                ended
                    .unwrap_or_else(|_| panic!("{name} was not woken after {stops} tasks"))
                    .unwrap();
            }
        }
    }
}
