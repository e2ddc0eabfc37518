//! Containers, images and programs as clients meet them.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::Engine;
use crate::api::Api;
use crate::api::answer::{Answer, AnswerBody};
use crate::api::body::RequestBody;

struct Client(Api);

/// What is left of an answer's body.
struct Rest(AnswerBody);

impl Client {
    async fn new() -> Self {
        let engine = Engine::memory().image("busybox").start().await.unwrap();
        let client = Self(Api::new(Arc::clone(&engine.0)));
        client.ok("POST", "/containers/create?name=box", json!({ "Image": "busybox" })).await;
        client
    }

    async fn send(&self, method: &str, path: &str, body: impl Into<Bytes>) -> Answer {
        let body = body.into();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json")
            .body(RequestBody::Whole(body))
            .unwrap();
        self.0.answer(request).await.without_upgrade()
    }

    async fn json(&self, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.send(method, path, body).await;
        let status = answer.status;
        let text = Rest(answer.body).all().await;
        (status, serde_json::from_slice(&text).unwrap_or_default())
    }

    async fn ok(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, value) = self.json(method, path, body).await;
        assert!(status.is_success(), "{method} {path}: {status} {value}");
        value
    }

    async fn refused(&self, method: &str, path: &str, body: Value) -> (u16, String) {
        let (status, value) = self.json(method, path, body).await;
        (status.as_u16(), value["message"].as_str().unwrap_or_default().to_owned())
    }
}

impl Rest {
    /// The next piece, if it is there already.
    async fn now(&mut self) -> Poll<Option<Bytes>> {
        match &mut self.0 {
            AnswerBody::Stream(pieces) => {
                poll_fn(|cx| Poll::Ready(pieces.as_mut().poll_next(cx))).await
            }
            AnswerBody::Bytes(bytes) => {
                let bytes = std::mem::take(bytes);
                Poll::Ready((!bytes.is_empty()).then_some(bytes))
            }
            AnswerBody::Hijack(_) | AnswerBody::Drop => Poll::Ready(None),
        }
    }

    async fn all(mut self) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            let piece = match &mut self.0 {
                AnswerBody::Stream(pieces) => poll_fn(|cx| pieces.as_mut().poll_next(cx)).await,
                _ => match self.now().await {
                    Poll::Ready(piece) => piece,
                    Poll::Pending => None,
                },
            };
            match piece {
                Some(piece) => all.extend_from_slice(&piece),
                None => return all,
            }
        }
    }
}

#[tokio::test]
async fn a_wait_ends_with_what_it_waits_for() {
    for (condition, ends_at_kill) in [("", true), ("next-exit", true), ("removed", false)] {
        let client = Client::new().await;
        client.ok("POST", "/containers/box/start", Value::Null).await;
        let path = format!("/containers/box/wait?condition={condition}");
        let mut rest = Rest(client.send("POST", &path, "").await.body);
        assert_eq!(rest.now().await, Poll::Pending, "{condition}");
        client.ok("POST", "/containers/box/kill?signal=HUP", Value::Null).await;
        assert_eq!(rest.now().await, Poll::Pending, "{condition}");
        // It is over at once, and still an end.
        client.ok("POST", "/containers/box/restart", Value::Null).await;
        let done = rest.now().await;
        assert_eq!(done.is_ready(), ends_at_kill, "{condition}");
        client.ok("DELETE", "/containers/box?force=1", Value::Null).await;
        let done =
            if let Poll::Ready(Some(done)) = done { done.to_vec() } else { rest.all().await };
        assert_eq!(done, b"{\"StatusCode\":137}\n", "{condition}");
    }
}

#[tokio::test]
async fn who_waits_for_one_that_does_not_run_waits_not_or_for_its_next_end() {
    let client = Client::new().await;
    assert_eq!(
        client.ok("POST", "/containers/box/wait", Value::Null).await,
        json!({ "StatusCode": 0 })
    );
    let mut rest =
        Rest(client.send("POST", "/containers/box/wait?condition=next-exit", "").await.body);
    client.ok("POST", "/containers/box/start", Value::Null).await;
    assert_eq!(rest.now().await, Poll::Pending);
    client.ok("POST", "/containers/box/stop", Value::Null).await;
    assert_eq!(rest.all().await, b"{\"StatusCode\":137}\n");
}

#[tokio::test]
async fn logs_and_attached_clients_stay_until_the_container_ends() {
    for (method, path) in [
        ("GET", "/containers/box/logs?stdout=1&follow=1"),
        ("POST", "/containers/box/attach?stream=1&stdout=1"),
    ] {
        let client = Client::new().await;
        client.ok("POST", "/containers/box/start", Value::Null).await;
        let answer = client.send(method, path, "").await;
        assert_eq!(answer.status, StatusCode::OK);
        let mut rest = Rest(answer.body);
        assert_eq!(rest.now().await, Poll::Pending, "{path}");
        client.ok("POST", "/containers/box/stop", Value::Null).await;
        assert!(rest.all().await.is_empty(), "{path}");
    }
}

