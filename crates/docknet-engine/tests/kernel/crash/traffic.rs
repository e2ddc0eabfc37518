//! Whether packets go where they should.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use super::Machine;
use super::daemon::State;
use super::observed::Observed;
use super::told::{Published, text};

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

/// Two containers of a network reach each other, and two that share none do not.
pub(crate) fn check(when: &str, observed: &Observed, state: &State) {
    let members = members(observed);
    let mut apart = None;
    for (at, one) in members.iter().enumerate() {
        let rest = &members[at + 1..];
        if let Some(other) = rest.iter().find(|other| other.network == one.network) {
            let listener = listen(state, one);
            let at = listener.local_addr().unwrap();
            state.within(&other.container, forget_neighbours);
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
        let reached =
            state.within(&other.container, || TcpStream::connect_timeout(&at, LONG_ENOUGH));
        assert!(reached.is_err(), "{when}: {at} is reached from {}", other.network);
    }
}

/// A port of the host leads to its container, and nobody else can have it.
pub(crate) fn check_ports(when: &str, published: &[Published], machine: &Machine, state: &State) {
    let forgotten = machine.host.within(|| {
        forget_neighbours();
        Ok(())
    });
    forgotten.unwrap();
    for Published { at, container, to } in published {
        let taken = machine.host.within(|| TcpListener::bind(at)).map(drop);
        assert!(taken.is_err(), "{when}: {at} is published, and free");
        let from = match at.ip() {
            ip if ip == Ipv4Addr::UNSPECIFIED => Ipv4Addr::LOCALHOST.into(),
            // Nothing leads from ::1.
            IpAddr::V6(_) => continue,
            ip => ip,
        };
        let at = SocketAddr::new(from, at.port());
        let _listener = state.within(container, || TcpListener::bind(to)).unwrap();
        let reached = machine.host.within(|| TcpStream::connect_timeout(&at, PATIENCE)).map(drop);
        assert!(reached.is_ok(), "{when}: {at} for {to}: {reached:?}");
    }
}

/// An address that somebody else had before may be remembered as theirs, when the announcement came before the bridge passed
/// anything on. That is not what is tried out here.
fn forget_neighbours() {
    let flushed = Command::new("ip").args(["neigh", "flush", "all"]).output().unwrap();
    assert!(flushed.status.success());
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
