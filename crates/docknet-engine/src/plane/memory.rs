//! A data plane with nothing behind it: what was decided is all there is.

use super::{DataPlane, PlaneError};
use crate::core::host::{Host, Link};
use crate::core::network::Network;
use crate::core::tx::Step;

/// A host that is made up: the links that whoever starts the engine gives it, and the bridges of its networks. No packet
/// passes.
pub(crate) struct Memory(pub(crate) Host);

impl DataPlane for Memory {
    fn host(&self) -> &Host {
        &self.0
    }

    fn blocks(&self) -> bool {
        false
    }

    fn apply(&mut self, steps: &[Step]) -> Result<(), PlaneError> {
        for step in steps {
            self.take(step, Way::Forth);
        }
        Ok(())
    }

    fn undo(&mut self, steps: &[Step]) {
        for step in steps.iter().rev() {
            self.take(step, Way::Back);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Back,
    Forth,
}

impl Memory {
    fn take(&mut self, step: &Step, way: Way) {
        match (step, way) {
            (Step::AddNetwork(network), Way::Forth) | (Step::RemoveNetwork(network), Way::Back) => {
                self.add_bridge(network);
            }
            (Step::RemoveNetwork(network), Way::Forth) | (Step::AddNetwork(network), Way::Back) => {
                self.remove_bridge(network);
            }
        }
    }

    fn add_bridge(&mut self, network: &Network) {
        if let Some(bridge) = &network.config.bridge {
            self.0.links.entry(bridge.clone()).or_insert(Link { is_bridge: true });
        }
    }

    fn remove_bridge(&mut self, network: &Network) {
        if let Some(bridge) = &network.config.bridge
            && self.0.links.get(bridge).is_some_and(|link| link.is_bridge)
        {
            self.0.links.remove(bridge);
        }
    }
}
