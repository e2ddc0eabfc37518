//! Clients that do not behave.

use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::super::connection::{self, LONGEST_HEAD, SLOWEST_HEAD};
use super::super::stop::Stop;
use super::client::{connect, exchange, read_until, request};
use super::tiny::Tiny;

#[tokio::test]
async fn a_head_that_is_too_long_is_refused_and_others_go_on() {
    let server = Tiny::default().on_tcp().await;
    let mut io = connect(&server).await;
    let long = format!("GET /_ping HTTP/1.1\r\nX-Long: {}", "x".repeat(2 * LONGEST_HEAD));
    // It may be refused before all of it is written.
    let _ = io.write_all(long.as_bytes()).await;
    let mut start = [0; 12];
    // Closed with bytes unread, TCP may take the answer back.
    if io.read_exact(&mut start).await.is_ok() {
        assert_eq!(&start, b"HTTP/1.1 431");
    }
    assert!(exchange(&server, &request("GET /_ping")).await.ends_with("OK"));
}

#[tokio::test]
async fn a_long_head_within_the_limit_is_taken() {
    let (server, _home) = Tiny::default().on_unix().await;
    let long = format!(
        "GET /_ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Long: {}\r\n\r\n",
        "x".repeat(LONGEST_HEAD / 2)
    );
    assert!(exchange(&server, &long).await.ends_with("OK"));
}

#[tokio::test]
async fn what_is_no_http_is_refused() {
    let server = Tiny::default().on_tcp().await;
    for text in ["\u{16}\u{3}\u{1}", "hello\r\n\r\n", "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n"]
    {
        let answer = exchange(&server, text).await;
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{text:?}: {answer}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused() {
    let server = Tiny::default().on_tcp().await;
    let announced = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n";
    let answer = exchange(&server, announced).await;
    assert!(answer.ends_with("{\"message\":\"http: request body too large\"}\n"), "{answer}");
    let mut io = connect(&server).await;
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000)).repeat(16);
    let head = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    io.write_all(format!("{head}{chunk}1\r\nx\r\n").as_bytes()).await.unwrap();
    let answer = read_until(&mut io, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 413 Payload Too Large\r\n"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn half_a_head_is_waited_for_until_its_time_is_up() {
    let (server, _home) = Tiny::default().on_unix().await;
    let mut io = connect(&server).await;
    io.write_all(b"GET /_ping HTTP/1.1\r\nHo").await.unwrap();
    let begin = tokio::time::Instant::now();
    let mut all = Vec::new();
    io.read_to_end(&mut all).await.unwrap();
    assert!(begin.elapsed() >= SLOWEST_HEAD, "{:?}", begin.elapsed());
}

#[tokio::test]
async fn half_a_request_and_then_nothing_does_no_harm() {
    let tiny = Tiny::default();
    let (server, _home) = tiny.on_unix().await;
    for half in ["GE", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf"] {
        let mut io = connect(&server).await;
        io.write_all(half.as_bytes()).await.unwrap();
        io.shutdown().await.unwrap();
        let mut all = String::new();
        io.read_to_string(&mut all).await.unwrap();
        assert!(!all.contains("201"), "{all}");
    }
    assert!(exchange(&server, &request("GET /_ping")).await.ends_with("OK"));
}

#[tokio::test]
async fn a_client_that_goes_away_takes_its_stream_and_its_request_along() {
    let tiny = Tiny::default();
    let (server, _home) = tiny.on_unix().await;
    let mut listening = connect(&server).await;
    listening.write_all(request("GET /events").as_bytes()).await.unwrap();
    let mut waiting = connect(&server).await;
    waiting.write_all(request("GET /held").as_bytes()).await.unwrap();
    tiny.state().until_listening(1).await;
    tiny.state().until_waiting(1).await;
    drop((listening, waiting));
    tiny.state().until_listening(0).await;
    tiny.state().until_waiting(0).await;
}

#[tokio::test]
async fn a_connection_that_breaks_down_breaks_no_other() {
    let server = Tiny::default().on_tcp().await;
    assert_eq!(exchange(&server, &request("GET /panic")).await, "");
    assert!(exchange(&server, &request("GET /_ping")).await.ends_with("OK"));
}

/// What requests are made of, and what they are not.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let known = [
        "GET /three HTTP/1.1\r\n",
        "POST /echo HTTP/1.1\r\n",
        "POST /attach HTTP/1.1\r\n",
        "HEAD /drop HTTP/1.0\r\n",
        "Host: x\r\n",
        "Connection: Upgrade\r\nUpgrade: tcp\r\n",
        "Connection: close\r\n",
        "Content-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Expect: 100-continue\r\n",
        "\r\n",
        "5\r\nhello\r\n",
        "0\r\n\r\n",
        "hello",
    ];
    prop_oneof![
        9 => prop::sample::select(known.to_vec()).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ]
}

proptest! {
    #[test]
    fn no_bytes_panic_and_every_connection_ends(pieces in prop::collection::vec(piece(), 0..20)) {
        let bytes = pieces.concat();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (_stopper, stop) = Stop::new();
            let (mut near, far) = tokio::io::duplex(1 << 20);
            near.write_all(&bytes).await.unwrap();
            near.shutdown().await.unwrap();
            connection::serve(far, Tiny::default(), stop).await;
        });
    }
}
