//! Networks, one call at a time.

use docknet::{
    Driver, EndpointSpec, ErrorKind, Filters, InspectOptions, Ipam, NetworkKind, NetworkSpec, Pool,
    Scope, Script,
};

use crate::{BOTH, NEW, OLD, line, network, on, there};

/// Creates a network and sees that this is the body, and that it is got by its id.
async fn creates(version: docknet::ApiVersion, spec: NetworkSpec, body: &'static str) {
    let name = spec.name.clone();
    let replies = [
        line(version, "POST /networks/create")
            .with_body(body)
            .reply(201, r#"{"Id":"n1","Warning":""}"#),
        line(version, "GET /networks/n1").reply(200, network(&name)),
    ];
    on(version, replies, async |client| {
        let made = client.networks().create(spec).await.unwrap();
        assert_eq!((made.name(), made.warning()), (name.as_str(), None));
    })
    .await;
}

#[tokio::test]
async fn create_with_a_name_alone() {
    creates(OLD, "plain".into(), r#"{"Name":"plain","CheckDuplicate":true}"#).await;
    creates(NEW, "plain".into(), r#"{"Name":"plain"}"#).await;
}

#[tokio::test]
async fn create_with_each_parameter() {
    let spec = || NetworkSpec::new("n");
    for (spec, rest) in [
        (spec().driver(Driver::Overlay), r#""Driver":"overlay""#),
        (spec().driver("weave/net:1"), r#""Driver":"weave/net:1""#),
        (spec().scope(Scope::Swarm), r#""Scope":"swarm""#),
        (spec().internal(true), r#""Internal":true"#),
        (spec().internal(false), r#""Internal":false"#),
        (spec().attachable(true), r#""Attachable":true"#),
        (spec().ingress(true), r#""Ingress":true"#),
        (spec().config_only(true), r#""ConfigOnly":true"#),
        (spec().config_from("base"), r#""ConfigFrom":{"Network":"base"}"#),
        (spec().ipv6(true), r#""EnableIPv6":true"#),
        (spec().ipv4(true), r#""EnableIPv4":true"#),
        (spec().option("b", "2").options([("a", "1")]), r#""Options":{"a":"1","b":"2"}"#),
        (spec().label("l", "").labels([("k", "v")]), r#""Labels":{"k":"v","l":""}"#),
        (spec().ipam(Ipam::new().driver("dhcp")), r#""IPAM":{"Driver":"dhcp"}"#),
        (spec().ipam(Ipam::new().option("o", "p")), r#""IPAM":{"Options":{"o":"p"}}"#),
        (
            spec().pool(Pool::new("10.7.0.0/24".parse().unwrap())).pool(
                Pool::new("fd00::/64".parse().unwrap())
                    .range("fd00::/80".parse().unwrap())
                    .gateway("fd00::1".parse().unwrap())
                    .reserve("r", "fd00::2".parse().unwrap()),
            ),
            r#""IPAM":{"Config":[{"Subnet":"10.7.0.0/24"},{"Subnet":"fd00::/64","IPRange":"fd00::/80","Gateway":"fd00::1","AuxiliaryAddresses":{"r":"fd00::2"}}]}"#,
        ),
    ] {
        let old = format!(r#"{{"Name":"n","CheckDuplicate":true,{rest}}}"#);
        let new = format!(r#"{{"Name":"n",{rest}}}"#);
        creates(OLD, spec.clone(), old.leak()).await;
        creates(NEW, spec, new.leak()).await;
    }
}

#[tokio::test]
async fn create_checks_for_duplicates_where_the_engine_would_not() {
    let spec = |check| NetworkSpec::new("n").check_duplicate(check);
    for version in BOTH {
        creates(version, spec(true), r#"{"Name":"n","CheckDuplicate":true}"#).await;
        creates(version, spec(false), r#"{"Name":"n","CheckDuplicate":false}"#).await;
    }
}

#[tokio::test]
async fn create_keeps_the_warning() {
    let replies = [
        line(NEW, "POST /networks/create")
            .with_body(r#"{"Name":"n"}"#)
            .reply(201, r#"{"Id":"n1","Warning":"odd"}"#),
        line(NEW, "GET /networks/n1").reply(200, network("n")),
    ];
    on(NEW, replies, async |client| {
        assert_eq!(client.networks().create("n").await.unwrap().warning(), Some("odd"));
    })
    .await;
}

#[tokio::test]
async fn what_the_engine_would_drop_is_not_sent() {
    on(OLD, [], async |client| {
        let error = client.networks().create(NetworkSpec::new("n").ipv4(false)).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.operation()),
            (ErrorKind::UnsupportedApi, Some("network create"))
        );
        assert!(error.to_string().contains("API 1.48"), "{error}");
    })
    .await;
    creates(NEW, NetworkSpec::new("n").ipv4(false), r#"{"Name":"n","EnableIPv4":false}"#).await;

    let priority = || EndpointSpec::new().gateway_priority(1);
    let mac = || EndpointSpec::new().mac("02:42:0a:07:00:09".parse().unwrap());
    for (version, endpoint) in [(OLD, priority()), (OLD, mac()), (NEW, mac())] {
        let (script, network) = there(version, "x", []).await;
        let error = network.connect("web", endpoint).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnsupportedApi, "{version}");
        script.finish();
    }
}

#[tokio::test]
async fn get_and_inspect() {
    for version in BOTH {
        let replies = [
            line(version, "GET /networks/a%20b").reply(200, network("a b")),
            line(version, "GET /networks/x?verbose=true").reply(200, network("x")),
            line(version, "GET /networks/x?scope=swarm").reply(200, network("x")),
            line(version, "GET /networks/x?verbose=true&scope=local").reply(200, network("x")),
            line(version, "GET /networks/x").reply(200, network("x")),
            line(version, "GET /networks/y").reply(404, r#"{"message":"network y not found"}"#),
        ];
        on(version, replies, async |client| {
            let networks = client.networks();
            networks.get("a b").await.unwrap();
            let options = InspectOptions::new;
            networks.inspect("x", &options().verbose(true)).await.unwrap();
            networks.inspect("x", &options().scope(Scope::Swarm)).await.unwrap();
            networks.inspect("x", &options().verbose(true).scope(Scope::Local)).await.unwrap();
            networks.inspect("x", &options()).await.unwrap();
            assert!(networks.find("y").await.unwrap().is_none());
            assert_eq!(networks.get("").await.unwrap_err().kind(), ErrorKind::InvalidSpec);
        })
        .await;
    }
}

#[tokio::test]
async fn lists_with_every_filter() {
    let filters = || Filters::new();
    for version in BOTH {
        for (filters, json) in [
            (filters().name("a b"), r#"{"name":{"a b":true}}"#),
            (filters().id("8d"), r#"{"id":{"8d":true}}"#),
            (filters().driver(Driver::Bridge), r#"{"driver":{"bridge":true}}"#),
            (filters().label("l").label("k=v"), r#"{"label":{"k=v":true,"l":true}}"#),
            (filters().kind(NetworkKind::Custom), r#"{"type":{"custom":true}}"#),
            (filters().scope(Scope::Global), r#"{"scope":{"global":true}}"#),
            (filters().dangling(false), r#"{"dangling":{"false":true}}"#),
            (filters().raw("x", "\"&="), r#"{"x":{"\"&=":true}}"#),
        ] {
            let target = format!("GET /networks?filters={}", encoded(json));
            on(version, [line(version, &target).reply(200, "[]")], async |client| {
                assert!(client.networks().list_with(&filters).await.unwrap().is_empty());
            })
            .await;
        }
        let all = format!("[{},{}]", network("a"), network("b"));
        on(version, [line(version, "GET /networks").reply(200, all)], async |client| {
            assert_eq!(client.networks().list().await.unwrap().len(), 2);
        })
        .await;
    }
}

/// As a query has it.
pub(crate) fn encoded(text: &str) -> String {
    let bytes = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    });
    bytes.collect()
}

#[tokio::test]
async fn prune_and_remove() {
    for version in BOTH {
        let filtered = format!(
            "POST /networks/prune?filters={}",
            encoded(r#"{"label":{"a":true},"label!":{"b=c":true},"until":{"24h":true}}"#)
        );
        let replies = [
            line(version, "POST /networks/prune").reply(200, r#"{"NetworksDeleted":null}"#),
            line(version, &filtered).reply(200, r#"{"NetworksDeleted":["a"]}"#),
            line(version, "DELETE /networks/x%2Fy").reply(204, ""),
        ];
        on(version, replies, async |client| {
            let networks = client.networks();
            assert!(networks.prune(&Filters::new()).await.unwrap().networks_deleted.is_empty());
            let filters = Filters::new().label("a").without_label("b=c").until("24h");
            assert_eq!(networks.prune(&filters).await.unwrap().networks_deleted, ["a"]);
            networks.remove("x/y").await.unwrap();
        })
        .await;
        let (script, network) =
            there(version, "x", [line(version, "DELETE /networks/x-id").reply(204, "")]).await;
        network.remove().await.unwrap();
        script.finish();
    }
}

#[tokio::test]
async fn connect_with_each_parameter() {
    let spec = EndpointSpec::new;
    for (endpoint, config) in [
        (spec(), "{}"),
        (spec().alias("a").alias("b"), r#"{"Aliases":["a","b"]}"#),
        (spec().link("db", "database"), r#"{"Links":["db:database"]}"#),
        (spec().ipv4("10.7.0.9".parse().unwrap()), r#"{"IPAMConfig":{"IPv4Address":"10.7.0.9"}}"#),
        (spec().ipv6("fd00::9".parse().unwrap()), r#"{"IPAMConfig":{"IPv6Address":"fd00::9"}}"#),
        (
            spec()
                .link_local("169.254.1.1".parse().unwrap())
                .link_local("fe80::1".parse().unwrap()),
            r#"{"IPAMConfig":{"LinkLocalIPs":["169.254.1.1","fe80::1"]}}"#,
        ),
        (spec().driver_opt("k", "v"), r#"{"DriverOpts":{"k":"v"}}"#),
    ] {
        for version in BOTH {
            connects(version, endpoint.clone(), config).await;
        }
    }
    connects(NEW, spec().gateway_priority(-7), r#"{"GwPriority":-7}"#).await;
    let mac = spec().mac("02:42:0a:07:00:09".parse().unwrap());
    connects(docknet::ApiVersion::new(1, 54), mac, r#"{"MacAddress":"02:42:0a:07:00:09"}"#).await;
}

async fn connects(version: docknet::ApiVersion, endpoint: EndpointSpec, config: &str) {
    let body = format!(r#"{{"Container":"web","EndpointConfig":{config}}}"#);
    let connect = line(version, "POST /networks/x-id/connect").with_body(body).reply(200, "");
    let (script, network) = there(version, "x", [connect]).await;
    network.connect("web", endpoint).await.unwrap();
    script.finish();
}

#[tokio::test]
async fn disconnect_with_and_without_force() {
    for version in BOTH {
        let disconnect = |force: bool| {
            line(version, "POST /networks/x-id/disconnect")
                .with_body(format!(r#"{{"Container":"web","Force":{force}}}"#))
                .reply(200, "")
        };
        let (script, network) = there(version, "x", [disconnect(false), disconnect(true)]).await;
        network.disconnect("web").await.unwrap();
        network.disconnect_forced("web").await.unwrap();
        script.finish();
    }
}

#[tokio::test]
async fn reload_gets_by_id_and_keeps_the_handle_if_it_is_gone() {
    for version in BOTH {
        let replies = [
            line(version, "GET /networks/x-id").reply(200, network("renamed")),
            line(version, "GET /networks/x-id").reply(404, ""),
        ];
        let (script, mut network) = there(version, "x", replies).await;
        network.reload().await.unwrap();
        assert_eq!(network.name(), "renamed");
        assert!(network.reload().await.unwrap_err().is_not_found());
        assert_eq!(network.name(), "renamed");
        script.finish();
    }
}

#[tokio::test]
async fn names_that_a_path_cannot_hold_are_looked_up_first() {
    let filters = encoded(r#"{"name":{"^\\.\\.\\/x$":true}}"#);
    let found = format!("[{}]", network("../x"));
    let lookup = || line(NEW, &format!("GET /networks?filters={filters}"));
    let replies = [
        lookup().reply(200, found),
        line(NEW, "DELETE /networks/..%2Fx-id").reply(204, ""),
        lookup().reply(200, "[]"),
    ];
    let script = Script::new(replies);
    let networks = script.client().networks();
    networks.remove("../x").await.unwrap();
    assert!(networks.get("../x").await.unwrap_err().is_not_found());
    script.finish();
}
