//! Networks on the Linux kernel: links, addresses, routes and rules, made directly. No process is started for any of it.

mod bridge;
pub(crate) mod brought;
mod disturbance;
mod firewall;
mod home;
pub(crate) mod links;
mod message;
pub(crate) mod namespace;
mod netlink;
mod nft;
mod pins;
mod ports;
pub(crate) mod programs;
mod reaper;
mod resolver;
mod restore;
mod sandbox;
mod upper;

use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use docknet_types::{ContainerId, NetworkId};

use self::bridge::MadeBridge;
pub(crate) use self::disturbance::Disturbances;
use self::firewall::Firewall;
pub(crate) use self::home::Place;
use self::home::{Home, HostFacts};
use self::links::{Group, Index, Links};
pub(crate) use self::namespace::Namespace;
use self::netlink::Refused;
use self::pins::Pins;
use self::ports::Ports;
pub(crate) use self::programs::Programs;
pub(crate) use self::reaper::Leaving;
use self::reaper::Reaper;
use self::resolver::Resolver;
use self::sandbox::{Sandbox, Under};
use self::upper::MadeParent;
use super::{DataPlane, PlaneError};
use crate::core::container::{Program, Whose};
use crate::core::host::Host;
use crate::core::network::{Layout, Network};
use crate::core::step::{self, Outlook, Plug, Step};
use crate::dns::Sockets;

/// Links that are ours: the bridges of networks, and the ports of these.
const OURS: Group = Group(u32::from_be_bytes(*b"dnet"));
/// Links that are no longer anybody's, and wait until the kernel takes them away.
const GONE: Group = Group(u32::from_be_bytes(*b"dngo"));
/// Bridges that wait for the same until nobody wants anything: they take the kernel long.
const DEAD: Group = Group(u32::from_be_bytes(*b"dnde"));

/// The kernel of this machine.
pub(crate) struct Kernel {
    links: Links,
    firewall: Firewall,
    facts: HostFacts,
    networks: BTreeMap<NetworkId, Made>,
    sandboxes: BTreeMap<ContainerId, Sandbox>,
    ports: Ports,
    pins: Pins,
    programs: Programs,
    resolver: Resolver,
    reaper: Reaper,
    /// Left last: in a namespace of our own, everything else goes with it.
    home: Home,
}

/// What an ordinary user may do about it.
const NOT_ALLOWED: &str = "it takes root, or CAP_NET_ADMIN and CAP_SYS_ADMIN. An ordinary user has them in a user namespace: \
                           docknet_engine::run_in_user_namespace() for a test, enter_user_namespace() for a program, or \
                           `unshare --map-root-user PROGRAM`; and the engine is to be isolated()";

/// What was made for a network.
#[derive(Debug)]
enum Made {
    Bridge(MadeBridge),
    Parent(MadeParent),
    Nothing,
}

impl Kernel {
    /// `keep` is a directory for what is to outlive the engine; without one, everything goes with it.
    pub(crate) fn start(
        place: Place,
        keep: Option<PathBuf>,
        programs: Programs,
    ) -> Result<Self, PlaneError> {
        let home = Home::enter(place).map_err(|why| match why.kind() {
            io::ErrorKind::PermissionDenied => PlaneError::new(format!("{why}; {NOT_ALLOWED}")),
            _ => cannot("enter the host's namespace", &why),
        })?;
        let opened = home.within(|| {
            let links = (Links::open()?, Links::open()?);
            Ok((links, Firewall::open()?, HostFacts::open()?))
        });
        let ((mut links, reaping), firewall, facts) =
            opened.map_err(|why| cannot("ask the kernel about networks", &why))?;
        links.remove_group(GONE)?;
        links.remove_group(DEAD)?;
        let resolver = Resolver::start(&home).map_err(|why| cannot("resolve names", &why))?;
        let pins = Pins::new(keep).map_err(|why| cannot("keep namespaces", &why))?;
        let reaper = Reaper::start(reaping).map_err(|why| cannot("start a thread", &why))?;
        let mut kernel = Self {
            links,
            firewall,
            facts,
            networks: BTreeMap::new(),
            sandboxes: BTreeMap::new(),
            ports: Ports::default(),
            pins,
            programs,
            resolver,
            reaper,
            home,
        };
        kernel.facts.look(&mut kernel.links)?;
        Ok(kernel)
    }

