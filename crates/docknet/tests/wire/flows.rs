//! Calls that take several requests: exactly these, and no more however much there is.

use docknet::{ErrorKind, Filters, Kept, NetworkSpec, Pool, Reply};

use crate::networks::encoded;
use crate::{BOTH, NEW, container, line, network, on, there};

fn list(objects: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", objects.into_iter().collect::<Vec<_>>().join(","))
}

/// A container as lists show it, in this state and on these networks.
fn listed(name: &str, state: &str, networks: &[&str]) -> String {
    let networks: Vec<_> = networks
        .iter()
        .map(|network| format!(r#""{network}":{{"NetworkID":"{network}-id"}}"#))
        .collect();
    format!(
        r#"{{"Id":"{name}-id","Names":["/{name}"],"State":"{state}","NetworkSettings":{{"Networks":{{{}}}}}}}"#,
        networks.join(",")
    )
}

#[tokio::test]
async fn containers_of_a_network_are_one_request_however_many() {
    let filters = encoded(r#"{"network":{"x-id":true}}"#);
    for version in BOTH {
        let hundred = list((0..100).map(|number| listed(&format!("c{number}"), "running", &["x"])));
        let request = line(version, &format!("GET /containers/json?filters={filters}"));
        let (script, network) = there(version, "x", [request.reply(200, hundred)]).await;
        assert_eq!(network.containers().await.unwrap().len(), 100);
        script.finish();
    }
}

#[tokio::test]
async fn a_detailed_list_is_two_requests_however_long() {
    for version in BOTH {
        let networks = list((0..100).map(|number| network(&format!("n{number}"))));
        let containers =
            list((0..100).map(|number| listed(&format!("c{number}"), "exited", &["n1", "n2"])));
        let filtered = encoded(r#"{"label":{"a":true}}"#);
        let replies = [
            line(version, &format!("GET /networks?filters={filtered}")).reply(200, networks),
            line(version, "GET /containers/json?all=true").reply(200, containers),
        ];
        on(version, replies, async |client| {
            let all = client.networks().list_detailed(&Filters::new().label("a")).await.unwrap();
            let counts: Vec<_> =
                all.iter().map(|details| details.containers.len()).take(4).collect();
            assert_eq!((all.len(), counts), (100, vec![0, 100, 100, 0]));
        })
        .await;
    }
}

fn by_name(version: docknet::ApiVersion, name: &str) -> Reply {
    let filters = encoded(&format!(r#"{{"name":{{"^{name}$":true}}}}"#));
    line(version, &format!("GET /networks?filters={filters}"))
}

fn create(body: &'static str) -> Reply {
    line(NEW, "POST /networks/create").with_body(body)
}

#[tokio::test]
async fn ensure_takes_what_is_there() {
    for version in BOTH {
        let found = list([network("x")]);
        on(version, [by_name(version, "x").reply(200, found)], async |client| {
            assert_eq!(client.networks().ensure("x").await.unwrap().name(), "x");
        })
        .await;
    }
}

#[tokio::test]
async fn ensure_makes_what_is_not_there() {
    // A name that only contains the one that is wanted is another one.
    let replies = [
        by_name(NEW, "x").reply(200, list([network("xx")])),
        create(r#"{"Name":"x"}"#).reply(201, r#"{"Id":"x-id"}"#),
        line(NEW, "GET /networks/x-id").reply(200, network("x")),
    ];
    on(NEW, replies, async |client| {
        assert_eq!(client.networks().ensure("x").await.unwrap().id().as_str(), "x-id");
    })
    .await;
}

#[tokio::test]
async fn ensure_takes_what_somebody_else_made_meanwhile() {
    let taken = r#"{"message":"network with name x already exists"}"#;
    let replies = [
        by_name(NEW, "x").reply(200, "[]"),
        create(r#"{"Name":"x"}"#).reply(409, taken),
        by_name(NEW, "x").reply(200, list([network("x")])),
    ];
    on(NEW, replies, async |client| {
        assert_eq!(client.networks().ensure("x").await.unwrap().name(), "x");
    })
    .await;
    let replies = [
        by_name(NEW, "x").reply(200, "[]"),
        create(r#"{"Name":"x"}"#).reply(409, taken),
        by_name(NEW, "x").reply(200, "[]"),
    ];
    on(NEW, replies, async |client| {
        assert_eq!(client.networks().ensure("x").await.unwrap_err().kind(), ErrorKind::NameTaken);
    })
    .await;
}

#[tokio::test]
async fn ensure_refuses_what_is_different_and_says_in_what() {
    let found = list([network("x")]);
    on(NEW, [by_name(NEW, "x").reply(200, found)], async |client| {
        let spec =
            NetworkSpec::new("x").internal(true).pool(Pool::new("10.7.0.0/24".parse().unwrap()));
        let error = client.networks().ensure(spec).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.operation()),
            (ErrorKind::Conflict, Some("network ensure"))
        );
        assert!(error.message().contains("internal"), "{error}");
    })
    .await;
    let twice = list([network("x"), network("x")]);
    on(NEW, [by_name(NEW, "x").reply(200, twice)], async |client| {
        assert_eq!(
            client.networks().ensure("x").await.unwrap_err().kind(),
            ErrorKind::AmbiguousName
        );
    })
    .await;
}

#[tokio::test]
async fn a_plan_to_prune_asks_for_networks_and_containers_once() {
    let swarm = |name: &str| network(name).replace(r#""local""#, r#""swarm""#);
    let verbose = |name: &str, services: &str| {
        swarm(name).replace('}', &format!(r#","Services":{services}}}"#))
    };
    for version in BOTH {
        let networks = list([
            network("bridge"),
            network("idle"),
            network("busy"),
            network("resting"),
            swarm("served"),
            swarm("free"),
        ]);
        let containers =
            list([listed("web", "running", &["busy"]), listed("old", "exited", &["resting"])]);
        let replies = [
            line(version, "GET /networks").reply(200, networks),
            line(version, "GET /containers/json?all=true").reply(200, containers),
            // Only the manager of a swarm knows its services.
            line(version, "GET /networks/served-id?verbose=true")
                .reply(200, verbose("served", r#"{"api":{}}"#)),
            line(version, "GET /networks/free-id?verbose=true").reply(200, verbose("free", "{}")),
            line(version, "DELETE /networks/idle-id").reply(403, "in use by now"),
            line(version, "DELETE /networks/free-id").reply(204, ""),
        ];
        on(version, replies, async |client| {
            let plan = client.networks().plan_prune(&Filters::new()).await.unwrap();
            let kept: Vec<_> =
                plan.keep.iter().map(|(network, why)| (network.name(), why.clone())).collect();
            let names = |name: &str| vec![name.to_owned()];
            assert_eq!(
                kept,
                [
                    ("busy", Kept::Running(names("web"))),
                    ("resting", Kept::Stopped(names("old"))),
                    ("served", Kept::Services(names("api"))),
                ]
            );
            let done = plan.execute().await.unwrap();
            assert_eq!(done.networks_deleted, ["free"]);
            assert_eq!(done.refused[0].subject(), Some("idle"));
        })
        .await;
    }
    on(NEW, [], async |client| {
        let error = client.networks().plan_prune(&Filters::new().name("a")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSpec);
    })
    .await;
}

#[tokio::test]
async fn removing_with_everything_connected() {
    let filters = encoded(r#"{"network":{"x-id":true}}"#);
    for version in BOTH {
        let members = network("x").replace(
            r#""Driver""#,
            r#""Containers":{"web-id":{"Name":"web"},"ghost-id":{"Name":"ghost"}},"Driver""#,
        );
        let disconnect = |container: &str| {
            line(version, "POST /networks/x-id/disconnect")
                .with_body(format!(r#"{{"Container":"{container}","Force":true}}"#))
        };
        let replies = |removed: u16| {
            [
                line(version, "GET /networks/x-id").reply(200, members.clone()),
                line(version, &format!("GET /containers/json?all=true&filters={filters}")).reply(
                    200,
                    list([listed("web", "running", &["x"]), listed("old", "exited", &["x"])]),
                ),
                // A leftover is known by its name only.
                disconnect("ghost").reply(500, "busy"),
                disconnect("web-id").reply(200, ""),
                disconnect("old-id").reply(404, ""),
                line(version, "DELETE /networks/x-id").reply(removed, ""),
            ]
        };
        let (script, network) = there(version, "x", replies(204)).await;
        network.remove_detaching().await.unwrap();
        script.finish();
        let (script, network) = there(version, "x", replies(403)).await;
        let error = network.remove_detaching().await.unwrap_err();
        assert!(error.to_string().contains("busy"), "{error}");
        script.finish();
    }
}

#[tokio::test]
async fn anything_else_goes_by_hand() {
    for version in BOTH {
        let replies = [
            line(version, "GET /info?x=%20").reply(200, r#"{"Name":"n"}"#),
            line(version, "POST /containers/a/rename?name=b")
                .with_body("{}")
                .reply(200, container("b")),
            line(version, "GET /info").reply(418, "tea"),
        ];
        on(version, replies, async |client| {
            let info = http::Request::get("/info?x=%20").body("".into()).unwrap();
            assert_eq!(client.request::<serde_json::Value>(info).await.unwrap()["Name"], "n");
            let rename =
                http::Request::post("/containers/a/rename?name=b").body("{}".into()).unwrap();
            assert_eq!(client.send(rename).await.unwrap().status(), 200);
            let refused = http::Request::get("/info").body("".into()).unwrap();
            assert_eq!(client.send(refused).await.unwrap().status(), 418);
        })
        .await;
    }
}
