//! When a connection is used again, when a request is sent again, and when not.

use docknet::{Client, ErrorKind, NetworkSpec, Result};

use crate::server::{BOTH, Kind, NETWORK, Play, Server, ok, play};

/// Something that changes nothing, and something that does.
#[derive(Clone, Copy, Debug)]
enum Call {
    Get,
    Post,
}

const CALLS: [Call; 2] = [Call::Get, Call::Post];

impl Call {
    async fn make(self, client: &Client) -> Result<()> {
        match self {
            Self::Get => client.networks().get("x").await.map(drop),
            Self::Post => client.networks().prune(&docknet::Filters::new()).await.map(drop),
        }
    }
}

/// Answers both calls.
fn answer() -> String {
    ok(NETWORK)
}

#[tokio::test]
async fn one_connection_does_for_calls_one_after_another() {
    for kind in BOTH {
        let server = Server::start(kind, [play(|talk| (0..50).for_each(|_| talk.reply(answer())))]);
        let client = server.client();
        for number in 0..50 {
            CALLS[number % 2].make(&client).await.unwrap();
        }
        assert_eq!((server.requests(), server.connections()), (50, 1));
    }
}

#[tokio::test]
async fn a_connection_that_the_engine_closed_meanwhile_is_not_noticed() {
    for kind in BOTH {
        for call in CALLS {
            let server = Server::start_each(kind, |talk| talk.reply(answer()));
            let client = server.client();
            for _ in 0..5 {
                call.make(&client).await.unwrap();
                server.wait_until_open(0);
            }
            assert_eq!((server.requests(), server.connections()), (5, 5));
        }
    }
}

#[tokio::test]
async fn a_connection_that_was_reset_meanwhile_is_not_noticed() {
    for call in CALLS {
        let server = Server::start_each(Kind::Tcp, |talk| {
            talk.reply(answer());
            // The answer has to arrive before the reset, which would overtake it.
            std::thread::sleep(std::time::Duration::from_millis(30));
            talk.reset();
        });
        let client = server.client();
        for _ in 0..3 {
            call.make(&client).await.unwrap();
            server.wait_until_open(0);
        }
        assert_eq!((server.requests(), server.connections()), (3, 3));
    }
}

