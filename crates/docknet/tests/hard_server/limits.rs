//! Limits of time and of size.

use std::time::{Duration, Instant};

use bytes::Bytes;
use docknet::{ErrorKind, NetworkSpec, Result};

use crate::server::{BOTH, Kind, NETWORK, Play, Server, Talk, chunked, ok, play, status};

const LIMIT: Duration = Duration::from_millis(300);
/// Later than this is not in time, even on a machine that does other things as well.
const SLACK: Duration = Duration::from_millis(1500);

fn hang(talk: &mut Talk) {
    assert!(talk.wait_for_close(), "the client keeps a connection that it gave up");
}

#[tokio::test]
async fn the_limit_of_time_covers_the_whole_exchange() {
    let hanging = |head: &'static str| {
        play(move |talk| {
            talk.reply(head);
            hang(talk);
        })
    };
    let trickle = |head: &'static str, piece: &'static str| {
        play(move |talk| {
            talk.reply(head);
            // Something comes all the time, but never the end.
            while talk.write(piece) {
                std::thread::sleep(Duration::from_millis(20));
            }
        })
    };
    let plays: Vec<(&str, Play)> = vec![
        ("before the request is read", play(|_| std::thread::sleep(SLACK))),
        ("before the head", hanging("")),
        ("in the head", hanging("HTTP/1.1 200 OK\r\nContent-Le")),
        ("after 100", hanging("HTTP/1.1 100 Continue\r\n\r\n")),
        ("before the body", hanging("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")),
        ("in the body", hanging("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"Id")),
        ("in a chunk", hanging("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{")),
        (
            "before the last chunk",
            hanging("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"),
        ),
        (
            "in the body of a refusal",
            hanging("HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n{"),
        ),
        ("in a head that trickles", trickle("HTTP/1.1 200 OK\r\nA: ", "a")),
        (
            "in a body that trickles",
            trickle("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n"),
        ),
        (
            "in hints without end",
            trickle("HTTP/1.1 103 Early Hints\r\n\r\n", "HTTP/1.1 103 Early Hints\r\n\r\n"),
        ),
    ];
    for (place, hanging) in plays {
        let server = Server::start(Kind::Unix, [hanging, play(|talk| talk.reply(ok(NETWORK)))]);
        let client = server.builder().timeout(LIMIT).build().unwrap();
        let started = Instant::now();
        let error = client.networks().get("x").await.unwrap_err();
        let took = started.elapsed();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{place}: {error}");
        assert!((LIMIT..LIMIT + SLACK).contains(&took), "{place}: {took:?}");
        assert!(error.to_string().contains("300ms"), "{error}");
        client.networks().get("x").await.unwrap();
        assert_eq!(server.connections(), 2, "{place}: the connection was used again");
    }
}

#[tokio::test]
async fn an_answer_just_in_time_is_in_time() {
    let server = Server::start(
        Kind::Unix,
        [play(|talk| {
            talk.request();
            std::thread::sleep(Duration::from_millis(150));
            talk.write(ok(NETWORK));
        })],
    );
    let client = server.builder().timeout(Duration::from_millis(900)).build().unwrap();
    client.networks().get("x").await.unwrap();
}

#[tokio::test]
async fn the_limit_of_time_covers_the_head_of_what_is_sent_by_hand_and_of_events() {
    let server = Server::start_each(Kind::Unix, |talk| {
        talk.request();
        hang(talk);
    });
    let client = server.builder().timeout(LIMIT).build().unwrap();
    let request = http::Request::get("/info").body(Bytes::new()).unwrap();
    let started = Instant::now();
    assert_eq!(client.send(request).await.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(client.events().open().await.unwrap_err().kind(), ErrorKind::Timeout);
    assert!(started.elapsed() < (LIMIT + SLACK) * 2);
}

#[tokio::test]
async fn the_limit_of_time_covers_the_question_for_the_version() {
    let server = Server::start_each(Kind::Unix, |talk| {
        talk.request();
        std::thread::sleep(SLACK);
    });
    let client = server.asking_client(LIMIT);
    let started = Instant::now();
    let error = client.networks().get("x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    // The limits of the call and of the question in it begin within the same moment.
    assert!(matches!(error.operation(), Some("ping" | "network inspect")), "{error:?}");
    assert!(started.elapsed() < LIMIT + SLACK);
}

async fn get(answer: String) -> Result<docknet::Network> {
    let server = Server::start(Kind::Unix, [play(move |talk| talk.reply(answer))]);
    server.client().networks().get("x").await
}

#[tokio::test]
async fn a_head_of_some_size_is_read_and_a_huge_one_is_refused() {
    let head = |name: &str, bytes: usize| {
        let value = "v".repeat(bytes);
        format!(
            "HTTP/1.1 200 OK\r\n{name}: {value}\r\nContent-Length: {}\r\n\r\n{NETWORK}",
            NETWORK.len()
        )
    };
    get(head("a", 100 << 10)).await.unwrap();
    for answer in [
        head("a", 10 << 20),
        format!("HTTP/1.1 200 {}\r\n\r\n", "x".repeat(10 << 20)),
        "x".repeat(10 << 20),
    ] {
        let error = get(answer).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    }
}

#[tokio::test]
async fn thousands_of_headers_are_refused_and_a_hundred_are_not() {
    let headers = |count: usize| {
        let headers: String = (0..count).map(|number| format!("h{number}: 1\r\n")).collect();
        format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: {}\r\n\r\n{NETWORK}", NETWORK.len())
    };
    get(headers(90)).await.unwrap();
    for count in [1000, 5000] {
        let error = get(headers(count)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
        println!("{error}");
    }
}

#[tokio::test]
async fn a_body_larger_than_the_limit_is_refused_as_soon_as_that_shows() {
    const MAX: usize = 1 << 20;
    for kind in BOTH {
        for (head, piece) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n", "x".repeat(1024)),
            ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "x".repeat(1024)),
            ("HTTP/1.1 500 Oh\r\nContent-Length: 99999999999\r\n\r\n", "x".repeat(1024)),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                format!("400\r\n{}\r\n", "x".repeat(1024)),
            ),
            ("HTTP/1.1 200 OK\r\n\r\n", "x".repeat(1024)),
        ] {
            let (sent, sum) = std::sync::mpsc::channel();
            let server = Server::start(
                kind,
                [play(move |talk| {
                    talk.reply(head);
                    let mut bytes = 0;
                    while bytes < 100 * MAX && talk.write(&piece) {
                        bytes += piece.len();
                    }
                    sent.send(bytes).unwrap();
                })],
            );
            let client = server.builder().max_body(MAX).build().unwrap();
            let error = client.networks().get("x").await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BodyTooLarge, "{head}: {error}");
            assert!(error.to_string().contains("max_body"), "{error}");
            let sent = sum.recv().unwrap();
            // Beyond the limit are only the kernel's buffers, several megabytes on TCP.
            assert!(sent < 12 * MAX, "{head}: {sent} bytes were taken");
        }
    }
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_taken() {
    for answer in [ok(NETWORK), chunked(NETWORK, 9), format!("HTTP/1.0 200 OK\r\n\r\n{NETWORK}")] {
        for (limit, fits) in [(NETWORK.len(), true), (NETWORK.len() - 1, false)] {
            let answer = answer.clone();
            let server = Server::start(Kind::Unix, [play(move |talk| talk.reply(answer))]);
            let client = server.builder().max_body(limit).build().unwrap();
            assert_eq!(client.networks().get("x").await.is_ok(), fits, "{limit}");
        }
    }
}

#[tokio::test]
async fn fifty_megabytes_are_read_in_pieces() {
    let networks = vec![NETWORK; (50 << 20) / NETWORK.len()];
    let count = networks.len();
    let answer = ok(&format!("[{}]", networks.join(",")));
    let bytes = answer.len();
    let server = Server::start_each(Kind::Unix, move |talk| talk.reply(&answer));
    let client = server.client();
    assert_eq!(client.networks().list().await.unwrap().len(), count);

    let request = http::Request::get("/networks").body(Bytes::new()).unwrap();
    let mut body = client.send(request).await.unwrap().into_body();
    let (mut sum, mut largest) = (0, 0);
    while let Some(chunk) = body.next_chunk().await.transpose().unwrap() {
        sum += chunk.len();
        largest = largest.max(chunk.len());
    }
    assert!(sum > 49 << 20 && sum < bytes, "{sum}");
    assert!(largest <= 1 << 20, "a piece of {largest} bytes");
}

#[tokio::test]
async fn a_large_request_arrives_whole() {
    for kind in BOTH {
        let server = Server::start(kind, [play(|talk| talk.reply(status("400 Bad Request", "")))]);
        let spec = NetworkSpec::new("x").label("l", "y".repeat(8 << 20));
        let request = http::Request::post("/networks/create")
            .body(serde_json::to_vec(&spec).unwrap().into())
            .unwrap();
        let error = server.client().request::<serde_json::Value>(request).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadRequest, "{error}");
        assert!(server.log().requests[0].ends_with("yyyy\"}}"));
        assert!(server.log().requests[0].len() > 8 << 20);
    }
}
