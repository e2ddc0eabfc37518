//! Links, addresses and routes of one network namespace.

mod look;
mod uapi;
mod watch;

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, BorrowedFd};

use docknet_types::{IpNet, MacAddr};

pub(crate) use self::look::{Link, Route};
use self::uapi::*;
pub(crate) use self::watch::{Change, Watch};
use super::message::Messages;
use super::netlink::{Family, Netlink, Refused};

/// The links of the namespace in which it was opened.
#[derive(Debug)]
pub(crate) struct Links(Netlink);

/// A link's number in its namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Index(u32);

/// A number by which many links are found at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Group(pub(crate) u32);

/// A bridge that is to be made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bridge<'a> {
    pub(crate) name: &'a str,
    /// One that does not change with its ports, so that neighbours need not learn it anew.
    pub(crate) mac: MacAddr,
    pub(crate) mtu: Option<u32>,
    pub(crate) addresses: &'a [IpNet],
    /// Whether it has IPv6: else it does not even give itself an address.
    pub(crate) ipv6: bool,
    pub(crate) group: Group,
}

/// A pair of links that is to be made: one a port of a bridge here, the other inside another namespace.
#[derive(Clone, Debug)]
pub(crate) struct Pair<'a> {
    pub(crate) name: &'a str,
    pub(crate) bridge: Index,
    pub(crate) mtu: Option<u32>,
    pub(crate) group: Group,
    /// Whether it talks to the bridge only, and not to its other ports.
    pub(crate) isolated: bool,
    pub(crate) inside: Inside<'a>,
}

/// The link inside.
#[derive(Clone, Debug)]
pub(crate) struct Inside<'a> {
    pub(crate) name: &'a str,
    pub(crate) mac: MacAddr,
    pub(crate) namespace: BorrowedFd<'a>,
}

