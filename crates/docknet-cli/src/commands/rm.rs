//! `docknet rm`.

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::session::Session;

/// Remove one or more networks
#[derive(Args, Debug)]
pub(crate) struct Rm {}

impl Rm {
    pub(crate) async fn run(self, _session: &Session) -> Outcome {
        Err(Failure::new("not built yet"))
    }
}
