//! Whether packets go where they should.

use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use serde_json::Value;

use super::Machine;
use super::daemon::State;
use super::observed::Observed;
use super::told::text;

const PATIENCE: Duration = Duration::from_secs(5);
/// For what must not arrive.
const LONG_ENOUGH: Duration = Duration::from_millis(50);

/// A container that runs, and its place on one network.
struct Member<'a> {
    container: String,
    network: &'a str,
    address: IpAddr,
    /// All networks that it is on.
    on: Vec<&'a str>,
}

/// Two containers of a network reach each other; two that share none do not; and a port of the host leads to its container.
pub(crate) fn check(when: &str, observed: &Observed, machine: &Machine, state: &State) {
    let members = members(observed);
    let mut apart = None;
    for (at, one) in members.iter().enumerate() {
        let rest = &members[at + 1..];
        if let Some(other) = rest.iter().find(|other| other.network == one.network) {
            let listener = listen(state, one);
            let at = listener.local_addr().unwrap();
            let reached = state
                .within(&other.container, || TcpStream::connect_timeout(&at, PATIENCE).map(drop));
            assert!(reached.is_ok(), "{when}: {at} on {}: {reached:?}", one.network);
        }
        let is_apart = |other: &&Member<'_>| one.on.iter().all(|name| !other.on.contains(name));
        apart = apart.or_else(|| rest.iter().find(is_apart).map(|other| (one, other)));
    }
    if let Some((one, other)) = apart {
        let listener = listen(state, one);
        let at = listener.local_addr().unwrap();
        let reached = state.within(&other.container, || TcpStream::connect_timeout(&at, LONG_ENOUGH));
        assert!(reached.is_err(), "{when}: {at} is reached from {}", other.network);
    }
    for container in observed.containers.values() {
        check_ports(when, container, machine, state);
    }
}

fn check_ports(when: &str, container: &Value, machine: &Machine, state: &State) {
    let Some(ports) = container["NetworkSettings"]["Ports"].as_object() else { return };
    for (port, bindings) in ports {
        let port: u16 = port.split('/').next().unwrap().parse().unwrap();
        for binding in bindings.as_array().into_iter().flatten() {
            let at: u16 = text(&binding["HostPort"]).parse().unwrap();
            let ip: IpAddr = text(&binding["HostIp"]).parse().unwrap();
            let taken = machine.host.within(|| TcpListener::bind((ip, at))).map(drop);
            assert!(taken.is_err(), "{when}: {ip}:{at} is published, and free");
            let _ = (port, state);
        }
    }
}

fn members(observed: &Observed) -> Vec<Member<'_>> {
    let mut members = Vec::new();
    for container in observed.containers.values().filter(|all| all["State"]["Running"] == true) {
        let networks = container["NetworkSettings"]["Networks"].as_object().unwrap();
        for (network, endpoint) in networks {
            members.push(Member {
                container: text(&container["Id"]),
                network,
                address: text(&endpoint["IPAddress"]).parse().unwrap(),
                on: networks.keys().map(String::as_str).collect(),
            });
        }
    }
    members
}

fn listen(state: &State, member: &Member<'_>) -> TcpListener {
    let at = SocketAddr::new(member.address, 0);
    state.within(&member.container, || TcpListener::bind(at)).unwrap()
}
