//! A container's namespace, and its links.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::AsFd as _;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread;
use std::time::{Duration, Instant};

use docknet_types::IpNet;

use super::bridge::MadeBridge;
use super::links::{Index, Inside, Link, Links, Pair, Setup, Upper};
use super::namespace::Namespace;
use super::netlink::{Refused, unless_gone};
use super::resolver::{self, Before};
use super::upper::MadeParent;
use super::{GONE, OURS, PlaneError, cannot, gone};
use crate::core::step::{Outlook, Plug};
use crate::dns::Sockets;

#[derive(Debug)]
pub(crate) struct Sandbox {
    namespace: Namespace,
    /// Those inside.
    links: Links,
    /// By their names inside.
    plugged: BTreeMap<String, Plugged>,
    /// The last link that left, as the reaper counts them.
    last_gone: Arc<AtomicU64>,
    /// For a namespace that a container brought along: it is no other container's while this is open.
    brought: Option<UnixListener>,
}

/// A link of a container.
#[derive(Debug)]
struct Plugged {
    index: Index,
    /// The other end of it, on a bridge.
    port: Option<String>,
}

/// Where a link of a container is to be.
pub(crate) enum Under<'a> {
    Bridge(&'a MadeBridge),
    Parent(&'a MadeParent),
}

impl Sandbox {
    /// A new namespace, with a loopback that is up.
    ///
    /// `last` is done inside, once all that it is to have is there: what keeps it keeps no half of one.
    pub(crate) fn open(
        last: impl FnOnce() -> io::Result<()> + Send,
    ) -> io::Result<(Self, Sockets)> {
        let (namespace, (links, sockets)) = Namespace::with(|| {
            let mut links = Links::open()?;
            links.set_up_loopback().map_err(io::Error::other)?;
            // As Docker's containers have it: no privilege is needed for ports below 1024, nor to ping.
            fs::write("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0")?;
            // Its links tell neighbours where an address is now that somebody else had before.
            fs::write("/proc/sys/net/ipv4/conf/default/arp_notify", "1")?;
            if let Err(why) = fs::write("/proc/sys/net/ipv6/conf/default/ndisc_notify", "1")
                && why.kind() != io::ErrorKind::NotFound
            {
                return Err(why);
            }
            // A user namespace may not have all groups.
            const PINGS: &str = "/proc/sys/net/ipv4/ping_group_range";
            fs::write(PINGS, "0 2147483647").or_else(|_| fs::write(PINGS, "0 0"))?;
            let sockets = resolver::listen(Before::Nothing)?;
            last()?;
            Ok((links, sockets))
        })?;
        Ok((Self::new(namespace, links, None), sockets))
    }

    fn new(namespace: Namespace, links: Links, brought: Option<UnixListener>) -> Self {
        let (plugged, last_gone) = (BTreeMap::new(), Arc::default());
        Self { namespace, links, plugged, last_gone, brought }
    }

    /// One that was there before.
    pub(crate) fn open_again(namespace: Namespace) -> io::Result<(Self, Sockets)> {
        let (links, sockets) = namespace.within(|| {
            let mut links = Links::open()?;
            links.remove_group(GONE).map_err(io::Error::other)?;
            Ok((links, resolver::listen(Before::Rules)?))
        })?;
        Ok((Self::new(namespace, links, None), sockets))
    }

    /// One that is somebody else's. Nothing in it is changed but what names take: a loopback that is up, a table of ours.
    ///
    /// `first` is done inside before anything else.
    pub(crate) fn adopt(
        namespace: Namespace,
        first: impl FnOnce() -> io::Result<()> + Send,
    ) -> io::Result<(Self, Sockets)> {
        let (links, sockets, lock) = namespace.within(|| {
            let lock = lock()?;
            first()?;
            let mut links = Links::open()?;
            links.remove_group(GONE).map_err(io::Error::other)?;
            links.set_up_loopback().map_err(io::Error::other)?;
            Ok((links, resolver::listen(Before::Rules)?, lock))
        })?;
        Ok((Self::new(namespace, links, Some(lock)), sockets))
    }

    /// What was ours in a namespace that a container brought along is taken out again, but for links of pairs, which go with
    /// their other ends.
    pub(crate) fn leave(namespace: &Namespace) -> io::Result<()> {
        namespace.within(|| {
            let mut links = Links::open()?;
            remove_uppers(&mut links, |_| true).map_err(io::Error::other)?;
            resolver::forget()
        })
    }

    /// Nobody is to have it any more. What a container brought along is then as it was.
    pub(crate) fn close(mut self) {
        if self.brought.is_none() {
            return;
        }
        for plugged in std::mem::take(&mut self.plugged).into_values() {
            if let Err(refused) = self.links.remove(plugged.index) {
                tracing::warn!(%refused, "a link stays in a namespace of somebody else's");
            }
        }
        if let Err(why) = Self::leave(&self.namespace) {
            tracing::warn!(%why, "a namespace of somebody else's is not as it was");
        }
    }

    /// Does something inside.
    pub(crate) fn within<T: Send>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send,
    ) -> io::Result<T> {
        self.namespace.within(work)
    }

    /// A link of a container, and what it is to have.
    pub(crate) fn attach(
        &mut self,
        host: &mut Links,
        under: &Under<'_>,
        plug: &Plug,
    ) -> Result<(), PlaneError> {
        let (Some(name), Some(mac)) = (&plug.endpoint.interface, plug.endpoint.mac) else {
            return Err(PlaneError::new("an endpoint has no link".to_owned()));
        };
        let inside = Inside { name, mac, namespace: self.namespace.as_fd() };
        match under {
            Under::Bridge(bridge) => host.add_pair(&Pair {
                name: &Self::port(plug),
                bridge: bridge.rules.bridge,
                mtu: bridge.layout.mtu,
                group: OURS,
                isolated: !bridge.layout.company,
                inside,
            })?,
            Under::Parent(parent) => host.add_upper(&Upper {
                kind: parent.kind,
                parent: parent.index,
                mtu: parent.mtu,
                group: OURS,
                inside,
            })?,
        }
        let port = matches!(under, Under::Bridge(_)).then(|| Self::port(plug));
        let done = self.set_up(name, port, plug);
        if done.is_err() {
            self.remove_half(host, under, name, plug);
        }
        done
    }

    /// Mends a link whose other end is there; whether both are.
    pub(crate) fn attach_again(
        &mut self,
        host: &mut Links,
        bridge: &MadeBridge,
        plug: &Plug,
        port: &Link,
    ) -> Result<bool, PlaneError> {
        if !self.set_up_again(plug)? {
            return Ok(false);
        }
        if port.bridge != Some(bridge.rules.bridge) || !port.up {
            host.set_bridge(port.index, bridge.rules.bridge)?;
        }
        Ok(true)
    }

    /// Takes away what has the name that a link is to have: it was made for something that was never committed. Whether the
    /// name is free then: where others have links, too, one goes only if its other end is one of these ports.
    pub(crate) fn make_room<'a>(
        &mut self,
        plug: &Plug,
        mut ports: impl Iterator<Item = &'a Link>,
    ) -> Result<bool, Refused> {
        let Some(name) = &plug.endpoint.interface else { return Ok(true) };
        let Some(other) = self.links.find(name)? else { return Ok(true) };
        let is_ours = self.brought.is_none()
            || is_upper(&other)
            || ports.any(|port| {
                port.other_end == Some(other.index) && other.other_end == Some(port.index)
            });
        if is_ours {
            self.links.remove(other.index)?;
        }
        Ok(is_ours)
    }

    /// Mends what a link has; whether it is there.
    pub(crate) fn set_up_again(&mut self, plug: &Plug) -> Result<bool, PlaneError> {
        let Some(name) = &plug.endpoint.interface else { return Ok(false) };
        let Some(there) = self.links.find(name)? else { return Ok(false) };
        let on_bridge = plug.network.config.bridge.is_some();
        let differs = match on_bridge {
            true => there.mac != plug.endpoint.mac,
            false => !is_upper(&there),
        };
        if self.brought.is_some() && differs {
            return Ok(false);
        }
        let port = on_bridge.then(|| Self::port(plug));
        self.set_up(name, port, plug)?;
        Ok(true)
    }

    /// Takes away links on top of the host's that were made for something that was never committed. Others of our group may
    /// be there: those of an engine that a program inside has started.
    pub(crate) fn sweep(&mut self) -> Result<(), Refused> {
        let plugged = &self.plugged;
        remove_uppers(&mut self.links, |index| {
            plugged.values().all(|plugged| plugged.index != index)
        })
    }

    /// Takes a link out of use: nothing passes it any more, and its name and addresses are free. The kernel takes it away
    /// later.
    pub(crate) fn detach(
        &mut self,
        host: &mut Links,
        home: &Namespace,
        plug: &Plug,
    ) -> Result<(), Refused> {
        let Some(name) = &plug.endpoint.interface else { return Ok(()) };
        let Some(Plugged { index, port }) = self.plugged.remove(name) else { return Ok(()) };
        let Some(port) = port else {
            // Named as a port is, which no other link is. There it goes with those that are gone.
            let gone = format!("gone{}", plug.endpoint.id.get(..11).unwrap_or_default());
            return unless_gone(self.links.take_out(index, home.as_fd(), &gone, GONE));
        };
        // Whoever is inside may have moved it elsewhere, or taken it away: it goes with its other end.
        let stripped = unless_gone(self.links.strip(index, &addresses(plug), &gone(index), GONE));
        // From now on the kernel may take both ends away at any time.
        let cut = unless_gone(host.discard(&port, GONE));
        stripped.and(cut)
    }

    /// Sends what no network of its own takes somewhere else.
    pub(crate) fn turn(
        &mut self,
        host: &mut Links,
        from: &Outlook,
        to: &Outlook,
    ) -> Result<(), Refused> {
        let v4 = to.gateway4.as_ref().map(|(link, gateway)| (link, IpAddr::V4(*gateway)));
        let v6 = to.gateway6.as_ref().map(|(link, gateway)| (link, IpAddr::V6(*gateway)));
        if !to.openings.is_empty() {
            // So that it finds itself at a port that it has published.
            for (link, _) in v4.iter().chain(&v6) {
                if let Some(port) = self.plugged.get(*link).and_then(|link| link.port.as_ref()) {
                    host.set_hairpin(port)?;
                }
            }
        }
        if self.brought.is_some() {
            let from4 = from.gateway4.as_ref().map(|(link, gateway)| (link, (*gateway).into()));
            let from6 = from.gateway6.as_ref().map(|(link, gateway)| (link, (*gateway).into()));
            self.lead_beside(v4, from4)?;
            return self.lead_beside(v6, from6);
        }
        self.lead(v4, from.gateway4.as_ref().map(|_| Ipv4Addr::UNSPECIFIED.into()))?;
        self.lead(v6, from.gateway6.as_ref().map(|_| Ipv6Addr::UNSPECIFIED.into()))
    }

    /// The same where others have routes, too: theirs stay, and one of theirs is as good as ours.
    fn lead_beside(
        &mut self,
        to: Option<(&String, IpAddr)>,
        from: Option<(&String, IpAddr)>,
    ) -> Result<(), Refused> {
        if to == from {
            return Ok(());
        }
        if let Some((link, gateway)) = from
            && let Some(link) = self.plugged.get(link)
        {
            self.links.lead_no_more(link.index, gateway)?;
        }
        let Some((link, gateway)) = to else { return Ok(()) };
        let Some(link) = self.plugged.get(link) else { return Ok(()) };
        if !self.links.lead_unless_led(link.index, gateway)? {
            tracing::debug!(%gateway, "a namespace of somebody else's has a default route");
        }
        Ok(())
    }

    pub(crate) fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    pub(crate) fn last_gone(&self) -> &Arc<AtomicU64> {
        &self.last_gone
    }

    /// The name of the end that is a port of the bridge. 44 bits of the endpoint's id keep them apart.
    pub(crate) fn port(plug: &Plug) -> String {
        format!("veth{}", plug.endpoint.id.get(..11).unwrap_or_default())
    }

    fn lead(&mut self, to: Option<(&String, IpAddr)>, from: Option<IpAddr>) -> Result<(), Refused> {
        match to {
            Some((link, gateway)) => match self.plugged.get(link) {
                Some(link) => self.links.lead(link.index, gateway),
                None => Err(Refused::gone("set the default route")),
            },
            None => from.map_or(Ok(()), |family| self.links.lead_nowhere(family)),
        }
    }

    fn set_up(&mut self, name: &str, port: Option<String>, plug: &Plug) -> Result<(), PlaneError> {
        let link = self.links.find(name)?.ok_or_else(|| Refused::gone("find a link"))?;
        let addresses = addresses(plug);
        let ipv6 = addresses.iter().any(|net| net.addr().is_ipv6());
        if self.brought.is_some() {
            // The others have it of their namespace.
            self.within(|| {
                tell_neighbours(name);
                Ok(())
            })
            .map_err(|why| cannot("set a link up", &why))?;
        }
        self.links.set_up(link.index, &Setup { addresses: &addresses, ipv6 })?;
        if !plug.sysctls.is_empty() {
            self.within(|| set_sysctls(name, &plug.sysctls))
                .map_err(|why| cannot("set what was asked for", &why))?;
        }
        self.plugged.insert(name.to_owned(), Plugged { index: link.index, port });
        Ok(())
    }

    /// Nobody was told of it: it may take its time.
    fn remove_half(&mut self, host: &mut Links, under: &Under<'_>, name: &str, plug: &Plug) {
        let removed = match under {
            Under::Bridge(_) => host
                .find(&Self::port(plug))
                .and_then(|link| link.map_or(Ok(()), |link| host.remove(link.index))),
            Under::Parent(_) => self
                .links
                .find(name)
                .and_then(|link| link.map_or(Ok(()), |link| self.links.remove(link.index))),
        };
        if let Err(refused) = removed {
            tracing::warn!(%refused, "a link that could not be set up stays");
        }
    }
}

