//! `docknet events`.

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::session::Session;

/// Print what happens to networks, as it happens
#[derive(Args, Debug)]
pub(crate) struct Events {}

impl Events {
    pub(crate) async fn run(self, _session: &Session) -> Outcome {
        Err(Failure::new("not built yet"))
    }
}
