//! Who is where: names and addresses of every network, and what each container may see of them.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use docknet_types::{ContainerId, NetworkId};

/// Shared by whoever changes networks and by the resolver. A change costs as much as the endpoint has names.
#[derive(Debug, Default)]
pub(crate) struct Directory(RwLock<Book>);

/// A container on a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) container: ContainerId,
    /// Its name first, then aliases and the short id. Reverse lookups give the first.
    pub(crate) names: Vec<String>,
    pub(crate) ipv4: Option<Ipv4Addr>,
    pub(crate) ipv6: Option<Ipv6Addr>,
}

/// What a container sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct View {
    /// Its networks, the first to be asked first, each with its links: an alias, and the name that it stands for.
    pub(crate) networks: Vec<(NetworkId, Vec<(String, String)>)>,
    pub(crate) forward: Forward,
}

/// Where names go that no network knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Forward {
    #[default]
    Nowhere,
    To(Arc<[SocketAddr]>),
}

/// What the networks of a container know about a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The name is known. Without an address of one family, there is none anywhere else either.
    Addresses {
        v4: Vec<Ipv4Addr>,
        v6: Vec<Ipv6Addr>,
    },
    NotOurs,
}

#[derive(Debug, Default)]
struct Book {
    networks: HashMap<NetworkId, Network>,
    views: HashMap<ContainerId, View>,
}

#[derive(Debug, Default)]
struct Network {
    name: String,
    members: HashMap<ContainerId, Arc<Member>>,
    /// Names in lower case. Ordered, so that nobody's place depends on when the others came.
    names: HashMap<String, BTreeMap<ContainerId, Arc<Member>>>,
    addresses: HashMap<IpAddr, Arc<Member>>,
}

impl Directory {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The container is on the network from now on, under these names and no others.
    pub(crate) fn join(&self, network: &NetworkId, network_name: &str, member: Member) {
        let mut book = self.write();
        let network = book.networks.entry(network.clone()).or_default();
        network.remove(&member.container);
        network.name = network_name.to_owned();
        network.insert(member);
    }

    pub(crate) fn leave(&self, network: &NetworkId, container: &ContainerId) {
        let mut book = self.write();
        if let Some(found) = book.networks.get_mut(network) {
            found.remove(container);
            if found.members.is_empty() {
                book.networks.remove(network);
            }
        }
    }

    /// From now on the container sees this. A view that it had is replaced.
    pub(crate) fn open(&self, container: ContainerId, mut view: View) {
        for (alias, target) in view.networks.iter_mut().flat_map(|(_, links)| links) {
            alias.make_ascii_lowercase();
            target.make_ascii_lowercase();
        }
        self.write().views.insert(container, view);
    }

    pub(crate) fn close(&self, container: &ContainerId) {
        self.write().views.remove(container);
    }

    /// The addresses behind a name, as this container may see it. No dot at the end.
    pub(crate) fn lookup(&self, container: &ContainerId, name: &str) -> Found {
        let book = self.read();
        let Some(view) = book.views.get(container) else { return Found::NotOurs };
        let name = name.to_ascii_lowercase();
        // `a.b.c` may be that name on any network, `a.b` on the network `c`, or `a` on the network `b.c`.
        let within = name.rmatch_indices('.').filter_map(|(at, _)| {
            Some((name.get(..at)?, Some(name.get(at..)?.strip_prefix('.')?)))
        });
        std::iter::once((name.as_str(), None))
            .chain(within)
            .find_map(|(name, network)| book.find(view, name, network))
            .map_or(Found::NotOurs, |members| {
                let members = members.values();
                Found::Addresses {
                    v4: members.clone().filter_map(|member| member.ipv4).collect(),
                    v6: members.filter_map(|member| member.ipv6).collect(),
                }
            })
    }

    /// `name.network` of whoever has the address, if that is on a network of this container.
    pub(crate) fn reverse(&self, container: &ContainerId, address: IpAddr) -> Option<String> {
        let book = self.read();
        book.views.get(container)?.networks.iter().find_map(|(network, _)| {
            let network = book.networks.get(network)?;
            let name = network.addresses.get(&address)?.names.first()?;
            Some(format!("{name}.{}", network.name))
        })
    }

    /// Where this container's other questions go.
    pub(crate) fn forward(&self, container: &ContainerId) -> Forward {
        self.read().views.get(container).map_or(Forward::Nowhere, |view| view.forward.clone())
    }

    fn read(&self) -> RwLockReadGuard<'_, Book> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Book> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    /// Whoever has the name on one of the networks of a view: links first, on every network, then names.
    fn find<'a>(
        &'a self,
        view: &View,
        name: &str,
        only: Option<&str>,
    ) -> Option<&'a BTreeMap<ContainerId, Arc<Member>>> {
        let networks = || {
            view.networks.iter().filter_map(|(network, links)| {
                let network = self.networks.get(network)?;
                only.is_none_or(|only| network.name.eq_ignore_ascii_case(only)).then(|| {
                    let link = links.iter().find(|(alias, _)| alias == name);
                    (network, link.map(|(_, target)| target))
                })
            })
        };
        let linked = networks().find_map(|(network, target)| network.names.get(target?));
        linked.or_else(|| {
            // Where a link has the name it hides it, even if its target is away.
            networks().filter(|(_, link)| link.is_none()).find_map(|(it, _)| it.names.get(name))
        })
    }
}

impl Network {
    fn insert(&mut self, member: Member) {
        let member = Arc::new(member);
        for name in &member.names {
            self.names
                .entry(name.to_ascii_lowercase())
                .or_default()
                .insert(member.container.clone(), Arc::clone(&member));
        }
        for address in member.addresses() {
            self.addresses.insert(address, Arc::clone(&member));
        }
        self.members.insert(member.container.clone(), member);
    }

    fn remove(&mut self, container: &ContainerId) {
        let Some(member) = self.members.remove(container) else { return };
        for name in &member.names {
            let name = name.to_ascii_lowercase();
            if let Some(others) = self.names.get_mut(&name) {
                others.remove(container);
                if others.is_empty() {
                    self.names.remove(&name);
                }
            }
        }
        for address in member.addresses() {
            // Somebody else may have it by now.
            if self.addresses.get(&address).is_some_and(|of| of.container == *container) {
                self.addresses.remove(&address);
            }
        }
    }
}

impl Member {
    fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.ipv4.map(IpAddr::V4).into_iter().chain(self.ipv6.map(IpAddr::V6))
    }
}

#[cfg(test)]
mod tests;
