//! Programs of containers end, and their containers with them.

use std::sync::Arc;

use docknet_types::ContainerId;
use tokio::sync::mpsc::UnboundedReceiver;

use super::Inner;
use crate::core::container;
use crate::core::tx::{Supply, Tx};
use crate::process::Processes;

/// Hears of each end for as long as there is an engine.
pub(super) fn follow(
    inner: &Arc<Inner>,
    processes: &Arc<Processes>,
    mut exits: UnboundedReceiver<(ContainerId, i64)>,
) {
    let (inner, processes) = (Arc::downgrade(inner), Arc::downgrade(processes));
    tokio::spawn(async move {
        while let Some((id, _)) = exits.recv().await {
            let (Some(inner), Some(processes)) = (inner.upgrade(), processes.upgrade()) else {
                return;
            };
            let ended = move |tx: &mut Tx<'_>| match processes.exit_code(&id) {
                Some(exit_code) => container::ended(tx, &id, exit_code),
                // It was killed, and runs again: what ended was the one before.
                None => Ok(()),
            };
            if let Err(refusal) = inner.write(Supply::Plenty, ended).await {
                tracing::error!(
                    why = refusal.answer(inner.profile).1,
                    "a container stays that has ended"
                );
            }
        }
    });
}
