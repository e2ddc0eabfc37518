//! `docknet`: Docker networks on the command line.

mod arguments;
mod cli;
mod commands;
mod complete;
mod doctor;
mod failure;
mod graph;
mod host;
mod interrupt;
mod output;
mod pools;
mod prompt;
mod session;
mod survey;
mod template;
mod terminal;
mod watch;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::Cli;

fn main() -> ExitCode {
    complete::answer();
    match Cli::try_parse() {
        Ok(cli) => cli.run(),
        Err(error) => failure::usage(&error),
    }
}
