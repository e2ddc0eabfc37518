//! What fits where the cursor is: asked by the shells' scripts that `docknet completion` prints.

use clap::CommandFactory;
use clap_complete::CompleteEnv;

use crate::cli::Cli;

/// Answers and ends the program, if a shell asks.
pub(crate) fn answer() {
    CompleteEnv::with_factory(Cli::command).complete();
}
