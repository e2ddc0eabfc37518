//! `docknet create`.

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::session::Session;

/// Create a network
#[derive(Args, Debug)]
pub(crate) struct Create {}

impl Create {
    pub(crate) async fn run(self, _session: &Session) -> Outcome {
        Err(Failure::new("not built yet"))
    }
}
