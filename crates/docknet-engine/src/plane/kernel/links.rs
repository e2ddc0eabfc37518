//! Links, addresses and routes of one network namespace.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, BorrowedFd};

use docknet_types::{IpNet, MacAddr};
use netlink_bindings::utils::{Pusher, finalize_nested_header, push_nested_header};
use netlink_bindings::{rt_addr, rt_link, rt_route};

use super::netlink::{Family, Netlink, Refused};

/// The links of the namespace in which it was opened.
#[derive(Debug)]
pub(crate) struct Links(Netlink);

/// A link's number in its namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Index(u32);

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
}

/// A bridge that is to be made.
#[derive(Clone, Debug)]
pub(crate) struct Bridge<'a> {
    pub(crate) name: &'a str,
    /// One that does not change with its ports, so that neighbours need not learn it anew.
    pub(crate) mac: MacAddr,
    pub(crate) mtu: Option<u32>,
}

/// A pair of links that is to be made: one a port of a bridge here, the other inside another namespace.
#[derive(Clone, Debug)]
pub(crate) struct Pair<'a> {
    pub(crate) name: &'a str,
    pub(crate) bridge: Index,
    pub(crate) mtu: Option<u32>,
    pub(crate) inside: Inside<'a>,
}

/// The other end of a pair.
#[derive(Clone, Debug)]
pub(crate) struct Inside<'a> {
    pub(crate) name: &'a str,
    pub(crate) mac: MacAddr,
    pub(crate) namespace: BorrowedFd<'a>,
}

impl Links {
    pub(crate) fn open() -> io::Result<Self> {
        Ok(Self(Netlink::open(Family::Route)?))
    }

    pub(crate) fn list(&mut self) -> Result<Vec<Link>, Refused> {
        let request = rt_link::Request::new().op_getlink_dump(&rt_link::Ifinfomsg::new());
        self.0.list("list links", &request, |links: &mut Vec<Link>, (head, attributes)| {
            links.extend(link(&head, &attributes));
        })
    }

    /// The link of this name, if there is one.
    pub(crate) fn find(&mut self, name: &str) -> Result<Option<Link>, Refused> {
        let mut request = rt_link::Request::new().op_getlink_do(&rt_link::Ifinfomsg::new());
        request.encode().push_ifname_bytes(name.as_bytes());
        let mut found = None;
        match self
            .0
            .get("look at a link", &request, |(head, attributes)| found = link(&head, &attributes))
        {
            Err(refused) if refused.errno() == rustix::io::Errno::NODEV => Ok(None),
            Err(refused) => Err(refused),
            Ok(()) => Ok(found),
        }
    }

    /// A bridge, up at once.
    pub(crate) fn add_bridge(&mut self, bridge: &Bridge<'_>) -> Result<Index, Refused> {
        let head = rt_link::Ifinfomsg { ifi_flags: UP, ifi_change: UP, ..Default::default() };
        let mut request = rt_link::Request::new().set_create().set_excl().op_newlink_do(&head);
        let attributes = request
            .encode()
            .push_ifname_bytes(bridge.name.as_bytes())
            .push_address(&bridge.mac.octets());
        let attributes = match bridge.mtu {
            Some(mtu) => attributes.push_mtu(mtu),
            None => attributes,
        };
        attributes.nested_linkinfo().push_kind(c"bridge");
        self.0.ask("add a bridge", &request)?;
        self.index_of(bridge.name)
    }

    /// Both ends in one request: nothing is ever seen half made.
    pub(crate) fn add_pair(&mut self, pair: &Pair<'_>) -> Result<(), Refused> {
        let head = rt_link::Ifinfomsg { ifi_flags: UP, ifi_change: UP, ..Default::default() };
        let mut request = rt_link::Request::new().set_create().set_excl().op_newlink_do(&head);
        let attributes =
            request.encode().push_ifname_bytes(pair.name.as_bytes()).push_master(pair.bridge.0);
        let attributes = match pair.mtu {
            Some(mtu) => attributes.push_mtu(mtu),
            None => attributes,
        };
        let mut info = attributes.nested_linkinfo().push_kind(c"veth");
        // The specification that the messages are made from does not have the data of a veth.
        let buffer = info.as_vec_mut();
        let data = push_nested_header(buffer, IFLA_INFO_DATA);
        let peer = push_nested_header(buffer, VETH_INFO_PEER);
        buffer.extend_from_slice(rt_link::Ifinfomsg::new().as_slice());
        let inside = &pair.inside;
        let attributes = rt_link::PushLinkAttrs::new(&mut *buffer)
            .push_ifname_bytes(inside.name.as_bytes())
            .push_address(&inside.mac.octets())
            .push_net_ns_fd(inside.namespace.as_raw_fd().unsigned_abs());
        drop(match pair.mtu {
            Some(mtu) => attributes.push_mtu(mtu),
            None => attributes,
        });
        finalize_nested_header(buffer, peer);
        finalize_nested_header(buffer, data);
        drop(info);
        self.0.ask("add a veth pair", &request)
    }

    pub(crate) fn set_up(&mut self, link: Index) -> Result<(), Refused> {
        let head = rt_link::Ifinfomsg {
            ifi_index: link.signed(),
            ifi_flags: UP,
            ifi_change: UP,
            ..Default::default()
        };
        self.0.ask("set a link up", &rt_link::Request::new().op_setlink_do(&head))
    }

