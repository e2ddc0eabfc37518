//! `docknet serve`.

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::session::Session;

/// Serve an engine of our own to any Docker client
#[derive(Args, Debug)]
pub(crate) struct Serve {}

impl Serve {
    pub(crate) async fn run(self, _session: &Session) -> Outcome {
        Err(Failure::new("not built yet"))
    }
}
