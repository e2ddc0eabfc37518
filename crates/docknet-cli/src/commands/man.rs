//! `docknet man`.

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::session::Session;

/// Write the manual pages
#[derive(Args, Debug)]
pub(crate) struct Man {}

impl Man {
    pub(crate) fn run(self, _session: &Session) -> Outcome {
        Err(Failure::new("not built yet"))
    }
}
