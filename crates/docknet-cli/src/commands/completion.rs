//! `docknet completion`.

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::session::Session;

/// Print a completion script for a shell
#[derive(Args, Debug)]
pub(crate) struct Completion {}

impl Completion {
    pub(crate) fn run(self, _session: &Session) -> Outcome {
        Err(Failure::new("not built yet"))
    }
}
