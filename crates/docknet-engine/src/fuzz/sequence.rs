//! Programs of operations on a few names.

use super::lab::Lab;
use super::profile;

/// The first byte is the engine, with `4` to `7` on a disk. Then two bytes an operation: what, and on whom.
pub fn sequence(data: &[u8]) {
    let (profile, program) = profile(data);
    #[cfg(feature = "disk")]
    if data.first().is_some_and(|first| first & 4 != 0) {
        return on_disk(profile, program);
    }
    let lab = Lab::new(profile);
    for operation in program.chunks_exact(2).take(96) {
        operate(&lab, operation[0], operation[1]);
        super::invariants::check(profile, &lab.state());
    }
    lab.check();
}

/// The same, and what is on the disk is what was in memory.
#[cfg(feature = "disk")]
fn on_disk(profile: crate::Profile, program: &[u8]) {
    let dir = super::store::Folder::new("sequence");
    let lab = Lab::on_disk(profile, dir.path()).expect("a new state");
    for operation in program.chunks_exact(2).take(48) {
        operate(&lab, operation[0], operation[1]);
    }
    lab.check();
    let before = lab.state();
    drop(lab);
    let again = Lab::on_disk(profile, dir.path());
    let again = again.unwrap_or_else(|why| panic!("it cannot be opened again: {why}"));
    super::invariants::same(profile, &before, &again.state());
    again.check();
}

fn operate(lab: &Lab, what: u8, whom: u8) {
    let network = format!("n{}", whom & 3);
    let container = format!("c{}", (whom >> 2) & 3);
    let variant = usize::from(whom >> 4);
    let flag = variant & 1;
    let post = |target: String, body: String| lab.call("POST", &target, body);
    match what % 20 {
        0 => post("/networks/create".into(), format!(r#"{{"Name":"{network}"}}"#)),
        1 => {
            let subnet = SUBNETS[variant % SUBNETS.len()];
            let v6 = subnet.contains(':');
            let body = format!(
                r#"{{"Name":"{network}","EnableIPv6":{v6},"IPAM":{{"Config":[{{"Subnet":{subnet}}}]}}}}"#
            );
            post("/networks/create".into(), body)
        }
        2 => {
            let kind = KINDS[variant % KINDS.len()].replace("@", &format!("n{}", (whom >> 2) & 3));
            post("/networks/create".into(), format!(r#"{{"Name":"{network}",{kind}}}"#))
        }
        3 => lab.call("DELETE", &format!("/networks/{network}"), ""),
        4 => post(PRUNES[variant % PRUNES.len()].into(), String::new()),
        5 | 6 => {
            let mode = MODES[variant % MODES.len()].replace("@", &network);
            let body = format!(r#"{{"Image":"host","HostConfig":{{{mode}}}}}"#);
            let made = post(format!("/containers/create?name={container}"), body);
            if what % 20 == 6 {
                post(format!("/containers/{container}/start"), String::new())
            } else {
                made
            }
        }
        7 => post(format!("/containers/{container}/start"), String::new()),
        8 => post(format!("/containers/{container}/stop"), String::new()),
        9 => post(format!("/containers/{container}/restart"), String::new()),
        10 => {
            let verb = ["kill", "kill?signal=TERM", "pause", "unpause"][variant % 4];
            post(format!("/containers/{container}/{verb}"), String::new())
        }
        11 => lab.call("DELETE", &format!("/containers/{container}?force={flag}"), ""),
        12 | 13 => {
            let config = CONFIGS[variant % CONFIGS.len()];
            let body = format!(r#"{{"Container":"{container}","EndpointConfig":{config}}}"#);
            post(format!("/networks/{}/connect", place(&network, variant)), body)
        }
        14 | 15 => {
            let force = flag == 1;
            let body = format!(r#"{{"Container":"{container}","Force":{force}}}"#);
            post(format!("/networks/{}/disconnect", place(&network, variant)), body)
        }
        16 => post(format!("/containers/{container}/rename?name=c{}", whom & 3), String::new()),
        17 => lab.call("GET", &format!("/containers/{container}/json"), ""),
        18 => lab.call("GET", &format!("/networks/{network}"), ""),
        _ => lab.call("GET", "/containers/json?all=1", ""),
    };
}

/// Mostly the network itself; now and then one that the engine made.
fn place(network: &str, variant: usize) -> &str {
    match variant {
        13 => "bridge",
        14 => "none",
        15 => "host",
        _ => network,
    }
}

const SUBNETS: [&str; 12] = [
    r#""10.1.0.0/24""#,
    r#""10.1.0.0/29""#,
    r#""10.1.0.8/30""#,
    r#""10.1.0.8/31""#,
    r#""10.1.0.12/32""#,
    r#""10.1.0.0/24","IPRange":"10.1.0.4/30","Gateway":"10.1.0.5""#,
    r#""10.1.0.0/24","AuxiliaryAddresses":{"a":"10.1.0.2","b":"10.1.0.4"}"#,
    r#""172.18.0.0/20""#,
    r#""fd00:1::/64""#,
    r#""fd00:1::/125"},{"Subnet":"10.1.0.16/28""#,
    r#""10.1.0.0/25"},{"Subnet":"10.1.0.0/24""#,
    r#""10.1.0.0/25"},{"Subnet":"10.1.0.128/25""#,
];

const KINDS: [&str; 12] = [
    r#""Internal":true"#,
    r#""EnableIPv6":true"#,
    r#""EnableIPv4":false,"EnableIPv6":true"#,
    r#""Driver":"macvlan","Options":{"parent":"eth0"}"#,
    r#""Driver":"ipvlan","Options":{"parent":"eth0"}"#,
    r#""Driver":"macvlan","Internal":true"#,
    r#""ConfigOnly":true,"IPAM":{"Config":[{"Subnet":"10.1.0.0/24"}]}"#,
    r#""ConfigFrom":{"Network":"@"}"#,
    r#""Options":{"com.docker.network.bridge.name":"br-@"}"#,
    r#""Driver":"null""#,
    r#""Driver":"host""#,
    r#""Options":{"com.docker.network.container_iface_prefix":"net"}"#,
];

const PRUNES: [&str; 3] = ["/networks/prune", "/containers/prune", "/images/prune"];

const MODES: [&str; 8] = [
    "",
    r#""NetworkMode":"@""#,
    r#""NetworkMode":"@""#,
    r#""NetworkMode":"host""#,
    r#""NetworkMode":"none""#,
    r#""NetworkMode":"container:c0""#,
    r#""NetworkMode":"@","AutoRemove":true"#,
    r#""NetworkMode":"bridge","Links":["c0:x"]"#,
];

const CONFIGS: [&str; 8] = [
    "null",
    r#"{"Aliases":["a","c1"]}"#,
    r#"{"IPAMConfig":{"IPv4Address":"10.1.0.3"}}"#,
    r#"{"IPAMConfig":{"IPv4Address":"10.1.0.4"}}"#,
    r#"{"IPAMConfig":{"IPv6Address":"fd00:1::3"}}"#,
    r#"{"MacAddress":"02:00:00:00:00:01","GwPriority":3}"#,
    r#"{"DriverOpts":{"com.docker.network.endpoint.ifname":"eth1"}}"#,
    r#"{"Links":["c1:y"],"NetworkID":"n1"}"#,
];
