//! Texts of an engine, made fit for a terminal.

use std::borrow::Cow;
use std::fmt::Write;

/// Shows control characters, and those that turn the direction of writing, by their number.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    without(text, is_unfit)
}

/// The same for text of several lines: those after the first stand a little to the right.
pub(crate) fn visible_lines(text: &str) -> String {
    without(text.trim_end(), |char| is_unfit(char) && char != '\n').replace('\n', "\n  ")
}

fn without(text: &str, is_unfit: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_unfit) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        match is_unfit(char) {
            true => out.extend(char.escape_default()),
            false => out.push(char),
        }
    }
    Cow::Owned(out)
}

/// The same for JSON, which stays what it was: what JSON lets stand as it is gets its escape.
pub(crate) fn visible_json(json: &str) -> Cow<'_, str> {
    let is_unfit = |char| is_unfit(char) && !matches!(char, '\n' | '\r' | '\t');
    if !json.contains(is_unfit) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 8);
    for char in json.chars() {
        match is_unfit(char) {
            // A String takes anything. None of these is beyond four digits.
            true => _ = write!(out, "\\u{:04x}", u32::from(char)),
            false => out.push(char),
        }
    }
    Cow::Owned(out)
}

fn is_unfit(char: char) -> bool {
    char.is_control() || matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_steer_a_terminal_is_shown_by_its_number() {
        assert_eq!(visible("plain é 東京"), "plain é 東京");
        assert_eq!(visible("a\u{1b}[31m\u{9b}b\n\u{202e}"), "a\\u{1b}[31m\\u{9b}b\\n\\u{202e}");
    }

    #[test]
    fn lines_after_the_first_stand_to_the_right() {
        assert_eq!(visible_lines("one\ntwo\r"), "one\n  two");
    }

    #[test]
    fn json_stays_the_same_json() {
        let json = "{\n\t\"a\": \"\u{9b}\u{7f}\u{202e}\"}";
        let shown = visible_json(json);
        assert_eq!(shown, "{\n\t\"a\": \"\\u009b\\u007f\\u202e\"}");
        let (before, after): (serde_json::Value, serde_json::Value) =
            (serde_json::from_str(json).unwrap(), serde_json::from_str(&shown).unwrap());
        assert_eq!(before, after);
    }
}
