//! Connections that are handed over.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::client::{connect, exchange, read_until, request};
use super::tiny::Tiny;

const ATTACH: &str = "POST /attach HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: text/plain\r\n\r\n";

#[tokio::test]
async fn a_client_that_asks_for_an_upgrade_gets_the_connection() {
    let (server, _home) = Tiny::default().on_unix().await;
    let mut io = UnixStream::connect(server.address().path().unwrap()).await.unwrap();
    io.write_all(ATTACH.as_bytes()).await.unwrap();
    let head = read_until(&mut io, "\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 101 UPGRADED\r\n"), "{head}");
    for line in
        ["Content-Type: application/vnd.docker.raw-stream", "Connection: Upgrade", "Upgrade: tcp"]
    {
        assert!(head.contains(&format!("\r\n{line}\r\n")), "{head}");
    }
    for word in ["hello", "again"] {
        io.write_all(word.as_bytes()).await.unwrap();
        assert_eq!(read_until(&mut io, &word.to_uppercase()).await, word.to_uppercase());
    }
    // Closed on our side alone, as for the end of a command's input.
    io.shutdown().await.unwrap();
    let mut rest = String::new();
    io.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "bye\n");
}

#[tokio::test]
async fn what_was_sent_behind_the_request_is_not_lost() {
    let server = Tiny::default().on_tcp().await;
    let mut io = connect(&server).await;
    io.write_all(format!("{ATTACH}early").as_bytes()).await.unwrap();
    read_until(&mut io, "\r\n\r\nEARLY").await;
}

#[tokio::test]
async fn without_an_upgrade_it_is_a_stream_that_ends() {
    let server = Tiny::default().on_tcp().await;
    let answer = exchange(&server, &request("POST /attach")).await;
    assert!(
        answer
            .starts_with("HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n")
    );
    assert!(answer.ends_with("\r\n\r\n4\r\nbye\n\r\n0\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn a_client_of_http_1_0_gets_no_upgrade() {
    let server = Tiny::default().on_tcp().await;
    let answer = exchange(&server, "POST /attach HTTP/1.0\r\nUpgrade: tcp\r\n\r\n").await;
    assert!(
        answer.starts_with("HTTP/1.0 200 OK\r\n") && answer.ends_with("\r\n\r\nbye\n"),
        "{answer}"
    );
}

#[tokio::test]
async fn an_upgrade_that_is_refused_is_an_answer_like_any_other() {
    let server = Tiny::default().on_tcp().await;
    let mut io = connect(&server).await;
    let refused =
        "POST /session HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    io.write_all(refused.as_bytes()).await.unwrap();
    let head = read_until(&mut io, "no such path: /session\"}\n").await;
    assert!(head.starts_with("HTTP/1.1 404 Not Found\r\n"), "{head}");
    io.write_all(request("GET /_ping").as_bytes()).await.unwrap();
    read_until(&mut io, "\r\n\r\nOK").await;
}
