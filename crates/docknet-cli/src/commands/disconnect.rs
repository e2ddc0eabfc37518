//! `docknet disconnect`.

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::session::Session;

/// Disconnect a container from a network
#[derive(Args, Debug)]
pub(crate) struct Disconnect {}

impl Disconnect {
    pub(crate) async fn run(self, _session: &Session) -> Outcome {
        Err(Failure::new("not built yet"))
    }
}
