//! Event streams, in every number of pieces.

use std::time::Duration;

use docknet::{ErrorKind, Event, Events, Result};

use crate::server::{Kind, Server, Talk, ok, play};

const HEAD: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

fn event(id: &str) -> String {
    format!(
        r#"{{"Type":"network","Action":"create","Actor":{{"ID":"{id}","Attributes":{{"name":"é"}}}},"scope":"local","time":1,"timeNano":1000000001}}"#
    )
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

/// Sends these pieces as chunks of their own, and the end.
fn pieces(talk: &mut Talk, pieces: &[&[u8]]) {
    talk.reply(HEAD);
    for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
        talk.write(chunk(piece));
    }
    talk.write("0\r\n\r\n");
}

async fn all(mut events: Events) -> Vec<Result<Event>> {
    let mut all = Vec::new();
    while let Some(event) = events.next().await {
        all.push(event);
    }
    all
}

/// The ids of what comes, and the kinds of the errors between.
async fn read(text: impl AsRef<[u8]>) -> Vec<Result<String, ErrorKind>> {
    let text = text.as_ref().to_vec();
    let server = Server::start(Kind::Unix, [play(move |talk| pieces(talk, &[&text]))]);
    let events = all(server.client().events().open().await.unwrap()).await;
    events.into_iter().map(|e| e.map(|event| event.id).map_err(|error| error.kind())).collect()
}

fn ids(ids: &[&str]) -> Vec<Result<String, ErrorKind>> {
    ids.iter().map(|id| Ok((*id).to_owned())).collect()
}

#[tokio::test]
async fn an_event_may_be_split_anywhere() {
    let text = format!("{}\n{}\r\n", event("1"), event("2")).into_bytes();
    let length = text.len();
    let server = Server::start_each(Kind::Unix, move |talk| {
        while let Some(request) = talk.request() {
            let at: usize =
                request.split("since=").nth(1).unwrap().split('.').next().unwrap().parse().unwrap();
            let (left, right) = text.split_at(at);
            talk.write(HEAD);
            for piece in [left, right].into_iter().filter(|piece| !piece.is_empty()) {
                talk.write(chunk(piece));
                std::thread::sleep(Duration::from_micros(300));
            }
            talk.write("0\r\n\r\n");
        }
    });
    let client = server.client();
    for at in 0..=length {
        let since = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(at as u64);
        let events = all(client.events().since(since).open().await.unwrap()).await;
        let ids: Vec<_> = events.into_iter().map(|event| event.unwrap().id).collect();
        assert_eq!(ids, ["1", "2"], "split at {at}");
    }
}

#[tokio::test]
async fn each_byte_may_come_alone_and_all_at_once() {
    let text = format!("{}\n{}\n", event("1"), event("2"));
    assert_eq!(read(&text).await, ids(&["1", "2"]));
    let server = Server::start(
        Kind::Tcp,
        [play(move |talk| {
            let bytes: Vec<_> = text.as_bytes().chunks(1).collect();
            pieces(talk, &bytes);
        })],
    );
    let events = all(server.client().events().open().await.unwrap()).await;
    assert_eq!(events.len(), 2);
    assert!(events.iter().all(|event| event.as_ref().unwrap().attributes["name"] == "é"));
}

#[tokio::test]
async fn forms_of_lines() {
    let (one, two) = (event("1"), event("2"));
    for text in [
        format!("\x1e{one}\n\x1e{two}\n"),
        format!("{one}\n\n\r\n \n{two}\n"),
        format!("{one}\n{two}"),
        format!("\x1e{one}\n\x1e{two}"),
        format!("\n\n{one}\n{two}\n\n"),
    ] {
        assert_eq!(read(&text).await, ids(&["1", "2"]), "{text:?}");
    }
    assert_eq!(read("").await, []);
    assert_eq!(read("\n\x1e\n").await, []);
}

#[tokio::test]
async fn garbage_is_an_error_in_its_place() {
    let (one, two) = (event("1"), event("2"));
    for garbage in ["garbage", "{}", "[]", "7", r#"{"Type":"network"}"#, "\u{0}", "{\"Type\":"] {
        let read = read(format!("{one}\n{garbage}\n{two}\n")).await;
        let expected = [Ok("1".to_owned()), Err(ErrorKind::Decode), Ok("2".to_owned())];
        assert_eq!(read, expected, "{garbage}");
    }
    let read = read([one.as_bytes(), b"\n\xff\xfe\n", two.as_bytes()].concat()).await;
    assert_eq!(read[1], Err(ErrorKind::Decode));
    assert_eq!(read.len(), 3);
}

#[tokio::test]
async fn a_line_that_never_ends_ends_the_stream() {
    let long = format!("{}\n{}\n{}\n", event("1"), event(&"x".repeat(2 << 20)), event("3"));
    assert_eq!(read(&long).await, [Ok("1".to_owned()), Err(ErrorKind::Protocol)]);
    // Half a megabyte is long, and still an event.
    let id = "x".repeat(512 << 10);
    assert_eq!(read(event(&id)).await, ids(&[&id]));
}

#[tokio::test]
async fn a_broken_stream_is_an_error_and_then_the_end() {
    let server = Server::start(
        Kind::Unix,
        [play(|talk| {
            talk.reply(HEAD);
            talk.write(chunk(format!("{}\n{{\"Type\"", event("1")).as_bytes()));
        })],
    );
    let events = all(server.client().events().open().await.unwrap()).await;
    assert_eq!(events.len(), 2);
    let error = events[1].as_ref().unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Protocol, Some("events")));
}

#[tokio::test]
async fn silence_is_no_error_however_long() {
    let server = Server::start(
        Kind::Unix,
        [play(|talk| {
            talk.reply(HEAD);
            std::thread::sleep(Duration::from_millis(900));
            talk.write(chunk(format!("{}\n", event("late")).as_bytes()));
            talk.wait_for_close();
        })],
    );
    let client = server.builder().timeout(Duration::from_millis(200)).build().unwrap();
    let mut events = client.events().open().await.unwrap();
    assert_eq!(events.next().await.unwrap().unwrap().id, "late");
}

#[tokio::test]
async fn streams_take_no_place_among_the_connections() {
    let server = Server::start_each(Kind::Unix, |talk| {
        while let Some(request) = talk.request() {
            if request.contains("/events") {
                talk.write(HEAD);
                talk.wait_for_close();
            } else {
                talk.write(ok("[]"));
            }
        }
    });
    let client = server.builder().max_connections(1).build().unwrap();
    let mut streams = Vec::new();
    for _ in 0..20 {
        streams.push(client.events().open().await.unwrap());
    }
    client.networks().list().await.unwrap();
    assert_eq!(server.log().open, 21);
    drop(streams);
    server.wait_until_open(1);
}
