//! `docknet apply`.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;

use clap::Args;

use crate::apply::{self, Context, Halted, Plan, Prune, Situation, Watcher};
use crate::failure::{Failure, Outcome};
use crate::interrupt::Interrupt;
use crate::output::Data;
use crate::prompt;
use crate::session::Session;
use crate::terminal::FAINT;

/// Make networks what a file says
#[derive(Args, Debug)]
#[command(after_help = "\
The file is YAML or JSON, or a Compose file, whose networks `docker compose up` takes for its own. What it leaves open may be anything:

  networks:
    backend:
      internal: true
      ipam: {config: [{subnet: 192.168.52.0/24, gateway: 192.168.52.254}]}
      containers:
        db: {ipv4_address: 192.168.52.9, aliases: [postgres]}

A network cannot be changed in place: it is made anew, and its containers are connected again with their settings. If a step fails, \
everything before it is undone.

Examples:
  docknet apply --dry-run networks.yaml
  docknet apply --prune --force compose.yaml
  docknet apply --check - <networks.json     exit code 1 if something would change")]
pub(crate) struct Apply {
    /// The file, or - for stdin
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    file: String,

    /// Read it as a Compose file, whatever it looks like
    #[arg(long)]
    compose: bool,

    /// The name of the project or set [default: as Compose has it; without Compose the file's name]
    #[arg(short, long, value_name = "NAME")]
    project_name: Option<String>,

    /// Remove networks that an earlier apply of the same set made, and that the file does not have any more
    #[arg(long)]
    prune: bool,

    /// Say what would be done; do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,

    /// The same, with exit code 1 if something would be done
    #[arg(long)]
    check: bool,

    /// Do not ask before something is made anew or removed
    #[arg(short, long)]
    force: bool,

    /// How to print: text or json
    #[arg(long, default_value = "text", value_name = "FORMAT", hide_possible_values = true)]
    format: Data,
}

impl Apply {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let text = self.text()?;
        let wanted = apply::read(&text, &self.context()).map_err(|problems| refused(&problems))?;
        if self.prune && !wanted.named {
            let what = "`--prune` removes what an earlier apply of the same set made, and this set has no name";
            return Err(Failure::new(what)
                .hint("`set: NAME` in the file or `--project-name NAME` gives it one"));
        }
        let client = session.client().await?;
        let taken = session.waiting("look at networks", Situation::take(client, &wanted)).await;
        let (there, networks) = taken?;
        let prune = if self.prune { Prune::Leftovers } else { Prune::Nothing };
        let plan = apply::plan(&wanted, &there, prune).map_err(|refusals| refused(&refusals))?;
        if self.dry_run || self.check {
            self.show(session, &plan)?;
            let differs = self.check && !plan.is_empty();
            return if differs { Err(Failure::Told(1)) } else { Ok(()) };
        }
        let asks = plan.disturbs() && !self.force;
        if asks && (self.format == Data::Json || self.file == "-" || !io::stdin().is_terminal()) {
            return Err(Failure::new(
                "networks would be made anew or removed, and nobody can be asked",
            )
            .hint("`--dry-run` shows what would be done, and `--force` does it"));
        }
        if self.format == Data::Text {
            self.show(session, &plan)?;
        }
        if asks && !prompt::confirm(session, "Are you sure you want to continue?").await? {
            return Ok(());
        }
        let interrupt = session.interrupt().await?;
        let mut watcher = Progress { session, interrupt };
        let steps = plan.steps();
        let apply = apply::execute(client, networks, &steps, &mut watcher);
        let done = session.waiting("apply", apply).await;
        done.map_err(|left| halted(&left))?;
        if self.format == Data::Json {
            self.show(session, &plan)?;
        }
        Ok(())
    }

    fn text(&self) -> Outcome<String> {
        let read = match self.file.as_str() {
            "-" => read(io::stdin()),
            file => std::fs::File::open(file).and_then(read),
        };
        read.map_err(|error| Failure::new(format!("cannot read `{}`: {error}", self.file)))
    }

    fn context(&self) -> Context {
        let path = Path::new(&self.file);
        let directory =
            std::path::absolute(path).ok().and_then(|path| path.parent().map(Path::to_path_buf));
        let directory = if self.file == "-" { std::env::current_dir().ok() } else { directory };
        let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        // As Compose has it: a `.env` beside the file, and the environment before it.
        let beside =
            directory.as_deref().map(|directory| std::fs::read_to_string(directory.join(".env")));
        let mut variables: BTreeMap<_, _> =
            beside.and_then(Result::ok).map(|text| apply::of_env_file(&text)).unwrap_or_default();
        variables.extend(
            std::env::vars_os().filter_map(|(key, value)| {
                Some((key.into_string().ok()?, value.into_string().ok()?))
            }),
        );
        Context {
            file: if self.file == "-" { "stdin".to_owned() } else { self.file.clone() },
            project: self.project_name.clone(),
            fallback: stem.filter(|stem| stem != "-").unwrap_or_else(|| "stdin".to_owned()),
            directory: directory.as_deref().and_then(name).unwrap_or_default(),
            compose: self.compose,
            variables,
        }
    }

    fn show(&self, session: &Session, plan: &Plan) -> Outcome {
        let mut out = session.out();
        if self.format == Data::Json {
            writeln!(out, "{}", apply::json(plan))?;
            return Ok(out.flush()?);
        }
        for (style, line) in apply::lines(plan) {
            let style = session.terminal().style(style);
            writeln!(out, "{style}{line}{style:#}")?;
        }
        if plan.is_empty() {
            writeln!(out, "Nothing to do: everything is as the file says.")?;
        }
        Ok(out.flush()?)
    }
}

/// More than any file of networks is long.
const LONGEST: u64 = 4 << 20;

fn read(from: impl Read) -> io::Result<String> {
    let mut text = String::new();
    from.take(LONGEST + 1).read_to_string(&mut text)?;
    match text.len() as u64 > LONGEST {
        true => Err(io::Error::other("it is longer than 4 MiB")),
        false => Ok(text),
    }
}

/// Says each step on stderr, and hears of Ctrl-C.
struct Progress<'a> {
    session: &'a Session,
    interrupt: &'a Interrupt,
}

impl Watcher for Progress<'_> {
    fn begins(&mut self, what: &str) {
        let faint = self.session.terminal().stderr_style(FAINT);
        self.session.say(format!("{faint}{what}{faint:#}"));
    }

    fn interrupted(&self) -> bool {
        self.interrupt.has_come()
    }
}

fn refused(problems: &[String]) -> Failure {
    Failure::new(format!("nothing was done:\n{}", problems.join("\n")))
}

fn halted(halted: &Halted) -> Failure {
    let failure = match &halted.cause {
        Some((what, error)) => Failure::of(what, error),
        None => Failure::new("interrupted").code(130),
    };
    match (halted.left.is_empty(), halted.undone) {
        (true, 0) => failure.hint("nothing was done before it"),
        (true, _) => failure.hint("what was done before it is undone: everything is as it was"),
        (false, _) => {
            let undone = "what was done before it is undone, except:";
            failure.hint(format!("{undone}\n{}", halted.left.join("\n")))
        }
    }
}
