//! `docknet completion`.

use std::io::Write;

use clap::{Args, ValueEnum};
use clap_complete::env::{Bash, EnvCompleter, Fish, Zsh};

use crate::failure::{Failure, Outcome};
use crate::session::Session;

/// Print a completion script for a shell
#[derive(Args, Debug)]
#[command(after_help = "\
The script asks docknet for what fits, so networks and containers are those of the engine that the line names.

Examples:
  docknet completion bash > ~/.local/share/bash-completion/completions/docknet
  docknet completion zsh > ~/.zfunc/_docknet          with fpath+=~/.zfunc before compinit
  docknet completion fish > ~/.config/fish/completions/docknet.fish")]
pub(crate) struct Completion {
    shell: Shell,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shell {
    Bash,
    Fish,
    Zsh,
}

impl Completion {
    pub(crate) fn run(self, session: &Session) -> Outcome {
        let shell: &dyn EnvCompleter = match self.shell {
            Shell::Bash => &Bash,
            Shell::Fish => &Fish,
            Shell::Zsh => &Zsh,
        };
        let mut script = Vec::new();
        // Found on the PATH when it is asked: the script outlives an update.
        shell
            .write_registration("COMPLETE", "docknet", "docknet", "docknet", &mut script)
            .map_err(|error| Failure::new(format!("cannot write the script: {error}")))?;
        let mut out = session.out();
        out.write_all(&script)?;
        Ok(out.flush()?)
    }
}
