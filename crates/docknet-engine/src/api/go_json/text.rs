//! Strings as Go reads and quotes them.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text of a JSON string, given what is between its quotation marks. What is no UTF-8 and a lone surrogate become
/// U+FFFD, as Go has it: one for each byte.
pub(super) fn unquote(raw: &[u8]) -> Cow<'_, str> {
    if !raw.contains(&b'\\') {
        return lossy(raw);
    }
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.iter().position(|&byte| byte == b'\\') {
        text.push_str(&lossy(rest.get(..at).unwrap_or_default()));
        rest = rest.get(at + 1..).unwrap_or_default();
        let Some((&escape, after)) = rest.split_first() else { break };
        rest = after;
        match escape {
            b'b' => text.push('\u{8}'),
            b'f' => text.push('\u{c}'),
            b'n' => text.push('\n'),
            b'r' => text.push('\r'),
            b't' => text.push('\t'),
            b'u' => {
                let (character, used) = unicode_escape(rest);
                text.push(character);
                rest = rest.get(used..).unwrap_or_default();
            }
            other => text.push(char::from(other)),
        }
    }
    text.push_str(&lossy(rest));
    Cow::Owned(text)
}

/// The character of an escape whose `\u` is read already, and how many bytes it takes, the second half of a pair included.
fn unicode_escape(rest: &[u8]) -> (char, usize) {
    let Some(first) = hex(rest) else { return (char::REPLACEMENT_CHARACTER, 0) };
    if let Some(character) = char::from_u32(u32::from(first)) {
        return (character, 4);
    }
    let second = rest.get(4..).and_then(|rest| rest.strip_prefix(b"\\u")).and_then(hex);
    if let Some(second) = second
        && let Some(Ok(character)) = char::decode_utf16([first, second]).next()
    {
        return (character, 10);
    }
    (char::REPLACEMENT_CHARACTER, 4)
}

pub(super) fn hex(digits: &[u8]) -> Option<u16> {
    let digits = digits.get(..4)?;
    digits.iter().try_fold(0_u16, |sum, &digit| {
        let digit = u16::try_from(char::from(digit).to_digit(16)?).ok()?;
        Some(sum << 4 | digit)
    })
}

/// Text with each byte that is no UTF-8 replaced. (The standard library replaces a whole cut-off sequence by one.)
pub(crate) fn lossy(mut bytes: &[u8]) -> Cow<'_, str> {
    let mut text = String::new();
    loop {
        match std::str::from_utf8(bytes) {
            Ok(rest) if text.is_empty() => return Cow::Borrowed(rest),
            Ok(rest) => {
                text.push_str(rest);
                return Cow::Owned(text);
            }
            Err(error) => {
                let (valid, rest) = bytes.split_at_checked(error.valid_up_to()).unwrap_or_default();
                text.push_str(std::str::from_utf8(valid).unwrap_or_default());
                text.push(char::REPLACEMENT_CHARACTER);
                bytes = rest.get(1..).unwrap_or_default();
            }
        }
    }
}

/// Go's `strconv.Quote`.
pub(crate) fn quote(text: &str) -> String {
    quote_bytes(text.as_bytes())
}

pub(super) fn quote_bytes(bytes: &[u8]) -> String {
    let mut quoted = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            push_escaped(&mut quoted, character, '"');
        }
        for byte in chunk.invalid() {
            push_hex(&mut quoted, u32::from(*byte));
        }
    }
    quoted.push('"');
    quoted
}

/// Go's `strconv.QuoteRune`.
pub(super) fn quote_character(character: char) -> String {
    let mut quoted = String::from("'");
    push_escaped(&mut quoted, character, '\'');
    quoted.push('\'');
    quoted
}

fn push_escaped(text: &mut String, character: char, quotation: char) {
    match character {
        '\\' => text.push_str("\\\\"),
        c if c == quotation => {
            text.push('\\');
            text.push(c);
        }
        '\u{7}' => text.push_str("\\a"),
        '\u{8}' => text.push_str("\\b"),
        '\u{b}' => text.push_str("\\v"),
        '\u{c}' => text.push_str("\\f"),
        '\n' => text.push_str("\\n"),
        '\r' => text.push_str("\\r"),
        '\t' => text.push_str("\\t"),
        c if is_printable(c) => text.push(c),
        c if c < ' ' || c == '\u{7f}' => push_hex(text, u32::from(c)),
        c if u32::from(c) < 0x1_0000 => {
            let _ = write!(text, "\\u{:04x}", u32::from(c));
        }
        c => {
            let _ = write!(text, "\\U{:08x}", u32::from(c));
        }
    }
}

fn push_hex(text: &mut String, byte: u32) {
    let _ = write!(text, "\\x{byte:02x}");
}

/// Whether Go shows a character as it is. The standard library keeps the same table for its own escapes, but for marks
/// that combine with what is before them.
pub(super) fn is_printable(character: char) -> bool {
    match character {
        '"' | '\'' | '\\' => true,
        '\u{a0}' => false,
        c => c == ' ' || (!c.is_whitespace() && shown(c)),
    }
}

fn shown(character: char) -> bool {
    // After a letter, `str`'s escapes leave combining marks alone.
    let mut pair = String::from("x");
    pair.push(character);
    pair.escape_debug().count() == 2
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_byte_that_is_no_utf8_is_replaced() {
        assert_eq!(unquote(b"g\xff"), "g\u{fffd}");
        assert_eq!(unquote(b"\xe2\x82"), "\u{fffd}\u{fffd}");
        assert_eq!(unquote(b"\xff\\n\xff"), "\u{fffd}\n\u{fffd}");
    }

    #[test]
    fn surrogates_pair_up_or_are_replaced() {
        assert_eq!(unquote(br"\ud83d\ude00"), "\u{1f600}");
        assert_eq!(unquote(br"\ud83dx"), "\u{fffd}x");
        assert_eq!(unquote(br"\ud83d\u0041"), "\u{fffd}A");
        assert_eq!(unquote(br"\ude00\ud83d\ude00"), "\u{fffd}\u{1f600}");
    }

    #[test]
    fn text_is_quoted_as_go_does() {
        assert_eq!(
            quote("a\"b'\\\n\u{1}\u{7f}\u{feff}é\u{1f600}"),
            r#""a\"b'\\\n\x01\x7f\ufeffé😀""#
        );
        assert_eq!(quote_bytes(b"\\\xff"), r#""\\\xff""#);
        assert_eq!(quote_character('\''), r"'\''");
        assert_eq!(quote_character('"'), "'\"'");
        assert_eq!(quote_character('\u{a0}'), r"'\u00a0'");
    }

    proptest! {
        #[test]
        fn what_serde_json_escapes_is_read_back(text in any::<String>()) {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(unquote(&json.as_bytes()[1..json.len() - 1]), text);
        }

        #[test]
        fn any_bytes_are_text(bytes in any::<Vec<u8>>()) {
            let text = lossy(&bytes);
            if let Ok(valid) = std::str::from_utf8(&bytes) {
                prop_assert_eq!(text.as_ref(), valid);
            } else {
                prop_assert!(text.contains(char::REPLACEMENT_CHARACTER));
            }
            unquote(&bytes);
        }
    }
}