/// A link that is to be made on top of another one, inside another namespace.
#[derive(Clone, Debug)]
pub(crate) struct Upper<'a> {
    pub(crate) kind: UpperKind,
    pub(crate) parent: Index,
    pub(crate) mtu: Option<u32>,
    pub(crate) group: Group,
    pub(crate) inside: Inside<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UpperKind {
    Macvlan(MacvlanMode),
    Ipvlan(IpvlanMode),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MacvlanMode {
    Bridge,
    Passthru,
    Private,
    Vepa,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IpvlanMode {
    L2,
    L3,
    L3s,
}

/// What a link inside a namespace is to have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup<'a> {
    pub(crate) addresses: &'a [IpNet],
    pub(crate) ipv6: bool,
}

impl Links {
    pub(crate) fn open() -> io::Result<Self> {
        Ok(Self(Netlink::open(Family::Route)?))
    }

    /// A bridge, up at once.
    pub(crate) fn add_bridge(&mut self, bridge: &Bridge<'_>) -> Result<Index, Refused> {
        let index = self.add("add a bridge", bridge.name, Up::No, |message| {
            message.bytes(IFLA_ADDRESS, &bridge.mac.octets());
            message.number(IFLA_GROUP, bridge.group.0);
            if let Some(mtu) = bridge.mtu {
                message.number(IFLA_MTU, mtu);
            }
            message.nest(IFLA_LINKINFO, |message| message.text(IFLA_INFO_KIND, "bridge"));
        })?;
        self.set_up_bridge(index, bridge)?;
        Ok(index)
    }

    /// What a bridge has beside its name: the same again if it is there already.
    pub(crate) fn set_up_bridge(
        &mut self,
        index: Index,
        bridge: &Bridge<'_>,
    ) -> Result<(), Refused> {
        self.ask("set a bridge up", |messages| {
            link(messages, RTM_SETLINK, 0, Which::Index(index), Up::Yes, |message| {
                message.number(IFLA_GROUP, bridge.group.0);
                message.nest(IFLA_AF_SPEC, |message| {
                    // Published ports answer at 127.0.0.1: those connections leave by the bridge.
                    message.nest(AF_INET.into(), |message| {
                        message.nest(IFLA_INET_CONF, |message| {
                            message.number(IPV4_DEVCONF_ROUTE_LOCALNET, 1);
                        });
                    });
                    generated_addresses(message, bridge.ipv6);
                });
            });
            for net in bridge.addresses {
                address(messages, RTM_NEWADDR, REPLACE, index, *net);
            }
        })
    }

    /// Both ends in one request: nothing is ever seen half made.
    pub(crate) fn add_pair(&mut self, pair: &Pair<'_>) -> Result<(), Refused> {
        self.ask("add a veth pair", |messages| {
            link(messages, RTM_NEWLINK, NEW, Which::New, Up::Yes, |message| {
                message.text(IFLA_IFNAME, pair.name);
                message.number(IFLA_MASTER, pair.bridge.0);
                message.number(IFLA_GROUP, pair.group.0);
                if let Some(mtu) = pair.mtu {
                    message.number(IFLA_MTU, mtu);
                }
                message.nest(IFLA_LINKINFO, |message| {
                    message.text(IFLA_INFO_KIND, "veth");
                    message.nest(IFLA_INFO_DATA, |message| {
                        message.nest_after(VETH_INFO_PEER, &[0; IFINFOMSG], |message| {
                            inside(message, &pair.inside, pair.mtu);
                        });
                    });
                });
            });
            if pair.isolated {
                port(messages, Which::Name(pair.name), &[(IFLA_BRPORT_ISOLATED, 1)]);
            }
        })
    }

    pub(crate) fn add_upper(&mut self, upper: &Upper<'_>) -> Result<(), Refused> {
        self.ask("add a link to its parent", |messages| {
            link(messages, RTM_NEWLINK, NEW, Which::New, Up::No, |message| {
                inside(message, &upper.inside, upper.mtu);
                message.number(IFLA_LINK, upper.parent.0);
                message.number(IFLA_GROUP, upper.group.0);
                message.nest(IFLA_LINKINFO, |message| {
                    message.text(IFLA_INFO_KIND, upper.kind.name());
                    message.nest(IFLA_INFO_DATA, |message| match upper.kind {
                        UpperKind::Macvlan(mode) => {
                            message.number(IFLA_MACVLAN_MODE, mode.number());
                        }
                        UpperKind::Ipvlan(mode) => {
                            message.bytes(IFLA_IPVLAN_MODE, &mode.number().to_ne_bytes());
                        }
                    });
                });
            });
        })
    }

    /// A VLAN of a link, up at once.
    pub(crate) fn add_vlan(
        &mut self,
        name: &str,
        parent: Index,
        id: u16,
        group: Group,
    ) -> Result<Index, Refused> {
        self.add("add a VLAN", name, Up::Yes, |message| {
            message.number(IFLA_LINK, parent.0);
            message.number(IFLA_GROUP, group.0);
            message.nest(IFLA_LINKINFO, |message| {
                message.text(IFLA_INFO_KIND, "vlan");
                message.nest(IFLA_INFO_DATA, |message| {
                    message.bytes(IFLA_VLAN_ID, &id.to_ne_bytes());
                });
            });
        })
    }

    /// A link that leads nowhere, up at once.
    pub(crate) fn add_dummy(&mut self, name: &str, group: Group) -> Result<Index, Refused> {
        self.add("add a dummy link", name, Up::Yes, |message| {
            message.number(IFLA_GROUP, group.0);
            message.nest(IFLA_LINKINFO, |message| message.text(IFLA_INFO_KIND, "dummy"));
        })
    }

    /// Gives a link what it is to have, and sets it up.
    pub(crate) fn set_up(&mut self, index: Index, setup: &Setup<'_>) -> Result<(), Refused> {
        self.ask("set a link up", |messages| {
            if !setup.ipv6 {
                // Before it comes up. One that is up stays so: its routes would be lost.
                link(messages, RTM_SETLINK, 0, Which::Index(index), Up::Same, |message| {
                    message.nest(IFLA_AF_SPEC, |message| generated_addresses(message, setup.ipv6));
                });
            }
            for net in setup.addresses {
                address(messages, RTM_NEWADDR, REPLACE, index, *net);
            }
            link(messages, RTM_SETLINK, 0, Which::Index(index), Up::Yes, |_| {});
        })
    }

    pub(crate) fn set_up_loopback(&mut self) -> Result<(), Refused> {
        self.ask("set the loopback up", |messages| {
            link(messages, RTM_SETLINK, 0, Which::Name("lo"), Up::Yes, |_| {});
        })
    }

    /// Takes addresses of a link away; they need not be there.
    pub(crate) fn take_addresses(
        &mut self,
        index: Index,
        addresses: &[IpNet],
    ) -> Result<(), Refused> {
        for net in addresses {
            let gone = self.ask("remove an address", |messages| {
                address(messages, RTM_DELADDR, 0, index, *net);
            });
            match gone {
                Err(refused) if refused.errno() == rustix::io::Errno::ADDRNOTAVAIL => {}
                other => other?,
            }
        }
        Ok(())
    }

    /// Whatever no other route takes goes to this gateway, or nowhere.
    pub(crate) fn lead(&mut self, index: Index, gateway: IpAddr) -> Result<(), Refused> {
        self.ask("set the default route", |messages| {
            route(messages, RTM_NEWROUTE, REPLACE, Some(index), Some(gateway), gateway);
        })
    }

    /// The same, unless there is a default route of that family; whether there is this one now.
    pub(crate) fn lead_unless_led(
        &mut self,
        index: Index,
        gateway: IpAddr,
    ) -> Result<bool, Refused> {
        let led = self.routes()?.into_iter().any(|route| {
            route.to.prefix_len() == 0
                && route.to.addr().is_ipv4() == gateway.is_ipv4()
                && route.link != Some(index)
        });
        if led {
            return Ok(false);
        }
        let made = self.ask("set the default route", |messages| {
            route(messages, RTM_NEWROUTE, NEW, Some(index), Some(gateway), gateway);
        });
        match made {
            // It is by this link.
            Err(refused) if refused.errno() == rustix::io::Errno::EXIST => Ok(true),
            other => other.map(|()| true),
        }
    }

    /// Takes a default route by this link to this gateway away; it need not be there.
    pub(crate) fn lead_no_more(&mut self, index: Index, gateway: IpAddr) -> Result<(), Refused> {
        let gone = self.ask("remove the default route", |messages| {
            route(messages, RTM_DELROUTE, 0, Some(index), Some(gateway), gateway);
        });
        match gone {
            Err(refused) if refused.errno() == rustix::io::Errno::SRCH => Ok(()),
            other => other,
        }
    }

    /// Takes the default route of a gateway's family away; it need not be there.
    pub(crate) fn lead_nowhere(&mut self, family: IpAddr) -> Result<(), Refused> {
        let gone = self.ask("remove the default route", |messages| {
            route(messages, RTM_DELROUTE, 0, None, None, family);
        });
        match gone {
            Err(refused) if refused.errno() == rustix::io::Errno::SRCH => Ok(()),
            other => other,
        }
    }

    /// No packet passes a link any more, from now on. A port's state would not do: any change of the link resets it.
    pub(crate) fn discard(&mut self, name: &str, group: Group) -> Result<(), Refused> {
        self.ask("set a link down", |messages| {
            link(messages, RTM_SETLINK, 0, Which::Name(name), Up::No, |message| {
                message.number(IFLA_GROUP, group.0);
            });
        })
    }

    /// Lets packets leave a port of a bridge by which they came in.
    pub(crate) fn set_hairpin(&mut self, name: &str) -> Result<(), Refused> {
        self.ask("change a port of a bridge", |messages| {
            port(messages, Which::Name(name), &[(IFLA_BRPORT_MODE, 1)]);
        })
    }

    /// Makes a link a port of this bridge, and up.
    pub(crate) fn set_bridge(&mut self, port: Index, bridge: Index) -> Result<(), Refused> {
        self.ask("make a link a port of a bridge", |messages| {
            link(messages, RTM_SETLINK, 0, Which::Index(port), Up::Yes, |message| {
                message.number(IFLA_MASTER, bridge.0);
            });
        })
    }

    /// Moves a link into another namespace, down and without its addresses and routes, by another name.
    pub(crate) fn take_out(
        &mut self,
        index: Index,
        to: BorrowedFd<'_>,
        name: &str,
        group: Group,
    ) -> Result<(), Refused> {
        self.ask("take a link out of a namespace", |messages| {
            link(messages, RTM_SETLINK, 0, Which::Index(index), Up::No, |message| {
                message.number(IFLA_NET_NS_FD, to.as_raw_fd().unsigned_abs());
                message.text(IFLA_IFNAME, name);
                message.number(IFLA_GROUP, group.0);
            });
        })
    }

    /// Takes a link's addresses, and with them its routes, sets it down, and gives it another name: nothing of what it was is
    /// left to be seen.
    pub(crate) fn strip(
        &mut self,
        index: Index,
        addresses: &[IpNet],
        name: &str,
        group: Group,
    ) -> Result<(), Refused> {
        self.take_addresses(index, addresses)?;
        self.ask("strip a link", |messages| {
            // By itself: kernels before 6.2 name no link anew that is up.
            link(messages, RTM_SETLINK, 0, Which::Index(index), Up::No, |_| {});
            link(messages, RTM_SETLINK, 0, Which::Index(index), Up::Same, |message| {
                message.text(IFLA_IFNAME, name);
                message.number(IFLA_GROUP, group.0);
            });
        })
    }

    /// Makes these be of another group.
    pub(crate) fn move_to(&mut self, links: &[Index], group: Group) -> Result<(), Refused> {
        // Acknowledgements of all of them at once might not find room.
        for some in links.chunks(AT_ONCE) {
            self.ask("move links to a group", |messages| {
                for index in some {
                    link(messages, RTM_SETLINK, 0, Which::Index(*index), Up::Same, |message| {
                        message.number(IFLA_GROUP, group.0);
                    });
                }
            })?;
        }
        Ok(())
    }

    /// Takes all links of a group away, and the other ends of pairs. The kernel waits, once, for everybody who may still look
    /// at them.
    pub(crate) fn remove_group(&mut self, group: Group) -> Result<(), Refused> {
        let gone = self.ask("remove links", |messages| {
            link(messages, RTM_DELLINK, 0, Which::New, Up::Same, |message| {
                message.number(IFLA_GROUP, group.0);
            });
        });
        match gone {
            Err(refused) if refused.errno() == rustix::io::Errno::NODEV => Ok(()),
            other => other,
        }
    }

    /// Takes a link away, and its other end if it is one of a pair. The kernel waits for everybody who may still look at it.
    pub(crate) fn remove(&mut self, index: Index) -> Result<(), Refused> {
        self.ask("remove a link", |messages| {
            link(messages, RTM_DELLINK, 0, Which::Index(index), Up::Same, |_| {});
        })
    }

    fn ask(
        &mut self,
        doing: &'static str,
        write: impl FnOnce(&mut Messages),
    ) -> Result<(), Refused> {
        let mut messages = Messages::default();
        write(&mut messages);
        self.0.ask(doing, messages, |_| {})
    }

    /// Adds a link of this name; its number, which kernels since 6.2 tell at once.
    fn add(
        &mut self,
        doing: &'static str,
        name: &str,
        up: Up,
        write: impl FnOnce(&mut Messages),
    ) -> Result<Index, Refused> {
        let mut messages = Messages::default();
        link(&mut messages, RTM_NEWLINK, NEW | NLM_F_ECHO, Which::New, up, |message| {
            message.text(IFLA_IFNAME, name);
            write(message);
        });
        let mut made = None;
        self.0.ask(doing, messages, |message| made = Link::read(message))?;
        let made = if made.is_some() { made } else { self.find(name)? };
        made.map(|link| link.index).ok_or_else(|| Refused::gone("look at a link"))
    }
}

/// Which link is meant.
#[derive(Clone, Copy)]
enum Which<'a> {
    /// One that has no number yet, or that is told by an attribute.
    New,
    Index(Index),
    Name(&'a str),
}

/// Whether a link is to be up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Up {
    No,
    Same,
    Yes,
}

