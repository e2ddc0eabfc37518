//! A data plane with nothing behind it: what was decided is all there is.

use super::{DataPlane, PlaneError};
use crate::core::host::Host;
use crate::core::tx::Step;

/// No links, no packets. Its host is made up by whoever starts the engine.
pub(crate) struct Memory(pub(crate) Host);

impl DataPlane for Memory {
    fn host(&self) -> &Host {
        &self.0
    }

    fn blocks(&self) -> bool {
        false
    }

    fn apply(&mut self, _: &[Step]) -> Result<(), PlaneError> {
        Ok(())
    }

    fn undo(&mut self, _: &[Step]) {}
}
