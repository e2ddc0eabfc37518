//! Commands that change something.

use docknet::{EndpointSpec, NetworkSpec, Pool};

use crate::lab::Lab;

fn backend() -> NetworkSpec {
    let pool = Pool::new("10.7.0.0/24".parse().unwrap()).gateway("10.7.0.1".parse().unwrap());
    NetworkSpec::new("backend").pool(pool)
}

#[test]
fn create_makes_a_network_and_prints_its_id() {
    let mut lab = Lab::start();
    lab.run("create plain");
    lab.run(
        "create -d bridge --subnet 192.168.52.0/24 --ip-range 192.168.52.128/25 --gateway 192.168.52.254 \
         --aux-address printer=192.168.52.9 --label env=test --label bare -o com.docker.network.driver.mtu=1400 full",
    );
    lab.run("create --ipv6 --subnet fd00:52::/64 --internal --attachable six");
    lab.run("create --config-only --subnet 10.9.0.0/24 conf");
    lab.run("create --config-from conf of-conf");
    lab.run("inspect full six of-conf");
    lab.run("create --if-not-exists plain");
    lab.run("create --if-not-exists --internal plain");
    insta::assert_snapshot!(lab.transcript());
}

#[test]
fn create_says_what_is_wrong_and_where() {
    let mut lab = Lab::start();
    lab.network(backend());
    for words in [
        "create",
        "create a b",
        "create backend",
        "create ''",
        "create --subnet 10.7.0.0 x",
        "create --subnet 10.7.0.9/24 x",
        "create --subnet 10.7.0.0/24 x",
        "create --subnet 10.8.0.0/24 --subnet 10.8.0.128/25 x",
        "create --gateway 10.8.0.1 x",
        "create --subnet 10.8.0.0/24 --gateway 10.9.0.1 x",
        "create --subnet 10.8.0.0/24 --ip-range 10.9.0.0/24 x",
        "create --subnet 10.8.0.0/24 --aux-address printer x",
        "create --subnet 10.8.0.0/24 --aux-address printer=10.9.0.9 x",
        "create --subnet 10.8.0.0/24 --gateway 10.8.0.1 --gateway 10.8.0.2 x",
        "create --driver nope x",
        "create --driver overlay x",
        "create --opt novalue x",
        "create --ipv6=perhaps x",
        "create --subnet fd00::/64 x",
        "create host",
        "create --nonsense x",
        "create --internla x",
        "ls",
    ] {
        lab.run(words);
    }
    insta::assert_snapshot!(lab.transcript());
}

#[test]
fn connect_and_disconnect() {
    let mut lab = Lab::start();
    lab.network(backend());
    lab.network("other");
    for name in ["web", "db", "off"] {
        lab.container(name);
    }
    lab.stop("off");
    for words in [
        "connect backend web",
        "connect --ip 10.7.0.9 --alias db1 --alias db2 --link web:www --driver-opt a=b --gw-priority 7 backend db",
        "connect backend off",
        "inspect --format '{{range .Containers}}{{.Name}} {{.IPv4Address}}{{println}}{{end}}' backend",
        "connect backend",
        "connect backend web",
        "connect nope web",
        "connect backend nope",
        "connect --ip 10.7.0.9 other web",
        "connect --ip 10.8.0.9 backend web",
        "connect --ip nonsense other web",
        "connect --ip6 10.8.0.9 other web",
        "connect --link web other web",
        "connect --mac-address zz other web",
        "connect --mac-address 02:42:0a:07:00:63 other web",
        "connect host web",
        "connect none web",
        "disconnect backend",
        "disconnect backend web",
        "disconnect backend web",
        "disconnect backend nope",
        "disconnect nope db",
        "disconnect -f backend db",
        "disconnect --force backend gone",
        "inspect --format '{{json .Containers}}' backend",
    ] {
        lab.run(words);
    }
    insta::assert_snapshot!(lab.transcript());
}

#[test]
fn rm_removes_what_it_can_and_tells_of_the_rest() {
    let mut lab = Lab::start();
    lab.network(backend());
    for name in ["one", "two", "three", "four"] {
        lab.network(name);
    }
    lab.container("web");
    lab.connect("backend", "web", EndpointSpec::new());
    for words in [
        "rm",
        "rm one",
        "rm one",
        "rm two nope three",
        "rm -f nope",
        "rm -f nope four",
        "rm backend",
        "rm bridge",
        "rm --detach bridge",
        "rm --detach backend",
        "rm --detach nope",
        "ls --format '{{.Name}}'",
    ] {
        lab.run(words);
    }
    insta::assert_snapshot!(lab.transcript());
}

#[test]
fn prune_asks_and_names_what_it_removed() {
    let mut lab = Lab::start();
    lab.network(backend());
    lab.network(NetworkSpec::new("labelled").label("keep", "yes"));
    lab.network("unused");
    lab.network("stopped");
    lab.container("web");
    lab.container("off");
    lab.connect("backend", "web", EndpointSpec::new());
    lab.connect("stopped", "off", EndpointSpec::new());
    lab.stop("off");
    lab.run("prune --dry-run");
    lab.run("prune --dry-run --format json");
    lab.run("prune --dry-run --filter label!=keep");
    lab.run_with("prune", "n\n");
    lab.run_with("prune", "");
    lab.run("prune --filter nonsense");
    lab.run("prune -f --filter color=red");
    lab.run("prune -f --filter until=24h");
    lab.run_with("prune --filter label!=keep", "y\n");
    lab.run("prune -f");
    lab.run("prune -f");
    lab.run("ls --format '{{.Name}}'");
    insta::assert_snapshot!(lab.transcript());
}
