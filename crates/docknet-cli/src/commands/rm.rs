//! `docknet rm`.

use std::io::Write;

use clap::Args;
use clap_complete::engine::ArgValueCandidates;
use docknet::{Client, ErrorKind, Result};

use crate::complete;
use crate::failure::{Failure, Outcome};
use crate::prompt;
use crate::session::Session;

/// Remove one or more networks
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  docknet rm backend frontend
  docknet rm --detach backend                            whoever is connected is disconnected first
  docknet rm $(docknet ls -q --filter label=app=shop)")]
pub(crate) struct Rm {
    #[arg(required = true, value_name = "NETWORK", add = ArgValueCandidates::new(complete::networks))]
    networks: Vec<String>,

    /// No error if there is no such network
    #[arg(short, long)]
    force: bool,

    /// Disconnect every container first, running or not
    #[arg(long)]
    detach: bool,
}

const INGRESS: &str = "\
WARNING! Before removing the routing-mesh network, make sure all the nodes in your swarm run the same docker engine version. \
Otherwise, removal may not be effective and functionality of newly create ingress networks will be impaired.
Are you sure you want to continue?";

impl Rm {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let client = session.client().await?;
        let interrupt = session.interrupt().await?;
        let mut outcome = Ok(());
        for name in &self.networks {
            interrupt.check()?;
            let what = format!("remove network `{name}`");
            let failure = match self.remove(session, client, name, &what).await? {
                Ok(Removed::Gone) => {
                    let mut out = session.out();
                    writeln!(out, "{name}")?;
                    out.flush()?;
                    continue;
                }
                Ok(Removed::Kept) => continue,
                Err(error) if self.force && error.kind() == ErrorKind::NotFound => continue,
                Err(error) => {
                    let failure = Failure::of(&what, &error);
                    match error.kind() {
                        ErrorKind::InUse => failure.hint(format!(
                            "`docknet rm --detach {name}` disconnects everybody first"
                        )),
                        _ => failure,
                    }
                }
            };
            failure.report(session.terminal());
            outcome = Err(Failure::Told(1));
        }
        interrupt.check()?;
        outcome
    }

    async fn remove(
        &self,
        session: &Session,
        client: &Client,
        name: &str,
        what: &str,
    ) -> Outcome<Result<Removed>> {
        let networks = client.networks();
        let network = match session.waiting(what, networks.get(name)).await {
            Ok(network) => network,
            Err(error) => return Ok(Err(error)),
        };
        // Nothing turns on the screen while somebody is asked.
        if network.info().ingress && !prompt::confirm(session, INGRESS).await? {
            return Ok(Ok(Removed::Kept));
        }
        let remove = async {
            match self.detach {
                true => network.remove_detaching().await,
                // By what was typed: the engine's words are about that.
                false => networks.remove(name).await,
            }
        };
        let removed = session.waiting(what, remove).await;
        Ok(removed.map(|()| Removed::Gone))
    }
}

enum Removed {
    Gone,
    Kept,
}
