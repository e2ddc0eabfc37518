use docknet::ApiVersion;

use super::*;
use crate::apply::{Context, lines, read};

fn there(networks: &[&str], containers: &[&str]) -> Situation {
    Situation {
        engine: Engine::new(Flavour::Docker, ApiVersion::new(1, 51)),
        networks: networks.iter().map(|json| NetworkInfo::from_json(json)).collect(),
        containers: containers.iter().map(|json| ContainerInfo::from_json(json)).collect(),
    }
}

fn planned(file: &str, there: &Situation) -> Plan {
    let wanted =
        read(file, &Context { file: "f".into(), fallback: "set".into(), ..Context::default() })
            .unwrap();
    plan(&wanted, there, Prune::Leftovers).unwrap()
}

fn shown(file: &str, there: &Situation) -> Vec<String> {
    lines(&planned(file, there)).into_iter().map(|(_, line)| line).collect()
}

fn refused(file: &str, there: &Situation) -> Vec<String> {
    let wanted =
        read(file, &Context { file: "f".into(), fallback: "set".into(), ..Context::default() })
            .unwrap();
    plan(&wanted, there, Prune::Leftovers).unwrap_err()
}

const BACK: &str = r#"{"Name":"back","Id":"b1","Driver":"bridge","Scope":"local","EnableIPv4":true,
    "IPAM":{"Driver":"default","Config":[{"Subnet":"10.0.0.0/24","Gateway":"10.0.0.1"}]}}"#;
const WEB: &str = r#"{"Id":"c1","Name":"/web","State":{"Status":"running"},"NetworkSettings":{"Networks":{"back":
    {"NetworkID":"b1","IPAMConfig":{"IPv4Address":"10.0.0.9"},"Aliases":["w"],"IPAddress":"10.0.0.9","IPPrefixLen":24}}}}"#;
const HOST: &str = r#"{"Id":"c2","Name":"/host","HostConfig":{"NetworkMode":"host"}}"#;

#[test]
fn what_is_not_there_is_made_and_marked() {
    let plan = planned("networks: {new: {labels: [a=b]}}", &there(&[BACK], &[]));
    let spec = NetworkSpec::new("new").label("a", "b").label("docknet.apply", "set");
    assert_eq!(plan.steps(), [Step::Create { spec }]);
    assert!(!plan.disturbs());
}

#[test]
fn what_is_as_wanted_stays_whoever_made_it() {
    let there = there(&[BACK], &[WEB]);
    for file in [
        "networks: {back: }",
        "networks: {back: {ipam: {config: [{subnet: 10.0.0.0/24}]}}}",
        "networks: {back: {containers: {web: {aliases: [w], ipv4_address: 10.0.0.9}}}}",
        "networks: {back: {external: no}}",
    ] {
        let file = file.replace("{external: no}", "{internal: no}");
        assert!(planned(&file, &there).is_empty(), "{file}");
    }
}

#[test]
fn a_difference_is_shown_field_by_field_and_endpoints_move() {
    let there = there(&[BACK], &[WEB]);
    assert_eq!(
        shown(
            "networks: {back: {internal: true, ipam: {config: [{subnet: 10.1.0.0/24}]}}}",
            &there
        ),
        [
            "~ network back (made anew: internal false → true; subnet 10.0.0.0/24 → 10.1.0.0/24; 1 endpoint moves with its settings)",
            "    ~ container web aka w",
            "      its address 10.0.0.9 is not in the new subnets, so it gets another one",
        ]
    );
}

#[test]
fn a_network_keeps_its_subnet_if_the_file_names_none() {
    let plan = planned("networks: {back: {internal: true}}", &there(&[BACK], &[WEB]));
    let steps = plan.steps();
    let Step::Create { spec } = &steps[2] else { panic!("{steps:?}") };
    assert_eq!(spec.ipam.pools[0].subnet.to_string(), "10.0.0.0/24");
    let Step::Connect { spec, .. } = &steps[3] else { panic!("{steps:?}") };
    assert_eq!(spec.ipv4, Some("10.0.0.9".parse().unwrap()));
}

