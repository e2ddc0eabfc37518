//! The same answers, whatever carries them.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;

use super::super::Server;
use super::client::{connect, exchange, read_until, request};
use super::tiny::Tiny;

/// A request, and what the SDK has of its answer: status, type, body.
#[cfg(feature = "client")]
async fn ask(client: &docknet::Client, line: (&str, &str, &'static str)) -> String {
    let (method, path, body) = line;
    let request = http::Request::builder().method(method).uri(path);
    let request = request.body(bytes::Bytes::from_static(body.as_bytes())).unwrap();
    let response = match client.send(request).await {
        Ok(response) => response,
        Err(error) => return format!("{:?}", error.kind()),
    };
    let (head, body) = response.into_parts();
    let kind = head.headers.get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
    let body = body.collect(1 << 20).await.unwrap();
    format!("{} {} {body:?}", head.status, kind.unwrap_or_default())
}

#[cfg(feature = "client")]
#[tokio::test]
async fn sockets_and_the_same_process_give_the_same_answers() {
    let tiny = Tiny::default();
    let (unix, _home) = tiny.on_unix().await;
    let tcp = tiny.on_tcp().await;
    let unix = docknet::Client::connect(&unix.address().to_string()).unwrap().keep(unix);
    let tcp = docknet::Client::connect(&tcp.address().to_string()).unwrap().keep(tcp);
    let here = docknet::Client::with_transport(crate::transport::InProcess::new(tiny));
    let cases = [
        (("GET", "/_ping", ""), "200 OK text/plain b\"OK\""),
        (("HEAD", "/_ping", ""), "200 OK text/plain b\"\""),
        (("OPTIONS", "/x", ""), "200 OK  b\"\""),
        (("POST", "/echo", "a\0b"), "201 Created text/plain b\"a\\0b\""),
        (("POST", "/echo", ""), "201 Created text/plain b\"\""),
        (("POST", "/count", "12345"), "200 OK application/json b\"5\\n\""),
        (("DELETE", "/x", ""), "204 No Content  b\"\""),
        (("GET", "/three", ""), "200 OK  b\"{\\\"n\\\":1}\\n{\\\"n\\\":2}\\n{\\\"n\\\":3}\\n\""),
        (("HEAD", "/three", ""), "200 OK  b\"\""),
        (("POST", "/attach", ""), "200 OK application/vnd.docker.raw-stream b\"bye\\n\""),
        (
            ("GET", "/none", ""),
            "404 Not Found application/json b\"{\\\"message\\\":\\\"no such path: /none\\\"}\\n\"",
        ),
        (("GET", "/drop", ""), "Protocol"),
    ];
    for (line, answer) in cases {
        assert_eq!(ask(&here, line).await, answer, "{line:?} in process");
        assert_eq!(ask(&unix.client, line).await, answer, "{line:?} on a Unix socket");
        assert_eq!(ask(&tcp.client, line).await, answer, "{line:?} over TCP");
    }
}

#[cfg(feature = "client")]
struct Kept {
    client: docknet::Client,
    _server: Server,
}

#[cfg(feature = "client")]
trait Keep {
    fn keep(self, server: Server) -> Kept;
}

#[cfg(feature = "client")]
impl Keep for docknet::Client {
    fn keep(self, server: Server) -> Kept {
        Kept { client: self, _server: server }
    }
}

#[tokio::test]
async fn the_bytes_are_those_of_docker() {
    let server = Tiny::default().on_tcp().await;
    let cases = [
        (
            "GET /_ping",
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nApi-Version: 1.51\r\nConnection: close\r\nContent-Length: 2\r\n\r\nOK",
        ),
        ("DELETE /x", "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"),
        ("OPTIONS /x", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
        (
            "GET /three",
            "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{\"n\":1}\n\r\n8\r\n{\"n\":2}\n\r\n8\r\n{\"n\":3}\n\r\n0\r\n\r\n",
        ),
        ("GET /drop", ""),
    ];
    for (line, answer) in cases {
        assert_eq!(exchange(&server, &request(line)).await, answer, "{line}");
    }
}

#[tokio::test]
async fn a_head_has_the_length_and_no_body() {
    let server = Tiny::default().on_tcp().await;
    for (path, length) in [("/_ping", 2), ("/empty", 0)] {
        let answer = exchange(&server, &request(&format!("HEAD {path}"))).await;
        assert!(answer.contains(&format!("\r\nContent-Length: {length}\r\n")), "{answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn clients_of_http_1_0_are_answered_and_let_go() {
    let server = Tiny::default().on_tcp().await;
    let answer = exchange(&server, "GET /_ping HTTP/1.0\r\n\r\n").await;
    assert!(
        answer.starts_with("HTTP/1.0 200 OK\r\n") && answer.ends_with("\r\n\r\nOK"),
        "{answer}"
    );
    let answer = exchange(&server, "GET /three HTTP/1.0\r\n\r\n").await;
    assert!(answer.ends_with("\r\n\r\n{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n"), "{answer}");
}

#[tokio::test]
async fn requests_in_a_row_are_answered_in_their_order() {
    let server = Tiny::default().on_tcp().await;
    let mut text = String::new();
    for n in 0..50 {
        let body = format!("number {n}");
        text += &format!(
            "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
    }
    let answer = exchange(&server, &(text + &request("GET /three"))).await;
    let mut rest = answer.as_str();
    for n in 0..50 {
        let (_, behind) = rest.split_once(&format!("\r\n\r\nnumber {n}")).unwrap();
        rest = behind;
    }
    assert!(rest.ends_with("0\r\n\r\n"), "{rest}");
}

#[tokio::test]
async fn a_body_in_chunks_is_read_and_one_that_is_expected_is_asked_for() {
    let server = Tiny::default().on_tcp().await;
    let chunked = "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
    assert!(exchange(&server, chunked).await.ends_with("\r\n\r\nabc"));
    let mut io = connect(&server).await;
    io.write_all(
        b"POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
    )
    .await
    .unwrap();
    assert_eq!(read_until(&mut io, "\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
    io.write_all(b"hi").await.unwrap();
    assert!(read_until(&mut io, "\r\n\r\nhi").await.starts_with("HTTP/1.1 201 Created\r\n"));
}

#[tokio::test]
async fn a_piece_of_a_stream_comes_as_soon_as_it_is_there() {
    let tiny = Tiny::default();
    let (server, _home) = tiny.on_unix().await;
    let mut io = connect(&server).await;
    io.write_all(request("GET /events").as_bytes()).await.unwrap();
    // The stream goes on: what is read here was not waited for.
    read_until(&mut io, "{\"Type\":\"network\"}\n\r\n").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_connections_at_once_are_answered() {
    let tiny = Tiny::default();
    let (server, _home) = tiny.on_unix().await;
    let mut clients = JoinSet::new();
    for _ in 0..200 {
        let mut io = connect(&server).await;
        clients.spawn(async move {
            io.write_all(request("GET /held").as_bytes()).await.unwrap();
            let mut all = String::new();
            io.read_to_string(&mut all).await.unwrap();
            all
        });
    }
    // All of them are there, and none is answered yet.
    tiny.state().until_waiting(200).await;
    tiny.state().released.notify_waiters();
    for answer in clients.join_all().await {
        assert!(answer.ends_with("at last"), "{answer}");
    }
}
