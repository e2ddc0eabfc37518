//! `docknet apply`.

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::session::Session;

/// Make networks what a file says
#[derive(Args, Debug)]
pub(crate) struct Apply {}

impl Apply {
    pub(crate) async fn run(self, _session: &Session) -> Outcome {
        Err(Failure::new("not built yet"))
    }
}
