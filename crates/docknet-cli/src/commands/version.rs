//! `docknet version`.

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::session::Session;

/// Show the versions of this program and of the engine
#[derive(Args, Debug)]
pub(crate) struct Version {}

impl Version {
    pub(crate) async fn run(self, _session: &Session) -> Outcome {
        Err(Failure::new("not built yet"))
    }
}
