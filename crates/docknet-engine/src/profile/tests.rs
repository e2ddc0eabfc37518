//! What Docker's profiles differ in, through the API.

use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{Request, StatusCode};
use serde_json::{Value, json};

use super::Profile::{self, Docker20_10, Docker26, Docker28};
use crate::api::Api;
use crate::api::answer::AnswerBody;
use crate::api::body::RequestBody;
use crate::{Engine, EngineBuilder};

struct Client(Api);

/// An answer: status, type, body as text.
type Answered = (u16, String, String);

impl Client {
    async fn like(profile: Profile) -> Self {
        Self::of(Engine::memory().like(profile)).await
    }

    async fn of(builder: EngineBuilder) -> Self {
        let links = builder.image("busybox").link("parent0", []);
        Self(Api::new(Arc::clone(&links.start().await.unwrap().0)))
    }

    async fn ask(&self, method: &str, path: &str, body: &Value) -> Answered {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = Request::builder().method(method).uri(path);
        let request = request.header(CONTENT_TYPE, "application/json");
        let answer = self.0.answer(request.body(RequestBody::Whole(body.into())).unwrap()).await;
        let kind = answer.headers.get(CONTENT_TYPE).map(|kind| kind.to_str().unwrap().to_owned());
        let AnswerBody::Bytes(bytes) = answer.body else { panic!("a stream") };
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        (answer.status.as_u16(), kind.unwrap_or_default(), text)
    }

    async fn post(&self, path: &str, body: Value) -> (u16, String) {
        let (status, _, text) = self.ask("POST", path, &body).await;
        let value: Value = serde_json::from_str(&text).unwrap_or_default();
        (status, value["message"].as_str().unwrap_or_default().to_owned())
    }

    async fn ok(&self, path: &str, body: Value) {
        let (status, message) = self.post(path, body).await;
        assert!(StatusCode::from_u16(status).unwrap().is_success(), "{path}: {status} {message}");
    }