#[tokio::test]
async fn a_program_says_why_it_does_not_run() {
    let client = Client::new().await;
    client.ok("POST", "/containers/box/start", Value::Null).await;
    let made = client.ok("POST", "/containers/box/exec", json!({ "Cmd": ["ls", "-l"] })).await;
    let id = made["Id"].as_str().unwrap().to_owned();
    let answer = client.send("POST", &format!("/exec/{id}/start"), "{}").await;
    let said = Rest(answer.body).all().await;
    let (head, text) = said.split_at(8);
    assert_eq!(head, [1, 0, 0, 0, 0, 0, 0, u8::try_from(text.len()).unwrap()]);
    let text = String::from_utf8_lossy(text);
    assert!(text.ends_with("containers of docknet have no processes\r\n"), "{text}");
    let shown = client.ok("GET", &format!("/exec/{id}/json"), Value::Null).await;
    assert_eq!((&shown["ExitCode"], &shown["Running"]), (&json!(126), &json!(false)));
    let (status, why) =
        client.refused("POST", &format!("/exec/{id}/start"), json!({ "Detach": true })).await;
    assert_eq!((status, why), (409, format!("exec command {id} has already run")));
    client.ok("POST", "/containers/box/stop", Value::Null).await;
    assert_eq!(client.refused("GET", &format!("/exec/{id}/json"), Value::Null).await.0, 409);
}

#[tokio::test]
async fn lists_are_newest_first_and_filtered() {
    let client = Client::new().await;
    client.ok("POST", "/networks/create", json!({ "Name": "n1" })).await;
    let body = json!({ "Image": "busybox", "HostConfig": { "NetworkMode": "n1" }, "Labels": { "a": "b" } });
    client.ok("POST", "/containers/create?name=web", body).await;
    client.ok("POST", "/containers/web/start", Value::Null).await;
    for (query, names) in [
        ("", vec!["/web"]),
        ("all=1", vec!["/web", "/box"]),
        ("limit=1", vec!["/web"]),
        ("limit=-1", vec!["/web"]),
        ("all=1&filters={\"network\":[\"n1\"]}", vec!["/web"]),
        ("all=1&filters={\"network\":[\"bridge\"]}", vec!["/box"]),
        ("all=1&filters={\"label\":[\"a=b\"]}", vec!["/web"]),
        ("filters={\"status\":[\"created\"]}", vec!["/box"]),
        ("filters={\"before\":[\"web\"]}", vec!["/box"]),
        ("filters={\"since\":[\"box\"]}", vec!["/web"]),
    ] {
        let query = query.replace('"', "%22").replace('{', "%7B").replace('}', "%7D");
        let path = format!("/containers/json?{query}");
        let list = client.ok("GET", &path, Value::Null).await;
        let found: Vec<&str> =
            list.as_array().unwrap().iter().map(|one| one["Names"][0].as_str().unwrap()).collect();
        assert_eq!(found, names, "{query}");
    }
}

#[tokio::test]
async fn images_come_by_import_and_pull_and_go_when_nobody_uses_them() {
    let client = Client::new().await;
    let used = client.refused("DELETE", "/images/busybox", Value::Null).await;
    assert_eq!(used.0, 409);
    assert!(used.1.starts_with(
        "conflict: unable to remove repository reference \"busybox\" (must force) - container "
    ));
    client.send("POST", "/images/create?fromImage=docker.io/library/alpine&tag=3", "").await;
    client.ok("POST", "/images/alpine:3/tag?repo=mine&tag=v", Value::Null).await;
    assert_eq!(
        client.ok("DELETE", "/images/alpine:3", Value::Null).await,
        json!([{ "Untagged": "alpine:3" }])
    );
    let gone = client.ok("DELETE", "/images/mine:v", Value::Null).await;
    assert_eq!(
        (gone[0]["Untagged"].as_str(), gone[1]["Deleted"].is_string()),
        (Some("mine:v"), true)
    );
    let answer = client.send("POST", "/images/create?fromSrc=-&repo=own", "12345").await;
    let status: Value = serde_json::from_slice(&Rest(answer.body).all().await).unwrap();
    let shown = client.ok("GET", "/images/own/json", Value::Null).await;
    assert_eq!((&shown["Id"], &shown["Size"]), (&status["status"], &json!(5)));
    assert_eq!(
        client.refused("GET", "/images/nosuch/json", Value::Null).await,
        (404, "No such image: nosuch:latest".to_owned())
    );
}

#[tokio::test]
async fn what_has_no_processes_and_no_files_says_so() {
    let client = Client::new().await;
    client.ok("POST", "/containers/box/start", Value::Null).await;
    for (method, path) in [
        ("GET", "/containers/box/top"),
        ("GET", "/containers/box/stats"),
        ("GET", "/containers/box/archive?path=/"),
        ("GET", "/containers/box/export"),
        ("POST", "/build"),
        ("GET", "/images/busybox/history"),
    ] {
        let (status, why) = client.refused(method, path, Value::Null).await;
        assert_eq!(status, 501, "{path}");
        assert!(why.starts_with("docknet does not "), "{why}");
    }
    assert_eq!(client.refused("GET", "/containers/nosuch/stats", Value::Null).await.0, 404);
    assert_eq!(client.refused("GET", "/swarm", Value::Null).await.0, 503);
}

#[tokio::test]
async fn the_engine_counts_what_it_has() {
    let client = Client::new().await;
    client.ok("POST", "/containers/box/start", Value::Null).await;
    let info = client.ok("GET", "/info", Value::Null).await;
    assert_eq!(
        (&info["Containers"], &info["ContainersRunning"], &info["Images"]),
        (&json!(1), &json!(1), &json!(2))
    );
    let version = client.ok("GET", "/version", Value::Null).await;
    assert_eq!((&version["Version"], &version["ApiVersion"]), (&json!("28.5.2"), &json!("1.51")));
    assert_eq!(Rest(client.send("GET", "/_ping", "").await.body).all().await, b"OK");
    let usage = client.ok("GET", "/system/df", Value::Null).await;
    assert_eq!(usage["Containers"].as_array().map(Vec::len), Some(1));
}