#[tokio::test]
async fn a_request_that_may_have_been_seen_is_never_sent_again() {
    for kind in BOTH {
        for call in CALLS {
            for reset in [false, true] {
                // Once on a fresh connection, once on a used one.
                for answered_before in [0, 1] {
                    let server = Server::start_each(kind, move |talk| {
                        (0..answered_before).for_each(|_| talk.reply(answer()));
                        talk.request();
                        if reset {
                            talk.reset();
                        }
                    });
                    let client = server.client();
                    for _ in 0..answered_before {
                        call.make(&client).await.unwrap();
                    }
                    let error = call.make(&client).await.unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
                    assert_eq!(
                        (server.requests(), server.connections()),
                        (answered_before + 1, 1),
                        "{kind:?} {call:?}, reset {reset}"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn a_request_of_which_nothing_was_sent_is_sent_once_more() {
    for call in CALLS {
        let refuses_writes = || {
            play(|talk| {
                talk.reply(answer());
                talk.stop_reading();
                // To wait for the client would be to read, which ends at once now.
                std::thread::sleep(std::time::Duration::from_millis(500));
            })
        };
        let server =
            Server::start(Kind::Unix, [refuses_writes(), play(|talk| talk.reply(answer()))]);
        let client = server.client();
        call.make(&client).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        // The connection looks well until something is written.
        call.make(&client).await.unwrap();
        assert_eq!((server.requests(), server.connections()), (2, 2));
    }
}

#[tokio::test]
async fn a_fresh_connection_that_takes_nothing_is_not_tried_again() {
    for call in CALLS {
        let server = Server::start_each(Kind::Unix, |talk| {
            talk.stop_reading();
            std::thread::sleep(std::time::Duration::from_millis(50));
        });
        // The server may be slower than the client's first byte; then it is an answer that never comes.
        let error = call.make(&server.client()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
        assert_eq!(server.connections(), 1);
    }
}

/// A first answer, and then what makes its connection one that must not be used again.
async fn second_call_uses_another_connection(kind: Kind, first: Play) {
    let server = Server::start(kind, [first, play(|talk| talk.reply(ok(&other_network())))]);
    let client = server.client();
    let first = client.networks().get("x").await.unwrap();
    // What the engine writes late has to be there before the connection is looked at.
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let second = client.networks().get("y").await.unwrap();
    assert_eq!((first.name(), second.name()), ("x", "y"));
    assert_eq!((server.requests(), server.connections()), (2, 2));
}

fn other_network() -> String {
    NETWORK.replace(r#""Name":"x""#, r#""Name":"y""#)
}

/// A second answer that nobody asked for. Taken for that of the next call it would be a wrong one.
fn stray_answer() -> String {
    ok(&NETWORK.replace(r#""Name":"x""#, r#""Name":"stray""#))
}

#[tokio::test]
async fn a_connection_with_unread_data_is_not_used_again() {
    for kind in BOTH {
        for stray in ["\r\n".to_owned(), "garbage".to_owned(), stray_answer()] {
            for together in [true, false] {
                let stray = stray.clone();
                second_call_uses_another_connection(
                    kind,
                    play(move |talk| {
                        talk.request();
                        if together {
                            talk.write(ok(NETWORK) + &stray);
                        } else {
                            talk.write(ok(NETWORK));
                            std::thread::sleep(std::time::Duration::from_millis(10));
                            talk.write(stray);
                        }
                        talk.wait_for_close();
                    }),
                )
                .await;
            }
        }
    }
}

#[tokio::test]
async fn an_answer_that_ends_the_connection_ends_it() {
    let length = NETWORK.len();
    for head in [
        format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"),
        format!("HTTP/1.1 200 OK\r\nconnection: foo, Close\r\nContent-Length: {length}\r\n\r\n"),
        format!("HTTP/1.0 200 OK\r\nContent-Length: {length}\r\n\r\n"),
    ] {
        second_call_uses_another_connection(
            Kind::Unix,
            play(move |talk| {
                talk.reply(format!("{head}{NETWORK}"));
                assert!(talk.wait_for_close(), "the client keeps a connection that is to end");
            }),
        )
        .await;
    }
}

#[tokio::test]
async fn a_body_that_is_dropped_half_read_takes_its_connection_with_it() {
    let server = Server::start(
        Kind::Unix,
        [
            play(|talk| {
                talk.reply(ok(&"x".repeat(1 << 20)));
                assert!(talk.wait_for_close(), "the client keeps a connection that is out of step");
            }),
            play(|talk| talk.reply(answer())),
        ],
    );
    let client = server.client();
    let request = http::Request::get("/big").body(bytes::Bytes::new()).unwrap();
    let mut body = client.send(request).await.unwrap().into_body();
    assert!(body.next_chunk().await.unwrap().unwrap().len() < 1 << 20);
    drop(body);
    client.networks().get("x").await.unwrap();
    assert_eq!((server.requests(), server.connections()), (2, 2));
}

#[tokio::test]
async fn an_answer_to_a_request_that_was_not_read_is_the_answer() {
    for kind in BOTH {
        // More than the kernel's buffers hold: the client is still writing then.
        for size in [10, 8 << 20] {
            let server = Server::start(
                kind,
                [play(|talk| {
                    std::thread::sleep(std::time::Duration::from_millis(50));
                    talk.write("HTTP/1.1 413 Too Large\r\nContent-Length: 9\r\n\r\ntoo large");
                    std::thread::sleep(std::time::Duration::from_millis(100));
                })],
            );
            let spec = NetworkSpec::new("x").label("l", "x".repeat(size));
            let request = http::Request::post("/networks/create")
                .body(serde_json::to_vec(&spec).unwrap().into())
                .unwrap();
            let error = server.client().request::<serde_json::Value>(request).await.unwrap_err();
            assert_eq!(error.message(), "too large", "{kind:?} {size}: {error:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_before_there_is_a_question_is_none() {
    let server = Server::start_each(Kind::Unix, |talk| {
        talk.write(stray_answer());
        talk.wait_for_close();
    });
    for _ in 0..20 {
        match server.client().networks().get("x").await {
            // It came after the first byte of the question, and nothing tells it from an answer.
            Ok(network) => assert_eq!(network.name(), "stray"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Protocol, "{error}"),
        }
    }
}
