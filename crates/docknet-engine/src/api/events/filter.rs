//! Which events a client wants.

use std::collections::{BTreeMap, BTreeSet};

use docknet_types::EventKind;

use crate::core::event::Event;

/// Conditions by key, all of which an event has to meet. A key without values is no condition.
#[derive(Clone, Debug)]
pub(super) struct EventFilter {
    keys: Keys,
    rules: Rules,
}

type Keys = BTreeMap<String, BTreeSet<String>>;

#[derive(Clone, Copy, Debug)]
enum Rules {
    Docker,
    Podman,
}

/// The keys that Docker compares with an event's id and name, whatever the event is about: `network=web` lets a container
/// `web1` through.
const NAMED: [&str; 9] =
    ["daemon", "container", "plugin", "volume", "network", "node", "service", "secret", "config"];

/// What comes before a colon and a text of its own in an action. Who asks for one of these gets all that begin with it.
const WITH_TEXT: [&str; 3] = ["exec_create", "exec_start", "health_status"];

const PODMAN_KEYS: [&str; 8] =
    ["container", "event", "status", "image", "pod", "volume", "type", "label"];

impl EventFilter {
    /// Docker takes any key, and ignores what it does not know.
    pub(super) fn docker(text: &str) -> Result<Self, (u16, String)> {
        Ok(Self { keys: keys(text)?, rules: Rules::Docker })
    }

    pub(super) fn podman(text: &str) -> Result<Self, (u16, String)> {
        let mut known = Keys::new();
        for (key, values) in keys(text)? {
            let lower = key.to_lowercase();
            if !PODMAN_KEYS.contains(&&*lower) {
                let words = format!("failed to parse event filters: {key} is an invalid filter");
                return Err((500, words));
            }
            known.entry(lower).or_default().extend(values);
        }
        Ok(Self { keys: known, rules: Rules::Podman })
    }

    pub(super) fn matches(&self, event: &Event) -> bool {
        match self.rules {
            Rules::Docker => self.matches_as_docker(event),
            Rules::Podman => self.matches_as_podman(event),
        }
    }

    fn matches_as_docker(&self, event: &Event) -> bool {
        let name = event.attribute("name").unwrap_or_default();
        let begins = |text: &str, values: &BTreeSet<String>| {
            values.iter().any(|value| text.starts_with(&**value))
        };
        self.meets("event", |values| {
            if WITH_TEXT.iter().any(|action| values.contains(*action)) {
                begins(&event.action, values)
            } else {
                values.contains(&*event.action)
            }
        }) && self.meets("type", |values| values.contains(event.kind.as_str()))
            && self.meets("scope", |values| values.contains(event.scope))
            && NAMED.iter().all(|key| {
                self.meets(key, |values| begins(&event.id, values) || begins(name, values))
            })
            && self.meets("image", |values| {
                let key = if event.kind == EventKind::Image { "name" } else { "image" };
                let name = event.attribute(key).unwrap_or_default();
                [&*event.id, name, familiar_name(&event.id), familiar_name(name)]
                    .iter()
                    .any(|text| values.contains(*text))
            })
            && self.meets("label", |values| has_labels(event, values))
    }

    fn matches_as_podman(&self, event: &Event) -> bool {
        let name = event.attribute("name").unwrap_or_default();
        let named = |key: &str, kind: EventKind| {
            self.meets(key, |values| {
                event.kind == kind
                    && values.iter().any(|value| name == value || event.id.starts_with(&**value))
            })
        };
        let acts = |values: &BTreeSet<String>| values.contains(&*event.action);
        self.meets("event", acts)
            && self.meets("status", acts)
            && self.meets("type", |values| values.contains(event.kind.as_str()))
            && named("container", EventKind::Container)
            && named("image", EventKind::Image)
            && named("volume", EventKind::Volume)
            && named("pod", EventKind::from("pod"))
            && self.meets("label", |values| has_labels(event, values))
    }

    fn meets(&self, key: &str, condition: impl Fn(&BTreeSet<String>) -> bool) -> bool {
        match self.keys.get(key) {
            Some(values) if !values.is_empty() => condition(values),
            _ => true,
        }
    }
}

/// Labels are looked for among all attributes, and all of them have to be there.
fn has_labels(event: &Event, values: &BTreeSet<String>) -> bool {
    values.iter().all(|value| match value.split_once('=') {
        Some((key, text)) => event.attribute(key) == Some(text),
        None => event.attribute(value).is_some(),
    })
}

/// An image's name without its tag, its digest and what goes without saying.
fn familiar_name(image: &str) -> &str {
    let is_id = image.len() == 64 && image.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_id {
        return image;
    }
    let name = image.split_once('@').map_or(image, |(name, _)| name);
    let path = name.rfind('/').map_or(0, |slash| slash + 1);
    let name = match name.get(path..).and_then(|last| last.find(':')) {
        Some(colon) => name.get(..path + colon).unwrap_or(name),
        None => name,
    };
    let short = name.strip_prefix("index.docker.io/").or_else(|| name.strip_prefix("docker.io/"));
    match short {
        Some(short) => short.strip_prefix("library/").unwrap_or(short),
        None => name,
    }
}

/// The filters' JSON: a set for a key, or the older list.
fn keys(text: &str) -> Result<Keys, (u16, String)> {
    type Sets = Option<BTreeMap<String, Option<BTreeMap<String, Option<bool>>>>>;
    type Lists = Option<BTreeMap<String, Option<BTreeSet<Option<String>>>>>;

    if text.is_empty() {
        return Ok(Keys::new());
    }
    if let Ok(sets) = serde_json::from_str::<Sets>(text) {
        let of = |set: Option<BTreeMap<String, _>>| set.unwrap_or_default().into_keys().collect();
        return Ok(sets.unwrap_or_default().into_iter().map(|(key, set)| (key, of(set))).collect());
    }
    match serde_json::from_str::<Lists>(text) {
        Ok(lists) => {
            let of = |list: Option<BTreeSet<Option<String>>>| {
                list.unwrap_or_default().into_iter().map(Option::unwrap_or_default).collect()
            };
            Ok(lists.unwrap_or_default().into_iter().map(|(key, list)| (key, of(list))).collect())
        }
        Err(_) => Err((400, "invalid filter".to_owned())),
    }
}

#[cfg(test)]
mod tests;
