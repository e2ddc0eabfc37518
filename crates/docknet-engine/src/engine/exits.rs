//! Programs of containers end, and their containers with them.

use std::sync::Arc;

use docknet_types::ContainerId;
use tokio::sync::mpsc::UnboundedReceiver;

use super::Inner;
use crate::core::container;
use crate::core::tx::Supply;

/// Hears of each end for as long as there is an engine.
pub(super) fn follow(inner: &Arc<Inner>, mut exits: UnboundedReceiver<(ContainerId, i64)>) {
    let inner = Arc::downgrade(inner);
    tokio::spawn(async move {
        while let Some((id, exit_code)) = exits.recv().await {
            let Some(inner) = inner.upgrade() else { return };
            let ended =
                move |tx: &mut crate::core::tx::Tx<'_>| container::ended(tx, &id, exit_code);
            if let Err(refusal) = inner.write(Supply::Plenty, ended).await {
                tracing::error!(
                    why = refusal.answer(inner.profile).1,
                    "a container stays that has ended"
                );
            }
        }
    });
}
