//! Variables in the values of a Compose file.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::apply::yaml::{Entry, Node, Problem, Value};

type Variables = BTreeMap<String, String>;

/// The same tree with its variables filled in. Keys are taken as they are.
pub(super) fn filled(node: &Node, variables: &Variables, problems: &mut Vec<Problem>) -> Rc<Node> {
    let mut fill = |node: &Node| filled(node, variables, problems);
    let value = match &node.value {
        Value::Null => Value::Null,
        Value::List(nodes) => Value::List(nodes.iter().map(|node| fill(node)).collect()),
        Value::Map(entries) => Value::Map(
            entries
                .iter()
                .map(|entry| Entry { value: fill(&entry.value), ..entry.clone() })
                .collect(),
        ),
        Value::Text(text) => match fill_text(text, variables, 0) {
            Ok(text) => Value::Text(text),
            Err(what) => {
                problems.push(Problem::new(node.place, what));
                Value::Null
            }
        },
    };
    Rc::new(Node { place: node.place, value })
}

/// How deep a default may have variables in its default.
const MOST_LEVELS: usize = 16;

fn fill_text(text: &str, variables: &Variables, level: usize) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        filled.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            filled.push('$');
            rest = after;
        } else if let Some(after) = after.strip_prefix('{') {
            let end = end(after).ok_or_else(|| format!("`${{` without its `}}` in `{text}`"))?;
            let (inside, after) = after.split_at(end);
            filled.push_str(&value(inside, variables, level)?);
            rest = after.strip_prefix('}').unwrap_or(after);
        } else {
            let end = after.find(|c: char| !in_name(c)).unwrap_or(after.len());
            let (name, after) = after.split_at(end);
            if !is_name(name) {
                return Err(format!(
                    "`$` in `{text}` is followed by no name; a `$` itself is written as `$$`"
                ));
            }
            filled.push_str(variables.get(name).map_or("", String::as_str));
            rest = after;
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

/// Where the brace that is open is closed.
fn end(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match c {
            '{' if before == '$' => open += 1,
            '}' if open == 0 => return Some(at),
            '}' => open -= 1,
            _ => {}
        }
        before = c;
    }
    None
}

/// What stands between the braces: `NAME`, `NAME:-default` and its kin.
fn value(inside: &str, variables: &Variables, level: usize) -> Result<String, String> {
    let at = inside.find(|c: char| !in_name(c)).unwrap_or(inside.len());
    let (name, rest) = inside.split_at(at);
    if !is_name(name) {
        return Err(format!("`${{{inside}}}` begins with no name"));
    }
    let found = variables.get(name).map(String::as_str);
    let (found, operator) = match rest.strip_prefix(':') {
        Some(operator) => (found.filter(|value| !value.is_empty()), operator),
        None => (found, rest),
    };
    let mut characters = operator.chars();
    let kind = characters.next();
    let other = characters.as_str();
    if level >= MOST_LEVELS {
        return Err(format!("`${{{inside}}}` is nested too deep"));
    }
    match (kind, found) {
        (None, found) if rest.is_empty() => Ok(found.unwrap_or_default().to_owned()),
        (Some('-'), Some(found)) | (Some('?'), Some(found)) => Ok(found.to_owned()),
        (Some('-'), None) | (Some('+'), Some(_)) => fill_text(other, variables, level + 1),
        (Some('+'), None) => Ok(String::new()),
        (Some('?'), None) if other.is_empty() => Err(format!("variable `{name}` is not set")),
        (Some('?'), None) => Err(format!(
            "variable `{name}` is not set: {}",
            fill_text(other, variables, level + 1)?
        )),
        _ => Err(format!(
            "`${{{inside}}}`: after the name comes one of `:-`, `-`, `:?`, `?`, `:+` and `+`"
        )),
    }
}

fn is_name(text: &str) -> bool {
    text.chars().next().is_some_and(|c| !c.is_ascii_digit())
}

fn in_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The variables of a `.env` file: `NAME=value` a line, with or without quotes.
pub(crate) fn of_env_file(text: &str) -> Variables {
    let line = |line: &str| {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line.split_once('=').filter(|_| !line.starts_with('#'))?;
        let value = value.trim();
        let quoted = ['"', '\''].into_iter().find_map(|quote| {
            value.strip_prefix(quote)?.split_once(quote).map(|(inside, _)| inside)
        });
        let plain = || value.split_once(" #").map_or(value, |(value, _)| value.trim_end());
        Some((name.trim().to_owned(), quoted.unwrap_or_else(plain).to_owned()))
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fill(text: &str) -> Result<String, String> {
        let variables =
            [("A", "a"), ("EMPTY", "")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        fill_text(text, &variables.into(), 0)
    }

    #[test]
    fn variables_are_filled_in_as_compose_does() {
        for (text, filled) in [
            ("10.$A.0", "10.a.0"),
            ("${A}${NONE}", "a"),
            ("$$A", "$A"),
            ("${NONE:-10.0.0.0/24}", "10.0.0.0/24"),
            ("${EMPTY:-x}${EMPTY-y}", "x"),
            ("${NONE:-${A}}-${NONE-${NONE:-b}}", "a-b"),
            ("${A:+set}${EMPTY:+no}${EMPTY+yes}", "setyes"),
            ("${A:?must}", "a"),
        ] {
            assert_eq!(fill(text).as_deref(), Ok(filled), "{text}");
        }
    }

    #[test]
    fn what_is_no_variable_is_said() {
        for (text, error) in [
            ("${NONE:?give it}", "variable `NONE` is not set: give it"),
            ("${NONE?}", "variable `NONE` is not set"),
            ("${A", "`${` without its `}` in `${A`"),
            ("$1", "`$` in `$1` is followed by no name; a `$` itself is written as `$$`"),
            ("${A:}", "`${A:}`: after the name comes one of `:-`, `-`, `:?`, `?`, `:+` and `+`"),
            ("${}", "`${}` begins with no name"),
        ] {
            assert_eq!(fill(text).unwrap_err(), error, "{text}");
        }
    }

    #[test]
    fn a_file_of_variables_is_read() {
        let text = "# a comment\nA=1\nexport B = two # not this\nC=\"x # y\"\nD='$A'\nnothing\n";
        let read: Vec<_> =
            of_env_file(text).into_iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(read, ["A=1", "B=two", "C=x # y", "D=$A"]);
    }

    proptest! {
        #[test]
        fn text_without_a_dollar_is_as_it_was(text in "[^$]*") {
            prop_assert_eq!(fill(&text), Ok(text));
        }

        #[test]
        fn no_text_breaks_it(text in "[$A{}:?+-]*") {
            let _ = fill(&text);
        }
    }
}
