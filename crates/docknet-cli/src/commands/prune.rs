//! `docknet prune`.

use std::io::Write;

use clap::Args;
use clap_complete::engine::ArgValueCandidates;
use docknet::{Kept, PrunePlan};
use serde_json::json;

use crate::arguments;
use crate::complete;
use crate::failure::{Failure, Outcome};
use crate::output::{Data, visible};
use crate::prompt;
use crate::session::Session;

/// Remove all unused networks
#[derive(Args, Debug)]
#[command(after_help = "\
Networks of stopped containers go too, as with docker's CLI: such a container cannot be started again. --keep-stopped keeps them.

Examples:
  docknet prune --dry-run
  docknet prune --force --filter until=24h
  docknet prune --keep-stopped --filter label!=keep")]
pub(crate) struct Prune {
    /// Do not ask
    #[arg(short, long)]
    force: bool,

    /// Only those that match: until=<time>, label=<key>[=<value>], label!=<key>[=<value>]
    #[arg(long = "filter", value_name = "KEY=VALUE", add = ArgValueCandidates::new(complete::prune_filters))]
    filters: Vec<String>,

    /// Say what would go and what stays, and why; remove nothing
    #[arg(short = 'n', long, conflicts_with = "force")]
    dry_run: bool,

    /// Keep networks that stopped containers need
    #[arg(long)]
    keep_stopped: bool,

    /// How to print: text or json
    #[arg(long, default_value = "text", value_name = "FORMAT", hide_possible_values = true)]
    format: Data,
}

const KEYS: &str = "label, label! and until";

const WARNING: &str = "\
WARNING! This will remove all custom networks not used by at least one container.
Are you sure you want to continue?";

impl Prune {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let filters = arguments::filters(&self.filters, KEYS)?;
        let networks = session.client().await?.networks();
        let failed = |error: docknet::Error| {
            let failure = Failure::of("prune networks", &error);
            let filter = error.message().contains("filter");
            if filter { failure.hint(format!("the keys are {KEYS}")) } else { failure }
        };
        if self.dry_run {
            let plan = session
                .waiting("look at networks", networks.plan_prune(&filters))
                .await
                .map_err(failed)?;
            return self.show(session, &self.keep(plan));
        }
        let interrupt = session.interrupt().await?;
        if !self.force {
            // A list that cannot be read now is one that the prune itself will speak of.
            if !self.keep_stopped
                && let Ok(plan) = networks.plan_prune(&filters).await
            {
                warn_of_stopped(session, &plan);
            }
            if !prompt::confirm(session, WARNING).await? {
                return Ok(());
            }
        }
        interrupt.check()?;
        let prune = async {
            match self.keep_stopped {
                true => networks.plan_prune(&filters).await?.execute().await,
                false => networks.prune(&filters).await,
            }
        };
        let pruned = session.waiting("prune networks", prune).await.map_err(failed)?;
        let mut out = session.out();
        if self.format == Data::Json {
            writeln!(out, "{}", json!({ "NetworksDeleted": pruned.networks_deleted }))?;
        } else if !pruned.networks_deleted.is_empty() {
            writeln!(out, "Deleted Networks:")?;
            for name in &pruned.networks_deleted {
                writeln!(out, "{}", visible(name))?;
            }
            writeln!(out)?;
        }
        out.flush()?;
        drop(out);
        for error in &pruned.refused {
            let name = error.subject().unwrap_or("a network");
            Failure::of(format_args!("remove network `{name}`"), error).report(session.terminal());
        }
        interrupt.check()?;
        if pruned.refused.is_empty() { Ok(()) } else { Err(Failure::Told(1)) }
    }

    /// What would go: a prune of the engine's takes the networks of stopped containers too.
    fn keep(&self, mut plan: PrunePlan) -> PrunePlan {
        if !self.keep_stopped {
            let stopped = |kept: &Kept| matches!(kept, Kept::Stopped(_));
            plan.remove.extend(
                plan.keep.extract_if(.., |(_, kept)| stopped(kept)).map(|(network, _)| network),
            );
        }
        plan
    }

    fn show(&self, session: &Session, plan: &PrunePlan) -> Outcome {
        let mut out = session.out();
        if self.format == Data::Json {
            let remove: Vec<_> = plan
                .remove
                .iter()
                .map(|network| json!({ "Id": network.id(), "Name": network.name() }))
                .collect();
            let keep: Vec<_> = plan.keep.iter()
                .map(|(network, kept)| json!({ "Id": network.id(), "Name": network.name(), "Reason": kept.to_string() }))
                .collect();
            writeln!(out, "{}", json!({ "Remove": remove, "Keep": keep }))?;
            return Ok(out.flush()?);
        }
        if plan.remove.is_empty() {
            writeln!(out, "Nothing would be removed.")?;
        } else {
            writeln!(out, "Would be removed:")?;
        }
        for network in &plan.remove {
            writeln!(out, "  {}  {}", network.short_id(), visible(network.name()))?;
        }
        if !plan.keep.is_empty() {
            writeln!(out, "Kept:")?;
        }
        for (network, kept) in &plan.keep {
            writeln!(
                out,
                "  {}  {}  ({})",
                network.short_id(),
                visible(network.name()),
                visible(&kept.to_string())
            )?;
        }
        Ok(out.flush()?)
    }
}

fn warn_of_stopped(session: &Session, plan: &PrunePlan) {
    for (network, kept) in &plan.keep {
        if let Kept::Stopped(containers) = kept {
            session.warn(format!(
                "network `{}` goes too, and {} cannot be started again without it; `--keep-stopped` keeps it",
                network.name(),
                containers.join(", "),
            ));
        }
    }
}
