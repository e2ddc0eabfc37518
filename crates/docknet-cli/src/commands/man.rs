//! `docknet man`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory};
use clap_mangen::Man as Page;

use crate::cli::Cli;
use crate::failure::{Failure, Outcome};
use crate::session::Session;

/// Write the manual pages
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  docknet man | man -l -                       the page of docknet itself
  docknet man ~/.local/share/man/man1          all pages, one a command")]
pub(crate) struct Man {
    /// Where to write all of them; without it, docknet's own page goes to stdout
    #[arg(value_hint = clap::ValueHint::DirPath)]
    dir: Option<PathBuf>,
}

impl Man {
    pub(crate) fn run(self, session: &Session) -> Outcome {
        let mut command = Cli::command();
        command.build();
        let mut out = session.out();
        let Some(dir) = self.dir else {
            Page::new(command).render(&mut out)?;
            return Ok(out.flush()?);
        };
        let failed = |path: &Path, error: std::io::Error| {
            Failure::new(format!("cannot write `{}`: {error}", path.display()))
        };
        fs::create_dir_all(&dir).map_err(|error| failed(&dir, error))?;
        let mut pages = Vec::new();
        collect("docknet", &command, &mut pages);
        for (name, command) in pages {
            let path = dir.join(format!("{name}.1"));
            let mut page = Vec::new();
            Page::new(command.name(name)).render(&mut page)?;
            fs::write(&path, page).map_err(|error| failed(&path, error))?;
            writeln!(out, "{}", path.display())?;
        }
        Ok(out.flush()?)
    }
}

/// A command and those below it, each with the name of its page.
fn collect(name: &str, command: &clap::Command, pages: &mut Vec<(String, clap::Command)>) {
    pages.push((name.to_owned(), command.clone()));
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        collect(&format!("{name}-{}", below.get_name()), below, pages);
    }
}
