//! What others take away on the kernel is made again.

use std::os::fd::OwnedFd;
use std::sync::{Arc, Weak};
use std::thread;

use super::Inner;
use crate::core::step;
use crate::plane::Disturbances;

/// Watches until the engine is no more.
pub(super) fn start(inner: &Arc<Inner>, disturbances: Disturbances, held: OwnedFd) {
    *inner.held.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(held);
    let inner = Arc::downgrade(inner);
    let started = thread::Builder::new()
        .name("docknet-watch".to_owned())
        .spawn(move || watch(&inner, disturbances));
    if let Err(why) = started {
        tracing::warn!(%why, "nobody watches the links and rules");
    }
}

fn watch(inner: &Weak<Inner>, mut disturbances: Disturbances) {
    while disturbances.wait() {
        let Some(inner) = inner.upgrade() else { return };
        let mut writer = inner.writer.clone().blocking_lock_owned();
        let steps = step::all(&inner.read());
        tracing::warn!("somebody took away links or rules: they are made again");
        if let Err(failed) = writer.plane.agree(&steps) {
            tracing::error!(%failed, "not all of it could be made again");
        }
        drop(writer);
    }
}
