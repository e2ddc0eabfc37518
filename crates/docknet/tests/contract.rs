//! A program that uses the documented names as a newcomer would write them. That it compiles is half of the test; the
//! other half is what it sends.

use std::collections::BTreeMap;

use docknet::{
    Client, Driver, EndpointSpec, ErrorKind, Filters, InspectOptions, Ipam, NetworkKind,
    NetworkSpec, Pool, Pruned, Scope, Script, expect,
};

const NETWORK1: &str = r#"{"Name":"network1","Id":"8dc8b98ebcbf4d8a1e7e9c1c2d3a44b3f1a09b5c7be92df1b0e0f4a6c5d7e812",
    "Driver":"bridge","Scope":"local","IPAM":{"Driver":"default","Config":[{"Subnet":"192.168.52.0/24","Gateway":"192.168.52.254"}]},
    "Containers":{},"Options":{},"Labels":{},"Novelty":[1]}"#;
const ID: &str = "8dc8b98ebcbf4d8a1e7e9c1c2d3a44b3f1a09b5c7be92df1b0e0f4a6c5d7e812";
const WEB: &str = r#"[{"Id":"4f66ad9a0b2e60f1","Names":["/web"],"State":"running"}]"#;

#[tokio::test]
async fn the_main_job() -> Result<(), Box<dyn std::error::Error>> {
    let by_id = format!("GET /networks/{ID}");
    let script = Script::new([
        expect("GET /_ping").reply(200, "OK").header("Api-Version", "1.51"),
        expect("POST /networks/create").with_body(r#"{"Name":"plain"}"#).reply(201, format!(r#"{{"Id":"{ID}","Warning":""}}"#)),
        expect(&by_id).reply(200, NETWORK1),
        expect("POST /networks/create")
            .with_body(r#"{"Name":"network1","Driver":"bridge","IPAM":{"Config":[{"Subnet":"192.168.52.0/24","Gateway":"192.168.52.254"}]}}"#)
            .reply(201, format!(r#"{{"Id":"{ID}","Warning":""}}"#)),
        expect(&by_id).reply(200, NETWORK1),
        expect(&format!("POST /networks/{ID}/connect"))
            .with_body(r#"{"Container":"web","EndpointConfig":{"IPAMConfig":{"IPv4Address":"192.168.52.9"},"Aliases":["api"]}}"#),
        expect(&format!("GET /containers/json?filters=%7B%22network%22%3A%7B%22{ID}%22%3Atrue%7D%7D")).reply(200, WEB),
        expect(&format!("POST /networks/{ID}/disconnect")).with_body(r#"{"Container":"web","Force":false}"#),
        expect(&format!("DELETE /networks/{ID}")).reply(204, ""),
    ]);
    let client = Client::with_transport(script.clone());
    let networks = client.networks();

    let _plain = networks.create("plain").await?;
    let net = networks
        .create(
            NetworkSpec::new("network1")
                .driver(Driver::Bridge)
                .pool(Pool::new("192.168.52.0/24".parse()?).gateway("192.168.52.254".parse()?)),
        )
        .await?;
    assert_eq!((net.short_id(), net.name()), ("8dc8b98ebcbf", "network1"));
    assert_eq!(net.attrs()["Novelty"][0], 1);
    assert_eq!(net.info().driver, Driver::Bridge);

    net.connect("web", EndpointSpec::new().alias("api").ipv4("192.168.52.9".parse()?)).await?;
    for c in net.containers().await? {
        assert_eq!((c.short_id(), c.name()), ("4f66ad9a0b2e", "web"));
    }
    net.disconnect("web").await?;
    net.remove().await?;
    script.finish();
    Ok(())
}

/// Everything else of the table, as far as it need not be sent.
#[tokio::test]
async fn every_name_is_there() -> Result<(), Box<dyn std::error::Error>> {
    let ipam = Ipam::new()
        .driver("default")
        .pool(
            Pool::new("10.7.0.0/24".parse()?)
                .range("10.7.0.128/25".parse()?)
                .reserve("router", "10.7.0.1".parse()?),
        )
        .option("k", "v");
    let spec = NetworkSpec::new("all")
        .driver("bridge")
        .option("o", "p")
        .options(BTreeMap::from([("q".to_owned(), "r".to_owned())]))
        .ipam(ipam)
        .check_duplicate(true)
        .internal(false)
        .label("l", "m")
        .labels([("n", "o")])
        .ipv4(true)
        .ipv6(false)
        .attachable(true)
        .scope(Scope::Local)
        .ingress(false)
        .config_only(false)
        .config_from("base");
    let again: NetworkSpec = serde_json::from_value(serde_json::to_value(&spec)?)?;
    assert_eq!(again, spec.clone());

    let endpoint = EndpointSpec::new()
        .alias("a")
        .link("db", "database")
        .ipv4("10.7.0.9".parse()?)
        .ipv6("fd00::9".parse()?)
        .link_local("169.254.1.1".parse()?)
        .mac("02:42:0a:07:00:09".parse()?)
        .driver_opt("k", "v")
        .gateway_priority(1);
    assert_ne!(endpoint, EndpointSpec::default());

    let filters = Filters::new()
        .name("a")
        .id("b")
        .driver(Driver::Overlay)
        .label("c=d")
        .kind(NetworkKind::Custom)
        .scope(Scope::Swarm)
        .dangling(true)
        .until("24h")
        .raw("k", "v");
    let script = Script::new([
        expect("GET /networks/x?verbose=true&scope=swarm")
            .reply(404, r#"{"message":"network x not found"}"#),
        expect("GET /networks/x").reply(404, r#"{"message":"network x not found"}"#),
        expect("POST /networks/prune?filters=%7B%22label%22%3A%7B%22a%22%3Atrue%7D%7D")
            .reply(200, r#"{"NetworksDeleted":["n"]}"#),
    ]);
    let client = script.client();
    let networks = client.networks();
    let options = InspectOptions::new().verbose(true).scope(Scope::Swarm);
    let error = networks.inspect("x", &options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(error.status().map(|status| status.as_u16()), Some(404));
    assert_eq!(error.message(), "network x not found");
    assert_eq!(error.operation(), Some("network inspect"));
    assert!(error.is_not_found() && !error.is_retryable());
    assert!(networks.find("x").await?.is_none());
    let Pruned { networks_deleted, space_reclaimed, .. } =
        networks.prune(&Filters::new().label("a")).await?;
    assert_eq!((networks_deleted, space_reclaimed), (vec!["n".to_owned()], 0));
    assert!(!filters.is_empty());
    script.finish();
    Ok(())
}
