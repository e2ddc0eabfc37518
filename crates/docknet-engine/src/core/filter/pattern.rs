//! Values that are regular expressions.

use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};

/// Values of a filter on names or ids: a source matches that is one of them, or in which one of them is found as a regular
/// expression. A value that is no regular expression is only ever equal.
#[derive(Clone, Debug, Default)]
pub(crate) struct Patterns {
    values: BTreeMap<String, bool>,
    parts: Vec<String>,
    expressions: Vec<Regex>,
}

impl Patterns {
    pub(super) fn new(values: &BTreeMap<String, bool>) -> Self {
        let mut patterns = Self { values: values.clone(), ..Self::default() };
        for value in values.keys() {
            if regex::escape(value) == *value {
                patterns.parts.push(value.clone());
            } else if patterns.expressions.len() < MOST_EXPRESSIONS {
                let expression = RegexBuilder::new(value)
                    .size_limit(LARGEST_EXPRESSION)
                    .dfa_size_limit(LARGEST_EXPRESSION)
                    .build();
                patterns.expressions.extend(expression);
            }
        }
        patterns
    }

    /// Whether one of the values matches, or there are none.
    pub(crate) fn matches(&self, source: &str) -> bool {
        self.values.is_empty()
            || self.values.get(source).copied().unwrap_or(false)
            || self.parts.iter().any(|part| source.contains(part.as_str()))
            || self.expressions.iter().any(|expression| expression.is_match(source))
    }
}

/// Expressions come from clients: one that takes more memory than that matches nothing, and so do those beyond the number.
const LARGEST_EXPRESSION: usize = 256 << 10;
const MOST_EXPRESSIONS: usize = 100;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(values: &[&str], source: &str) -> bool {
        let values = values.iter().map(|value| ((*value).to_owned(), true)).collect();
        Patterns::new(&values).matches(source)
    }

    #[test]
    fn a_value_is_found_anywhere_unless_it_is_anchored() {
        assert!(matches(&["lph"], "alpha"));
        assert!(matches(&["^alpha$"], "alpha"));
        assert!(!matches(&["^alpha$"], "alphabet"));
        assert!(matches(&["a.*t"], "alphabet"));
        assert!(!matches(&["ALPHA"], "alpha"));
        assert!(matches(&[""], "alpha"));
        assert!(matches(&[], "alpha"));
        assert!(matches(&["x", "beta"], "beta"));
    }

    #[test]
    fn what_is_no_expression_matches_only_what_is_equal() {
        assert!(!matches(&["("], "a(b"));
        assert!(matches(&["("], "("));
        assert!(matches(&["a[b"], "a[b"));
    }

    #[test]
    fn an_expression_that_explodes_matches_nothing() {
        assert!(!matches(&["((a{100}){100}){100}"], &"a".repeat(100)));
        assert!(!matches(&[&"(".repeat(100_000)], "a"));
    }

    proptest! {
        #[test]
        fn a_name_with_special_characters_matches_itself(name in r"[a-z()\[\]{}.*+?^$|\\_-]{0,10}") {
            prop_assert!(matches(&[&name], &name));
        }

        #[test]
        fn an_escaped_name_is_found_in_a_longer_one(name in "[ -~]{1,10}", before in "[ -~]{0,5}") {
            let source = format!("{before}{name}");
            prop_assert!(matches(&[&regex::escape(&name)], &source));
        }
    }
}
