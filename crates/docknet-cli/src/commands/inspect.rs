//! `docknet inspect`.

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::session::Session;

/// Display detailed information on one or more networks
#[derive(Args, Debug)]
pub(crate) struct Inspect {}

impl Inspect {
    pub(crate) async fn run(self, _session: &Session) -> Outcome {
        Err(Failure::new("not built yet"))
    }
}
