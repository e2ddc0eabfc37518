//! `docknet ls`.

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::session::Session;

/// List networks
#[derive(Args, Debug)]
pub(crate) struct Ls {}

impl Ls {
    pub(crate) async fn run(self, _session: &Session) -> Outcome {
        Err(Failure::new("not built yet"))
    }
}
