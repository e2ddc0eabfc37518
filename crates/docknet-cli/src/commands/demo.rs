//! `docknet demo`.

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::session::Session;

/// Show the main job on an engine of our own: nothing else is needed
#[derive(Args, Debug)]
pub(crate) struct Demo {}

impl Demo {
    pub(crate) async fn run(self, _session: &Session) -> Outcome {
        Err(Failure::new("not built yet"))
    }
}
