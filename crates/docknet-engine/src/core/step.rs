//! What a data plane has to do: the effects of a decision, in their order.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use docknet_types::{ContainerId, NetworkId};

use super::container::{Container, KILL, Program, Protocol, Publication};
use super::endpoint::{Endpoint, EndpointConfig, SYSCTLS};
use super::network::{DriverKind, Network};
use super::state::State;

/// One thing to do.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Make a network's link, addresses and rules.
    AddNetwork(Arc<Network>),
    /// Take them away.
    RemoveNetwork(Arc<Network>),
    /// Make a container's namespace.
    OpenSandbox(Arc<Sandbox>),
    /// Take it away.
    CloseSandbox(Arc<Sandbox>),
    /// Put a container on a network: its link, and the addresses of that.
    Attach(Arc<Plug>),
    /// Take it off.
    Detach(Arc<Plug>),
    /// Run a container's program.
    Run(Arc<Program>),
    /// Send it a signal, if it still runs.
    Signal(ContainerId, u8),
    /// Hold it up, with all that it started.
    Pause(ContainerId),
    /// Let it go on.
    Unpause(ContainerId),
    /// Nobody wants to read any more what it said.
    Forget(ContainerId),
    /// Show a container something else.
    Turn { sandbox: ContainerId, from: Arc<Outlook>, to: Arc<Outlook> },
}

/// A container's namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sandbox {
    pub(crate) container: ContainerId,
    pub(crate) hostname: String,
    /// Where the namespace is that it brought along: somebody else's, of which it takes nothing away.
    pub(crate) brought: Option<PathBuf>,
}

/// An endpoint, and what of it nobody has to remember.
#[derive(Clone, Debug)]
pub(crate) struct Plug {
    pub(crate) network: Arc<Network>,
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) link_local: Vec<IpAddr>,
    /// Names below `net.`, with `IFNAME` for the link, and values.
    pub(crate) sysctls: Vec<(String, String)>,
}

/// What a container has of its networks taken together: where its packets go, and who can find it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outlook {
    /// Where packets go that are for none of its networks: the link, and the router behind it.
    pub(crate) gateway4: Option<(String, Ipv4Addr)>,
    pub(crate) gateway6: Option<(String, Ipv6Addr)>,
    /// The networks it is on, the one that comes first first.
    pub(crate) places: Vec<Place>,
    /// Its ports that can be reached from outside of them.
    pub(crate) openings: Vec<Opening>,
}

/// A port of a container that can be reached from outside its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Opening {
    pub(crate) protocol: Protocol,
    pub(crate) to: SocketAddr,
    /// At this port of the host, at all of its addresses if it is at none; or as it is.
    pub(crate) at: Option<SocketAddr>,
}

/// A network as one of its containers has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) network: NetworkId,
    pub(crate) network_name: String,
    /// By which the others find it; none where nobody looks for names.
    pub(crate) names: Vec<String>,
    /// Names that it alone has for others: the name, and whose it is.
    pub(crate) links: Vec<(String, String)>,
    pub(crate) ipv4: Option<Ipv4Addr>,
    pub(crate) ipv6: Option<Ipv6Addr>,
    /// Whether it leads nowhere else.
    pub(crate) internal: bool,
    /// Whether the host is between it and the outside, so that ports of the host can lead there. Links on top of one of the
    /// host's go past the host, and it does not even reach them.
    pub(crate) behind_host: bool,
    /// The endpoint's id.
    pub(crate) endpoint: String,
    /// The link inside.
    pub(crate) interface: Option<String>,
    /// The address of the host's at which ports are published, if not at all of them.
    pub(crate) binding: Option<IpAddr>,
    /// The families in which its packets are routed as they are.
    pub(crate) routed: (bool, bool),
}

/// What makes a host have all that a state has.
pub(crate) fn all(state: &State) -> Vec<Step> {
    let networks = state.networks().filter(|network| !network.config.config_only);
    let mut steps: Vec<Step> = networks.cloned().map(Step::AddNetwork).collect();
    for container in state.containers().filter(|container| container.is_running()) {
        let outlook = Outlook::of(state, container);
        steps.extend(Program::of(container, &outlook).map(|program| Step::Run(Arc::new(program))));
        let Some(sandbox) = Sandbox::of(container) else { continue };
        steps.push(Step::OpenSandbox(sandbox));
        steps.extend(container.attachments.values().filter_map(|attachment| {
            let network = state.network(attachment.network.as_ref()?)?;
            let endpoint = attachment.endpoint.as_ref()?;
            Plug::of(network, endpoint, &attachment.config).map(Step::Attach)
        }));
        let sandbox = container.id.clone();
        steps.push(Step::Turn { sandbox, from: Arc::default(), to: outlook });
    }
    steps
}

