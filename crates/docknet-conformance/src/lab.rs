//! What behaviours make on an engine, so that it can be found and removed again.
//!
//! Names and subnets are never used twice, networks and containers carry labels, and whatever has such a label or such a
//! name is removed when the behaviour is over. Code that runs outside of [`check`](crate::check) has to
//! [clean](Lab::clean_up) itself.

mod clean;
mod containers;
mod raw;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use docknet::{Client, IpNet, Ipv4Net, Ipv6Net, Network, NetworkSpec, Pool, Result};

use crate::{Engine, Needs};

pub use self::containers::{
    IMAGE, container, created, exited, idle, kill, pause, paused, running, unpause,
};
pub use self::raw::{Answer, exchange};

/// The label on everything, with the behaviour's name.
pub const LABEL: &str = "docknet.conformance";

/// The label with the run's name: other programs may run the same behaviour on the same engine.
pub const RUN_LABEL: &str = "docknet.conformance.run";

tokio::task_local! {
    static HERE: Lab;
}

/// Where one behaviour runs: what it made is known here.
#[derive(Clone, Debug)]
pub struct Lab(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    behaviour: String,
    run: String,
    nodes: Vec<Client>,
    parent: Option<String>,
    processes: bool,
    names: Mutex<Vec<String>>,
    panic: Mutex<Option<String>>,
}

impl Lab {
    /// A place for a behaviour on these nodes, whose containers have processes.
    #[must_use]
    pub fn new(behaviour: &str, nodes: &[Client]) -> Self {
        Self::with(behaviour, nodes, None, Inside::Processes)
    }

    /// A place for a behaviour on this engine.
    #[must_use]
    pub fn on(engine: &Engine, behaviour: &str) -> Self {
        let inside = match engine.meets(Needs::Processes) {
            true => Inside::Processes,
            false => Inside::Nothing,
        };
        Self::with(behaviour, &engine.nodes, engine.parent.clone(), inside)
    }

    fn with(behaviour: &str, nodes: &[Client], parent: Option<String>, inside: Inside) -> Self {
        Self(Arc::new(Inner {
            behaviour: behaviour.to_owned(),
            run: format!("{}-{}", std::process::id(), number()),
            nodes: nodes.to_vec(),
            parent,
            processes: inside == Inside::Processes,
            names: Mutex::default(),
            panic: Mutex::default(),
        }))
    }

    /// Has this run here: the functions of this module know then where they are.
    pub fn enter<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        HERE.scope(self.clone(), future)
    }

    pub(crate) fn panic(&self) -> Option<String> {
        self.0.panic.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn names(&self) -> Vec<String> {
        self.0.names.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The one that this runs in, or one for all that runs in none.
    fn here() -> Self {
        static NOWHERE: OnceLock<Lab> = OnceLock::new();
        let nowhere = || NOWHERE.get_or_init(|| Self::new("none", &[])).clone();
        HERE.try_with(Self::clone).unwrap_or_else(|_| nowhere())
    }
}

/// What is in the containers of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inside {
    Processes,
    Nothing,
}

/// Writes a panic down where it happened; false if that is in no behaviour.
pub(crate) fn write_down(panic: &str) -> bool {
    let first = |lab: &Lab| {
        let mut slot = lab.0.panic.lock().unwrap_or_else(PoisonError::into_inner);
        slot.get_or_insert_with(|| panic.to_owned());
    };
    HERE.try_with(first).is_ok()
}

/// A name that nobody else has. Networks and containers that have it are removed at the end.
#[must_use]
pub fn name(what: &str) -> String {
    let name = format!("dnc-{}-{}-{what}", std::process::id(), number());
    adopt(&name);
    name
}

/// Has the networks and containers of this name removed at the end.
pub fn adopt(name: &str) {
    let lab = Lab::here();
    lab.0.names.lock().unwrap_or_else(PoisonError::into_inner).push(name.to_owned());
}

/// The label filter that matches what this behaviour made, and nothing else.
#[must_use]
pub fn own_label() -> String {
    format!("{RUN_LABEL}={}", Lab::here().0.run)
}

/// A subnet that nobody else uses, of 10.32.0.0/11.
#[must_use]
pub fn subnet() -> Ipv4Net {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = share() * SHARE + COUNT.fetch_add(1, Ordering::Relaxed) % SHARE;
    Ipv4Net::new_assert(Ipv4Addr::from_bits(0x0a20_0000 | number << 8), 24)
}

/// A subnet that is never used again, of 10.64.0.0/12: for engines that do not give it back.
#[must_use]
pub fn subnet_to_lose() -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::from_bits(0x0a40_0000 | (number() % 4096) << 8), 24)
}

/// Of the subnets of 24 bits there, a program has this many; it uses them again after a while.
const SHARE: u32 = 1024;

