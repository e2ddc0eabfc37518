//! Making the kernel agree with a state again, whatever it has: after a start, or when somebody else took something away.
//! What is right stays as it is, with the connections through it; the rest is made, mended or removed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use docknet_types::{ContainerId, IpNet, NetworkId};

use super::bridge::MadeBridge;
use super::links::{Index, Link};
use super::netlink::unless_gone;
use super::sandbox::Sandbox;
use super::upper::MadeParent;
use super::{GONE, Kernel, Made, OURS, PlaneError, cannot};
use crate::core::network::{Layout, Network};
use crate::core::step::{self, Opening, Outlook, Plug, Step};

/// What was found.
struct Found {
    /// Links of ours, by name, that nothing has asked for yet.
    links: BTreeMap<String, Link>,
    /// Namespaces that are open.
    sandboxes: BTreeMap<ContainerId, Sandbox>,
    addresses: Vec<(Index, IpNet)>,
    outlooks: Vec<(ContainerId, Arc<Outlook>)>,
    /// What was known of networks before.
    networks: BTreeMap<NetworkId, Made>,
}

impl Kernel {
    /// `steps` are all that it takes to make everything there is to be.
    pub(super) fn agree(&mut self, steps: &[Step]) -> Result<(), PlaneError> {
        let links = self.links.list()?;
        let ours = links.into_iter().filter(|link| link.group == Some(OURS));
        let mut found = Found {
            links: ours.map(|link| (link.name.clone(), link)).collect(),
            sandboxes: std::mem::take(&mut self.sandboxes),
            addresses: self.links.addresses()?,
            outlooks: Vec::new(),
            networks: std::mem::take(&mut self.networks),
        };
        let agreed = self.agree_from(&mut found, steps);
        if agreed.is_err() {
            // What was not reached is as it was.
            for (container, sandbox) in found.sandboxes {
                self.sandboxes.entry(container).or_insert(sandbox);
            }
            for (network, made) in found.networks {
                self.networks.entry(network).or_insert(made);
            }
        }
        agreed
    }

    fn agree_from(&mut self, found: &mut Found, steps: &[Step]) -> Result<(), PlaneError> {
        self.facts.forget_own();
        for step in steps {
            match step {
                Step::AddNetwork(network) => self.find_network(network, found)?,
                Step::OpenSandbox(sandbox) => self.find_sandbox(sandbox, found)?,
                Step::Attach(plug) => self.find_plug(plug, found)?,
                Step::Turn { sandbox, to, .. } => {
                    found.outlooks.push((sandbox.clone(), to.clone()));
                }
                Step::Run(program) => self.programs.remember(program),
                Step::RemoveNetwork(_)
                | Step::CloseSandbox(_)
                | Step::Detach(_)
                | Step::Signal(..)
                | Step::Pause(_)
                | Step::Unpause(_)
                | Step::Forget(_) => {}
            }
        }
        self.rule(found)?;
        for (container, outlook) in &found.outlooks {
            if let Some(sandbox) = self.sandboxes.get_mut(container) {
                sandbox.turn(&mut self.links, &Outlook::default(), outlook)?;
            }
            self.resolver.turn(container, &Outlook::default(), outlook);
        }
        self.sweep(found)?;
        self.facts.look(&mut self.links)?;
        Ok(())
    }

    fn find_network(
        &mut self,
        network: &Arc<Network>,
        found: &mut Found,
    ) -> Result<(), PlaneError> {
        let made = match network.layout() {
            Layout::Bridge(layout) => {
                if layout.ipv6 {
                    self.home.forward_ipv6().map_err(|why| cannot("forward IPv6", &why))?;
                }
                let there = found.links.remove(&layout.name);
                let there = there.map(|link| {
                    let own = found.addresses.iter().filter(|(index, _)| *index == link.index);
                    let own = own.map(|(_, net)| *net).collect();
                    (link, own)
                });
                let bridge = MadeBridge::find_or_make(&mut self.links, network, &layout, there)?;
                self.facts.add_own(bridge.rules.bridge, layout.name);
                Made::Bridge(bridge)
            }
            Layout::Upper(layout) => {
                let parent = MadeParent::find_or_make(&mut self.links, &layout)?;
                found.links.retain(|_, link| link.index != parent.index);
                Made::Parent(parent)
            }
            Layout::Nothing => Made::Nothing,
        };
        self.networks.insert(network.id.clone(), made);
        Ok(())
    }

    fn find_sandbox(
        &mut self,
        sandbox: &step::Sandbox,
        found: &mut Found,
    ) -> Result<(), PlaneError> {
        let container = &sandbox.container;
        if let Some(open) = found.sandboxes.remove(container) {
            self.sandboxes.insert(container.clone(), open);
            return Ok(());
        }
        let (opened, sockets) = match &sandbox.brought {
            Some(path) => {
                let namespace = self.find_kept(sandbox, path)?;
                self.adopt(sandbox, path, namespace)?
            }
            None => {
                let opened = self.pins.open_again(container).or_else(|_| self.pins.open(container));
                opened.map_err(|why| cannot("make a namespace", &why))?
            }
        };
        self.serve(container, sockets)?;
        self.sandboxes.insert(container.clone(), opened);
        Ok(())
    }

    fn find_plug(&mut self, plug: &Plug, found: &mut Found) -> Result<(), PlaneError> {
        let Some(sandbox) = self.sandboxes.get_mut(&plug.endpoint.container) else {
            return Ok(());
        };
        let there = found.links.remove(&Sandbox::port(plug));
        let network = self.networks.get(&plug.network.id);
        if let Some(Made::Bridge(bridge)) = network
            && let Some(port) = there
        {
            if sandbox.attach_again(&mut self.links, bridge, plug, &port)? {
                return Ok(());
            }
            unless_gone(self.links.remove(port.index))?;
        }
        if let Some(Made::Parent(_)) = network
            && sandbox.set_up_again(plug)?
        {
            return Ok(());
        }
        if !sandbox.make_room(plug, found.links.values())? {
            let (container, link) = (&plug.endpoint.container, &plug.endpoint.interface);
            tracing::error!(%container, ?link, "somebody else's link has the name of a container's");
            return Ok(());
        }
        self.attach(plug)
    }

    /// All rules at once: there is no moment without them.
    fn rule(&mut self, found: &Found) -> Result<(), PlaneError> {
        let networks = self.networks.values().filter_map(|made| match made {
            Made::Bridge(bridge) => Some(&bridge.rules),
            Made::Parent(_) | Made::Nothing => None,
        });
        let openings = found.outlooks.iter().flat_map(|(_, outlook)| &outlook.openings);
        let openings: Vec<Opening> = openings.copied().collect();
        self.firewall.install(networks, &openings)?;
        self.ports.keep(&self.home, &openings);
        Ok(())
    }

    /// What nobody asked for goes.
    fn sweep(&mut self, found: &mut Found) -> Result<(), PlaneError> {
        for link in found.links.values() {
            unless_gone(self.links.discard(&link.name, GONE))?;
        }
        found.sandboxes.clear();
        for sandbox in self.sandboxes.values_mut() {
            sandbox.sweep()?;
        }
        let open: BTreeSet<&ContainerId> = self.sandboxes.keys().collect();
        self.pins.sweep(&open).map_err(|why| cannot("remove a namespace", &why))?;
        self.reaper.reap();
        Ok(())
    }
}
