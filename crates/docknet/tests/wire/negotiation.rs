//! Which version is spoken, and how often it is asked for.

use std::time::Duration;

use docknet::{
    ApiVersion, Client, Engine, ErrorKind, Flavour, NetworkSpec, Recorder, Reply, Script, expect,
};

use crate::{NEW, line, network};

fn ping(version: &str) -> Reply {
    expect("GET /_ping").with_body("").reply(200, "OK").header("Api-Version", version)
}

fn asks(script: &Script) -> Client {
    Client::with_transport(script.clone())
}

fn pinned(script: &Script, version: ApiVersion) -> Client {
    Client::builder().transport(script.clone()).api_version(version).build().unwrap()
}

fn list(version: &str) -> Reply {
    expect(&format!("GET /v{version}/networks")).reply(200, "[]")
}

#[tokio::test]
async fn a_hundred_first_calls_ask_once() {
    let lists = (0..100).map(|_| list("1.51"));
    let script =
        Script::new([ping("1.51").after(Duration::from_millis(50))].into_iter().chain(lists));
    let client = asks(&script);
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.networks().list().await.map(drop) })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    script.finish();
}

#[tokio::test]
async fn the_engines_version_is_spoken_if_we_know_it() {
    for version in ["1.40", "1.41", "1.51", "1.55"] {
        let script = Script::new([ping(version), list(version), list(version)]);
        let client = asks(&script);
        client.networks().list().await.unwrap();
        client.networks().list().await.unwrap();
        assert_eq!(client.api_version().await.unwrap().to_string(), version);
        script.finish();
    }
}

