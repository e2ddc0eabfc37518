//! Our answers beside those of real engines.

mod cases;

use ipnet::IpNet;

use self::cases::{CASES, Case};
use super::{
    Allocation, Families, Family, FamilyWish, HostRoutes, IpamRefusal, PoolConfig, Subnets, Wish,
    allocate, default_pools, shown, validate,
};
use crate::Profile;

/// In the order of the answers of a case.
const PROFILES: [Profile; 4] =
    [Profile::Docker28, Profile::Docker26, Profile::Docker20_10, Profile::Podman5];

/// What is refused later, by the driver of the network: not ours to say.
const LATER: &[&str] = &["bridge driver doesn't support multiple subnets", "ff02::1/64"];

#[test]
fn every_recorded_case_gets_the_answer_that_the_engine_gave() {
    let mut wrong = Vec::new();
    for case in CASES {
        let mut recorded = "";
        for (profile, answer) in PROFILES.into_iter().zip(case.answers) {
            if answer != "=" {
                recorded = answer;
            }
            if answer == "-" {
                continue;
            }
            let ours = answer_to(profile, case);
            if !agrees(&ours, &recorded.replace("<ula>", "fd12:3456:789a")) {
                let name = case.name;
                wrong.push(format!("{name} ({profile:?}):\n  {recorded}\n  {ours}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// What a refused create had asked for can be had at once. Docker 28 keeps the first subnet when the second overlaps,
/// and 20.10 that of a create with a wrong auxiliary address: ours do not.
#[test]
fn a_refused_create_takes_nothing() {
    let refused = [
        r#"[{"Subnet":"10.102.0.0/24","AuxiliaryAddresses":{"a":"10.102.0.1"}}]"#,
        r#"[{"Subnet":"10.102.0.0/24","AuxiliaryAddresses":{"a":"foo"}}]"#,
        r#"[{"Subnet":"10.102.0.0/24","AuxiliaryAddresses":{"a":"10.90.0.9"}}]"#,
        r#"[{"Subnet":"10.102.0.0/24","Gateway":"10.102.0.0"}]"#,
        r#"[{"Subnet":"10.102.0.0/24"},{"Subnet":"10.102.0.0/16"}]"#,
        r#"[{"Subnet":"10.102.0.0/24"},{"Subnet":"fd00:9::/128"}]"#,
    ];
    for profile in [Profile::Docker28, Profile::Docker26, Profile::Docker20_10] {
        let (subnets, routes) = laboratory(profile, "");
        for config in refused {
            let request = |config: &str| {
                let configs: Vec<PoolConfig> = serde_json::from_str(config).unwrap();
                let v6 = if config.contains("fd00") { FamilyWish::On } else { FamilyWish::Off };
                let families = Families { v4: FamilyWish::On, v6 };
                let pools = validate(profile, &configs, families)?;
                let wish = Wish { network: "g", driver: "default", pools: &pools, families };
                allocate(profile, &subnets, &routes, &wish)
            };
            assert!(request(config).is_err(), "{profile:?} {config}");
            assert!(request(r#"[{"Subnet":"10.102.0.0/24"}]"#).is_ok(), "{profile:?} {config}");
        }
        assert_eq!(subnets.next_default(Family::V4, &routes), Some(net("172.18.0.0/16")));
    }
}

/// Where nothing was inspected, a 201 is all there is to agree with.
fn agrees(ours: &str, recorded: &str) -> bool {
    let later = LATER.iter().any(|words| recorded.contains(words));
    ours == recorded || (later || recorded == "201") && ours.starts_with("201")
}

fn answer_to(profile: Profile, case: &Case) -> String {
    let configs: Vec<PoolConfig> = serde_json::from_str(case.config).unwrap();
    let on = |family| {
        if case.families.contains(family) { FamilyWish::On } else { FamilyWish::Off }
    };
    // Only Docker 28 can do without IPv4.
    let v4 = if profile == Profile::Docker28 { on('4') } else { FamilyWish::On };
    let families = Families { v4, v6: on('6') };
    match decide(profile, case, &configs, families) {
        Ok(all) => format!(
            "201 {}",
            serde_json::to_string(&sorted(&shown(profile, &configs, &all))).unwrap()
        ),
        Err(why) => {
            let (status, message) = why.answer(profile);
            format!("{status} {message}")
        }
    }
}

fn decide(
    profile: Profile,
    case: &Case,
    configs: &[PoolConfig],
    families: Families,
) -> Result<Allocation, IpamRefusal> {
    let pools = validate(profile, configs, families)?;
    let (subnets, routes) = laboratory(profile, case.name);
    let wish = Wish { network: "g", driver: case.driver, pools: &pools, families };
    allocate(profile, &subnets, &routes, &wish)
}

/// The host on which the answers were recorded: its default network, an interface, and for some cases another network.
fn laboratory(profile: Profile, case: &str) -> (Subnets, HostRoutes) {
    let mut subnets = Subnets::new(default_pools(profile, 0x12_3456_789a));
    let default = match profile {
        Profile::Podman5 => "10.88.0.0/16",
        _ => "172.17.0.0/16",
    };
    assert!(subnets.take(net(default)));
    if case.starts_with("overlap:") {
        assert!(subnets.take(net("10.5.0.0/16")) && subnets.take(net("fd00:5::/64")));
    }
    (subnets, [net("198.51.100.0/24")].into_iter().collect())
}

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

/// The keys of each in the order of the alphabet, as in the recordings.
fn sorted(configs: &[PoolConfig]) -> Vec<serde_json::Value> {
    configs.iter().map(|config| serde_json::to_value(config).unwrap()).collect()
}
