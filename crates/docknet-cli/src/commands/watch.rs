//! `docknet watch`.

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::session::Session;

/// A live table of networks and what is connected to them
#[derive(Args, Debug)]
pub(crate) struct Watch {}

impl Watch {
    pub(crate) async fn run(self, _session: &Session) -> Outcome {
        Err(Failure::new("not built yet"))
    }
}