/// A name of the namespace's own: the abstract ones of Unix sockets are.
const LOCK: &[u8] = b"docknet-container";

/// A program that is being started has a copy of what this process has open, until it runs.
const BRIEFLY: Duration = Duration::from_millis(300);

fn lock() -> io::Result<UnixListener> {
    let (name, begun) = (SocketAddr::from_abstract_name(LOCK)?, Instant::now());
    loop {
        match UnixListener::bind_addr(&name) {
            Err(error) if error.kind() != io::ErrorKind::AddrInUse => return Err(error),
            Err(error) if begun.elapsed() > BRIEFLY => {
                return Err(io::Error::new(error.kind(), "it is that of another container"));
            }
            Err(_) => thread::sleep(Duration::from_millis(5)),
            lock => return lock,
        }
    }
}

fn remove_uppers(links: &mut Links, which: impl Fn(Index) -> bool) -> Result<(), Refused> {
    for link in links.list()? {
        if is_upper(&link) && which(link.index) {
            links.remove(link.index)?;
        }
    }
    Ok(())
}

/// A link of ours that is on top of one of the host's.
fn is_upper(link: &Link) -> bool {
    matches!(link.kind.as_deref(), Some("macvlan" | "ipvlan")) && link.group == Some(OURS)
}

/// Has a link tell where an address is now that somebody else had before. Without it, neighbours learn it later.
fn tell_neighbours(link: &str) {
    for file in [format!("ipv4/conf/{link}/arp_notify"), format!("ipv6/conf/{link}/ndisc_notify")] {
        let _ = fs::write(format!("/proc/sys/net/{file}"), "1");
    }
}

fn addresses(plug: &Plug) -> Vec<IpNet> {
    let endpoint = &plug.endpoint;
    let v4 = endpoint.ipv4.and_then(|(ip, prefix)| IpNet::new(ip.into(), prefix).ok());
    let v6 = endpoint.ipv6.and_then(|(ip, prefix)| IpNet::new(ip.into(), prefix).ok());
    let local = plug.link_local.iter().filter_map(|ip| match ip {
        IpAddr::V4(_) => IpNet::new(*ip, 16).ok(),
        IpAddr::V6(_) => IpNet::new(*ip, 64).ok(),
    });
    v4.into_iter().chain(v6).chain(local).collect()
}

/// Sets `net.ipv4.conf.IFNAME.…` and its like, with the link's own name. What else is asked for was refused before.
fn set_sysctls(link: &str, sysctls: &[(String, String)]) -> io::Result<()> {
    for (name, value) in sysctls {
        let path: Vec<&str> =
            name.split('.').map(|part| if part == "IFNAME" { link } else { part }).collect();
        fs::write(format!("/proc/sys/{}", path.join("/")), value)
            .map_err(|why| io::Error::new(why.kind(), format!("sysctl {name}={value}: {why}")))?;
    }
    Ok(())
}
