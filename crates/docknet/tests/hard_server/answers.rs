//! How answers are framed: well, oddly, and not at all.

use docknet::{Error, ErrorKind, Network, Result};

use crate::server::{BOTH, Kind, NETWORK, Server, chunked, ok, play, status};

/// Gets a network from a server that answers so and closes.
async fn get(kind: Kind, answer: impl AsRef<[u8]>) -> Result<Network> {
    let answer = answer.as_ref().to_vec();
    let server = Server::start(kind, [play(move |talk| talk.reply(answer))]);
    let got = server.client().networks().get("x").await;
    assert_eq!((server.requests(), server.connections()), (1, 1), "asked more than once");
    got
}

async fn refused(answer: impl AsRef<[u8]>) -> Error {
    get(Kind::Unix, answer).await.expect_err("an answer that is none")
}

#[tokio::test]
async fn answers_of_every_framing_are_read() {
    let length = NETWORK.len();
    for answer in [
        ok(NETWORK),
        chunked(NETWORK, 1),
        chunked(NETWORK, 7),
        chunked(NETWORK, 4096),
        format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{length:X};a=b;c=\"d\"\r\n{NETWORK}\r\n0\r\nX-Sum: 7\r\nY: z\r\n\r\n"
        ),
        format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{NETWORK}"),
        format!("HTTP/1.0 200 OK\r\n\r\n{NETWORK}"),
        format!("HTTP/1.0 200 OK\r\nContent-Length: {length}\r\n\r\n{NETWORK}"),
        format!("HTTP/1.1 200\r\ncontent-length:{length}\r\n\r\n{NETWORK}"),
        format!("HTTP/1.1 100 Continue\r\n\r\n{}", ok(NETWORK)),
        format!(
            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n{}",
            ok(NETWORK)
        ),
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nContent-Length: {length}\r\n\r\n{NETWORK}"
        ),
    ] {
        for kind in BOTH {
            let network =
                get(kind, &answer).await.unwrap_or_else(|error| panic!("{answer}: {error}"));
            assert_eq!(network.attrs_json(), NETWORK, "{answer}");
        }
    }
}

#[tokio::test]
async fn what_is_not_http_is_a_protocol_error() {
    for answer in [
        b"not http at all\r\n\r\n".as_slice(),
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x15\x03\x01\x00\x02\x02\x28",
        b"\0\0\0\0",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: \x00\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\n12345",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let error = refused(answer).await;
        assert_eq!(
            error.kind(),
            ErrorKind::Protocol,
            "{:?}: {error}",
            String::from_utf8_lossy(answer)
        );
        assert!(error.to_string().starts_with("network inspect \"x\": "), "{error}");
    }
}

