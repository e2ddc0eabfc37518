//! The end of a server.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

use super::super::{ListenAddress, serve, serve_inherited};
use super::client::{connect, exchange, read_until, request};
use super::tiny::Tiny;

/// Longer than any test: a shutdown that needs it hangs.
const LONG: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_shutdown_ends_streams_properly_and_idle_connections_too() {
    let tiny = Tiny::default();
    let (server, _home) = tiny.on_unix().await;
    let path = server.address().path().unwrap().to_owned();
    let _silent = connect(&server).await;
    let mut idle = connect(&server).await;
    idle.write_all(b"GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    read_until(&mut idle, "\r\n\r\nOK").await;
    let mut stream = connect(&server).await;
    stream.write_all(request("GET /events").as_bytes()).await.unwrap();
    tiny.state().until_listening(1).await;
    server.shutdown_within(LONG).await;
    let mut all = String::new();
    stream.read_to_string(&mut all).await.unwrap();
    assert!(all.ends_with("{\"Type\":\"network\"}\n\r\n0\r\n\r\n"), "{all}");
    assert_eq!(idle.read_u8().await.unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
    tiny.state().until_listening(0).await;
    assert!(!path.exists());
}

#[tokio::test]
async fn a_shutdown_lets_a_request_finish() {
    let tiny = Tiny::default();
    let server = tiny.on_tcp().await;
    let mut io = connect(&server).await;
    io.write_all(request("GET /held").as_bytes()).await.unwrap();
    tiny.state().until_waiting(1).await;
    let end = tokio::spawn(server.shutdown_within(LONG));
    tiny.state().released.notify_waiters();
    let mut all = String::new();
    io.read_to_string(&mut all).await.unwrap();
    assert!(all.ends_with("at last"), "{all}");
    end.await.unwrap();
}

#[tokio::test]
async fn a_shutdown_cuts_off_what_takes_longer_than_its_limit() {
    let tiny = Tiny::default();
    let server = tiny.on_tcp().await;
    let mut io = connect(&server).await;
    io.write_all(request("GET /held").as_bytes()).await.unwrap();
    tiny.state().until_waiting(1).await;
    server.shutdown_within(Duration::ZERO).await;
    tiny.state().until_waiting(0).await;
    let mut all = Vec::new();
    let _ = io.read_to_end(&mut all).await;
    assert!(all.is_empty());
}

#[tokio::test]
async fn a_shutdown_ends_a_connection_that_was_handed_over() {
    let (server, _home) = Tiny::default().on_unix().await;
    let mut io = connect(&server).await;
    let attach = "POST /attach HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
    io.write_all(attach.as_bytes()).await.unwrap();
    read_until(&mut io, "\r\n\r\n").await;
    server.shutdown_within(LONG).await;
    assert_eq!(io.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_server_that_is_dropped_stops_and_takes_its_file_along() {
    let tiny = Tiny::default();
    let (server, _home) = tiny.on_unix().await;
    let path = server.address().path().unwrap().to_owned();
    let mut io = connect(&server).await;
    io.write_all(request("GET /held").as_bytes()).await.unwrap();
    tiny.state().until_waiting(1).await;
    drop(server);
    assert!(!path.exists());
    tiny.state().until_waiting(0).await;
    assert!(UnixStream::connect(&path).await.is_err());
}

#[tokio::test]
async fn an_address_can_be_taken_again_after_a_shutdown() {
    let tiny = Tiny::default();
    let server = tiny.on_tcp().await;
    let address = server.address().clone();
    let error = serve(&address, tiny.clone()).await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot listen at {address}: ")), "{error}");
    assert!(exchange(&server, &request("GET /_ping")).await.ends_with("OK"));
    server.shutdown().await;
    let place = address.to_string();
    assert!(TcpStream::connect(place.strip_prefix("tcp://").unwrap()).await.is_err());
    let again = serve(&address, tiny).await.unwrap();
    assert!(exchange(&again, &request("GET /_ping")).await.ends_with("OK"));
}

#[tokio::test]
async fn a_socket_that_was_handed_over_is_served_and_its_file_stays() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("given.sock");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let server = serve_inherited(listener, Tiny::default()).unwrap();
    assert_eq!(server.address(), &ListenAddress::unix(&path).unwrap());
    assert!(exchange(&server, &request("GET /_ping")).await.ends_with("OK"));
    server.shutdown().await;
    assert!(path.exists());
}
