//! The least that the kernel takes for a network and for a container on it: netlink, and nothing else.

use std::os::fd::AsRawFd as _;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};

use crate::contender::of_a_row;
use crate::namespace::Namespace;

pub struct Floor {
    host: Route,
    inside: Route,
    container: Namespace,
    // Everything goes with it.
    _home: Namespace,
    filled: u32,
}

/// Bridge, address, up; pair, port of the bridge, addresses, up; delete the pair; delete the bridge.
pub struct FloorCycle {
    pub create: Duration,
    pub connect: Duration,
    pub disconnect: Duration,
    pub remove: Duration,
}

impl Floor {
    pub fn new() -> Result<Self> {
        let (home, container) = (Namespace::new()?, Namespace::new()?);
        let (host, inside) = (home.within(Route::open)?, container.within(Route::open)?);
        Ok(Self { host, inside, container, _home: home, filled: 0 })
    }

    pub fn fill(&mut self, size: usize) -> Result<()> {
        while usize::try_from(self.filled)? < size {
            self.host.add_bridge(FILLERS + self.filled, self.filled)?;
            self.filled += 1;
        }
        Ok(())
    }

    /// A bridge with two namespaces on it, one of which is 10.255.0.2 and the other 10.255.0.3, for traffic.
    pub fn pair() -> Result<(Self, Namespace)> {
        let (mut own, other) = (Self::new()?, Namespace::new()?);
        let mut inside = other.within(Route::open)?;
        let subnet = 0xff_0000 / 16;
        own.host.add_bridge(SAMPLE, subnet)?;
        for (number, namespace) in [(2, &own.container), (3, &other)] {
            own.host.add_pair(PORT + number, Some(SAMPLE), INSIDE, namespace)?;
            let inside = if number == 2 { &mut own.inside } else { &mut inside };
            inside.set_up(INSIDE, subnet, u8::try_from(number)?)?;
        }
        Ok((own, other))
    }

    /// A namespace beside this host, which knows nobody but the host: 10.254.0.2, and the host is 10.254.0.1.
    pub fn outside(host: &Namespace) -> Result<Namespace> {
        let outside = Namespace::new()?;
        let subnet = 0xfe_0000 / 16;
        let mut here = host.within(Route::open)?;
        here.add_pair(PORT, None, INSIDE, &outside)?;
        here.set_up(PORT, subnet, 1)?;
        outside.within(Route::open)?.set_up(INSIDE, subnet, 2)?;
        Ok(outside)
    }

    pub fn container(&self) -> &Namespace {
        &self.container
    }

    /// So many of each in a row; what one took.
    pub fn cycle(&mut self, times: u32) -> Result<FloorCycle> {
        let subnet = self.filled;
        let create = each(times, |n| self.host.add_bridge(SAMPLE + n, subnet + n))?;
        let connect = each(times, |n| {
            self.host.add_pair(PORT + n, Some(SAMPLE + n), INSIDE + n, &self.container)?;
            self.inside.set_up(INSIDE + n, subnet + n, 2)
        })?;
        let disconnect = each(times, |n| self.host.remove(PORT + n))?;
        let remove = each(times, |n| self.host.remove(SAMPLE + n))?;
        Ok(FloorCycle { create, connect, disconnect, remove })
    }
}

fn each(times: u32, mut work: impl FnMut(u32) -> Result<()>) -> Result<Duration> {
    let timed = |number| {
        let begun = Instant::now();
        work(number)?;
        Ok(begun.elapsed())
    };
    Ok(of_a_row(&(0..times).map(timed).collect::<Result<Vec<_>>>()?))
}

// Numbers of links, which the kernel takes from whoever makes them.
const SAMPLE: u32 = 500_000;
const PORT: u32 = 600_000;
const FILLERS: u32 = 700_000;
const INSIDE: u32 = 2;

/// A socket of the namespace in which it was opened.
struct Route(Socket);