#[tokio::test]
async fn broken_chunks_are_a_protocol_error() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for chunks in [
        "zz\r\n{}\r\n0\r\n\r\n",
        "-2\r\n{}\r\n0\r\n\r\n",
        "\r\n{}\r\n0\r\n\r\n",
        "fffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        "2\r\n{}0\r\n\r\n",
        "2\r\n{}\r\n",
        "2\r\n{}\r\n0\r\n",
        "ff\r\n{}\r\n0\r\n\r\n",
        "2",
        "",
    ] {
        let error = refused(format!("{head}{chunks}")).await;
        assert_eq!(error.kind(), ErrorKind::Protocol, "{chunks:?}: {error}");
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_off_anywhere_is_no_answer() {
    for kind in BOTH {
        for whole in [ok(NETWORK), chunked(NETWORK, 16)] {
            for cut in 0..whole.len() {
                let error = get(kind, &whole[..cut]).await.expect_err(&whole[..cut]);
                assert_eq!(error.kind(), ErrorKind::Protocol, "{:?}: {error}", &whole[..cut]);
            }
        }
    }
}

#[tokio::test]
async fn a_length_that_is_too_short_is_no_json() {
    let error = refused(format!("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{NETWORK}")).await;
    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
    let error = refused(format!("HTTP/1.0 200 OK\r\n\r\n{}", &NETWORK[..20])).await;
    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
}

#[tokio::test]
async fn an_upgrade_that_nobody_asked_for_is_a_protocol_error() {
    let upgrade = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nraw bytes";
    let error = refused(upgrade).await;
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    assert!(error.to_string().contains("101"), "{error}");
}

#[tokio::test]
async fn refusals_keep_their_words_whatever_they_are_written_in() {
    let html = "<html><head><title>502 Bad Gateway</title></head></html>";
    for (answer, kind, message) in [
        (status("502 Bad Gateway", html), ErrorKind::Server, html),
        (status("500 Internal Server Error", ""), ErrorKind::Server, "Internal Server Error"),
        (status("404 Not Found", ""), ErrorKind::NotFound, "Not Found"),
        (status("599 Odd", " \n"), ErrorKind::Server, "no reason given"),
        (status("400 Bad Request", r#"{"message":"é\n"}"#), ErrorKind::BadRequest, "é"),
        (status("418 I'm a teapot", r#"{"message":"#), ErrorKind::BadRequest, r#"{"message":"#),
        (
            "HTTP/1.1 409 Conflict\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbusy\r\n0\r\n\r\n"
                .to_owned(),
            ErrorKind::Conflict,
            "busy",
        ),
        ("HTTP/1.0 503 Busy\r\n\r\nlater".to_owned(), ErrorKind::Unavailable, "later"),
    ] {
        let error = refused(&answer).await;
        assert_eq!((error.kind(), error.message()), (kind, message), "{answer}");
    }
}

#[tokio::test]
async fn a_refusal_that_is_cut_off_is_not_taken_for_its_beginning() {
    let error = refused("HTTP/1.1 404 Not Found\r\nContent-Length: 50\r\n\r\n{\"mess").await;
    assert_eq!((error.kind(), error.status()), (ErrorKind::Protocol, None));
}

#[tokio::test]
async fn redirects_are_refused_and_not_followed() {
    for status in ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"] {
        let answer = format!(
            "HTTP/1.1 {status}\r\nLocation: /v1.51/networks/y\r\nContent-Length: 0\r\n\r\n"
        );
        let error = refused(&answer).await;
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
        assert!(error.to_string().contains("redirects to /v1.51/networks/y"), "{error}");
    }
}

#[tokio::test]
async fn answers_without_a_body_leave_the_connection_in_step() {
    for kind in BOTH {
        let server = Server::start(
            kind,
            [play(|talk| {
                talk.reply("HTTP/1.1 200 OK\r\nContent-Length: 29\r\n\r\n{\"Id\":\"1\",\"Names\":[\"/web\"]}\r\n");
                talk.reply("HTTP/1.1 304 Not Modified\r\nContent-Length: 17\r\n\r\n");
                talk.reply("HTTP/1.1 304 Not Modified\r\n\r\n");
                talk.reply("HTTP/1.1 204 No Content\r\n\r\n");
                talk.reply("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n");
                talk.reply("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                talk.reply("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
                talk.reply(ok(NETWORK));
            })],
        );
        let client = server.client();
        let container = client.containers().get("web").await.unwrap();
        container.start().await.unwrap();
        container.stop().await.unwrap();
        container.start().await.unwrap();
        container.stop().await.unwrap();
        client.networks().remove("x").await.unwrap();
        client.networks().remove("x").await.unwrap();
        client.networks().get("x").await.unwrap();
        assert_eq!((server.requests(), server.connections()), (8, 1));
    }
}

#[tokio::test]
async fn an_answer_in_pieces_of_one_byte_is_read() {
    for whole in [ok(NETWORK), chunked(NETWORK, 5)] {
        let server = Server::start(
            Kind::Tcp,
            [play(move |talk| {
                talk.request();
                assert!(whole.bytes().all(|byte| talk.write([byte])));
            })],
        );
        assert_eq!(server.client().networks().get("x").await.unwrap().name(), "x");
    }
}
