//! `docknet doctor`.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use clap::{Args, ValueEnum};
use docknet::{Client, ErrorKind, Filters};
use tokio::process::Command;

use crate::about::About;
use crate::doctor::{Diagnosis, Facts, Finding, Severity, diagnose};
use crate::failure::{Failure, Outcome};
use crate::output::{Data, counted, visible, visible_lines};
use crate::session::Session;
use crate::survey::Survey;
use crate::terminal;

/// Look for what is wrong with an engine's networks
#[derive(Args, Debug)]
#[command(after_help = "\
Exit code: 0 if nothing is as bad as --fail-on says, 2 if something is, 1 if the engine cannot be looked at.

Examples:
  docknet doctor
  docknet doctor --fail-on warning --format json      for CI")]
pub(crate) struct Doctor {
    /// Exit with 2 at this severity or worse: error, warning, note, or never
    #[arg(long, value_name = "SEVERITY", default_value = "error", hide_possible_values = true)]
    fail_on: FailOn,

    /// How to print: text or json
    #[arg(long, default_value = "text", value_name = "FORMAT", hide_possible_values = true)]
    format: Data,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FailOn {
    Error,
    Never,
    Note,
    Warning,
}

impl Doctor {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let client = session.client().await?;
        let facts = session.waiting("look at the engine", facts(client)).await?;
        let diagnosis = diagnose(&facts);
        let mut out = session.out();
        match self.format {
            Data::Json => writeln!(
                out,
                "{}",
                serde_json::to_string(&diagnosis)
                    .map_err(|error| Failure::new(error.to_string()))?
            )?,
            Data::Text => write(session, &diagnosis, &mut out)?,
        }
        out.flush()?;
        let limit = match self.fail_on {
            FailOn::Error => Severity::Error,
            FailOn::Never => return Ok(()),
            FailOn::Note => Severity::Note,
            FailOn::Warning => Severity::Warning,
        };
        match diagnosis.findings.iter().any(|finding| finding.severity >= limit) {
            true => Err(Failure::Told(2)),
            false => Ok(()),
        }
    }
}

fn write(session: &Session, diagnosis: &Diagnosis, out: &mut impl Write) -> Outcome {
    let terminal = session.terminal();
    let faint = terminal.style(terminal::FAINT);
    for Finding { severity, check, what, evidence, advice } in &diagnosis.findings {
        let (style, word) = match severity {
            Severity::Error => (terminal::ERROR, "error"),
            Severity::Warning => (terminal::WARNING, "warning"),
            Severity::Note => (terminal::STRONG, "note"),
        };
        let style = terminal.style(style);
        writeln!(out, "{style}{word}:{style:#} {} {faint}[{check}]{faint:#}", visible_lines(what))?;
        for line in evidence {
            writeln!(out, "  found: {}", visible(line))?;
        }
        writeln!(out, "  do:    {}\n", visible_lines(advice))?;
    }
    for skipped in &diagnosis.skipped {
        writeln!(
            out,
            "{faint}skipped: {}, because {}{faint:#}",
            skipped.check,
            visible(&skipped.reason)
        )?;
    }
    let count =
        |severity| diagnosis.findings.iter().filter(|finding| finding.severity == severity).count();
    let checked = diagnosis.checked.len();
    if diagnosis.findings.is_empty() {
        let good = terminal.style(terminal::GOOD);
        writeln!(
            out,
            "{good}All is well:{good:#} {checked} checks found nothing ({})",
            diagnosis.checked.join(", ")
        )?;
    } else {
        let (errors, warnings, notes) =
            (count(Severity::Error), count(Severity::Warning), count(Severity::Note));
        let (errors, warnings, notes) =
            (counted(errors, "error"), counted(warnings, "warning"), counted(notes, "note"));
        writeln!(out, "{checked} checks: {errors}, {warnings}, {notes}")?;
    }
    Ok(())
}

async fn facts(client: &Client) -> Outcome<Facts> {
    let (survey, about) = (Survey::take(client).await?, About::ask(client).await?);
    let host = about.host(client, &survey);
    let mut members = BTreeMap::new();
    for network in &survey.networks {
        match client.networks().get(network.id().as_str()).await {
            Ok(network) => {
                members.insert(network.id().clone(), network.info().members.clone());
            }
            // It went while we looked.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    // Only now the containers that came meanwhile are known, too: an endpoint of theirs is not one that was left behind.
    let Survey { networks, .. } = survey;
    let containers = client.containers().list_all(&Filters::new()).await?;
    let forward_rules = match &host {
        Ok(_) => forward_rules().await,
        Err(reason) => Err(reason.clone()),
    };
    Ok(Facts {
        survey: Survey { networks, containers },
        members,
        default_pools: about.default_pools(),
        host,
        forward_rules,
        swarm: about.swarm().map(str::to_owned),
    })
}

/// Asks `iptables`, which shows what is in place whichever of its two kinds it is.
async fn forward_rules() -> Result<String, String> {
    const PATIENCE: Duration = Duration::from_secs(3);

    if !rustix::process::geteuid().is_root() {
        return Err("only root may read the firewall".to_owned());
    }
    let mut command = Command::new("iptables");
    command.args(["-S", "FORWARD"]).kill_on_drop(true);
    match tokio::time::timeout(PATIENCE, command.output()).await {
        Ok(Ok(output)) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Ok(Ok(output)) => Err(format!(
            "`iptables -S FORWARD` failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )),
        Ok(Err(error)) => Err(format!("`iptables` cannot be run: {error}")),
        Err(_) => Err("`iptables -S FORWARD` takes too long".to_owned()),
    }
}
