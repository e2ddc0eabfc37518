//! One operation: a state of its own to change, what it needs from outside as values, and what becomes of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use docknet_types::{ContainerId, IpNet, MacAddr, NetworkId};
use jiff::Timestamp;

use super::container::Container;
use super::endpoint::Endpoint;
use super::event::{Event, Recorder};
use super::host::{Host, Inside};
use super::network::Network;
use super::state::State;
use super::step::{self, Outlook, Step};
use crate::Profile;

/// One operation at work. It changes a state of its own; nobody sees that before it is committed, and if the operation
/// is refused, it is dropped and nothing has changed.
pub(crate) struct Tx<'a> {
    pub(crate) state: State,
    pub(crate) given: Given<'a>,
    /// What is in the namespace of the container that this is about, if it brought one along.
    pub(crate) inside: Inside,
    /// The default subnet whose turn is over, even if the operation is refused.
    pub(crate) spent_turn: Option<IpNet>,
    touched: BTreeSet<Touched>,
    /// Takes down what happens.
    pub(crate) events: Recorder,
    steps: Vec<Step>,
}

/// What a decision needs and may not look up by itself.
pub(crate) struct Given<'a> {
    pub(crate) profile: Profile,
    pub(crate) now: Timestamp,
    pub(crate) host: &'a Host,
    pub(crate) draw: &'a mut dyn Draw,
    pub(crate) supply: Supply,
}

/// Whether there are subnets and addresses to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Supply {
    Plenty,
    /// A test wants to see what happens.
    Nothing,
}

/// Random things.
pub(crate) trait Draw: Send {
    /// 64 hexadecimal digits.
    fn id(&mut self) -> String;
    /// A hardware address of the locally administered ones.
    fn mac(&mut self) -> MacAddr;
    /// A number below this one.
    fn below(&mut self, limit: usize) -> usize;
}

/// A record that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Touched {
    Container(ContainerId),
    Endpoint(NetworkId, ContainerId),
    Engine,
    Image(String),
    Network(NetworkId),
}

/// What became of an operation that was not refused.
pub(crate) struct Decided {
    pub(crate) state: State,
    pub(crate) touched: BTreeSet<Touched>,
    pub(crate) events: Vec<Arc<Event>>,
    pub(crate) steps: Vec<Step>,
    /// What is to be done once it is committed.
    pub(crate) afterwards: Vec<Step>,
}

impl<'a> Tx<'a> {
    pub(crate) fn new(state: State, given: Given<'a>) -> Self {
        let events = Recorder::new(given.profile, given.now);
        Self {
            state,
            given,
            inside: Inside::default(),
            spent_turn: None,
            touched: BTreeSet::new(),
            events,
            steps: Vec::new(),
        }
    }

    pub(crate) fn decided(self) -> Decided {
        let (steps, afterwards) = step::in_two(self.steps);
        let events = self.events.into_events();
        Decided { state: self.state, touched: self.touched, events, steps, afterwards }
    }

    pub(crate) fn put_network(&mut self, network: Arc<Network>) {
        self.touched.insert(Touched::Network(network.id.clone()));
        self.state.put_network(network);
    }

    pub(crate) fn remove_network(&mut self, id: &NetworkId) {
        if self.state.take_network(id).is_some() {
            self.touched.insert(Touched::Network(id.clone()));
        }
    }

    /// Takes an endpoint in at both of its ends' network; its container is the caller's to change.
    pub(crate) fn put_endpoint(&mut self, network: &NetworkId, endpoint: Arc<Endpoint>) {
        if let Some(network) = self.state.network(network) {
            let touched = Touched::Endpoint(network.id.clone(), endpoint.container.clone());
            let network = Arc::new(network.with_endpoint(endpoint));
            self.touched.insert(touched);
            self.state.put_network(network);
        }
    }

    pub(crate) fn remove_endpoint(&mut self, network: &NetworkId, container: &ContainerId) {
        if let Some(network) = self.state.network(network) {
            let touched = Touched::Endpoint(network.id.clone(), container.clone());
            let network = Arc::new(network.without_endpoint(container));
            self.touched.insert(touched);
            self.state.put_network(network);
        }
    }

    pub(crate) fn put_container(&mut self, container: Container) {
        self.touched.insert(Touched::Container(container.id.clone()));
        self.state.put_container(Arc::new(container));
    }

    pub(crate) fn remove_container(&mut self, id: &ContainerId) {
        if let Some(container) = self.state.take_container(id) {
            if container.config.runs {
                self.step(Step::Forget(id.clone()));
            }
            self.touched.insert(Touched::Container(id.clone()));
        }
    }

    /// Says that a record changed that the state has in a field of its own.
    pub(crate) fn touch(&mut self, record: Touched) {
        self.touched.insert(record);
    }

    /// Something for the data plane to do.
    pub(crate) fn step(&mut self, step: impl Into<Option<Step>>) {
        self.steps.extend(step.into());
    }

    /// Shows a container what it has now, if that is not what it had.
    pub(crate) fn turn(&mut self, container: &Container, from: Arc<Outlook>) {
        let to = match container.is_running() {
            true => Outlook::of(&self.state, container),
            false => Arc::default(),
        };
        if from != to {
            self.step(Step::Turn { sandbox: container.id.clone(), from, to });
        }
    }
}