fn oldest(version: &str) -> Reply {
    expect("GET /version").with_body("").reply(200, format!(r#"{{"MinAPIVersion":"{version}"}}"#))
}

#[tokio::test]
async fn a_newer_engine_is_spoken_to_in_our_newest_version() {
    let script = Script::new([ping("1.99"), oldest("1.44"), list("1.55"), list("1.55")]);
    let client = asks(&script);
    client.networks().list().await.unwrap();
    client.networks().list().await.unwrap();
    script.finish();
}

#[tokio::test]
async fn no_common_version_is_an_error_that_names_both_ranges() {
    for (newest, least, theirs) in
        [("1.39", "1.12", "1.12 to 1.39"), ("1.99", "1.60", "1.60 to 1.99")]
    {
        // It is asked again by the next call: the engine may have been replaced.
        let script = Script::new([ping(newest), oldest(least), ping("1.51"), list("1.51")]);
        let client = asks(&script);
        let error = client.networks().list().await.unwrap_err();
        assert_eq!(
            (error.kind(), error.operation()),
            (ErrorKind::UnsupportedApi, Some("network list"))
        );
        assert!(error.to_string().contains("1.40 to 1.55"), "{error}");
        assert!(error.to_string().contains(theirs), "{error}");
        client.networks().list().await.unwrap();
        script.finish();
    }
}

#[tokio::test]
async fn a_failed_question_is_asked_again() {
    let script = Script::new([
        expect("GET /_ping").fail(ErrorKind::Connect, "down"),
        expect("GET /_ping").reply(503, "starting"),
        expect("GET /_ping").reply(200, "OK"),
        expect("GET /_ping").reply(200, "OK").header("Api-Version", "soon"),
        ping("1.51"),
        list("1.51"),
    ]);
    let client = asks(&script);
    for kind in
        [ErrorKind::Connect, ErrorKind::Unavailable, ErrorKind::Protocol, ErrorKind::Protocol]
    {
        assert_eq!(client.networks().list().await.unwrap_err().kind(), kind);
    }
    client.networks().list().await.unwrap();
    script.finish();
}

#[tokio::test]
async fn a_pinned_version_is_not_asked_for() {
    for version in ["1.24", "1.41", "1.99"] {
        let get = expect(&format!("GET /v{version}/networks/x")).reply(200, network("x"));
        let script = Script::new([list(version), get]);
        let client = pinned(&script, version.parse().unwrap());
        client.networks().list().await.unwrap();
        client.networks().get("x").await.unwrap();
        assert_eq!(client.api_version().await.unwrap().to_string(), version);
        script.finish();
    }
}

/// What an engine drops depends on whose engine it is, and a version does not tell that.
#[tokio::test]
async fn a_pinned_version_is_not_the_whole_engine_and_create_asks_once() {
    let made = || {
        [
            line(NEW, "POST /networks/create")
                .with_body(r#"{"Name":"n"}"#)
                .reply(201, r#"{"Id":"n1"}"#),
            line(NEW, "GET /networks/n1").reply(200, network("n")),
        ]
    };
    // What the engine itself speaks does not matter then.
    let script = Script::new([ping("1.99")].into_iter().chain(made()).chain(made()));
    let client = pinned(&script, NEW);
    client.networks().create("n").await.unwrap();
    client.networks().create("n").await.unwrap();
    script.finish();

    let podman = || ping("1.41").header("Libpod-Api-Version", "5.4.2");
    let script = Script::new([podman()]);
    let spec = NetworkSpec::new("n").config_from("base");
    let error = pinned(&script, NEW).networks().create(spec).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsupportedApi);
    assert!(error.to_string().contains("Podman"), "{error}");
    script.finish();
}

#[tokio::test]
async fn a_script_is_an_engine_that_is_known() {
    let made = [
        line(NEW, "POST /networks/create")
            .with_body(r#"{"Name":"n"}"#)
            .reply(201, r#"{"Id":"n1"}"#),
        line(NEW, "GET /networks/n1").reply(200, network("n")),
    ];
    let script = Script::new(made);
    let client = script.client();
    client.networks().create("n").await.unwrap();
    assert_eq!(client.engine().await.unwrap(), Engine::new(Flavour::Docker, NEW));
    script.finish();

    let podman = Engine::new(Flavour::Podman, ApiVersion::new(1, 41));
    let script = Script::new([]);
    let spec = NetworkSpec::new("n").config_from("base");
    let error = script.client_as(podman).networks().create(spec).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsupportedApi);
    script.finish();
}

#[tokio::test]
async fn a_ping_always_goes_to_the_engine() {
    let script = Script::new([
        ping("1.51").header("Server", "Docker/28.5.2 (linux)"),
        ping("1.41").header("Libpod-Api-Version", "5.4.2"),
        expect("GET /_ping").reply(500, "no"),
    ]);
    let client = script.client();
    let docker = client.ping().await.unwrap();
    assert_eq!((docker.api_version, docker.flavour), (NEW, Flavour::Docker));
    assert_eq!(docker.server, "Docker/28.5.2 (linux)");
    assert_eq!(client.ping().await.unwrap().flavour, Flavour::Podman);
    assert_eq!(client.ping().await.unwrap_err().kind(), ErrorKind::Server);
    script.finish();
}

#[tokio::test]
async fn what_is_recorded_can_be_replayed() {
    let engine = Script::new([
        ping("1.51").header("Content-Length", "2"),
        list("1.51"),
        expect("GET /networks/y").reply(404, r#"{"message":"network y not found"}"#),
        expect("GET /events").reply(200, "{\"Type\":\"network\",\"Action\":\"create\"}\n"),
    ]);
    let recorder = Recorder::new(engine.clone());
    let calls = async |client: Client| {
        assert!(client.networks().list().await.unwrap().is_empty());
        assert!(client.networks().get("y").await.unwrap_err().is_not_found());
        client.events().open().await.unwrap().next().await
    };
    assert!(calls(Client::with_transport(recorder.clone())).await.is_some());
    engine.finish();
    let replay = Script::replay(recorder.exchanges());
    // Streams go by, and are not kept.
    assert!(calls(Client::with_transport(replay.clone())).await.is_none());
    replay.finish();
}

#[tokio::test]
async fn a_script_tells_what_was_left_and_what_was_not_in_it() {
    let script = Script::new([list("1.51")]);
    assert_eq!(script.client().networks().get("x").await.unwrap_err().kind(), ErrorKind::Protocol);
    let ended = std::panic::catch_unwind(|| script.finish()).unwrap_err();
    assert!(ended.downcast_ref::<String>().unwrap().contains("/networks/x"));
    let script = Script::new([list("1.51")]);
    assert!(std::panic::catch_unwind(|| script.finish()).is_err());
}
