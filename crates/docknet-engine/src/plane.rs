//! What carries a plan out.

#[cfg(kernel)]
pub(crate) mod kernel;
mod memory;

use std::fmt;
#[cfg(kernel)]
use std::{io, os::fd::OwnedFd};

#[cfg(kernel)]
pub(crate) use self::kernel::{Disturbances, Kernel, Leaving, Namespace, Place, Programs};
pub(crate) use self::memory::Memory;
use crate::core::host::Host;
use crate::core::step::{self, Step};

/// Does what was decided: links, addresses, rules, or nothing but remembering.
pub(crate) trait DataPlane: Send {
    /// What is on the host beside us.
    fn host(&self) -> &Host;

    /// Takes in what others have changed on the host.
    fn look(&mut self) -> Result<(), PlaneError>;

    /// Whether it makes its caller wait.
    fn blocks(&self) -> bool;

    /// Does these steps in order; if one fails, those before it are undone.
    fn apply(&mut self, steps: &[Step]) -> Result<(), PlaneError>;

    /// What tells when others take away what is ours, until the other end is dropped.
    #[cfg(kernel)]
    fn disturbances(&self) -> io::Result<(Disturbances, OwnedFd)>;

    /// The namespace of a container, and what is leaving it.
    #[cfg(kernel)]
    fn namespace(&self, container: &docknet_types::ContainerId)
    -> io::Result<(Namespace, Leaving)>;

    /// The namespace that networks are in.
    #[cfg(kernel)]
    fn home(&self) -> io::Result<Namespace>;

    /// Whether the namespace of a container that ran before the engine was started can be had again.
    fn keeps(&self, sandbox: &step::Sandbox) -> bool;

    /// Makes it all be as these steps, from nothing, would make it. What is so already stays.
    fn agree(&mut self, steps: &[Step]) -> Result<(), PlaneError>;

    /// Undoes steps that were applied, the last one first.
    fn undo(&mut self, steps: &[Step]);
}

/// A step that could not be done, in the words of whoever refused it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlaneError {
    pub(crate) words: String,
    /// With which it is answered.
    pub(crate) status: u16,
}

impl PlaneError {
    pub(crate) fn new(words: String) -> Self {
        Self { words, status: 500 }
    }
}

impl fmt::Display for PlaneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}
