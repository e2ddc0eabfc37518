//! `docknet prune`.

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::session::Session;

/// Remove all unused networks
#[derive(Args, Debug)]
pub(crate) struct Prune {}

impl Prune {
    pub(crate) async fn run(self, _session: &Session) -> Outcome {
        Err(Failure::new("not built yet"))
    }
}
