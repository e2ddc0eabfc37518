//! How a container's queries for names reach the engine, and who may be found by whom.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::thread;
use std::time::SystemTime;

use docknet_types::ContainerId;

use super::home::Home;
use super::nft::{Base, Batch, Expr, Hook, Meta, Nft, Register, Table, TableFamily};
use crate::core::step::Outlook;
use crate::dns::{Directory, Forward, Member, RESOLVER, Resolv, Server, Sockets, View};

/// The names of all networks, and who answers with them.
#[derive(Debug)]
pub(crate) struct Resolver {
    directory: Arc<Directory>,
    server: Server,
    host: HostResolvers,
}

/// Whom the host asks.
#[derive(Debug, Default)]
struct HostResolvers {
    read: Option<SystemTime>,
    servers: Arc<[SocketAddr]>,
}

const HOST_FILE: &str = "/etc/resolv.conf";

impl Resolver {
    /// Other resolvers are asked from where the bridges are.
    pub(crate) fn start(home: &Home) -> io::Result<Self> {
        let directory = Arc::new(Directory::new());
        // A thread is born where the one that starts it is.
        let server = home.within(|| Server::start(directory.clone()))?;
        Ok(Self { directory, server, host: HostResolvers::default() })
    }

    /// Answers a container.
    pub(crate) fn serve(&self, container: &ContainerId, sockets: Sockets) -> io::Result<()> {
        self.server.serve(container.clone(), sockets)
    }

    pub(crate) fn close(&self, container: &ContainerId) {
        self.server.stop(container);
        self.directory.close(container);
    }

    /// A container is elsewhere, or has other names.
    pub(crate) fn turn(&mut self, container: &ContainerId, from: &Outlook, to: &Outlook) {
        for place in &from.places {
            if to.places.iter().all(|other| other.network != place.network) {
                self.directory.leave(&place.network, container);
            }
        }
        for place in to.places.iter().filter(|place| !from.places.contains(place)) {
            let member = Member {
                container: container.clone(),
                names: place.names.clone(),
                ipv4: place.ipv4,
                ipv6: place.ipv6,
            };
            self.directory.join(&place.network, &place.network_name, member);
        }
        if to.places.is_empty() {
            self.directory.close(container);
            return;
        }
        let networks = to.places.iter().map(|place| (place.network.clone(), place.links.clone()));
        // Who is on internal networks only, reaches nobody through us either.
        let forward = match to.places.iter().all(|place| place.internal) {
            true => Forward::Nowhere,
            false => Forward::To(self.host.look()),
        };
        self.directory.open(container.clone(), View { networks: networks.collect(), forward });
    }
}

impl HostResolvers {
    /// Reads the host's file again if it was written since.
    fn look(&mut self) -> Arc<[SocketAddr]> {
        let written = fs::metadata(HOST_FILE).and_then(|file| file.modified()).ok();
        if written != self.read || self.read.is_none() {
            let text = fs::read_to_string(HOST_FILE).unwrap_or_default();
            self.servers = Resolv::parse(&text, link).nameservers.into();
            self.read = written;
        }
        self.servers.clone()
    }
}

/// The number of a link, for an address of that link alone.
pub(super) fn link(name: &str) -> Option<u32> {
    fs::read_to_string(format!("/sys/class/net/{name}/ifindex")).ok()?.trim().parse().ok()
}

/// What a namespace had before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    /// It is new.
    Nothing,
    /// Rules of the engine that had it.
    Rules,
}

/// Sockets for a container's queries, and rules that lead them there. To be called inside. Port 53 itself stays free for who
/// serves names there.
pub(crate) fn listen(before: Before) -> io::Result<Sockets> {
    let udp = UdpSocket::bind((RESOLVER, 0))?;
    let tcp = TcpListener::bind((RESOLVER, 0))?;
    let ports = [(UDP, udp.local_addr()?.port()), (TCP, tcp.local_addr()?.port())];
    let mut batch = Batch::default();
    if before == Before::Rules {
        // Added first, so that there is something to remove.
        batch.add_table(TABLE);
        batch.remove_table(TABLE);
    }
    batch.add_table(TABLE);
    let hook = Hook { kind: "nat", number: LOCAL_OUT, priority: PRIORITY_NAT_DST };
    batch.add_chain(TABLE, CHAIN, Some(hook));
    for (protocol, port) in ports {
        let rule = [
            Expr::Payload { base: Base::Network, offset: 16, length: 4, into: R0 },
            Expr::Is(R0, &RESOLVER.octets()),
            Expr::Meta(Meta::L4Protocol, R0),
            Expr::Is(R0, &[protocol]),
            Expr::Payload { base: Base::Transport, offset: 2, length: 2, into: R0 },
            Expr::Is(R0, &DOMAIN.to_be_bytes()),
            Expr::Value(&port.to_be_bytes(), R0),
            Expr::RedirectPort { family: NFPROTO_IPV4, port: R0 },
        ];
        batch.add_rule(TABLE, CHAIN, &rule);
    }
    let mut nft = Nft::open()?;
    nft.commit("lead queries for names", &batch).map_err(io::Error::other)?;
    if before == Before::Rules {
        // Closing it waits for what was removed. Nobody else has to, and many wait no longer than one.
        let close = thread::Builder::new().name("docknet-close".to_owned());
        let _ = close.spawn(move || drop(nft));
    }
    Ok(Sockets { udp, tcp })
}

/// Takes the rules away; they need not be there. To be called inside.
pub(crate) fn forget() -> io::Result<()> {
    let mut batch = Batch::default();
    batch.add_table(TABLE);
    batch.remove_table(TABLE);
    Nft::open()?.commit("lead queries for names no more", &batch).map_err(io::Error::other)
}

const TABLE: Table = Table { family: TableFamily::Ipv4, name: "docknet" };
const CHAIN: &str = "names";
const R0: Register = Register(0);
const DOMAIN: u16 = 53;
const TCP: u8 = 6;
const UDP: u8 = 17;
// linux/netfilter.h, linux/netfilter_ipv4.h
const LOCAL_OUT: u32 = 3;
const PRIORITY_NAT_DST: i32 = -100;
const NFPROTO_IPV4: u8 = 2;