/// As many messages go in one go, where there may be any number.
const AT_ONCE: usize = 32;
/// To make what is not there, and nothing else.
const NEW: u16 = NLM_F_CREATE | NLM_F_EXCL;
/// To make what is not there, or to change what is.
const REPLACE: u16 = NLM_F_CREATE | NLM_F_REPLACE;

fn link(
    messages: &mut Messages,
    kind: u16,
    flags: u16,
    which: Which<'_>,
    up: Up,
    write: impl FnOnce(&mut Messages),
) {
    let index = if let Which::Index(index) = which { index.0 } else { 0 };
    let (value, change) = match up {
        Up::No => (0, IFF_UP),
        Up::Same => (0, 0),
        Up::Yes => (IFF_UP, IFF_UP),
    };
    let head = ifinfomsg(AF_UNSPEC, index, value, change);
    messages.add(kind, flags, &head, |message| {
        if let Which::Name(name) = which {
            message.text(IFLA_IFNAME, name);
        }
        write(message);
    });
}

/// Changes a port of a bridge: attributes and their values.
fn port(messages: &mut Messages, which: Which<'_>, values: &[(u16, u8)]) {
    link(messages, RTM_NEWLINK, 0, which, Up::Same, |message| {
        message.nest(IFLA_LINKINFO, |message| {
            message.text(IFLA_INFO_SLAVE_KIND, "bridge");
            message.nest(IFLA_INFO_SLAVE_DATA, |message| {
                for (kind, value) in values {
                    message.bytes(*kind, &[*value]);
                }
            });
        });
    });
}

