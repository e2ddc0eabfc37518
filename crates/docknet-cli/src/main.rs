//! `docknet`: Docker networks on the command line.

mod about;
mod apply;
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
mod rootless;
mod service;
mod session;
mod survey;
mod template;
mod terminal;
mod watch;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use crate::cli::Cli;

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    if env::args_os().nth(1).is_some_and(|word| word == commands::serve::HOLD) {
        // For people who look at lists of processes.
        let _ = rustix::thread::set_name(c"docknet");
        // Its errors have no reader: who started it sees that it is gone.
        return ExitCode::from(u8::from(docknet_engine::hold_programs().is_err()));
    }
    complete::answer();
    match Cli::try_parse_from(words()) {
        Ok(cli) => cli.run(),
        Err(error) => failure::usage(&error),
    }
}

/// What was typed. `docknet network ls` is `docknet ls`: for hands and scripts that have docker's words.
fn words() -> impl Iterator<Item = OsString> {
    env::args_os()
        .enumerate()
        .filter(|(at, word)| *at != 1 || word != "network")
        .map(|(_, word)| word)
}
