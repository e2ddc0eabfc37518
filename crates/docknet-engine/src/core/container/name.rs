//! Names of containers.

use crate::core::tx::Tx;

/// What a name that nobody asked for begins with.
const HOW: [&str; 32] = [
    "able", "brave", "bright", "calm", "clever", "cosy", "eager", "fair", "fond", "gentle", "glad",
    "happy", "honest", "jolly", "keen", "kind", "lively", "lucky", "merry", "modest", "neat",
    "noble", "proud", "quick", "quiet", "sharp", "shiny", "steady", "sunny", "tidy", "warm",
    "wise",
];

/// Networks and those who joined them.
const WHO: [&str; 32] = [
    "baran",
    "berners",
    "boggs",
    "bush",
    "cerf",
    "clark",
    "crocker",
    "davies",
    "deering",
    "engelbart",
    "estrin",
    "feinler",
    "floyd",
    "hopper",
    "jacobson",
    "kahn",
    "kleinrock",
    "lamarr",
    "licklider",
    "lynch",
    "metcalfe",
    "mills",
    "mockapetris",
    "perlman",
    "postel",
    "pouzin",
    "roberts",
    "shannon",
    "taylor",
    "tomlinson",
    "turing",
    "wilkes",
];

/// Whether a container may be called so: two characters at least.
pub(super) fn is_valid(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphanumeric())
        && name.len() > 1
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

/// A name that is free: two words, with a digit if that helps, and else a part of the id.
pub(super) fn made_up(tx: &mut Tx<'_>, id: &str) -> String {
    for attempt in 0..6 {
        let how = HOW.get(tx.given.draw.below(HOW.len())).copied().unwrap_or_default();
        let who = WHO.get(tx.given.draw.below(WHO.len())).copied().unwrap_or_default();
        let digit = match attempt {
            0 => String::new(),
            _ => tx.given.draw.below(10).to_string(),
        };
        let name = format!("{how}_{who}{digit}");
        if tx.state.container_named(&name).is_none() {
            return name;
        }
    }
    id.get(..12).unwrap_or(id).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_two_characters_of_dockers() {
        for name in ["ab", "a-", "9.", "web_1.x-y"] {
            assert!(is_valid(name), "{name}");
        }
        for name in ["", "a", ".a", "-a", "_a", "a b", "a/b", "ä1", "a\n"] {
            assert!(!is_valid(name), "{name:?}");
        }
    }
}