fn inside(message: &mut Messages, inside: &Inside<'_>, mtu: Option<u32>) {
    message.text(IFLA_IFNAME, inside.name);
    message.bytes(IFLA_ADDRESS, &inside.mac.octets());
    message.number(IFLA_NET_NS_FD, inside.namespace.as_raw_fd().unsigned_abs());
    if let Some(mtu) = mtu {
        message.number(IFLA_MTU, mtu);
    }
}

/// Whether a link gives itself an IPv6 address.
fn generated_addresses(message: &mut Messages, wanted: bool) {
    let mode = if wanted { IN6_ADDR_GEN_MODE_EUI64 } else { IN6_ADDR_GEN_MODE_NONE };
    message.nest(AF_INET6.into(), |message| message.bytes(IFLA_INET6_ADDR_GEN_MODE, &[mode]));
}

fn address(messages: &mut Messages, kind: u16, flags: u16, index: Index, net: IpNet) {
    let (family, octets) = octets(net.addr());
    // No two have the same address: the engine gives each once. So nobody has to wait for an answer.
    let ifa_flags = if family == AF_INET6 { IFA_F_NODAD } else { 0 };
    let mut head = vec![family, net.prefix_len(), ifa_flags, 0];
    head.extend_from_slice(&index.0.to_ne_bytes());
    messages.add(kind, flags, &head, |message| {
        message.bytes(IFA_LOCAL, &octets);
        message.bytes(IFA_ADDRESS, &octets);
        if let IpNet::V4(net) = net
            && net.prefix_len() < 31
        {
            message.bytes(IFA_BROADCAST, &net.broadcast().octets());
        }
    });
}

