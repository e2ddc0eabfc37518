//! What carries a plan out.

#[cfg(all(target_os = "linux", feature = "kernel"))]
mod kernel;
mod memory;

use std::fmt;

pub(crate) use self::memory::Memory;
use crate::core::host::Host;
use crate::core::tx::Step;

/// Does what was decided: links, addresses, rules, or nothing but remembering.
pub(crate) trait DataPlane: Send {
    /// What is on the host beside us.
    fn host(&self) -> &Host;

    /// Whether it makes its caller wait.
    fn blocks(&self) -> bool;

    /// Does these steps in order; if one fails, those before it are undone.
    fn apply(&mut self, steps: &[Step]) -> Result<(), PlaneError>;

    /// Undoes steps that were applied, the last one first.
    fn undo(&mut self, steps: &[Step]);
}

/// A step that could not be done, in the words of whoever refused it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlaneError(pub(crate) String);

impl fmt::Display for PlaneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
