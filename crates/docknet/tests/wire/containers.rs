//! Containers and events.

use std::time::{Duration, SystemTime};

use docknet::{ContainerSpec, EndpointSpec, Filters, NetworkMode};

use crate::networks::encoded;
use crate::{BOTH, NEW, OLD, container, line, network, on};

fn two_networks() -> ContainerSpec {
    ContainerSpec::new("busybox")
        .name("web")
        .command(["sleep", "9"])
        .network("n1", EndpointSpec::new().mac("02:00:00:00:00:01".parse().unwrap()))
        .network("n2", EndpointSpec::new().alias("x"))
}

const ON_NEW: &str = r#"{"Cmd":["sleep","9"],"HostConfig":{"NetworkMode":"n1"},"Image":"busybox","NetworkingConfig":{"EndpointsConfig":{"n1":{"MacAddress":"02:00:00:00:00:01"},"n2":{"Aliases":["x"]}}}}"#;
const ON_OLD: &str = r#"{"Cmd":["sleep","9"],"HostConfig":{"NetworkMode":"n1"},"Image":"busybox","MacAddress":"02:00:00:00:00:01","NetworkingConfig":{"EndpointsConfig":{"n1":{"MacAddress":"02:00:00:00:00:01"}}}}"#;
const CONNECT: &str = r#"{"Container":"web-id","EndpointConfig":{"Aliases":["x"]}}"#;

