//! Records as a disk could have them: a state or a refusal, never half a state.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use super::{invariants, profile};
use crate::core::restore::{Kept, restore};

/// The first byte is the engine. Then lines: the first letter of the kind (network, endpoint, container, image, or the
/// engine itself: `g`), the key, and the JSON, with spaces between them.
pub fn records(data: &[u8]) {
    let (profile, rest) = profile(data);
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let Some(kept) = kept(text) else { return };
    if let Ok(state) = restore(profile, kept) {
        invariants::check(profile, &state);
        invariants::check_restored(profile, &state);
    }
}

fn kept(text: &str) -> Option<Kept> {
    Some(Kept {
        engine: table(text, "g")?.into_values().next().unwrap_or_default(),
        networks: table(text, "n")?,
        endpoints: table(text, "e")?,
        containers: table(text, "c")?,
        images: table(text, "i")?,
    })
}

/// None where a record is none: the store refuses it before anybody looks at the others.
fn table<T: DeserializeOwned>(text: &str, letter: &str) -> Option<BTreeMap<String, T>> {
    let words = text.lines().filter_map(|line| line.split_once(' '));
    let records =
        words.filter(|(kind, _)| *kind == letter).filter_map(|(_, rest)| rest.split_once(' '));
    records.map(|(key, json)| Some((key.to_owned(), serde_json::from_str(json).ok()?))).collect()
}