fn route(
    messages: &mut Messages,
    kind: u16,
    flags: u16,
    index: Option<Index>,
    gateway: Option<IpAddr>,
    family: IpAddr,
) {
    let (family, _) = octets(family);
    let head = rtmsg(family, 0);
    messages.add(kind, flags, &head, |message| {
        if let Some(gateway) = gateway {
            message.bytes(RTA_GATEWAY, &octets(gateway).1);
        }
        if let Some(index) = index {
            message.number(RTA_OIF, index.0);
        }
    });
}

fn octets(address: IpAddr) -> (u8, Vec<u8>) {
    match address {
        IpAddr::V4(v4) => (AF_INET, v4.octets().to_vec()),
        IpAddr::V6(v6) => (AF_INET6, v6.octets().to_vec()),
    }
}

impl Index {
    pub(crate) fn number(self) -> u32 {
        self.0
    }
}

impl UpperKind {
    fn name(self) -> &'static str {
        match self {
            Self::Macvlan(_) => "macvlan",
            Self::Ipvlan(_) => "ipvlan",
        }
    }
}

impl MacvlanMode {
    fn number(self) -> u32 {
        match self {
            Self::Private => 1,
            Self::Vepa => 2,
            Self::Bridge => 4,
            Self::Passthru => 8,
        }
    }
}

impl IpvlanMode {
    fn number(self) -> u16 {
        match self {
            Self::L2 => 0,
            Self::L3 => 1,
            Self::L3s => 2,
        }
    }
}