    fn take(&mut self, step: &Step) -> Result<(), PlaneError> {
        match step {
            Step::AddNetwork(network) => self.add_network(network),
            Step::RemoveNetwork(network) => self.remove_network(network),
            Step::OpenSandbox(sandbox) => self.open_sandbox(sandbox),
            Step::CloseSandbox(sandbox) => {
                if let Some(open) = self.sandboxes.remove(&sandbox.container) {
                    if sandbox.brought.is_some() {
                        // Whoever goes on using it finds none of ours.
                        self.reaper.leaving(open.last_gone()).wait();
                    }
                    open.close();
                }
                self.resolver.close(&sandbox.container);
                self.pins.close(sandbox);
                Ok(())
            }
            Step::Attach(plug) => self.attach(plug),
            Step::Detach(plug) => self.detach(plug),
            Step::Turn { sandbox, from, to } => self.turn(sandbox, from, to),
            Step::Run(program) => self.run(program),
            Step::Signal(container, signal) => self.programs.signal(container, *signal),
            Step::Pause(container) => self.programs.pause(container),
            Step::Unpause(container) => self.programs.unpause(container),
            Step::Forget(container) => {
                self.programs.forget(container);
                Ok(())
            }
        }
    }

    fn open_sandbox(&mut self, sandbox: &step::Sandbox) -> Result<(), PlaneError> {
        let container = &sandbox.container;
        let opened = match &sandbox.brought {
            Some(path) => {
                let namespace = self.find_brought(path)?;
                self.adopt(sandbox, path, namespace)?
            }
            None => self.pins.open(container).map_err(|why| cannot("make a namespace", &why))?,
        };
        let (opened, sockets) = opened;
        if let Err(failed) = self.serve(container, sockets) {
            opened.close();
            self.pins.close(sandbox);
            return Err(failed);
        }
        self.sandboxes.insert(container.clone(), opened);
        Ok(())
    }

    fn serve(&self, container: &ContainerId, sockets: Sockets) -> Result<(), PlaneError> {
        self.resolver.serve(container, sockets).map_err(|why| cannot("answer a container", &why))
    }

    fn run(&mut self, program: &Program) -> Result<(), PlaneError> {
        let network = match &program.namespace {
            Whose::Host => self.home.namespace(),
            Whose::Of(container) => match self.sandboxes.get(container) {
                Some(sandbox) => {
                    self.reaper.leaving(sandbox.last_gone()).wait();
                    sandbox.namespace()
                }
                None => {
                    return Err(PlaneError::new(format!("container {container} has no namespace")));
                }
            },
        };
        self.programs.run(program, network)
    }

    fn add_network(&mut self, network: &Arc<Network>) -> Result<(), PlaneError> {
        let made = match network.layout() {
            Layout::Bridge(layout) => {
                if layout.ipv6 {
                    self.home.forward_ipv6().map_err(|why| cannot("forward IPv6", &why))?;
                }
                let bridge = MadeBridge::make(&mut self.links, network, &layout)?;
                if let Err(refused) = self.firewall.add_network(&bridge.rules) {
                    bridge.remove(&mut self.links, &self.reaper)?;
                    return Err(refused.into());
                }
                self.facts.add_own(bridge.rules.bridge, layout.name);
                Made::Bridge(bridge)
            }
            Layout::Upper(layout) => {
                Made::Parent(MadeParent::find_or_make(&mut self.links, &layout)?)
            }
            Layout::Nothing => Made::Nothing,
        };
        self.networks.insert(network.id.clone(), made);
        Ok(())
    }

    fn remove_network(&mut self, network: &Arc<Network>) -> Result<(), PlaneError> {
        match self.networks.remove(&network.id) {
            Some(Made::Bridge(bridge)) => {
                let ruled = self.firewall.remove_network(&bridge.rules);
                self.facts.remove_own(bridge.rules.bridge);
                let removed = bridge.remove(&mut self.links, &self.reaper);
                ruled.and(removed).map_err(PlaneError::from)
            }
            Some(Made::Parent(parent)) => parent.remove(&mut self.links).map_err(PlaneError::from),
            Some(Made::Nothing) | None => Ok(()),
        }
    }