    async fn get(&self, path: &str) -> Value {
        let (status, _, text) = self.ask("GET", path, &Value::Null).await;
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The subnet of a new network that names none.
    async fn next_subnet(&self, name: &str) -> String {
        self.ok("/networks/create", json!({ "Name": name })).await;
        let network = self.get(&format!("/networks/{name}")).await;
        network["IPAM"]["Config"][0]["Subnet"].as_str().unwrap().to_owned()
    }

    /// A network that is refused once its subnet was found.
    async fn in_vain(&self) {
        let options = json!({ "com.docker.network.bridge.name": "a-name-that-is-too-long" });
        let (status, _) =
            self.post("/networks/create", json!({ "Name": "x", "Options": options })).await;
        assert_eq!(status, 500);
    }
}

#[tokio::test]
async fn before_28_the_turn_of_a_subnet_is_over_even_if_its_network_is_refused() {
    for (profile, second) in
        [(Docker28, "172.19.0.0/16"), (Docker26, "172.20.0.0/16"), (Docker20_10, "172.20.0.0/16")]
    {
        let client = Client::like(profile).await;
        assert_eq!(client.next_subnet("one").await, "172.18.0.0/16");
        client.in_vain().await;
        assert_eq!(client.next_subnet("two").await, second, "{profile:?}");
    }
}

#[tokio::test]
async fn networks_that_get_no_default_subnet_end_nobodys_turn() {
    let client = Client::like(Docker26).await;
    for body in [
        json!({ "Name": "x", "Driver": "host" }),
        json!({ "Name": "x", "Driver": "nosuch" }),
        json!({ "Name": "x", "IPAM": { "Config": [{ "Subnet": "172.17.0.0/16" }] } }),
        json!({ "Name": "x", "IPAM": { "Driver": "null" } }),
    ] {
        assert!(client.post("/networks/create", body).await.0 >= 400);
    }
    client.ok("/networks/create", json!({ "Name": "all", "Scope": "global" })).await;
    assert_eq!(client.ask("DELETE", "/networks/all", &Value::Null).await.0, 204);
    assert_eq!(client.next_subnet("one").await, "172.18.0.0/16");
}

#[cfg(feature = "disk")]
#[tokio::test]
async fn a_turn_that_was_spent_is_kept() {
    let home = tempfile::tempdir().unwrap();
    let engine = || Engine::open(home.path()).like(Docker26);
    Client::of(engine()).await.in_vain().await;
    assert_eq!(Client::of(engine()).await.next_subnet("one").await, "172.19.0.0/16");
}

#[tokio::test]
async fn a_client_of_old_is_refused_in_a_line_of_text_unless_26_does_it() {
    let text = "text/plain; charset=utf-8";
    for (profile, path, kind) in [
        (Docker28, "/v1.20/networks/nosuch", text),
        (Docker26, "/v1.20/networks/nosuch", "application/json"),
        (Docker20_10, "/v1.11/networks/nosuch", text),
        (Docker20_10, "/v1.20/networks/nosuch", text),
        (Docker20_10, "/v1.24/networks/nosuch", "application/json"),
    ] {
        let client = Client::like(profile).await;
        let (status, answered, body) = client.ask("GET", path, &Value::Null).await;
        assert!(status >= 400);
        assert_eq!(answered, kind, "{profile:?} {path}");
        assert_eq!(body.starts_with('{'), kind == "application/json", "{body}");
    }
}

#[tokio::test]
async fn before_28_a_parent_is_for_one_network_of_a_driver() {
    for profile in [Docker28, Docker26, Docker20_10] {
        let client = Client::like(profile).await;
        let wish = |name: &str, driver: &str| json!({ "Name": name, "Driver": driver, "Options": { "parent": "parent0" } });
        client.ok("/networks/create", wish("one", "macvlan")).await;
        client.ok("/networks/create", wish("two", "ipvlan")).await;
        let id = client.get("/networks/two").await["Id"].as_str().unwrap().to_owned();
        let third = client.post("/networks/create", wish("three", "ipvlan")).await;
        let short = id.get(..12).unwrap();
        let taken = format!("network di-{short} is already using parent interface parent0");
        let expected = if profile == Docker28 { (201, String::new()) } else { (500, taken) };
        assert_eq!(third, expected, "{profile:?}");
    }
}

#[tokio::test]
async fn a_container_has_what_its_engine_gives() {
    for profile in [Docker28, Docker26, Docker20_10] {
        let client = Client::like(profile).await;
        let subnet = json!({ "Config": [{ "Subnet": "10.10.1.0/24" }] });
        client
            .ok("/networks/create", json!({ "Name": "n", "Internal": true, "IPAM": subnet }))
            .await;
        let host = json!({ "NetworkMode": "n" });
        client
            .ok("/containers/create?name=box", json!({ "Image": "busybox", "HostConfig": host }))
            .await;
        client.ok("/containers/box/start", Value::Null).await;
        let shown = client.get("/containers/box/json").await;
        let place = &shown["NetworkSettings"]["Networks"]["n"];
        let derived = place["MacAddress"] == "02:42:0a:0a:01:02";
        assert_eq!(derived, profile != Docker28, "{profile:?} {place}");
        let gateway = if profile == Docker20_10 { "10.10.1.1" } else { "" };
        assert_eq!(place["Gateway"], gateway, "{profile:?}");
    }
}

#[tokio::test]
async fn docker_20_looks_at_an_endpoint_when_the_container_runs() {
    let wish = |ip: &str| json!({ "Container": "box", "EndpointConfig": { "IPAMConfig": { "IPv4Address": ip } } });
    for (profile, asked, started) in [
        (Docker26, 400, ""),
        (
            Docker20_10,
            200,
            "Invalid address 10.9.9.9: It does not belong to any of this network's subnets",
        ),
    ] {
        let client = Client::like(profile).await;
        let subnet = json!({ "Config": [{ "Subnet": "10.10.1.0/24" }] });
        client.ok("/networks/create", json!({ "Name": "n", "IPAM": subnet })).await;
        client.ok("/containers/create?name=box", json!({ "Image": "busybox" })).await;
        assert_eq!(client.post("/networks/n/connect", wish("10.9.9.9")).await.0, asked);
        let (status, message) = client.post("/containers/box/start", Value::Null).await;
        assert_eq!(message, started, "{profile:?}");
        assert_eq!(status, if started.is_empty() { 204 } else { 500 });
    }
}
