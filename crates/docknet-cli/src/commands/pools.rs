//! `docknet pools`.

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::session::Session;

/// Show which subnets are used, by whom, how full they are, and what is free
#[derive(Args, Debug)]
pub(crate) struct Pools {}

impl Pools {
    pub(crate) async fn run(self, _session: &Session) -> Outcome {
        Err(Failure::new("not built yet"))
    }
}
