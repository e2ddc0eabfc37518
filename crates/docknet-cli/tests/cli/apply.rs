//! `docknet apply`, from a file to networks.

use docknet::EndpointSpec;
use docknet_engine::Fault;

use crate::lab::Lab;

const FIRST: &str = "\
set: shop
networks:
  front:
    ipam: {config: [{subnet: 10.7.0.0/24, gateway: 10.7.0.1}]}
    labels: {app: shop}
  back:
    internal: true
    ipam: {config: [{subnet: 10.8.0.0/24}]}
    containers:
      db: {ipv4_address: 10.8.0.9, aliases: [sql]}
";

#[test]
fn networks_become_what_the_file_says() {
    let mut lab = Lab::start();
    lab.container("web");
    lab.container("db");
    lab.file("shop.yaml", FIRST);
    for words in [
        "apply --dry-run shop.yaml",
        "apply --check shop.yaml",
        "apply shop.yaml",
        "apply shop.yaml",
        "apply --check shop.yaml",
    ] {
        lab.run(words);
    }
    lab.connect(
        "front",
        "web",
        EndpointSpec::new().alias("www").ipv4("10.7.0.77".parse().unwrap()),
    );
    let second = FIRST
        .replace("    labels: {app: shop}\n", "    enable_ipv6: true\n")
        .replace("10.8.0.0/24", "10.9.0.0/24")
        .replace("10.8.0.9", "10.9.0.9");
    lab.file("shop.yaml", &second);
    for words in [
        "apply --dry-run --format json shop.yaml",
        "apply shop.yaml",
        "apply --force shop.yaml",
        "graph front back",
    ] {
        lab.run(words);
    }
    lab.file("shop.yaml", "set: shop\nnetworks: {front: {enable_ipv6: true}}\n");
    for words in [
        "apply --force shop.yaml",
        "disconnect back db",
        "apply --force --prune shop.yaml",
        "ls --format '{{.Name}}'",
    ] {
        lab.run(words);
    }
    insta::assert_snapshot!(lab.transcript());
}

#[test]
fn what_fails_half_way_is_as_it_was() {
    let mut lab = Lab::start();
    lab.container("db");
    lab.file("shop.yaml", FIRST);
    lab.run("apply shop.yaml");
    lab.file("shop.yaml", &FIRST.replace("10.8.0.", "10.9.0."));
    // The network made anew is the first, and the connection after it fails.
    lab.engine
        .faults()
        .add(Fault::refuse(500, "no space left on device").on("POST", "/networks/*/connect"));
    lab.run("apply --force shop.yaml");
    lab.run("inspect --format '{{json .IPAM.Config}} {{range .Containers}}{{.Name}} {{.IPv4Address}}{{end}}' back");
    insta::assert_snapshot!(lab.transcript());
}

#[test]
fn a_compose_file_is_one_of_networks_too() {
    let mut lab = Lab::start();
    lab.file(
        "compose.yaml",
        "name: shop\nservices:\n  web: {image: nginx, networks: [\"${NET:-front}\"]}\n  db: {image: postgres}\nnetworks:\n  front: {ipam: {config: [{subnet: \"${SUBNET:-10.7.0.0/24}\"}]}}\n",
    );
    lab.file(".env", "SUBNET=10.6.0.0/24\n");
    lab.run("apply compose.yaml");
    lab.run("inspect --format '{{.Name}} {{json .Labels}} {{json .IPAM.Config}}' shop_front");
    lab.run("apply --project-name other --dry-run compose.yaml");
    insta::assert_snapshot!(lab.transcript());
}

#[test]
fn what_the_file_leaves_open_stays_as_it_is() {
    let mut lab = Lab::start();
    lab.run("create --internal --subnet 10.7.0.0/24 -o com.docker.network.driver.mtu=1400 --label keep=me secret");
    lab.file("n.yaml", "set: n\nnetworks: {secret: {ipam: {config: [{subnet: 10.8.0.0/24}]}}}\n");
    lab.run("apply --force n.yaml");
    lab.run("inspect --format '{{.Internal}} {{json .Options}} {{json .Labels}} {{json .IPAM.Config}}' secret");
    insta::assert_snapshot!(lab.transcript());
}

#[test]
fn what_is_wrong_with_a_file_is_told_with_its_place() {
    let mut lab = Lab::start();
    lab.file("wrong.yaml", "networks:\n  a:\n    drivr: bridge\n    internal: maybe\n  b:\n    ipam: {config: [{subnet: 10.7.0.0}]}\n");
    lab.file("refused.yaml", "networks:\n  bridge: {}\n  a: {ipam: {config: [{subnet: 10.7.0.0/24}]}}\n  b: {ipam: {config: [{subnet: 10.7.0.0/16}]}}\n");
    for words in ["apply wrong.yaml", "apply refused.yaml", "apply missing.yaml", "apply"] {
        lab.run(words);
    }
    lab.run("apply --prune refused.yaml");
    lab.run_with("apply -", "networks: {a: {}}\n");
    lab.run_with("apply -", "networks: [");
    lab.run("ls --format '{{.Name}}'");
    insta::assert_snapshot!(lab.transcript());
}
