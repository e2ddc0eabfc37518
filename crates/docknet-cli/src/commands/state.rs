//! `docknet state`.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::failure::{Failure, Outcome};
use crate::session::Session;

/// Look at what an engine keeps on disk
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  docknet state dump /var/lib/docknet")]
pub(crate) struct State {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Print all of it as JSON, whether or not an engine runs on it
    Dump {
        /// The directory that `docknet serve --state` was given
        #[arg(value_hint = clap::ValueHint::DirPath)]
        dir: PathBuf,
    },
}

impl State {
    pub(crate) fn run(self, session: &Session) -> Outcome {
        let Verb::Dump { dir } = self.verb;
        let state = docknet_engine::dump_state(&dir).map_err(|error| {
            Failure::new(format!("cannot read the state in `{}`: {error}", dir.display()))
        })?;
        let mut out = session.out();
        writeln!(out, "{state:#}")?;
        Ok(out.flush()?)
    }
}
