//! Waiting for a container to end.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use docknet_types::{ContainerId, EventKind};
use futures_core::Stream;

use crate::core::event::Event;
use crate::engine::Inner;
use crate::events::Subscription;

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) enum End {
    /// That it does not run any more.
    Exit,
    /// That it is gone.
    Removal,
}

/// A place from which a container's end is seen. Whoever takes it before looking at the state misses nothing.
pub(in crate::api) struct Watch {
    engine: Arc<Inner>,
    events: Subscription,
}

impl Watch {
    pub(in crate::api) fn new(engine: &Arc<Inner>) -> Self {
        Self { engine: engine.clone(), events: engine.events.listen() }
    }

    /// Waits until it starts; false if it goes before that.
    #[cfg(kernel)]
    pub(in crate::api) async fn until_start(mut self, id: &ContainerId) -> bool {
        loop {
            let Some(batch) = self.events.next().await else {
                self.events = self.engine.events.listen();
                match self.engine.read().container(id) {
                    None => return false,
                    Some(container) if container.is_running() => return true,
                    Some(_) => continue,
                }
            };
            for event in batch
                .iter()
                .filter(|event| event.kind == EventKind::Container && event.id == id.as_str())
            {
                match &*event.action {
                    "start" => return true,
                    "destroy" | "remove" => return false,
                    _ => {}
                }
            }
        }
    }

    /// Waits, and gives the exit code: the one that was known already, if the container goes without running again.
    pub(in crate::api) async fn until(
        mut self,
        end: End,
        id: ContainerId,
        mut exit_code: i64,
    ) -> i64 {
        loop {
            let Some(batch) = self.events.next().await else {
                // Too far behind: what was missed is in the state.
                self.events = self.engine.events.listen();
                let state = self.engine.read();
                match state.container(&id) {
                    None => return exit_code,
                    Some(container) if !container.is_running() && end == End::Exit => {
                        return container.exit_code;
                    }
                    Some(container) => exit_code = container.exit_code,
                }
                continue;
            };
            for event in batch
                .iter()
                .filter(|event| event.kind == EventKind::Container && event.id == id.as_str())
            {
                match &*event.action {
                    "die" | "died" => {
                        exit_code = code(event).unwrap_or(exit_code);
                        if end == End::Exit {
                            return exit_code;
                        }
                    }
                    "destroy" | "remove" => return exit_code,
                    _ => {}
                }
            }
        }
    }
}

fn code(event: &Event) -> Option<i64> {
    ["exitCode", "containerExitCode"].into_iter().find_map(|key| event.attribute(key)?.parse().ok())
}

/// A body that comes when it is known, in one piece or none.
pub(super) struct Later(Option<Pin<Box<dyn Future<Output = Bytes> + Send>>>);

impl Later {
    pub(super) fn new(body: impl Future<Output = Bytes> + Send + 'static) -> Self {
        Self(Some(Box::pin(body)))
    }
}

impl Stream for Later {
    type Item = Bytes;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let Some(body) = &mut self.0 else { return Poll::Ready(None) };
        body.as_mut().poll(cx).map(|bytes| {
            self.0 = None;
            Some(bytes).filter(|bytes| !bytes.is_empty())
        })
    }
}