/// Which of the shares is this program's: several may test one engine at a time. A port says who has one, as it is free
/// again when the program ends, however it ends.
fn share() -> u32 {
    static TAKEN: OnceLock<(u32, Option<TcpListener>)> = OnceLock::new();
    const SHARES: u16 = 8;
    const FIRST_PORT: u16 = 47_810;
    let take = || {
        let bind = |share| TcpListener::bind((Ipv4Addr::LOCALHOST, FIRST_PORT + share)).ok();
        let taken = (0..SHARES).find_map(|share| Some((share.into(), Some(bind(share)?))));
        taken.unwrap_or_else(|| (number() % u32::from(SHARES), None))
    };
    TAKEN.get_or_init(take).0
}

/// An IPv6 subnet that nobody else uses, of fd00:d0c::/32.
#[must_use]
pub fn subnet6() -> Ipv6Net {
    let [a, b, c, d] = number().to_be_bytes().map(u16::from);
    let address = Ipv6Addr::new(0xfd00, 0x0d0c, a << 8 | b, c << 8 | d, 0, 0, 0, 0);
    Ipv6Net::new_assert(address, 64)
}

/// The address with this number in a subnet.
#[must_use]
pub fn host(subnet: impl Into<IpNet>, number: u32) -> IpAddr {
    match subnet.into() {
        IpNet::V4(subnet) => Ipv4Addr::from_bits(subnet.network().to_bits() + number).into(),
        IpNet::V6(subnet) => {
            Ipv6Addr::from_bits(subnet.network().to_bits() + u128::from(number)).into()
        }
    }
}

/// A network's spec with a name of its own and labels, all else as the engine pleases.
pub fn spec(what: &str) -> NetworkSpec {
    NetworkSpec::new(name(what)).labels(labels())
}

/// Makes a network, with a subnet of its own unless the spec says where its addresses come from.
///
/// # Errors
/// What the engine refuses.
pub async fn network(
    client: &Client,
    with: impl FnOnce(NetworkSpec) -> NetworkSpec,
) -> Result<Network> {
    let spec = with(spec("net"));
    let left_open = spec.ipam.is_empty() && spec.config_from.is_none();
    let spec = if left_open { spec.pool(Pool::new(subnet().into())) } else { spec };
    client.networks().create(spec).await
}

/// The labels of what this behaviour makes.
#[must_use]
pub fn labels() -> [(String, String); 2] {
    let lab = Lab::here();
    [(LABEL.to_owned(), lab.0.behaviour.clone()), (RUN_LABEL.to_owned(), lab.0.run.clone())]
}

/// The link that macvlan networks are made on: `DOCKNET_MACVLAN_PARENT` names it.
#[must_use]
pub fn parent() -> Option<String> {
    Lab::here().0.parent.clone()
}

/// Whether containers of this engine have processes, so that one can look into them.
#[must_use]
pub fn has_processes() -> bool {
    Lab::here().0.processes
}

/// Clients of all nodes of the swarm, that of the behaviour first.
#[must_use]
pub fn nodes() -> Vec<Client> {
    Lab::here().0.nodes.clone()
}

/// Runs these all at once, each as a task of its own, and gives the outcomes in the same order. Tasks that behaviours
/// spawn otherwise do not know where they are.
///
/// # Panics
/// If one of them does.
pub async fn together<F>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let lab = Lab::here();
    let tasks: Vec<_> = futures.into_iter().map(|future| tokio::spawn(lab.enter(future))).collect();
    let mut outcomes = Vec::with_capacity(tasks.len());
    for task in tasks {
        outcomes.push(task.await.unwrap_or_else(|panicked| match panicked.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(cancelled) => panic!("{cancelled}"),
        }));
    }
    outcomes
}

/// A number that comes once in a process, and begins elsewhere in every process.
fn number() -> u32 {
    static START: OnceLock<u32> = OnceLock::new();
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let start = START.get_or_init(|| {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().subsec_nanos();
        now.wrapping_mul(2_654_435_761) ^ std::process::id().wrapping_mul(40_503)
    });
    start.wrapping_add(COUNT.fetch_add(1, Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subnets_are_where_they_should_be_and_differ() {
        let all: IpNet = "10.32.0.0/11".parse().unwrap();
        let (one, other) = (subnet(), subnet());
        assert!(all.contains(&IpNet::V4(one)) && one != other, "{one} {other}");
        let lost: IpNet = "10.64.0.0/12".parse().unwrap();
        assert!(lost.contains(&IpNet::V4(subnet_to_lose())));
        let all: IpNet = "fd00:d0c::/32".parse().unwrap();
        assert!(all.contains(&IpNet::V6(subnet6())));
        assert_eq!(host("10.7.0.0/24".parse::<Ipv4Net>().unwrap(), 254).to_string(), "10.7.0.254");
    }

    #[tokio::test]
    async fn what_runs_in_a_lab_knows_it() {
        let lab = Lab::new("create::one", &[]);
        let inside = lab.enter(async { together([async { (name("web"), labels()) }]).await }).await;
        let (name, labels) = &inside[0];
        assert_eq!(&lab.names(), std::slice::from_ref(name));
        assert_eq!(labels[0], (LABEL.to_owned(), "create::one".to_owned()));
    }
}