#[test]
fn endpoints_are_connected_or_made_anew() {
    let there = there(&[BACK], &[WEB, r#"{"Id":"c3","Name":"/db"}"#]);
    assert_eq!(
        shown("networks: {back: {containers: {web: {aliases: [other]}, db: }}}", &there),
        [
            "  network back",
            "    ~ container web (connected anew) 10.0.0.9 aka other",
            "    + container db",
        ]
    );
}

#[test]
fn leftovers_of_the_set_go_and_those_of_others_stay() {
    let mine = r#"{"Name":"mine","Id":"m","Labels":{"docknet.apply":"set"}}"#;
    let other = r#"{"Name":"other","Id":"o","Labels":{"docknet.apply":"else"}}"#;
    assert_eq!(shown("networks: {back: }", &there(&[BACK, mine, other], &[])), ["- network mine"]);
    let used =
        r#"{"Id":"c","Name":"/c","NetworkSettings":{"Networks":{"mine":{"NetworkID":"m"}}}}"#;
    assert_eq!(
        refused("networks: {back: }", &there(&[BACK, mine], &[used])),
        ["network `mine` cannot be removed: `c` is connected"]
    );
}

#[test]
fn networks_are_made_anew_with_their_configuration() {
    let config = r#"{"Name":"config","Id":"c","Driver":"null","ConfigOnly":true}"#;
    let made = r#"{"Name":"made","Id":"m","Driver":"bridge","ConfigFrom":{"Network":"config"}}"#;
    let file =
        "networks: {made: {config_from: config}, config: {config_only: true, labels: [a=b]}}";
    let plan = planned(file, &there(&[config, made], &[]));
    let texts: Vec<_> = plan.steps().iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "remove network `made`",
            "remove network `config`",
            "create network `config`",
            "create network `made`"
        ]
    );
    assert_eq!(
        refused(
            "networks: {config: {config_only: true, labels: [a=b]}}",
            &there(&[config, made], &[])
        ),
        ["network `config` cannot be made anew: network `made` is made from it"]
    );
}

#[test]
fn everything_that_speaks_against_it_is_told_at_once() {
    let file = "networks:
  bridge:
  one: {ipam: {config: [{subnet: 10.0.0.0/16, gateway: 10.9.0.1}]}}
  two: {ipam: {config: [{subnet: 10.0.7.0/24}]}}
  three: {name: two}
  back:
    containers:
      web: {ipv4_address: 10.0.0.1}
      host:
      nobody:
  four: {config_from: nothing}
  five:
    ipam: {config: [{subnet: 10.5.0.0/24, aux_addresses: {r: 10.5.0.2}}]}
    containers: {web: {ipv4_address: 10.5.0.2, mac_address: '02:42:0a:05:00:02'}, db: {ipv4_address: 10.6.0.2}}
";
    let db = r#"{"Id":"c3","Name":"/db"}"#;
    assert_eq!(
        refused(file, &there(&[BACK], &[WEB, HOST, db])),
        [
            "f:2:3: network `bridge`: it is the engine's own: it can be neither made nor changed",
            "f:3:3: network `one`: gateway 10.9.0.1 is not in subnet 10.0.0.0/16",
            "f:3:3: network `one`: subnet 10.0.0.0/16 overlaps with 10.0.0.0/24 of network `back`",
            "f:4:3: network `two`: subnet 10.0.7.0/24 overlaps with 10.0.0.0/16 of network `one`",
            "f:5:3: network `two`: the file has this name twice: first at f:4:3",
            "f:6:3: network `back`: container `host` has network mode `host`, and cannot be connected",
            "f:6:3: network `back`: there is no container `nobody`",
            "f:6:3: network `back`: 10.0.0.1 of container `web` belongs to the gateway",
            "f:11:3: network `four`: there is no configuration `nothing`, neither in the file nor on the engine",
            "f:12:3: network `five`: container `web`: the engine would drop mac (needs API 1.54) without a word",
            "f:12:3: network `five`: 10.5.0.2 of container `web` belongs to `r`, for whom it is reserved",
            "f:12:3: network `five`: 10.6.0.2 of container `db` is not in 10.5.0.0/24",
        ]
    );
}

#[test]
fn what_is_external_has_to_be_there() {
    let file = "services: {web: {network_mode: none}}\nnetworks: {back: {external: true}, out: {external: true}}";
    let context = |compose| Context {
        file: "f".into(),
        project: Some("p".into()),
        compose,
        ..Context::default()
    };
    let wanted = read(file, &context(false)).unwrap();
    assert_eq!(
        plan(&wanted, &there(&[BACK], &[]), Prune::Nothing).unwrap_err(),
        ["f:2:36: network `out`: it is external, so it has to be there already, and it is not"]
    );
    let wanted = read("networks: {back: {external: true}}", &context(true)).unwrap();
    assert!(plan(&wanted, &there(&[BACK], &[]), Prune::Nothing).unwrap().is_empty());
}
