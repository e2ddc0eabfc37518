//! What can be typed. Each command's own flags are beside its code, in `commands`.

use std::process::ExitCode;

use clap::builder::ArgPredicate;
use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand};

use crate::commands::{
    apply, completion, connect, create, demo, disconnect, doctor, events, graph, inspect, ls, man,
    pools, prune, rm, serve, state, version, watch,
};
use crate::failure::Outcome;
use crate::rootless;
use crate::session::Session;
use crate::terminal::{ColorChoice, Terminal};

/// Docker networks: on Docker Engine, Docker Swarm and Podman, and without any of them.
#[derive(Debug, Parser)]
#[command(
    name = "docknet",
    bin_name = "docknet",
    version,
    styles = STYLES,
    propagate_version = false,
    max_term_width = 100,
    arg_required_else_help = true,
    after_help = "\
Examples:
  docknet create --subnet 192.168.52.0/24 --gateway 192.168.52.254 backend
  docknet connect --alias db --ip 192.168.52.9 backend postgres
  docknet ls --containers
  docknet doctor
  docknet demo                       no engine is needed for this one"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// What every command knows.
#[derive(Args, Clone, Debug)]
pub(crate) struct Globals {
    /// The engine: unix:///path, tcp://host:port, https://host, ssh://user@host, or state:///path for
    /// docknet's own, in this process, with its state in that directory [default: as the docker CLI
    /// finds it]
    #[arg(
        short = 'H',
        long,
        global = true,
        value_name = "ADDRESS",
        help_heading = "Global options"
    )]
    pub(crate) host: Vec<String>,

    /// The engine of this context of the docker CLI
    #[arg(
        short,
        long,
        global = true,
        value_name = "NAME",
        help_heading = "Global options",
        conflicts_with = "host",
        add = clap_complete::engine::ArgValueCandidates::new(crate::complete::contexts)
    )]
    pub(crate) context: Option<String>,

    /// Colours: auto, always or never
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        default_value_if("no_color", ArgPredicate::IsPresent, "never"),
        hide_default_value = true,
        hide_possible_values = true,
        help_heading = "Global options"
    )]
    pub(crate) color: ColorChoice,

    /// The same as --color never
    #[arg(long, global = true, hide = true)]
    no_color: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Create(create::Create),
    #[command(visible_alias = "list")]
    Ls(ls::Ls),
    Inspect(inspect::Inspect),
    Connect(connect::Connect),
    Disconnect(disconnect::Disconnect),
    #[command(visible_alias = "remove")]
    Rm(rm::Rm),
    Prune(prune::Prune),
    Events(events::Events),
    Watch(watch::Watch),
    Pools(pools::Pools),
    Doctor(doctor::Doctor),
    Graph(graph::Graph),
    Apply(apply::Apply),
    Serve(serve::Serve),
    Demo(demo::Demo),
    State(state::State),
    Completion(completion::Completion),
    Man(man::Man),
    Version(version::Version),
}

impl Cli {
    pub(crate) fn run(self) -> ExitCode {
        let terminal = Terminal::new(self.globals.color);
        if let Err(failure) = rootless::enter(&self) {
            return failure.report(&terminal);
        }
        let session = Session::new(self.globals, terminal);
        let runtime = match session.runtime(matches!(self.command, Command::Serve(_))) {
            Ok(runtime) => runtime,
            Err(failure) => return failure.report(&terminal),
        };
        match runtime.block_on(self.command.run(&session)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => failure.report(&terminal),
        }
    }
}

impl Cli {
    /// Whether what is to be done takes root.
    pub(crate) fn needs_root(&self) -> bool {
        match &self.command {
            Command::Demo(_) => true,
            Command::Serve(serve) => serve.needs_root(),
            _ => false,
        }
    }

    pub(crate) fn is_demo(&self) -> bool {
        matches!(self.command, Command::Demo(_))
    }
}

impl Command {
    async fn run(self, session: &Session) -> Outcome {
        match self {
            Self::Apply(command) => command.run(session).await,
            Self::Completion(command) => command.run(session),
            Self::Connect(command) => command.run(session).await,
            Self::Create(command) => command.run(session).await,
            Self::Demo(command) => command.run(session).await,
            Self::Disconnect(command) => command.run(session).await,
            Self::Doctor(command) => command.run(session).await,
            Self::Events(command) => command.run(session).await,
            Self::Graph(command) => command.run(session).await,
            Self::Inspect(command) => command.run(session).await,
            Self::Ls(command) => command.run(session).await,
            Self::Man(command) => command.run(session),
            Self::Pools(command) => command.run(session).await,
            Self::Prune(command) => command.run(session).await,
            Self::Rm(command) => command.run(session).await,
            Self::Serve(command) => command.run(session).await,
            Self::State(command) => command.run(session),
            Self::Version(command) => command.run(session).await,
            Self::Watch(command) => command.run(session).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_flags_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }
}
