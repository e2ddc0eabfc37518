//! `docknet connect`.

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::session::Session;

/// Connect a container to a network
#[derive(Args, Debug)]
pub(crate) struct Connect {}

impl Connect {
    pub(crate) async fn run(self, _session: &Session) -> Outcome {
        Err(Failure::new("not built yet"))
    }
}
