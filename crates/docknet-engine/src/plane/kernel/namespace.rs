//! Network namespaces: made and entered by threads that are never given back.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::Path;
use std::thread;

use rustix::fs::{Mode, OFlags, fstat, fstatfs, open};
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space};

/// A network namespace, for as long as this or a process in it keeps it.
#[derive(Debug)]
pub(crate) struct Namespace(OwnedFd);

impl Namespace {
    /// A new one, with nothing in it but a loopback that is down.
    pub(crate) fn new() -> io::Result<Self> {
        Self::with(|| Ok(())).map(|(namespace, ())| namespace)
    }

    /// A new one, and what is done in it first.
    pub(crate) fn with<T: Send>(
        work: impl FnOnce() -> io::Result<T> + Send,
    ) -> io::Result<(Self, T)> {
        on_a_thread_of_its_own(|| {
            unshare_network()?;
            Ok((Self(own_namespace()?), work()?))
        })
    }

    /// Where the calling thread finds its own.
    pub(crate) const OWN: &str = "/proc/thread-self/ns/net";

    /// The one that is mounted on this file, or that a process shows there.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        // What is no namespace is not opened: a pipe would make us wait, and a device do something.
        let found = open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        if fstatfs(&found)?.f_type.cast_unsigned() != NSFS_MAGIC {
            return Err(io::Error::new(io::ErrorKind::NotFound, "no namespace is kept there"));
        }
        let again = format!("/proc/thread-self/fd/{}", found.as_raw_fd());
        Ok(Self(File::open(again)?.into()))
    }

    /// What no other one has.
    pub(crate) fn id(&self) -> io::Result<(u64, u64)> {
        let status = fstat(&self.0)?;
        Ok((status.st_dev, status.st_ino))
    }

    /// The one that the calling thread is in.
    pub(crate) fn current() -> io::Result<Self> {
        Ok(Self(own_namespace()?))
    }

    /// Another handle of the same one.
    pub(crate) fn again(&self) -> io::Result<Self> {
        Ok(Self(self.0.try_clone()?))
    }

    /// Does something inside. What it opens there stays there.
    pub(crate) fn within<T: Send>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send,
    ) -> io::Result<T> {
        on_a_thread_of_its_own(|| {
            move_into_link_name_space(self.0.as_fd(), Some(LinkNameSpaceType::Network))?;
            work()
        })
    }
}

impl AsFd for Namespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The thread ends with its work, so nothing else ever runs in the namespace that it entered.
fn on_a_thread_of_its_own<T: Send>(work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    thread::scope(|scope| {
        let thread =
            thread::Builder::new().name("namespace".to_owned()).spawn_scoped(scope, work)?;
        thread
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the thread in the namespace broke down")))
    })
}

/// linux/magic.h
const NSFS_MAGIC: u64 = 0x6e73_6673;

fn own_namespace() -> io::Result<OwnedFd> {
    Ok(File::open(Namespace::OWN)?.into())
}

#[expect(
    unsafe_code,
    reason = "the one system call here that can break what Rust promises, if its flags are others"
)]
fn unshare_network() -> io::Result<()> {
    // SAFETY: only with CLONE_FILES could this thread lose descriptors that others hold for it.
    unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNET) }?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::time::Duration;

    use super::super::links::{Bridge, Group, Inside, Links, Pair, Setup};
    use super::*;

    #[test]
    fn two_namespaces_are_joined_by_a_bridge() {
        let host = Namespace::new().unwrap();
        let mut links = host.within(Links::open).unwrap();
        let addresses = ["10.7.0.1/24".parse().unwrap(), "fd00:7::1/64".parse().unwrap()];
        let bridge = Bridge {
            name: "dn0",
            mac: "02:42:ac:11:00:01".parse().unwrap(),
            mtu: Some(1400),
            addresses: &addresses,
            ipv6: true,
            group: Group(7),
        };
        let bridge = links.add_bridge(&bridge).unwrap();
        let mut inner = Vec::new();
        for (at, address) in ["10.7.0.2/24", "10.7.0.3/24"].iter().enumerate() {
            let namespace = Namespace::new().unwrap();
            let inside = Inside {
                name: "eth0",
                mac: format!("02:42:0a:07:00:0{}", at + 2).parse().unwrap(),
                namespace: namespace.as_fd(),
            };
            let pair = Pair {
                name: &format!("veth{at}"),
                bridge,
                mtu: Some(1400),
                group: Group(7),
                isolated: false,
                inside,
            };
            links.add_pair(&pair).unwrap();
            let mut within = namespace.within(Links::open).unwrap();
            let eth0 = within.find("eth0").unwrap().unwrap();
            let setup = Setup { addresses: &[address.parse().unwrap()], ipv6: false };
            within.set_up(eth0.index, &setup).unwrap();
            within.lead(eth0.index, "10.7.0.1".parse().unwrap()).unwrap();
            assert!(within.routes().unwrap().iter().any(|route| route.to.prefix_len() == 0));
            within.lead_nowhere("10.7.0.1".parse().unwrap()).unwrap();
            within.lead_nowhere("10.7.0.1".parse().unwrap()).unwrap();
            assert!(within.routes().unwrap().iter().all(|route| route.to.prefix_len() != 0));
            inner.push((namespace, within, eth0.index));
        }
        let found = links.find("dn0").unwrap().unwrap();
        assert_eq!(
            (found.kind.as_deref(), found.mtu, found.up, found.group),
            (Some("bridge"), Some(1400), true, Some(Group(7)))
        );
        let own = links.addresses().unwrap();
        assert!(addresses.iter().all(|net| own.contains(&(bridge, *net))), "{own:?}");
        let ports = links.list().unwrap();
        assert_eq!(ports.iter().filter(|link| link.bridge == Some(bridge)).count(), 2);
        // TCP from the one to the other, until the port is closed.
        let listener = inner[1].0.within(|| TcpListener::bind("10.7.0.3:80")).unwrap();
        let connect = |timeout| {
            inner[0]
                .0
                .within(|| TcpStream::connect_timeout(&"10.7.0.3:80".parse().unwrap(), timeout))
        };
        connect(Duration::from_secs(5)).unwrap();
        listener.accept().unwrap();
        links.discard("veth1", Group(8)).unwrap();
        connect(Duration::from_millis(200)).unwrap_err();
        let (_, within, eth0) = &mut inner[1];
        within.strip(*eth0, &["10.7.0.3/24".parse().unwrap()], "gone", Group(8)).unwrap();
        assert_eq!(within.find("eth0").unwrap(), None);
        assert!(!within.find("gone").unwrap().unwrap().up);
        links.remove_group(Group(8)).unwrap();
        assert_eq!(links.find("veth1").unwrap(), None);
        links.remove_group(Group(8)).unwrap();
        links.remove(bridge).unwrap();
        assert_eq!(links.find("dn0").unwrap(), None);
    }
}