/// Steps that can be undone, and those that nothing brings back: these are for when the operation is committed, unless the first ones
/// cannot do without.
pub(crate) fn in_two(steps: Vec<Step>) -> (Vec<Step>, Vec<Step>) {
    let run: Vec<ContainerId> = steps.iter().filter_map(Step::runs).cloned().collect();
    steps.into_iter().partition(|step| step.ends().is_none_or(|container| run.contains(container)))
}

impl Step {
    /// The container whose program it starts.
    pub(crate) fn runs(&self) -> Option<&ContainerId> {
        match self {
            Self::Run(program) => Some(&program.container),
            _ => None,
        }
    }

    /// The container whose program it may end, or whose files it takes away: nothing brings these back.
    pub(crate) fn ends(&self) -> Option<&ContainerId> {
        match self {
            Self::Signal(container, _) | Self::Forget(container) => Some(container),
            _ => None,
        }
    }

    /// What undoes it, if anything does.
    pub(crate) fn undone(&self) -> Option<Self> {
        Some(match self.clone() {
            Self::AddNetwork(network) => Self::RemoveNetwork(network),
            Self::RemoveNetwork(network) => Self::AddNetwork(network),
            Self::OpenSandbox(sandbox) => Self::CloseSandbox(sandbox),
            Self::CloseSandbox(sandbox) => Self::OpenSandbox(sandbox),
            Self::Attach(plug) => Self::Detach(plug),
            Self::Detach(plug) => Self::Attach(plug),
            Self::Turn { sandbox, from, to } => Self::Turn { sandbox, from: to, to: from },
            Self::Run(program) => Self::Signal(program.container.clone(), KILL),
            Self::Pause(container) => Self::Unpause(container),
            Self::Unpause(container) => Self::Pause(container),
            Self::Signal(..) | Self::Forget(_) => return None,
        })
    }
}

impl Sandbox {
    /// None for a container that lives in another's namespace, or in the host's.
    pub(crate) fn of(container: &Container) -> Option<Arc<Self>> {
        (!container.shares_a_namespace()).then(|| {
            Arc::new(Self {
                container: container.id.clone(),
                hostname: container.hostname.clone(),
                brought: container.brings().map(PathBuf::from),
            })
        })
    }
}

impl Plug {
    /// None on a network that has no links.
    pub(crate) fn of(
        network: &Arc<Network>,
        endpoint: &Arc<Endpoint>,
        config: &EndpointConfig,
    ) -> Option<Arc<Self>> {
        if !network.kind().has_endpoint_links() {
            return None;
        }
        let link_local = config.ipam.iter().flat_map(|ipam| &ipam.link_local);
        let sysctls = config.driver_opts.as_ref().and_then(|options| options.get(SYSCTLS));
        let sysctls = sysctls.into_iter().flat_map(|all| all.split(','));
        Some(Arc::new(Self {
            network: network.clone(),
            endpoint: endpoint.clone(),
            link_local: link_local.filter_map(|text| text.parse().ok()).collect(),
            sysctls: sysctls
                .filter_map(|one| one.split_once('='))
                .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
                .collect(),
        }))
    }
}

