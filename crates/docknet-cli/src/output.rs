//! Output that several commands share.

mod table;

use std::borrow::Cow;

use clap::ValueEnum;

pub(crate) use self::table::Table;

/// How a command prints what it found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Data {
    Json,
    Text,
}

/// Names and labels come from elsewhere: what would move a terminal's cursor is shown as what it is.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    escape(text, |c| c.is_control())
}

/// The same for text of several lines: those after the first stand a little to the right.
pub(crate) fn escaped_lines(text: &str) -> String {
    escape(text.trim_end(), |c| c.is_control() && c != '\n').replace('\n', "\n  ")
}

fn escape(text: &str, wrong: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&wrong) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match wrong(c) {
            true => escaped.extend(c.escape_default()),
            false => escaped.push(c),
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_move_the_cursor_is_shown_as_what_it_is() {
        assert_eq!(escaped("a\u{1b}[2Jb\u{7}"), "a\\u{1b}[2Jb\\u{7}");
        assert_eq!(escaped_lines("one\ntwo\r"), "one\n  two");
        assert_eq!(escaped("Grün"), "Grün");
    }
}
