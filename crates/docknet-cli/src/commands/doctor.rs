//! `docknet doctor`.

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::session::Session;

/// Look for what is wrong with an engine's networks
#[derive(Args, Debug)]
pub(crate) struct Doctor {}

impl Doctor {
    pub(crate) async fn run(self, _session: &Session) -> Outcome {
        Err(Failure::new("not built yet"))
    }
}
