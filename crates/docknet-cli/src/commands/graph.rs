//! `docknet graph`.

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::session::Session;

/// Draw the networks and what is connected to them
#[derive(Args, Debug)]
pub(crate) struct Graph {}

impl Graph {
    pub(crate) async fn run(self, _session: &Session) -> Outcome {
        Err(Failure::new("not built yet"))
    }
}
