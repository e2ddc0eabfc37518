//! Ports of containers that can be reached from outside their networks: `-p`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Container;
use crate::core::refusal::Refusal;
use crate::core::state::State;
use crate::core::step::{Outlook, Place};

/// Ports that are given where any will do: those that Linux gives by itself (`net.ipv4.ip_local_port_range`).
const EPHEMERAL: RangeInclusive<u16> = 32768..=60999;

/// What a port is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Protocol {
    Tcp,
    Udp,
    Sctp,
}

/// A port of a container: `80/tcp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Port {
    pub(crate) protocol: Protocol,
    pub(crate) number: u16,
}

/// A port of the host that leads to one of a container, while that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Publication {
    pub(crate) port: Port,
    /// All addresses of the host's, if it is none of them.
    pub(crate) at: SocketAddr,
}

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wish {
    port: Port,
    /// At this address of the host, or at all of them.
    ip: Option<IpAddr>,
    /// One of these.
    host_ports: RangeInclusive<u16>,
}

/// Checks what was asked for, as Docker does when a container is made.
pub(super) fn check(host_config: &Map<String, Value>) -> Result<(), Refusal> {
    let bindings = host_config.get("PortBindings").and_then(Value::as_object);
    for (key, wanted) in bindings.into_iter().flatten() {
        let port: Port = key.parse().map_err(|()| bad(key))?;
        for binding in wanted.as_array().into_iter().flatten() {
            wish(port, binding)?;
        }
    }
    Ok(())
}

/// Whether any are to be published.
pub(super) fn are_wanted(container: &Container) -> bool {
    wishes(container).is_ok_and(|wishes| !wishes.is_empty())
}

/// Finds a port of the host for each that is to be published, on the networks that a container looks out by.
pub(super) fn publish(
    state: &State,
    container: &Container,
    outlook: &Outlook,
) -> Result<Vec<Publication>, Refusal> {
    let mut all = Vec::new();
    let ways = [
        outlook.way_in(Ipv4Addr::UNSPECIFIED.into()),
        outlook.way_in(Ipv6Addr::UNSPECIFIED.into()),
    ];
    for wish in wishes(container)? {
        for (place, unspecified) in ways.iter().flatten() {
            let at = match wish.ip {
                Some(ip) if ip.is_ipv4() != unspecified.is_ipv4() => continue,
                Some(ip) => ip,
                None if unspecified.is_ipv4() => place.binding.unwrap_or(*unspecified),
                None => *unspecified,
            };
            let taken = |port: &u16| {
                let own = all.iter().any(|other: &Publication| {
                    other.port.protocol == wish.port.protocol
                        && other.at.port() == *port
                        && overlap(other.at.ip(), at)
                });
                own || state.is_published(wish.port.protocol, SocketAddr::new(at, *port))
            };
            // Both families have the same port if they can.
            let same = all
                .iter()
                .find(|other: &&Publication| {
                    other.port == wish.port && wish.host_ports.contains(&other.at.port())
                })
                .map(|other| other.at.port())
                .filter(|port| wish.host_ports != (*port..=*port) && !taken(port));
            let free = same.or_else(|| wish.host_ports.clone().find(|port| !taken(port)));
            let Some(free) = free else { return Err(refused(container, place, at, &wish)) };
            all.push(Publication { port: wish.port, at: SocketAddr::new(at, free) });
        }
    }
    Ok(all)
}

/// The ports that an inspection shows: those published, and those that only are said to be open.
pub(crate) fn shown(container: &Container) -> Vec<Port> {
    let config = &container.config;
    let keys = [&config.config["ExposedPorts"], &config.host_config["PortBindings"]];
    let keys = keys.into_iter().filter_map(Value::as_object).flat_map(Map::keys);
    let mut ports: Vec<Port> = keys.filter_map(|key| key.parse().ok()).collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

/// Whether one of two addresses is the other, or all of its family.
pub(crate) fn overlap(one: IpAddr, other: IpAddr) -> bool {
    one.is_ipv4() == other.is_ipv4()
        && (one == other || one.is_unspecified() || other.is_unspecified())
}

fn wishes(container: &Container) -> Result<Vec<Wish>, Refusal> {
    let bindings = container.config.host_config.get("PortBindings").and_then(Value::as_object);
    let mut wishes = Vec::new();
    for (key, wanted) in bindings.into_iter().flatten() {
        let port: Port = key.parse().map_err(|()| bad(key))?;
        for binding in wanted.as_array().into_iter().flatten() {
            wishes.push(wish(port, binding)?);
        }
    }
    let all = container.config.host_config.get("PublishAllPorts").and_then(Value::as_bool);
    if all == Some(true) {
        for port in shown(container) {
            if wishes.iter().all(|wish| wish.port != port) {
                wishes.push(Wish { port, ip: None, host_ports: EPHEMERAL });
            }
        }
    }
    // Those that want a certain port come first.
    wishes.sort_by_key(|wish| wish.host_ports.end() - wish.host_ports.start());
    Ok(wishes)
}

fn wish(port: Port, binding: &Value) -> Result<Wish, Refusal> {
    let text = |key| binding.get(key).and_then(Value::as_str).unwrap_or_default();
    let ip = match text("HostIp") {
        "" => None,
        text => Some(text.parse().map_err(|_| {
            Refusal::Worded(400, format!("invalid host IP address of port {port}: {text:?}"))
        })?),
    };
    let host_ports = text("HostPort");
    let range = match host_ports.split_once('-') {
        Some((first, last)) => first.parse().ok().zip(last.parse().ok()),
        None if matches!(host_ports, "" | "0") => Some((*EPHEMERAL.start(), *EPHEMERAL.end())),
        None => host_ports.parse().ok().map(|one: u16| (one, one)),
    };
    match range {
        Some((first, last)) if first <= last && first > 0 => {
            Ok(Wish { port, ip, host_ports: first..=last })
        }
        _ => Err(bad(host_ports)),
    }
}

fn bad(port: &str) -> Refusal {
    Refusal::Worded(400, format!("invalid port specification: {port:?}"))
}

/// In Docker's words.
fn refused(container: &Container, place: &Place, at: IpAddr, wish: &Wish) -> Refusal {
    let (first, last) = (*wish.host_ports.start(), *wish.host_ports.end());
    let why = match first == last {
        true => {
            format!("Bind for {} failed: port is already allocated", SocketAddr::new(at, first))
        }
        false => format!("all ports of {at} from {first} to {last} are already allocated"),
    };
    Refusal::Worded(
        500,
        format!(
            "driver failed programming external connectivity on endpoint {} ({}): {why}",
            container.name, place.endpoint
        ),
    )
}

impl FromStr for Port {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (number, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        let protocol = match protocol {
            "tcp" => Protocol::Tcp,
            "udp" => Protocol::Udp,
            "sctp" => Protocol::Sctp,
            _ => return Err(()),
        };
        match number.parse() {
            Ok(number) if number != 0 => Ok(Self { protocol, number }),
            _ => Err(()),
        }
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.protocol.as_str())
    }
}

impl Protocol {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        }
    }
}
