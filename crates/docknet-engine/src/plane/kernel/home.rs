//! The namespace that bridges are in: the host's, or one of our own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::sync::Arc;

use docknet_types::IpNet;

use super::links::{Change, Index, Links, Watch};
use super::namespace::Namespace;
use super::netlink::Refused;
use super::{DEAD, GONE, OURS};
use crate::core::host::{Host, Link};

/// Where networks are to be.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// In the namespace of whoever starts the engine.
    Host,
    /// In this one.
    Inside(Arc<Namespace>),
    /// In a new one, which nobody else sees and which goes with the engine.
    Private,
}

#[derive(Debug)]
pub(crate) struct Home {
    private: bool,
    namespace: Namespace,
    forwards_ipv6: bool,
    /// Nobody else's networks are in this namespace while this is open.
    _lock: UnixListener,
}

/// A name of the namespace's own: the abstract ones of Unix sockets are.
const LOCK: &[u8] = b"docknet-kernel";

impl Home {
    pub(crate) fn enter(place: Place) -> io::Result<Self> {
        let private = matches!(place, Place::Private);
        let namespace = match place {
            Place::Host => Namespace::current()?,
            Place::Inside(namespace) => namespace.again()?,
            Place::Private => Namespace::new()?,
        };
        let lock = namespace.within(|| {
            let lock = lock()?;
            if private {
                Links::open()?.set_up_loopback().map_err(io::Error::other)?;
            }
            fs::write("/proc/sys/net/ipv4/ip_forward", "1")?;
            Ok(lock)
        })?;
        Ok(Self { private, namespace, forwards_ipv6: false, _lock: lock })
    }

    /// Whether it goes with the engine.
    pub(crate) fn is_private(&self) -> bool {
        self.private
    }

    pub(crate) fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// Does something inside.
    pub(crate) fn within<T: Send>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send,
    ) -> io::Result<T> {
        self.namespace.within(work)
    }

    /// Lets IPv6 packets through. A link that learns its routes from a router goes on doing so.
    pub(crate) fn forward_ipv6(&mut self) -> io::Result<()> {
        const ALL: &str = "/proc/sys/net/ipv6/conf/all/forwarding";
        if self.forwards_ipv6 {
            return Ok(());
        }
        self.namespace.within(|| {
            if fs::read_to_string(ALL)?.trim() == "1" {
                return Ok(());
            }
            for link in fs::read_dir("/proc/sys/net/ipv6/conf")? {
                let learns = link?.path().join("accept_ra");
                if fs::read_to_string(&learns).is_ok_and(|value| value.trim() == "1") {
                    fs::write(&learns, "2")?;
                }
            }
            fs::write(ALL, "1")
        })?;
        self.forwards_ipv6 = true;
        Ok(())
    }
}

fn lock() -> io::Result<UnixListener> {
    UnixListener::bind_addr(&SocketAddr::from_abstract_name(LOCK)?).map_err(|error| {
        match error.kind() {
            io::ErrorKind::AddrInUse => io::Error::new(
                io::ErrorKind::AddrInUse,
                "another docknet engine has its networks here: stop it, or start this one in a \
                 network namespace of its own",
            ),
            _ => error,
        }
    })
}

/// What the host has beside us, kept up with what others change.
#[derive(Debug)]
pub(crate) struct HostFacts {
    watch: Watch,
    host: Host,
    /// The links of others.
    links: BTreeMap<Index, String>,
    /// The bridges of our networks.
    own: BTreeMap<Index, String>,
    /// Where packets go by links of others, and by which.
    routes: BTreeSet<(IpNet, Option<Index>)>,
}

impl HostFacts {
    pub(crate) fn open() -> io::Result<Self> {
        Ok(Self {
            watch: Watch::open()?,
            host: Host { is_real: true, ..Host::default() },
            links: BTreeMap::new(),
            own: BTreeMap::new(),
            routes: BTreeSet::new(),
        })
    }

    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    pub(crate) fn add_own(&mut self, bridge: Index, name: String) {
        self.host.links.insert(name.clone(), Link { is_bridge: true });
        self.own.insert(bridge, name);
    }

    pub(crate) fn forget_own(&mut self) {
        self.own.clear();
    }

    pub(crate) fn remove_own(&mut self, bridge: Index) {
        if let Some(name) = self.own.remove(&bridge) {
            self.host.links.remove(&name);
        }
    }

    /// Looks at everything.
    pub(crate) fn look(&mut self, links: &mut Links) -> Result<(), Refused> {
        self.links.clear();
        self.routes.clear();
        self.host.links = self.own.values().map(|name| (name.clone(), BRIDGE)).collect();
        for link in links.list()? {
            self.change(Change::Link(link));
        }
        for route in links.routes()? {
            self.change(Change::Route(route));
        }
        self.host.routes = self.routes.iter().map(|(to, _)| *to).collect();
        Ok(())
    }

    /// Looks at what others changed since.
    pub(crate) fn follow(&mut self, links: &mut Links) -> Result<(), Refused> {
        let mut changed = false;
        while let Some(changes) = self.watch.changes() {
            let Some(changes) = changes else { return self.look(links) };
            for change in changes {
                changed |= self.change(change);
            }
        }
        if changed {
            self.host.routes = self.routes.iter().map(|(to, _)| *to).collect();
        }
        Ok(())
    }

    /// Whether that changes where packets go.
    fn change(&mut self, change: Change) -> bool {
        match change {
            Change::Link(link) => {
                if matches!(link.group, Some(OURS | GONE | DEAD)) {
                    return false;
                }
                let is_bridge = link.kind.as_deref() == Some("bridge");
                if let Some(former) = self.links.insert(link.index, link.name.clone()) {
                    self.host.links.remove(&former);
                }
                self.host.links.insert(link.name, Link { is_bridge });
                !link.up && self.lose_routes(link.index)
            }
            Change::LinkGone(index, _) => {
                if let Some(name) = self.links.remove(&index) {
                    self.host.links.remove(&name);
                }
                self.lose_routes(index)
            }
            Change::Route(route) => {
                let ours = route.link.is_some_and(|link| !self.links.contains_key(&link));
                !ours && self.routes.insert((route.to, route.link))
            }
            Change::RouteGone(route) => self.routes.remove(&(route.to, route.link)),
        }
    }

    /// The kernel does not tell of the routes that go with a link. Whether there were any.
    fn lose_routes(&mut self, of: Index) -> bool {
        let before = self.routes.len();
        self.routes.retain(|(_, link)| *link != Some(of));
        self.routes.len() != before
    }
}

const BRIDGE: Link = Link { is_bridge: true };
