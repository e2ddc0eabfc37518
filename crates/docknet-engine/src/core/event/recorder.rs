//! The events of an operation, in the order and the form of the engine that is played.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use docknet_types::EventKind;
use jiff::Timestamp;

use super::Event;
use crate::Profile;

mod container;
mod image;
mod network;

pub(crate) use self::container::{ContainerRef, Ending, Resize};
pub(crate) use self::image::ImageRef;
pub(crate) use self::network::{NetworkRef, Occasion};

/// Takes down what an operation does, for the bus to publish once the operation is committed.
///
/// Engines differ in which events there are, in their order and in their attributes. It is decided here and nowhere else: the
/// methods are named after what happens to a network, a container or an image, and each adds as many events as the engine
/// has for it, none included.
#[derive(Debug)]
pub(crate) struct Recorder {
    profile: Profile,
    next_nano: i64,
    events: Vec<Arc<Event>>,
}

impl Recorder {
    pub(crate) fn new(profile: Profile, now: Timestamp) -> Self {
        let next_nano = i64::try_from(now.as_nanosecond()).unwrap_or(i64::MAX);
        Self { profile, next_nano, events: Vec::new() }
    }

    pub(crate) fn into_events(self) -> Vec<Arc<Event>> {
        self.events
    }

    fn is_podman(&self) -> bool {
        self.profile == Profile::Podman5
    }

    /// Adds one event. Each is a nanosecond after the one before, so that a client can go on from the last one it saw of an
    /// operation.
    fn add(
        &mut self,
        kind: EventKind,
        action: impl Into<Cow<'static, str>>,
        id: &str,
        attributes: BTreeMap<String, String>,
    ) {
        self.events.push(Arc::new(Event {
            kind,
            action: action.into(),
            id: id.to_owned(),
            attributes,
            scope: "local",
            time_nano: self.next_nano,
            profile: self.profile,
            line: OnceLock::new(),
        }));
        self.next_nano = self.next_nano.saturating_add(1);
    }
}

fn attributes<const N: usize>(facts: [(&str, &str); N]) -> BTreeMap<String, String> {
    facts.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

#[cfg(test)]
mod tests;