#[tokio::test]
async fn create_with_several_networks_is_one_request_on_new_engines() {
    let replies = [
        line(NEW, "POST /containers/create?name=web")
            .with_body(ON_NEW)
            .reply(201, r#"{"Id":"web-id"}"#),
        line(NEW, "GET /containers/web-id/json").reply(200, container("web")),
    ];
    on(NEW, replies, async |client| {
        assert_eq!(client.containers().create(two_networks()).await.unwrap().name(), "web");
    })
    .await;
}

#[tokio::test]
async fn create_with_several_networks_connects_the_others_on_old_engines() {
    let replies = [
        line(OLD, "POST /containers/create?name=web")
            .with_body(ON_OLD)
            .reply(201, r#"{"Id":"web-id"}"#),
        line(OLD, "GET /networks/n2").reply(200, network("n2")),
        line(OLD, "POST /networks/n2-id/connect").with_body(CONNECT).reply(200, ""),
        line(OLD, "GET /containers/web-id/json").reply(200, container("web")),
    ];
    on(OLD, replies, async |client| {
        client.containers().create(two_networks()).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn create_is_undone_if_a_network_cannot_be_connected() {
    for (undone, note) in [
        (204, ""),
        (
            500,
            "; the container web-id is left: container remove \"web-id\": Internal Server Error (500 Internal Server Error)",
        ),
    ] {
        let replies = [
            line(OLD, "POST /containers/create?name=web")
                .with_body(ON_OLD)
                .reply(201, r#"{"Id":"web-id"}"#),
            line(OLD, "GET /networks/n2").reply(200, network("n2")),
            line(OLD, "POST /networks/n2-id/connect").with_body(CONNECT).reply(403, "no"),
            line(OLD, "DELETE /containers/web-id?force=true&v=true").reply(undone, ""),
        ];
        on(OLD, replies, async |client| {
            let error = client.containers().create(two_networks()).await.unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("network connect \"n2\": no (403 Forbidden){note}")
            );
        })
        .await;
    }
    let replies = [
        line(OLD, "POST /containers/create?name=web")
            .with_body(ON_OLD)
            .reply(201, r#"{"Id":"web-id"}"#),
        line(OLD, "GET /networks/n2").reply(404, "gone"),
        line(OLD, "DELETE /containers/web-id?force=true&v=true").reply(204, ""),
    ];
    on(OLD, replies, async |client| {
        assert!(client.containers().create(two_networks()).await.unwrap_err().is_not_found());
    })
    .await;
}

#[tokio::test]
async fn what_a_later_network_would_drop_is_refused_before_anything_is_made() {
    on(OLD, [], async |client| {
        let mac = EndpointSpec::new().mac("02:00:00:00:00:01".parse().unwrap());
        let error =
            client.containers().create(two_networks().network("n3", mac)).await.unwrap_err();
        assert_eq!(error.kind(), docknet::ErrorKind::UnsupportedApi);
    })
    .await;
}

#[tokio::test]
async fn create_with_each_parameter() {
    let spec = || ContainerSpec::new("i");
    for (spec, body) in [
        (spec(), r#"{"Image":"i"}"#),
        (spec().entrypoint(["a"]), r#"{"Entrypoint":["a"],"Image":"i"}"#),
        (spec().env("A", "1").env("B", ""), r#"{"Env":["A=1","B="],"Image":"i"}"#),
        (spec().hostname("h"), r#"{"Hostname":"h","Image":"i"}"#),
        (spec().label("l", "m"), r#"{"Image":"i","Labels":{"l":"m"}}"#),
        (
            spec().network_mode(NetworkMode::Host),
            r#"{"HostConfig":{"NetworkMode":"host"},"Image":"i"}"#,
        ),
        (spec().auto_remove(true), r#"{"HostConfig":{"AutoRemove":true},"Image":"i"}"#),
        (spec().extra("Tty", true), r#"{"Image":"i","Tty":true}"#),
        (
            spec().host_config("Privileged", true),
            r#"{"HostConfig":{"Privileged":true},"Image":"i"}"#,
        ),
    ] {
        for version in BOTH {
            let replies = [
                line(version, "POST /containers/create")
                    .with_body(body)
                    .reply(201, r#"{"Id":"c1"}"#),
                line(version, "GET /containers/c1/json").reply(200, container("c1")),
            ];
            on(version, replies, async |client| {
                client.containers().create(&spec).await.unwrap();
            })
            .await;
        }
    }
}

#[tokio::test]
async fn what_the_engine_would_drop_at_creation_is_not_sent() {
    on(OLD, [], async |client| {
        let spec = ContainerSpec::new("i").network("n", EndpointSpec::new().gateway_priority(1));
        let error = client.containers().create(spec).await.unwrap_err();
        assert_eq!(error.kind(), docknet::ErrorKind::UnsupportedApi);
    })
    .await;
}

#[tokio::test]
async fn what_can_be_done_to_one() {
    for version in BOTH {
        let replies = [
            line(version, "GET /containers/web/json").reply(200, container("web")),
            line(version, "POST /containers/web-id/start").reply(204, ""),
            line(version, "POST /containers/web-id/start").reply(304, ""),
            line(version, "POST /containers/web-id/stop").reply(204, ""),
            line(version, "POST /containers/web-id/stop?t=3").reply(304, ""),
            line(version, "GET /containers/web-id/json").reply(200, container("web2")),
            line(version, "DELETE /containers/web-id?force=true&v=true").reply(204, ""),
        ];
        on(version, replies, async |client| {
            let mut web = client.containers().get("web").await.unwrap();
            web.start().await.unwrap();
            web.start().await.unwrap();
            web.stop().await.unwrap();
            web.stop_within(3).await.unwrap();
            web.reload().await.unwrap();
            assert_eq!(web.name(), "web2");
            web.remove().await.unwrap();
        })
        .await;
    }
}

#[tokio::test]
async fn lists() {
    for version in BOTH {
        let filtered =
            format!("filters={}", encoded(r#"{"network":{"n":true},"status":{"exited":true}}"#));
        let replies = [
            line(version, "GET /containers/json").reply(200, "[]"),
            line(version, &format!("GET /containers/json?{filtered}")).reply(200, "[]"),
            line(version, &format!("GET /containers/json?all=true&{filtered}")).reply(200, "[]"),
        ];
        on(version, replies, async |client| {
            let containers = client.containers();
            let filters = Filters::new().network("n").status("exited");
            containers.list().await.unwrap();
            containers.list_with(&filters).await.unwrap();
            containers.list_all(&filters).await.unwrap();
        })
        .await;
    }
}

#[tokio::test]
async fn exec() {
    let output = b"\x01\0\0\0\0\0\0\x03out\x02\0\0\0\0\0\0\x03err".to_vec();
    for version in BOTH {
        let replies = [
            line(version, "GET /containers/web/json").reply(200, container("web")),
            line(version, "POST /containers/web-id/exec")
                .with_body(r#"{"AttachStderr":true,"AttachStdout":true,"Cmd":["ls","-l"]}"#)
                .reply(201, r#"{"Id":"e1"}"#),
            line(version, "POST /exec/e1/start")
                .with_body(r#"{"Detach":false,"Tty":false}"#)
                .reply(200, output.clone()),
            line(version, "GET /exec/e1/json").reply(200, r#"{"ExitCode":2}"#),
        ];
        on(version, replies, async |client| {
            let web = client.containers().get("web").await.unwrap();
            let output = web.exec(["ls", "-l"]).await.unwrap();
            assert_eq!((output.exit_code, output.success()), (2, false));
            assert_eq!(
                (output.stdout_text(), output.stderr_text()),
                ("out".to_owned(), "err".to_owned())
            );
        })
        .await;
    }
}

#[tokio::test]
async fn events() {
    let time = |seconds| SystemTime::UNIX_EPOCH + Duration::new(seconds, 5);
    for version in BOTH {
        let filters = encoded(r#"{"event":{"die":true},"type":{"container":true,"network":true}}"#);
        let replies = [
            line(version, "GET /events").reply(200, ""),
            line(version, "GET /events?since=1700000000.000000005").reply(200, ""),
            line(version, "GET /events?since=0.000000000&until=7.000000005").reply(200, ""),
            line(version, &format!("GET /events?filters={filters}")).reply(200, "\n"),
            line(version, "GET /events").reply(400, r#"{"message":"invalid filter"}"#),
        ];
        on(version, replies, async |client| {
            drop(client.events().open().await.unwrap());
            drop(client.events().since(time(1_700_000_000)).open().await.unwrap());
            let before_1970 = SystemTime::UNIX_EPOCH - Duration::from_secs(9);
            drop(client.events().since(before_1970).until(time(7)).open().await.unwrap());
            let mut query = client.events().networks().containers().filter("event", "die");
            assert!(query.next().await.is_none());
            assert_eq!(
                client.events().open().await.unwrap_err().kind(),
                docknet::ErrorKind::BadRequest
            );
        })
        .await;
    }
}
