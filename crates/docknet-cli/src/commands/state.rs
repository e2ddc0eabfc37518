//! `docknet state`.

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::session::Session;

/// Look at what an engine keeps on disk
#[derive(Args, Debug)]
pub(crate) struct State {}

impl State {
    pub(crate) fn run(self, _session: &Session) -> Outcome {
        Err(Failure::new("not built yet"))
    }
}
