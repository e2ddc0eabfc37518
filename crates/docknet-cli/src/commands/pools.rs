//! `docknet pools`.

use std::io::Write;

use clap::Args;

use crate::about::About;
use crate::failure::{Failure, Outcome};
use crate::output::{Data, Table, visible};
use crate::pools::{self, Report, With};
use crate::session::Session;
use crate::survey::Survey;
use crate::terminal;

/// Show which subnets are used, by whom, how full they are, and what is free
#[derive(Args, Debug)]
#[command(after_help = "\
The routes of this machine count where the engine is on it.

Examples:
  docknet pools
  docknet pools --addresses                              who has which address
  docknet create --subnet $(docknet pools --next 24) backend")]
pub(crate) struct Pools {
    /// Who has which address
    #[arg(short, long)]
    addresses: bool,

    /// Print a free subnet with a prefix of this length, and nothing else
    #[arg(long, value_name = "LENGTH", value_parser = clap::value_parser!(u8).range(8..=30), conflicts_with = "addresses")]
    next: Option<u8>,

    /// How to print: text or json
    #[arg(long, default_value = "text", value_name = "FORMAT", hide_possible_values = true)]
    format: Data,
}

impl Pools {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let client = session.client().await?;
        let look =
            async { Ok::<_, Failure>((Survey::take(client).await?, About::ask(client).await?)) };
        let (survey, about) = session.waiting("look at networks", look).await?;
        let host = about.host(client, &survey).ok();
        let report = Report::new(&survey, about.default_pools().as_deref(), host.as_ref());
        let mut out = session.out();
        if let Some(length) = self.next {
            let taken = pools::taken(&report.pools, host.as_ref());
            let next = pools::next(length, &report.defaults, &taken);
            let next = next.ok_or_else(|| {
                Failure::new(format!("no subnet of length /{length} is free"))
                    .hint("a longer prefix is a smaller subnet")
            })?;
            writeln!(out, "{next}")?;
        } else if self.format == Data::Json {
            writeln!(
                out,
                "{}",
                serde_json::to_string(&report).map_err(|error| Failure::new(error.to_string()))?
            )?;
        } else {
            self.write(session, &report, &mut out)?;
        }
        Ok(out.flush()?)
    }

    fn write(&self, session: &Session, report: &Report, out: &mut impl Write) -> Outcome {
        let mut table = Table::new(["NETWORK", "SUBNET", "GATEWAY", "USED", "FREE", "FULL"]);
        for pool in &report.pools {
            table.row([
                visible(&pool.network).into_owned(),
                match pool.range {
                    Some(range) => format!("{} (of it {range})", pool.subnet),
                    None => pool.subnet.to_string(),
                },
                pool.gateway.map(|gateway| gateway.to_string()).unwrap_or_default(),
                pool.used.to_string(),
                amount(pool.free()),
                format!("{}%", pool.percent()),
            ]);
            if self.addresses {
                for (address, holder) in &pool.addresses {
                    table.row([
                        String::new(),
                        format!("  {address}"),
                        visible(holder).into_owned(),
                    ]);
                }
            }
        }
        table.write(out)?;
        writeln!(out)?;

        let assumed =
            if report.defaults_assumed { " (Docker's: the engine names none)" } else { "" };
        writeln!(out, "Default pools{assumed}:")?;
        let mut table = Table::new(["POOL", "SUBNETS", "FREE", "NEXT"]);
        for pool in &report.defaults {
            table.row([
                pool.base.to_string(),
                format!("{} of /{}", amount(pool.total), pool.size),
                amount(pool.free),
                pool.next.map_or_else(|| "-".to_owned(), |next| next.to_string()),
            ]);
        }
        table.write(out)?;

        if !report.overlaps.is_empty() {
            let yellow = session.terminal().style(terminal::WARNING);
            writeln!(out, "\n{yellow}Overlaps:{yellow:#}")?;
            for overlap in &report.overlaps {
                let other = match &overlap.with {
                    With::Network(name) => format!("network {}", visible(name)),
                    With::Route { link, tunnel: true } => {
                        format!("the route through the tunnel {}", visible(link))
                    }
                    With::Route { link, tunnel: false } => {
                        format!("the route through {}", visible(link))
                    }
                };
                writeln!(
                    out,
                    "  {} {} with {other}, {}",
                    visible(&overlap.network),
                    overlap.subnet,
                    overlap.other
                )?;
            }
        }
        Ok(())
    }
}

/// A number that is read at a glance: beyond a million its size is all that matters.
fn amount(number: u128) -> String {
    if number < 1_000_000 {
        return number.to_string();
    }
    // The nearest power: a subnet of 2^64 has a few addresses less to give.
    let power = number.ilog2();
    let nearest = if number > 3 << (power - 1) { power + 1 } else { power };
    format!("2^{nearest}")
}
