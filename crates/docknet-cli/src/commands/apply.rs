//! `docknet apply`.

use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::apply::{self, Context, Halted, Plan, Prune, Sign, Situation, Wanted};
use crate::failure::{Failure, Outcome};
use crate::output::{Data, counted};
use crate::prompt;
use crate::session::Session;
use crate::terminal;

/// Make networks what a file says
#[derive(Args, Debug)]
#[command(after_help = "\
The file is YAML or JSON, or a Compose file, of which the networks are made as `docker compose up` makes them:

  networks:
    backend:
      internal: true
      ipam: {config: [{subnet: 192.168.52.0/24, gateway: 192.168.52.254}]}
      containers:
        db: {ipv4_address: 192.168.52.9, aliases: [postgres]}

A network cannot be changed in place: it is made anew, and its containers are connected again with their settings. If a step fails, all
is as it was before.

Examples:
  docknet apply --dry-run networks.yaml
  docknet apply --force --prune compose.yaml
  docknet apply --check networks.yaml                 exit code 1 if something would change")]
pub(crate) struct Apply {
    /// The file; - for stdin
    #[arg(value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,

    /// Show what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,

    /// Like --dry-run, and exit with 1 if something would be done
    #[arg(long, conflicts_with = "dry_run")]
    check: bool,

    /// Remove networks that an earlier apply of the same set or project made, and that the file does not have any more
    #[arg(long)]
    prune: bool,

    /// Do not ask before something is removed or made anew
    #[arg(short, long)]
    force: bool,

    /// The project of a Compose file, or the name of a set [default: as the file says, or by its directory or name]
    #[arg(short, long, value_name = "NAME")]
    project_name: Option<String>,

    /// It is a Compose file, whatever it looks like
    #[arg(long)]
    compose: bool,

    /// How to print the plan: text or json
    #[arg(long, default_value = "text", value_name = "FORMAT", hide_possible_values = true)]
    format: Data,
}

impl Apply {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let wanted = self.wanted()?;
        let client = session.client().await?;
        let (there, _) =
            session.waiting("look at networks", Situation::take(client, &wanted)).await?;
        let prune = if self.prune { Prune::Leftovers } else { Prune::Nothing };
        let plan = apply::plan(&wanted, &there, prune).map_err(|refusals| {
            all(&format!("`{}` cannot be applied", self.file.display()), &refusals)
        })?;
        self.show(session, &plan)?;
        if self.check {
            return if plan.is_empty() { Ok(()) } else { Err(Failure::Told(1)) };
        }
        if self.dry_run || plan.is_empty() {
            return Ok(());
        }
        let interrupt = session.interrupt().await?;
        if plan.disturbs() && !self.force && !self.confirm(session).await? {
            return Ok(());
        }
        interrupt.check()?;
        let steps = plan.steps();
        let tell = |step: &apply::Step| session.say(format!("  {step}"));
        let done =
            session.waiting("apply", apply::execute(client, &steps, Some(interrupt), tell)).await;
        done.map_err(|stopped| halted(&stopped))?;
        session.say(format!("done: {}", counted(steps.len(), "step")));
        Ok(())
    }

    fn wanted(&self) -> Outcome<Wanted> {
        let context = self.context()?;
        let text = if is_stdin(&self.file) {
            read(io::stdin())
        } else {
            std::fs::File::open(&self.file).and_then(read)
        };
        let text = text.map_err(|error| {
            Failure::new(format!("cannot read `{}`: {error}", self.file.display()))
        })?;
        apply::read(&text, &context).map_err(|problems| all("the file is not right", &problems))
    }

    fn context(&self) -> Outcome<Context> {
        let stdin = is_stdin(&self.file);
        let directory = match self.file.parent().filter(|dir| !stdin && !dir.as_os_str().is_empty())
        {
            Some(dir) => dir.canonicalize(),
            None => std::env::current_dir(),
        };
        let directory = directory.map_err(|error| {
            Failure::new(format!("cannot read `{}`: {error}", self.file.display()))
        })?;
        let name =
            |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        // As Compose has it: what the environment says goes before the file beside.
        let mut variables =
            settings(&std::fs::read_to_string(directory.join(".env")).unwrap_or_default());
        variables.extend(
            std::env::vars_os().filter_map(|(key, value)| {
                Some((key.into_string().ok()?, value.into_string().ok()?))
            }),
        );
        Ok(Context {
            file: if stdin { "stdin".to_owned() } else { self.file.display().to_string() },
            project: self.project_name.clone(),
            fallback: if stdin { "stdin".to_owned() } else { name(&self.file) },
            directory: directory.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            compose: self.compose,
            variables: variables.into_iter().collect(),
        })
    }

    fn show(&self, session: &Session, plan: &Plan) -> Outcome {
        let mut out = session.out();
        if self.format == Data::Json {
            writeln!(out, "{}", apply::json(plan))?;
            return Ok(out.flush()?);
        }
        if plan.is_empty() {
            writeln!(out, "Nothing to do: all is as the file says.")?;
        }
        for line in apply::lines(plan) {
            let style = session.terminal().style(match line.sign {
                Sign::Add => terminal::GOOD,
                Sign::Change => terminal::WARNING,
                Sign::Note => anstyle::Style::new(),
                Sign::Remove => terminal::ERROR,
            });
            writeln!(out, "{style}{}{style:#}", line.text)?;
        }
        Ok(out.flush()?)
    }

    async fn confirm(&self, session: &Session) -> Outcome<bool> {
        if is_stdin(&self.file) || !io::stdin().is_terminal() {
            return Err(Failure::new(
                "something would be removed or made anew, and nobody is there to be asked",
            )
            .hint("`--force` does it without asking, `--dry-run` only shows it"));
        }
        prompt::confirm(session, "Networks with - or ~ are gone for a moment, or for good. Are you sure you want to continue?").await
    }
}

fn is_stdin(file: &Path) -> bool {
    file == Path::new("-")
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

/// `KEY=value` lines, with or without quotes.
fn settings(text: &str) -> std::collections::BTreeMap<String, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let pairs =
        lines.filter_map(|line| line.strip_prefix("export ").unwrap_or(line).split_once('='));
    pairs
        .map(|(key, value)| {
            let value = value.trim();
            let quoted = ['"', '\'']
                .iter()
                .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
            (key.trim().to_owned(), quoted.unwrap_or(value).to_owned())
        })
        .collect()
}

fn all(what: &str, problems: &[String]) -> Failure {
    match problems {
        [only] => Failure::new(only),
        several => Failure::new(format!("{what}:\n{}", several.join("\n"))),
    }
}

fn halted(halted: &Halted) -> Failure {
    let (failure, code) = match &halted.failed {
        Some((step, error)) => (Failure::of(step, error), 1),
        None => (Failure::new("interrupted"), 130),
    };
    let failure = failure.code(code);
    if halted.left.is_empty() {
        return failure.hint(match halted.undone {
            0 => "nothing was changed".to_owned(),
            undone => format!(
                "all is as it was: {} taken back",
                if undone == 1 { "1 step was".to_owned() } else { format!("{undone} steps were") }
            ),
        });
    }
    let left: Vec<_> = halted
        .left
        .iter()
        .map(|(what, error)| format!("could not {what}: {}", error.message()))
        .collect();
    failure.hint(format!("not all could be taken back:\n{}", left.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_stand_in_a_file_beside() {
        let found = settings("# no\nA=1\nexport B = 'two words'\nC=\"x\"\nnothing\n");
        assert_eq!(
            found,
            [("A", "1"), ("B", "two words"), ("C", "x")]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into()
        );
    }
}
