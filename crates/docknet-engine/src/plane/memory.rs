//! A data plane with nothing behind it: what was decided is all there is.

#[cfg(kernel)]
use std::{io, os::fd::OwnedFd};

use super::{DataPlane, PlaneError};
#[cfg(kernel)]
use super::{Disturbances, Leaving, Namespace};
use crate::core::host::{Host, Link};
use crate::core::step::{self, Step};

/// A host that is made up: the links that whoever starts the engine gives it, and the bridges of its networks. No packet
/// passes.
pub(crate) struct Memory(pub(crate) Host);

impl DataPlane for Memory {
    fn host(&self) -> &Host {
        &self.0
    }

    fn look(&mut self) -> Result<(), PlaneError> {
        Ok(())
    }

    fn blocks(&self) -> bool {
        false
    }

    fn apply(&mut self, steps: &[Step]) -> Result<(), PlaneError> {
        for step in steps {
            self.take(step);
        }
        Ok(())
    }

    #[cfg(kernel)]
    fn disturbances(&self) -> io::Result<(Disturbances, OwnedFd)> {
        Err(io::Error::other("nobody can disturb what is in memory"))
    }

    #[cfg(kernel)]
    fn namespace(&self, _: &docknet_types::ContainerId) -> io::Result<(Namespace, Leaving)> {
        Err(io::Error::other("containers of an engine in memory have no namespace"))
    }

    #[cfg(kernel)]
    fn home(&self) -> io::Result<Namespace> {
        Err(io::Error::other("networks of an engine in memory are nowhere"))
    }

    fn keeps(&self, _: &step::Sandbox) -> bool {
        true
    }

    fn agree(&mut self, steps: &[Step]) -> Result<(), PlaneError> {
        self.apply(steps)
    }

    fn undo(&mut self, steps: &[Step]) {
        for step in steps.iter().rev() {
            if let Some(step) = step.undone() {
                self.take(&step);
            }
        }
    }
}

impl Memory {
    fn take(&mut self, step: &Step) {
        match step {
            Step::AddNetwork(network) => {
                if let Some(bridge) = &network.config.bridge {
                    self.0.links.entry(bridge.clone()).or_insert(Link { is_bridge: true });
                }
            }
            Step::RemoveNetwork(network) => {
                if let Some(bridge) = &network.config.bridge
                    && self.0.links.get(bridge).is_some_and(|link| link.is_bridge)
                {
                    self.0.links.remove(bridge);
                }
            }
            // Nobody lives there.
            Step::OpenSandbox(_)
            | Step::CloseSandbox(_)
            | Step::Attach(_)
            | Step::Detach(_)
            | Step::Run(_)
            | Step::Signal(..)
            | Step::Forget(_)
            | Step::Pause(_)
            | Step::Unpause(_)
            | Step::Turn { .. } => {}
        }
    }
}
