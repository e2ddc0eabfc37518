//! What our engine answers otherwise than the engine it is like, and why.
//!
//! `cargo xtask golden` demands that all of it is so, and that nothing else is; `--write` puts it
//! into DIFFERENCES.md.

use crate::served::Like;

#[derive(Debug)]
pub(super) struct Known {
    /// What ours does, as a heading.
    pub(super) what: &'static str,
    /// The cases that show it, each as it is or with `*` for any text.
    pub(super) cases: &'static [&'static str],
    /// The engines that do otherwise; all of them where none is named.
    pub(super) like: &'static [Like],
    /// Why ours does so.
    pub(super) why: &'static str,
}

pub(super) const KNOWN: &[Known] = &[];

impl Known {
    pub(super) fn is_for(&self, like: Like) -> bool {
        self.like.is_empty() || self.like.contains(&like)
    }

    pub(super) fn covers(&self, case: &str, like: Like) -> bool {
        self.is_for(like) && self.cases.iter().any(|pattern| fits(pattern, case))
    }
}

/// Whether a case is one of those that a pattern stands for.
pub(crate) fn fits(pattern: &str, case: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == case };
    let Some(mut case) = case.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let Some(tail) = parts.pop() else { return true };
    for part in parts {
        let Some(at) = case.find(part) else { return false };
        case = case.get(at + part.len()..).unwrap_or_default();
    }
    case.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, case) in [
            ("a/b", "a/b"),
            ("a/*", "a/"),
            ("a/*", "a/b > c"),
            ("a/* > c", "a/b > c"),
            ("a/*b*d", "a/bbcdd"),
            ("*", "a/b"),
        ] {
            assert!(fits(pattern, case), "{pattern} {case}");
        }
        for (pattern, case) in
            [("a/b", "a/bc"), ("a/*c", "a/cb"), ("a/*b*b", "a/b"), ("b/*", "a/b/b"), ("a", "b")]
        {
            assert!(!fits(pattern, case), "{pattern} {case}");
        }
    }

    #[test]
    fn every_row_says_what_which_and_why() {
        for known in KNOWN {
            assert!(!known.what.is_empty() && !known.cases.is_empty(), "{known:?}");
            assert!(known.why.ends_with('.'), "{known:?}");
        }
    }
}
