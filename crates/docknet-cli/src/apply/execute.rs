//! Doing what was planned, and taking it back if it cannot be done as a whole.

#[cfg(test)]
mod tests;

use std::fmt;

use docknet::{Client, Error, ErrorKind, Result};

use super::plan::{Step, Who};
use crate::interrupt::Interrupt;

/// Why it was not done as a whole, and what became of what was done.
#[derive(Debug)]
pub(crate) struct Halted {
    /// What could not be done, and why; none if it was interrupted.
    pub(crate) failed: Option<(Step, Error)>,
    /// How many steps were taken back.
    pub(crate) undone: usize,
    /// What could not be taken back: what was tried, and why it did not succeed.
    pub(crate) left: Vec<(String, Error)>,
}

/// Does these steps one after the other. If one fails, or Ctrl-C comes, those before it are undone, the last one first.
pub(crate) async fn execute(
    client: &Client,
    steps: &[Step],
    interrupt: Option<&Interrupt>,
    mut tell: impl FnMut(&Step),
) -> std::result::Result<(), Halted> {
    for (at, step) in steps.iter().enumerate() {
        let interrupted = interrupt.is_some_and(Interrupt::has_come);
        let failed = match interrupted {
            true => None,
            false => {
                tell(step);
                match take(client, step).await {
                    Ok(()) => continue,
                    Err(error) => Some(error),
                }
            }
        };
        // Where no answer came the engine may have done it all the same.
        let unknown = failed.as_ref().is_some_and(|error| error.status().is_none());
        let done = steps.get(..at + usize::from(unknown)).unwrap_or(steps);
        let mut halted = Halted {
            failed: failed.map(|error| (step.clone(), error)),
            undone: 0,
            left: Vec::new(),
        };
        for step in done.iter().rev() {
            match undo(client, step).await {
                Ok(()) => halted.undone += 1,
                Err(error) => halted.left.push((step.undoing(), error)),
            }
        }
        return Err(halted);
    }
    Ok(())
}

async fn take(client: &Client, step: &Step) -> Result<()> {
    let networks = client.networks();
    match step {
        Step::Connect { network, container, spec } => {
            networks.get(network).await?.connect(&container.id, spec.clone()).await
        }
        Step::Create { spec } => networks.create(spec).await.map(|_| ()),
        Step::Disconnect { network, container, .. } => {
            networks.get(network).await?.disconnect(&container.id).await
        }
        Step::Remove { network, .. } => networks.remove(network).await,
    }
}

/// Takes a step back; one that was not done, or that somebody took back already, is none that fails.
async fn undo(client: &Client, step: &Step) -> Result<()> {
    let networks = client.networks();
    let undone = match step {
        Step::Connect { network, container, .. } => match networks.find(network).await? {
            Some(network) => network.disconnect(&container.id).await,
            None => Ok(()),
        },
        Step::Create { spec } => networks.remove(&spec.name).await,
        Step::Disconnect { network, container, plain, exact } => {
            let network = networks.get(network).await?;
            match network.connect(&container.id, exact.clone()).await {
                // The address was the engine's choice, and such a one may not be asked for; or another has it by now.
                Err(error) if is_about_an_address(&error) => {
                    network.connect(&container.id, plain.clone()).await
                }
                outcome => outcome,
            }
        }
        Step::Remove { spec, .. } => networks.create(spec).await.map(|_| ()),
    };
    match undone {
        Err(error) if is_undone(&error) => Ok(()),
        outcome => outcome,
    }
}

fn is_about_an_address(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::AddressInUse
            | ErrorKind::AddressNotInPool
            | ErrorKind::InvalidSpec
            | ErrorKind::BadRequest
    )
}

fn is_undone(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::AlreadyConnected
            | ErrorKind::NameTaken
            | ErrorKind::NotConnected
            | ErrorKind::NotFound
    )
}

impl Step {
    /// What taking it back is.
    fn undoing(&self) -> String {
        match self {
            Self::Connect { network, container, .. } => {
                format!("disconnect container `{container}` from network `{network}`")
            }
            Self::Create { spec } => format!("remove network `{}`", spec.name),
            Self::Disconnect { network, container, .. } => {
                format!("connect container `{container}` to network `{network}` again")
            }
            Self::Remove { network, .. } => format!("create network `{network}` again"),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect { network, container, .. } => {
                write!(f, "connect container `{container}` to network `{network}`")
            }
            Self::Create { spec } => write!(f, "create network `{}`", spec.name),
            Self::Disconnect { network, container, .. } => {
                write!(f, "disconnect container `{container}` from network `{network}`")
            }
            Self::Remove { network, .. } => write!(f, "remove network `{network}`"),
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
