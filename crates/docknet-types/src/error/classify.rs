//! From an engine's status and words to a kind.

mod rules;

use self::rules::{RULES, WRAPPERS};
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
    let words = unwrapped(WRAPPERS, message);
    by_words(RULES.iter(), status, words).unwrap_or_else(|| by_status(status))
}

fn by_words<'a>(
    mut rules: impl Iterator<Item = &'a Rule>,
    status: u16,
    words: &str,
) -> Option<ErrorKind> {
    rules.find(|rule| rule.matches(status, words)).map(|rule| rule.kind)
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
        500..=599 => ErrorKind::Server,
        // No engine redirects a call of ours, so this is not an engine's refusal.
        _ => ErrorKind::Protocol,
    }
}

/// The reason itself, without what engines put before it to say what they were at.
fn unwrapped<'a>(wrappers: &[Wrapper], message: &'a str) -> &'a str {
    let mut words = message.trim_end_matches('\n');
    while let Some(inner) = wrappers.iter().find_map(|wrapper| wrapper.strip(words)) {
        words = inner;
    }
    words
}

/// A kind is known by some statuses and by words. In `words` a `*` stands for any text, also none; what is before the
/// first one must start the message, in letters of any case, since Docker changed `Invalid` to `invalid` and the like;
/// what is after the last one must end it. So the names that callers choose, which are `*`, cannot pose as an engine's
/// words.
#[derive(Debug)]
struct Rule {
    kind: ErrorKind,
    statuses: &'static [u16],
    words: &'static str,
}

impl Rule {
    fn matches(&self, status: u16, message: &str) -> bool {
        self.statuses.contains(&status) && matches(self.words, message)
    }
}

const fn rule(kind: ErrorKind, statuses: &'static [u16], words: &'static str) -> Rule {
    Rule { kind, statuses, words }
}

fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, pattern)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some((start, mut rest)) = text.split_at_checked(head.len()) else {
        return false;
    };
    if !start.eq_ignore_ascii_case(head) {
        return false;
    }
    let (middle, tail) = pattern.rsplit_once('*').unwrap_or(("", pattern));
    for part in middle.split('*') {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(tail)
}

/// Words before a reason: a start, and for those that name a container an end.
#[derive(Clone, Debug)]
struct Wrapper {
    start: &'static str,
    end: &'static str,
}

impl Wrapper {
    fn strip<'a>(&self, message: &'a str) -> Option<&'a str> {
        let rest = message.strip_prefix(self.start)?;
        rest.find(self.end).map(|at| &rest[at + self.end.len()..])
    }
}

const fn wrapper(start: &'static str, end: &'static str) -> Wrapper {
    Wrapper { start, end }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORDED: &str = include_str!("../../tests/recorded_errors.tsv");

    fn recorded() -> Vec<(u16, String)> {
        let rows = RECORDED.lines().filter(|line| !line.starts_with('#'));
        rows.map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            (fields[0].parse().unwrap(), fields[3].replace("\\n", "\n"))
        })
        .collect()
    }

    #[test]
    fn every_rule_is_needed_by_a_recorded_answer() {
        let rows = recorded();
        let idle = (0..RULES.len()).filter(|&without| {
            let others =
                || RULES.iter().enumerate().filter(|&(n, _)| n != without).map(|(_, rule)| rule);
            rows.iter().all(|(status, message)| {
                let words = unwrapped(WRAPPERS, message);
                by_words(others(), *status, words).unwrap_or_else(|| by_status(*status))
                    == classify(*status, message)
            })
        });
        let idle: Vec<&Rule> = idle.map(|n| &RULES[n]).collect();
        assert!(idle.is_empty(), "rules that change nothing: {idle:#?}");
    }

    #[test]
    fn every_wrapper_is_around_a_recorded_answer() {
        let rows = recorded();
        for (n, wrapper) in WRAPPERS.iter().enumerate() {
            let others: Vec<Wrapper> = WRAPPERS
                .iter()
                .enumerate()
                .filter(|&(m, _)| m != n)
                .map(|(_, wrapper)| wrapper.clone())
                .collect();
            let changes =
                |message: &str| unwrapped(&others, message) != unwrapped(WRAPPERS, message);
            assert!(rows.iter().any(|(_, message)| changes(message)), "{wrapper:?}");
        }
    }

    #[test]
    fn every_status_of_a_rule_is_an_error() {
        for rule in RULES {
            assert!(rule.statuses.iter().all(|status| (400..=599).contains(status)), "{rule:?}");
            assert!(rule.statuses.is_sorted(), "{rule:?}");
            assert_ne!(by_status(rule.statuses[0]), ErrorKind::Protocol, "{rule:?}");
        }
    }

    #[test]
    fn a_star_is_any_text_and_the_rest_is_anchored() {
        for (pattern, text) in [
            ("a", "a"),
            ("a*", "a"),
            ("A*", "ab"),
            ("*a", "ba"),
            ("a*c", "abc"),
            ("a*b*c", "a b c"),
            ("*b*", "abc"),
            ("a**c", "ac"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("a", "ab"),
            ("a", "A"),
            ("ä*", "a"),
            ("a*", "ba"),
            ("*a", "ab"),
            ("a*a", "a"),
            ("a*b*b", "ab"),
            ("a*b*c", "acb"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn wrappers_nest() {
        let reason = "Address already in use";
        assert_eq!(
            unwrapped(WRAPPERS, &format!("failed to set up container networking: {reason}\n")),
            reason
        );
        let restart =
            format!("Cannot restart container a: failed to set up container networking: {reason}");
        assert_eq!(unwrapped(WRAPPERS, &restart), reason);
        assert_eq!(unwrapped(WRAPPERS, "Cannot restart container a"), "Cannot restart container a");
        assert_eq!(unwrapped(WRAPPERS, ""), "");
    }
}