impl Outlook {
    /// What a container has that runs.
    pub(crate) fn of(state: &State, container: &Container) -> Arc<Self> {
        let mut all: Vec<_> = container
            .attachments
            .iter()
            .filter_map(|(key, attachment)| {
                let endpoint = attachment.endpoint.as_deref()?;
                let network = state.network(attachment.network.as_ref()?)?;
                network.kind().has_endpoint_links().then_some((key, attachment, endpoint, network))
            })
            .collect();
        all.sort_by_key(|(key, attachment, ..)| (-attachment.config.gw_priority, *key));
        let gateway4 = all.iter().find_map(|(_, _, endpoint, _)| {
            Some((endpoint.interface.clone()?, endpoint.gateway4?))
        });
        let gateway6 = all.iter().find_map(|(_, _, endpoint, _)| {
            Some((endpoint.interface.clone()?, endpoint.gateway6?))
        });
        let places = all.into_iter().map(|(_, attachment, endpoint, network)| Place {
            network: network.id.clone(),
            network_name: network.config.name.clone(),
            names: match network.is_predefined() {
                true => Vec::new(),
                false => attachment.dns_names.clone().unwrap_or_default(),
            },
            links: attachment.config.links.iter().flatten().map(|link| named(link)).collect(),
            ipv4: endpoint.ipv4.map(|(ip, _)| ip),
            ipv6: endpoint.ipv6.map(|(ip, _)| ip),
            internal: network.config.internal,
            behind_host: network.kind() == DriverKind::Bridge,
            endpoint: endpoint.id.clone(),
            interface: endpoint.interface.clone(),
            binding: network.default_binding(),
            routed: network.routed(),
        });
        let mut outlook =
            Self { gateway4, gateway6, places: places.collect(), openings: Vec::new() };
        let published = container.published.iter();
        outlook.openings = published.filter_map(|one| outlook.opening(one)).collect();
        Arc::new(outlook)
    }

    /// All addresses that the container has, in the order of its networks.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.places.iter().flat_map(|place| {
            place.ipv4.map(IpAddr::from).into_iter().chain(place.ipv6.map(IpAddr::from))
        })
    }

    /// The network by which connections of a family come in, and the address that stands for all of the host's: the network
    /// by which packets go out.
    pub(crate) fn way_in(&self, unspecified: IpAddr) -> Option<(&Place, IpAddr)> {
        let gateway = match unspecified {
            IpAddr::V4(_) => self.gateway4.as_ref().map(|(link, _)| link),
            IpAddr::V6(_) => self.gateway6.as_ref().map(|(link, _)| link),
        };
        let place = self.places.iter().find(|place| {
            !place.internal
                && place.behind_host
                && gateway.is_some()
                && place.interface.as_ref() == gateway
        });
        Some((place?, unspecified))
    }

    fn opening(&self, published: &Publication) -> Option<Opening> {
        let unspecified: IpAddr = match published.at {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let (place, _) = self.way_in(unspecified)?;
        let (ip, routed) = match published.at {
            SocketAddr::V4(_) => (IpAddr::V4(place.ipv4?), place.routed.0),
            SocketAddr::V6(_) => (IpAddr::V6(place.ipv6?), place.routed.1),
        };
        Some(Opening {
            protocol: published.port.protocol,
            to: SocketAddr::new(ip, published.port.number),
            at: (!routed).then_some(published.at),
        })
    }
}

/// A link `container:alias`, as alias and container; without an alias both are the same.
fn named(link: &str) -> (String, String) {
    let (container, alias) = link.split_once(':').unwrap_or((link, link));
    (alias.to_owned(), container.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::container::{Command, Files, Root, Whose};
    use super::*;

    fn run(container: &str) -> Step {
        Step::Run(Arc::new(Program {
            container: container.into(),
            namespace: Whose::Host,
            root: Root::Host,
            mounts: Vec::new(),
            command: Command::default(),
            hostname: String::new(),
            domain: None,
            files: Files::default(),
            sysctls: Vec::new(),
        }))
    }

    #[test]
    fn what_nothing_brings_back_comes_last_unless_a_program_waits_for_it() {
        let (stays, restarts) = (ContainerId::from("stays"), ContainerId::from("restarts"));
        let steps = vec![
            Step::Signal(stays.clone(), KILL),
            Step::Signal(restarts.clone(), KILL),
            Step::Pause(stays.clone()),
            run("restarts"),
            Step::Forget(stays.clone()),
        ];
        let (first, last) = in_two(steps);
        assert!(
            matches!(&first[..], [Step::Signal(one, _), Step::Pause(_), Step::Run(_)] if *one == restarts),
            "{first:?}"
        );
        assert!(
            matches!(&last[..], [Step::Signal(one, _), Step::Forget(other)] if *one == stays && *other == stays),
            "{last:?}"
        );
        assert!(first.iter().all(|step| step.undone().is_some() || step.ends().is_some()));
        assert!(last.iter().all(|step| step.undone().is_none()));
    }
}
