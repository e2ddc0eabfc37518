//! From an engine's status and words to a kind.

use super::ErrorKind;

/// What an engine's refusal means, by its status and its words, for every engine and version whose answers are
/// recorded. Words that are not known fall back to what the status says, never to a wrong kind.
///
/// ```
/// use docknet_types::{ErrorKind, classify};
///
/// // Podman says with a 500 what Docker says with a 409.
/// assert_eq!(classify(500, "network name a already used: network already exists"), ErrorKind::NameTaken);
/// assert_eq!(classify(500, "something else"), ErrorKind::Server);
/// ```
#[must_use]
pub fn classify(status: u16, message: &str) -> ErrorKind {
    let by_words = RULES.iter().find(|rule| rule.matches(status, message));
    by_words.map_or_else(|| by_status(status), |rule| rule.kind)
}

fn by_status(status: u16) -> ErrorKind {
    match status {
        401 | 407 => ErrorKind::Unauthorized,
        403 => ErrorKind::Forbidden,
        404 => ErrorKind::NotFound,
        408 | 504 => ErrorKind::Timeout,
        409 => ErrorKind::Conflict,
        501 => ErrorKind::NotImplemented,
        503 => ErrorKind::Unavailable,
        400..=499 => ErrorKind::BadRequest,
        _ => ErrorKind::Server,
    }
}

/// A kind is known by a status class and parts of the message, all of which must be there in this order.
struct Rule {
    kind: ErrorKind,
    statuses: &'static [u16],
    parts: &'static [&'static str],
}

impl Rule {
    fn matches(&self, status: u16, message: &str) -> bool {
        let mut rest = message;
        let all = self.parts.iter().all(|part| match rest.find(part) {
            Some(at) => {
                rest = &rest[at + part.len()..];
                true
            }
            None => false,
        });
        all && self.statuses.contains(&status)
    }
}

const fn rule(kind: ErrorKind, statuses: &'static [u16], parts: &'static [&'static str]) -> Rule {
    Rule { kind, statuses, parts }
}

const RULES: &[Rule] = &[
    rule(ErrorKind::NameTaken, &[409], &["network with name ", " already exists"]),
    rule(ErrorKind::NameTaken, &[409, 500], &["network name ", " already used"]),
    rule(ErrorKind::PoolOverlap, &[403], &["Pool overlaps with other one on this address space"]),
];