    pub(crate) fn rename(&mut self, link: Index, name: &str) -> Result<(), Refused> {
        let head = rt_link::Ifinfomsg { ifi_index: link.signed(), ..Default::default() };
        let mut request = rt_link::Request::new().op_setlink_do(&head);
        request.encode().push_ifname_bytes(name.as_bytes());
        self.0.ask("rename a link", &request)
    }

    /// Takes a link away, and its other end if it is one of a pair. The kernel waits for everybody who may still look at it.
    pub(crate) fn remove(&mut self, link: Index) -> Result<(), Refused> {
        let head = rt_link::Ifinfomsg { ifi_index: link.signed(), ..Default::default() };
        self.0.ask("remove a link", &rt_link::Request::new().op_dellink_do(&head))
    }

    pub(crate) fn add_address(&mut self, link: Index, address: IpNet) -> Result<(), Refused> {
        let head = rt_addr::Ifaddrmsg {
            ifa_family: family(address.addr()),
            ifa_prefixlen: address.prefix_len(),
            // Two addresses of one subnet cannot clash: the engine gives each once. So nobody has to wait for an answer.
            ifa_flags: if address.addr().is_ipv6() { IFA_F_NODAD } else { 0 },
            ifa_index: link.0,
            ..Default::default()
        };
        let mut request = rt_addr::Request::new().set_create().set_excl().op_newaddr_do(&head);
        let attributes = request.encode().push_local(address.addr()).push_address(address.addr());
        // Dropped, it is finished.
        drop(match address {
            IpNet::V4(net) if net.prefix_len() < 31 => attributes.push_broadcast(net.broadcast()),
            _ => attributes,
        });
        self.0.ask("add an address", &request)
    }

    /// Whatever no other route takes goes to this gateway.
    pub(crate) fn add_default_route(
        &mut self,
        link: Index,
        gateway: IpAddr,
    ) -> Result<(), Refused> {
        let head = rt_route::Rtmsg {
            rtm_family: family(gateway),
            rtm_table: RT_TABLE_MAIN,
            rtm_protocol: RTPROT_BOOT,
            rtm_type: RTN_UNICAST,
            ..Default::default()
        };
        let mut request = rt_route::Request::new().set_create().set_replace().op_newroute_do(&head);
        request.encode().push_gateway(gateway).push_oif(link.0);
        self.0.ask("add a default route", &request)
    }

    /// Where packets go from here: destination, and the link if there is one. The main table only.
    pub(crate) fn routes(&mut self) -> Result<Vec<(IpNet, Option<Index>)>, Refused> {
        let request = rt_route::Request::new().op_getroute_dump(&rt_route::Rtmsg::new());
        self.0.list("list routes", &request, |routes: &mut Vec<_>, (head, attributes)| {
            if head.rtm_table != RT_TABLE_MAIN || head.rtm_type != RTN_UNICAST {
                return;
            }
            let any: IpAddr = match head.rtm_family {
                AF_INET => Ipv4Addr::UNSPECIFIED.into(),
                AF_INET6 => Ipv6Addr::UNSPECIFIED.into(),
                _ => return,
            };
            let destination = attributes.get_dst().unwrap_or(any);
            if let Ok(destination) = IpNet::new(destination, head.rtm_dst_len) {
                routes.push((destination, attributes.get_oif().ok().map(Index)));
            }
        })
    }

    fn index_of(&mut self, name: &str) -> Result<Index, Refused> {
        match self.find(name)? {
            Some(link) => Ok(link.index),
            None => Err(Refused::gone("look at a link")),
        }
    }
}

impl Index {
    pub(crate) fn number(self) -> u32 {
        self.0
    }

    /// As the kernel has it in some of its structures. It gives no number beyond these.
    fn signed(self) -> i32 {
        i32::try_from(self.0).unwrap_or(i32::MAX)
    }
}

fn link(head: &rt_link::Ifinfomsg, attributes: &rt_link::IterableLinkAttrs<'_>) -> Option<Link> {
    let kind = attributes.get_linkinfo().ok().and_then(|info| info.get_kind().ok());
    Some(Link {
        index: Index(u32::try_from(head.ifi_index).ok()?),
        name: attributes.get_ifname().ok()?.to_string_lossy().into_owned(),
        kind: kind.map(|kind| kind.to_string_lossy().into_owned()),
        up: head.ifi_flags & UP != 0,
        mtu: attributes.get_mtu().ok(),
        bridge: attributes.get_master().ok().map(Index),
    })
}

fn family(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => AF_INET,
        IpAddr::V6(_) => AF_INET6,
    }
}

// linux/if.h, linux/if_link.h, linux/veth.h, linux/if_addr.h, linux/rtnetlink.h, linux/socket.h
const UP: u32 = 1;
const IFLA_INFO_DATA: u16 = 2;
const VETH_INFO_PEER: u16 = 1;
const IFA_F_NODAD: u8 = 2;
const RT_TABLE_MAIN: u8 = 254;
const RTPROT_BOOT: u8 = 3;
const RTN_UNICAST: u8 = 1;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
