//! `docknet disconnect`.

use clap::Args;
use clap_complete::engine::ArgValueCandidates;

use crate::complete;
use crate::failure::{Failure, Outcome};
use crate::session::Session;

/// Disconnect a container from a network
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  docknet disconnect backend web
  docknet disconnect --force backend gone     one whose container is no more")]
pub(crate) struct Disconnect {
    #[arg(add = ArgValueCandidates::new(complete::networks))]
    network: String,

    #[arg(add = ArgValueCandidates::new(complete::connected))]
    container: String,

    /// Also where the container is gone and its endpoint was left behind
    #[arg(short, long)]
    force: bool,
}

impl Disconnect {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let client = session.client().await?;
        let interrupt = session.interrupt().await?;
        let what =
            format!("disconnect container `{}` from network `{}`", self.container, self.network);
        let disconnect = async {
            let network = client.networks().get(&self.network).await;
            let network = network.map_err(|error| Failure::of(&what, &error))?;
            interrupt.check()?;
            let done = match self.force {
                true => network.disconnect_forced(&self.container).await,
                false => network.disconnect(&self.container).await,
            };
            done.map_err(|error| Failure::of(&what, &error))
        };
        let done: Outcome = session.waiting(&what, disconnect).await;
        done?;
        if interrupt.has_come() {
            session.say(format!(
                "container `{}` is disconnected from network `{}`",
                self.container, self.network
            ));
        }
        interrupt.check()
    }
}