impl Route {
    fn open() -> Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        socket.set_cap_ack(true)?;
        Ok(Self(socket))
    }

    fn add_bridge(&mut self, index: u32, subnet: u32) -> Result<()> {
        let info = nest(IFLA_LINKINFO, &[text(IFLA_INFO_KIND, "bridge")]);
        self.ask(&[
            link(RTM_NEWLINK, CREATE, index, 0, &[text(IFLA_IFNAME, &format!("b{index}")), info]),
            address(index, subnet, 1),
            link(RTM_SETLINK, 0, index, UP, &[]),
        ])
    }

    fn add_pair(
        &mut self,
        index: u32,
        bridge: Option<u32>,
        inside: u32,
        namespace: &Namespace,
    ) -> Result<()> {
        let fd = u32::try_from(namespace.fd().as_raw_fd())?;
        let peer = [
            ifinfomsg(inside, 0),
            text(IFLA_IFNAME, &format!("eth{inside}")),
            attribute(IFLA_NET_NS_FD, &fd.to_ne_bytes()),
        ];
        let peer = attribute(VETH_INFO_PEER, &peer.concat());
        let info = [text(IFLA_INFO_KIND, "veth"), nest(IFLA_INFO_DATA, &[peer])];
        let mut attributes =
            vec![text(IFLA_IFNAME, &format!("v{index}")), nest(IFLA_LINKINFO, &info)];
        attributes.extend(bridge.map(|bridge| attribute(IFLA_MASTER, &bridge.to_ne_bytes())));
        self.ask(&[link(RTM_NEWLINK, CREATE, index, UP, &attributes)])
    }

    /// The end of a pair that is inside.
    fn set_up(&mut self, index: u32, subnet: u32, number: u8) -> Result<()> {
        self.ask(&[address(index, subnet, number), link(RTM_SETLINK, 0, index, UP, &[])])
    }

    fn remove(&mut self, index: u32) -> Result<()> {
        self.ask(&[link(RTM_DELLINK, 0, index, 0, &[])])
    }

    /// All in one go; each is acknowledged.
    fn ask(&mut self, messages: &[Vec<u8>]) -> Result<()> {
        self.0.send(&messages.concat(), 0)?;
        let mut received = Vec::with_capacity(1 << 16);
        let mut waits = messages.len();
        while waits > 0 {
            received.clear();
            self.0.recv(&mut received, 0)?;
            let mut rest = received.as_slice();
            while let Some(length) = number(rest, 0) {
                ensure!(rest.get(4..6) == Some(&2_u16.to_ne_bytes()), "not an acknowledgement");
                match number(rest, 16) {
                    Some(0) => waits -= 1,
                    error => bail!("netlink: {:?}", error.map(|error| error.cast_signed())),
                }
                rest = rest.get(usize::try_from(length)?.next_multiple_of(4)..).unwrap_or_default();
            }
        }
        Ok(())
    }
}

fn link(kind: u16, flags: u16, index: u32, up: u32, attributes: &[Vec<u8>]) -> Vec<u8> {
    message(kind, flags, &[&[ifinfomsg(index, up)], attributes].concat())
}

/// The address with this number in a subnet of sixteen.
fn address(index: u32, subnet: u32, number: u8) -> Vec<u8> {
    let [_, a, b, c] = (subnet * 16).to_be_bytes();
    let octets = [10, a, b, c + number];
    let mut head = vec![2, 28, 0, 0];
    head.extend(index.to_ne_bytes());
    let parts = [head, attribute(IFA_LOCAL, &octets), attribute(IFA_ADDRESS, &octets)];
    message(RTM_NEWADDR, CREATE, &parts)
}

fn message(kind: u16, flags: u16, parts: &[Vec<u8>]) -> Vec<u8> {
    let body = parts.concat();
    let length = u32::try_from(16 + body.len()).unwrap_or(u32::MAX);
    let mut message = length.to_ne_bytes().to_vec();
    message.extend(kind.to_ne_bytes());
    message.extend((flags | REQUEST_AND_ACK).to_ne_bytes());
    message.extend([0; 8]);
    message.extend(body);
    message
}

fn ifinfomsg(index: u32, up: u32) -> Vec<u8> {
    let mut head = vec![0; 4];
    for value in [index, up, up] {
        head.extend(value.to_ne_bytes());
    }
    head
}

fn nest(kind: u16, attributes: &[Vec<u8>]) -> Vec<u8> {
    attribute(kind | 0x8000, &attributes.concat())
}

fn text(kind: u16, value: &str) -> Vec<u8> {
    attribute(kind, &[value.as_bytes(), &[0]].concat())
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
    let mut attribute = length.to_ne_bytes().to_vec();
    attribute.extend(kind.to_ne_bytes());
    attribute.extend(value);
    attribute.resize(attribute.len().next_multiple_of(4), 0);
    attribute
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

// linux/netlink.h, rtnetlink.h, if_link.h, if_addr.h, veth.h, if.h
const REQUEST_AND_ACK: u16 = 5;
const CREATE: u16 = 0x600;
const RTM_NEWLINK: u16 = 16;
const RTM_DELLINK: u16 = 17;
const RTM_SETLINK: u16 = 19;
const RTM_NEWADDR: u16 = 20;
const IFLA_IFNAME: u16 = 3;
const IFLA_MASTER: u16 = 10;
const IFLA_LINKINFO: u16 = 18;
const IFLA_NET_NS_FD: u16 = 28;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const VETH_INFO_PEER: u16 = 1;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const UP: u32 = 1;