    fn attach(&mut self, plug: &Plug) -> Result<(), PlaneError> {
        let sandbox = self.sandboxes.get_mut(&plug.endpoint.container).ok_or_else(|| {
            PlaneError::new(format!("container {} has no namespace", plug.endpoint.container))
        })?;
        match self.networks.get(&plug.network.id) {
            Some(Made::Bridge(bridge)) => {
                sandbox.attach(&mut self.links, &Under::Bridge(bridge), plug)
            }
            Some(Made::Parent(parent)) => {
                sandbox.attach(&mut self.links, &Under::Parent(parent), plug)
            }
            Some(Made::Nothing) | None => {
                Err(PlaneError::new(format!("network {} has no link", plug.network.id)))
            }
        }
    }

    fn detach(&mut self, plug: &Plug) -> Result<(), PlaneError> {
        let Some(sandbox) = self.sandboxes.get_mut(&plug.endpoint.container) else {
            return Ok(());
        };
        let detached = sandbox.detach(&mut self.links, self.home.namespace(), plug);
        sandbox.last_gone().store(self.reaper.reap(), Ordering::Relaxed);
        detached.map_err(PlaneError::from)
    }

    fn turn(
        &mut self,
        container: &ContainerId,
        from: &Outlook,
        to: &Outlook,
    ) -> Result<(), PlaneError> {
        self.ports.change(&self.home, &mut self.firewall, &from.openings, &to.openings)?;
        if let Some(sandbox) = self.sandboxes.get_mut(container)
            && let Err(refused) = sandbox.turn(&mut self.links, from, to)
        {
            self.ports.change(&self.home, &mut self.firewall, &to.openings, &from.openings)?;
            return Err(refused.into());
        }
        self.resolver.turn(container, from, to);
        self.programs.turn(container, from, to);
        Ok(())
    }
}

impl DataPlane for Kernel {
    fn host(&self) -> &Host {
        self.facts.host()
    }

    fn look(&mut self) -> Result<(), PlaneError> {
        self.facts.follow(&mut self.links).map_err(PlaneError::from)
    }

    fn blocks(&self) -> bool {
        true
    }

    fn apply(&mut self, steps: &[Step]) -> Result<(), PlaneError> {
        self.reaper.give_way();
        for (at, step) in steps.iter().enumerate() {
            if let Err(failed) = self.take(step) {
                self.undo(steps.get(..at).unwrap_or_default());
                return Err(failed);
            }
        }
        Ok(())
    }

    fn agree(&mut self, steps: &[Step]) -> Result<(), PlaneError> {
        self.agree(steps)
    }

    fn disturbances(&self) -> io::Result<(Disturbances, OwnedFd)> {
        let (here, there) = UnixStream::pair()?;
        let port = self.firewall.port()?;
        let watch = self.home.within(|| Disturbances::open(port, there.into()))?;
        Ok((watch, here.into()))
    }

    fn namespace(&self, container: &ContainerId) -> io::Result<(Namespace, Leaving)> {
        match self.sandboxes.get(container) {
            Some(sandbox) => {
                Ok((sandbox.namespace().again()?, self.reaper.leaving(sandbox.last_gone())))
            }
            None => Err(io::Error::other("it has no namespace of its own")),
        }
    }

    fn home(&self) -> io::Result<Namespace> {
        self.home.namespace().again()
    }

    fn keeps(&self, sandbox: &step::Sandbox) -> bool {
        sandbox.brought.as_deref().is_none_or(|path| self.find_kept(sandbox, path).is_ok())
    }

    fn undo(&mut self, steps: &[Step]) {
        for step in steps.iter().rev() {
            let Some(undone) = step.undone() else { continue };
            if matches!(undone, Step::Attach(_)) {
                // Its port has the name of the one that is gone.
                self.reaper.wait();
            }
            if let Err(failed) = self.take(&undone) {
                tracing::error!(%failed, ?step, "a step could not be undone");
            }
        }
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        if self.pins.outlive() {
            return;
        }
        std::mem::take(&mut self.sandboxes).into_values().for_each(Sandbox::close);
        if self.home.is_private() {
            return;
        }
        let (rules, links) = (self.firewall.uninstall(), self.links.remove_group(OURS));
        if let Err(refused) = rules.and(links) {
            tracing::warn!(%refused, "networks stay behind");
        }
    }
}

impl From<Refused> for PlaneError {
    fn from(refused: Refused) -> Self {
        Self::new(refused.to_string())
    }
}

/// The name of a link that is no longer anybody's.
fn gone(index: Index) -> String {
    format!("dngone{}", index.number())
}

fn cannot(what: &str, why: &io::Error) -> PlaneError {
    PlaneError::new(format!("cannot {what}: {why}"))
}
