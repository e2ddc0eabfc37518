//! What there is: links, addresses, routes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use docknet_types::{IpNet, MacAddr};

use super::super::message::{Message, Messages, attribute, text, word};
use super::super::netlink::Refused;
use super::uapi::*;
use super::{Group, Index, Links};

/// A link, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) index: Index,
    pub(crate) name: String,
    /// `bridge`, `veth`, `macvlan`; nothing for devices.
    pub(crate) kind: Option<String>,
    pub(crate) up: bool,
    pub(crate) mtu: Option<u32>,
    /// The bridge that it is a port of.
    pub(crate) bridge: Option<Index>,
    pub(crate) group: Option<Group>,
    pub(crate) mac: Option<MacAddr>,
    /// The other one of a pair, by its number where that is.
    pub(crate) other_end: Option<Index>,
}

/// Where packets go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) to: IpNet,
    pub(crate) link: Option<Index>,
}

impl Links {
    pub(crate) fn list(&mut self) -> Result<Vec<Link>, Refused> {
        let head = ifinfomsg(AF_UNSPEC, 0, 0, 0);
        self.0.list("list links", RTM_GETLINK, &head, |links: &mut Vec<Link>, message| {
            links.extend(Link::read(message));
        })
    }

    /// The link of this name, if there is one.
    pub(crate) fn find(&mut self, name: &str) -> Result<Option<Link>, Refused> {
        let mut request = Messages::default();
        request.add(RTM_GETLINK, 0, &ifinfomsg(AF_UNSPEC, 0, 0, 0), |message| {
            message.text(IFLA_IFNAME, name);
        });
        let mut found = None;
        match self.0.ask("look at a link", request, |message| found = Link::read(message)) {
            Err(refused) if refused.errno() == rustix::io::Errno::NODEV => Ok(None),
            Err(refused) => Err(refused),
            Ok(()) => Ok(found),
        }
    }

    /// All addresses, and the links that have them.
    pub(crate) fn addresses(&mut self) -> Result<Vec<(Index, IpNet)>, Refused> {
        let head = [0; IFADDRMSG];
        self.0.list("list addresses", RTM_GETADDR, &head, |all: &mut Vec<_>, message| {
            all.extend(address(message));
        })
    }

    /// The routes of the main table.
    pub(crate) fn routes(&mut self) -> Result<Vec<Route>, Refused> {
        let head = [0; RTMSG];
        self.0.list("list routes", RTM_GETROUTE, &head, |routes: &mut Vec<_>, message| {
            routes.extend(Route::read(message));
        })
    }
}

impl Link {
    pub(crate) fn read(message: &Message<'_>) -> Option<Self> {
        let attributes = message.payload.get(IFINFOMSG..)?;
        let number = |kind| word(attribute(attributes, kind)?, 0);
        let kind = attribute(attributes, IFLA_LINKINFO)
            .and_then(|info| attribute(info, IFLA_INFO_KIND))
            .map(text);
        Some(Self {
            index: Index(word(message.payload, 4)?),
            name: text(attribute(attributes, IFLA_IFNAME)?),
            kind,
            up: word(message.payload, 8)? & IFF_UP != 0,
            mtu: number(IFLA_MTU),
            bridge: number(IFLA_MASTER).map(Index),
            group: number(IFLA_GROUP).map(Group),
            mac: attribute(attributes, IFLA_ADDRESS)
                .and_then(|octets| octets.try_into().ok())
                .map(MacAddr::new),
            other_end: number(IFLA_LINK).map(Index),
        })
    }
}

impl Route {
    pub(crate) fn read(message: &Message<'_>) -> Option<Self> {
        let head = message.payload.get(..RTMSG)?;
        let attributes = message.payload.get(RTMSG..)?;
        if *head.get(4)? != RT_TABLE_MAIN || *head.get(7)? != RTN_UNICAST {
            return None;
        }
        let to = match attribute(attributes, RTA_DST) {
            Some(octets) => ip(octets)?,
            None if *head.first()? == AF_INET => Ipv4Addr::UNSPECIFIED.into(),
            None if *head.first()? == AF_INET6 => Ipv6Addr::UNSPECIFIED.into(),
            None => return None,
        };
        let link = attribute(attributes, RTA_OIF).and_then(|value| word(value, 0)).map(Index);
        Some(Self { to: IpNet::new(to, *head.get(1)?).ok()?, link })
    }
}

fn address(message: &Message<'_>) -> Option<(Index, IpNet)> {
    let attributes = message.payload.get(IFADDRMSG..)?;
    let octets = attribute(attributes, IFA_LOCAL).or_else(|| attribute(attributes, IFA_ADDRESS))?;
    let net = IpNet::new(ip(octets)?, *message.payload.get(1)?).ok()?;
    Some((Index(word(message.payload, 4)?), net))
}

fn ip(octets: &[u8]) -> Option<IpAddr> {
    match octets.len() {
        4 => Some(IpAddr::from(<[u8; 4]>::try_from(octets).ok()?)),
        16 => Some(IpAddr::from(<[u8; 16]>::try_from(octets).ok()?)),
        _ => None,
    }
}

/// `struct ifaddrmsg`, `struct rtmsg`
const IFADDRMSG: usize = 8;
const RTMSG: usize = 12;
