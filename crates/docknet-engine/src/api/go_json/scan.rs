//! Whether bytes are JSON, in Go's words where they are not.

use super::Words;
use super::text;

/// Why there is no JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Syntax {
    /// White space and nothing else.
    Nothing,
    /// It ends too early.
    CutOff,
    Wrong(String),
}

/// Where the value at the beginning of `bytes` begins and ends.
pub(super) fn first_value(bytes: &[u8], words: Words) -> Result<(usize, usize), Syntax> {
    let mut scan = Scan { bytes, at: 0, words };
    if scan.next_byte().is_none() {
        return Err(Syntax::Nothing);
    }
    let start = scan.at;
    scan.value()?;
    Ok((start, scan.at))
}

/// The first byte after `at` that is no white space.
pub(super) fn next_byte(bytes: &[u8], at: usize) -> Option<u8> {
    Scan { bytes, at, words: Words::Classic }.next_byte()
}

/// The error for bytes that follow a whole value where nothing may follow.
pub(super) fn after_top_level(bytes: &[u8], at: usize, words: Words) -> Option<String> {
    let mut scan = Scan { bytes, at, words };
    scan.next_byte()?;
    match scan.wrong("after top-level value") {
        Syntax::Wrong(message) => Some(message),
        Syntax::Nothing | Syntax::CutOff => None,
    }
}

const DEEPEST: usize = 10_000;

#[derive(Clone, Copy)]
enum Open {
    Object,
    Array,
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    words: Words,
}

impl Scan<'_> {
    /// One value. Not recursive: how deep it goes is the client's choice.
    fn value(&mut self) -> Result<(), Syntax> {
        let mut open = Vec::new();
        loop {
            match self.next_byte().ok_or(Syntax::CutOff)? {
                b'{' => {
                    self.enter(&mut open, Open::Object)?;
                    if self.next_byte() != Some(b'}') {
                        self.key()?;
                        continue;
                    }
                }
                b'[' => {
                    self.enter(&mut open, Open::Array)?;
                    if self.next_byte() != Some(b']') {
                        continue;
                    }
                }
                b'"' => self.string()?,
                b'-' | b'0'..=b'9' => self.number()?,
                b't' => self.literal("true")?,
                b'f' => self.literal("false")?,
                b'n' => self.literal("null")?,
                _ => return Err(self.wrong("looking for beginning of value")),
            }
            if self.close(&mut open)? {
                return Ok(());
            }
        }
    }

    fn enter(&mut self, open: &mut Vec<Open>, what: Open) -> Result<(), Syntax> {
        if open.len() == DEEPEST {
            return Err(match self.words {
                Words::Classic => self.wrong("exceeded max depth"),
                Words::Modern => Syntax::Wrong("exceeded max depth".into()),
            });
        }
        open.push(what);
        self.at += 1;
        Ok(())
    }

    /// After a value: what it closes, up to the next value's beginning. Whether that was the end of all.
    fn close(&mut self, open: &mut Vec<Open>) -> Result<bool, Syntax> {
        while let Some(innermost) = open.last() {
            let byte = self.next_byte().ok_or(Syntax::CutOff)?;
            match (innermost, byte) {
                (Open::Object, b',') => {
                    self.at += 1;
                    self.key()?;
                    return Ok(false);
                }
                (Open::Array, b',') => {
                    self.at += 1;
                    return Ok(false);
                }
                (Open::Object, b'}') | (Open::Array, b']') => {
                    self.at += 1;
                    open.pop();
                }
                (Open::Object, _) => return Err(self.wrong("after object key:value pair")),
                (Open::Array, _) => return Err(self.wrong("after array element")),
            }
        }
        Ok(true)
    }

    /// A key and its colon.
    fn key(&mut self) -> Result<(), Syntax> {
        match self.next_byte().ok_or(Syntax::CutOff)? {
            b'"' => self.string()?,
            _ => return Err(self.wrong("looking for beginning of object key string")),
        }
        match self.next_byte().ok_or(Syntax::CutOff)? {
            b':' => self.at += 1,
            _ => return Err(self.wrong("after object key")),
        }
        Ok(())
    }

    fn string(&mut self) -> Result<(), Syntax> {
        self.at += 1;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let plain = rest
                .iter()
                .position(|&byte| byte < b' ' || byte == b'"' || byte == b'\\')
                .ok_or(Syntax::CutOff)?;
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                _ => {
                    return Err(self.wrong(match self.words {
                        Words::Classic => "in string literal",
                        Words::Modern => "in string",
                    }));
                }
            }
        }
    }

    fn escape(&mut self) -> Result<(), Syntax> {
        let start = self.at;
        self.at += 1;
        match self.peek().ok_or(Syntax::CutOff)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
            b'u' => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.peek().ok_or(Syntax::CutOff)?.is_ascii_hexdigit() {
                        return Err(self.wrong_escape(start, 6));
                    }
                    self.at += 1;
                }
            }
            _ => return Err(self.wrong_escape(start, 2)),
        }
        Ok(())
    }

    fn wrong_escape(&self, start: usize, length: usize) -> Syntax {
        match (self.words, length) {
            (Words::Classic, 2) => self.wrong("in string escape code"),
            (Words::Classic, _) => self.wrong("in \\u hexadecimal character escape"),
            (Words::Modern, _) => {
                let end = self.bytes.len().min(start + length);
                let what = self.bytes.get(start..end).unwrap_or_default();
                let shown = match std::str::from_utf8(what) {
                    Ok(plain) if plain.chars().all(shows_in_backticks) => format!("`{plain}`"),
                    _ => text::quote_bytes(what),
                };
                Syntax::Wrong(format!("invalid escape sequence {shown} in string"))
            }
        }
    }

    fn number(&mut self) -> Result<(), Syntax> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek().ok_or(Syntax::CutOff)? {
            b'0' => self.at += 1,
            b'1'..=b'9' => self.digits(),
            _ => return Err(self.wrong("in numeric literal")),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.needs_digits("after decimal point in numeric literal")?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.needs_digits("in exponent of numeric literal")?;
        }
        Ok(())
    }

    fn needs_digits(&mut self, place: &str) -> Result<(), Syntax> {
        if !self.peek().ok_or(Syntax::CutOff)?.is_ascii_digit() {
            return Err(self.wrong(match self.words {
                Words::Classic => place,
                Words::Modern => "in numeric literal",
            }));
        }
        self.digits();
        Ok(())
    }

    fn digits(&mut self) {
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
    }

    fn literal(&mut self, literal: &str) -> Result<(), Syntax> {
        for expected in literal.bytes() {
            if self.peek().ok_or(Syntax::CutOff)? != expected {
                let expected = char::from(expected);
                return Err(self.wrong(&format!("in literal {literal} (expecting '{expected}')")));
            }
            self.at += 1;
        }
        Ok(())
    }

    /// `invalid character … <place>`, about the character at hand.
    fn wrong(&self, place: &str) -> Syntax {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let byte = rest.first().copied().unwrap_or_default();
        let shown = match self.words {
            // It knows bytes only, each of them a character of Latin 1.
            Words::Classic => text::quote_character(char::from(byte)),
            Words::Modern => {
                let chunk = rest.get(..rest.len().min(4)).unwrap_or_default();
                match chunk.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next()) {
                    Some(character) => text::quote_character(character),
                    None => format!("'\\x{byte:x}'"),
                }
            }
        };
        Syntax::Wrong(format!("invalid character {shown} {place}"))
    }

    fn next_byte(&mut self) -> Option<u8> {
        while let Some(byte) = self.peek() {
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }
}

fn shows_in_backticks(character: char) -> bool {
    character != '`' && !character.is_whitespace() && text::is_printable(character)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wrong(bytes: &[u8], words: Words) -> String {
        match first_value(bytes, words) {
            Err(Syntax::Wrong(message)) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_wrong_is_said_as_go_1_24_says_it() {
        for (json, message) in [
            ("foo", "'o' in literal false (expecting 'a')"),
            ("\u{feff}{}", "'ï' looking for beginning of value"),
            ("{]", "']' looking for beginning of object key string"),
            ("{\"a\":1,}", "'}' looking for beginning of object key string"),
            ("{\"a\" 1}", "'1' after object key"),
            ("{\"a\":1 \"", "'\"' after object key:value pair"),
            ("[1 2]", "'2' after array element"),
            ("[1,]", "']' looking for beginning of value"),
            ("\"\n\"", "'\\n' in string literal"),
            ("\"\\x\"", "'x' in string escape code"),
            ("\"\\u12g4\"", "'g' in \\u hexadecimal character escape"),
            ("-x", "'x' in numeric literal"),
            ("1.x", "'x' after decimal point in numeric literal"),
            ("1ex", "'x' in exponent of numeric literal"),
            ("'", "'\\'' looking for beginning of value"),
        ] {
            assert_eq!(
                wrong(json.as_bytes(), Words::Classic),
                format!("invalid character {message}"),
                "{json}"
            );
        }
    }

    #[test]
    fn what_is_wrong_is_said_as_go_1_27_says_it() {
        for (json, message) in [
            ("foo", "character 'o' in literal false (expecting 'a')"),
            ("\u{feff}{}", "character '\\ufeff' looking for beginning of value"),
            ("é", "character 'é' looking for beginning of value"),
            ("{]", "character ']' looking for beginning of object key string"),
            ("{\"a\":1 \"", "character '\"' after object key:value pair"),
            ("\"\n\"", "character '\\n' in string"),
            ("\"\\x\"", "escape sequence `\\x` in string"),
            ("\"\\u12g4\"", "escape sequence `\\u12g4` in string"),
            ("\"\\\n\"", "escape sequence \"\\\\\\n\" in string"),
            ("1.x", "character 'x' in numeric literal"),
            ("\"\\u12\"", "escape sequence `\\u12\"` in string"),
            ("\"\\uZ", "escape sequence `\\uZ` in string"),
            ("\"\\`\"", "escape sequence \"\\\\`\" in string"),
            ("\"\\é\"", "escape sequence \"\\\\\\xc3\" in string"),
            ("\"\u{1}\"", "character '\\x01' in string"),
            ("\u{a0}", "character '\\u00a0' looking for beginning of value"),
            ("\u{1f600}", "character '\u{1f600}' looking for beginning of value"),
            ("\u{301}", "character '\u{301}' looking for beginning of value"),
            ("\u{e0001}", "character '\\U000e0001' looking for beginning of value"),
            ("\\", "character '\\\\' looking for beginning of value"),
        ] {
            assert_eq!(
                wrong(json.as_bytes(), Words::Modern),
                format!("invalid {message}"),
                "{json}"
            );
        }
        assert_eq!(
            wrong(b"\xff", Words::Modern),
            "invalid character '\\xff' looking for beginning of value"
        );
    }

    #[test]
    fn what_ends_early_is_not_wrong() {
        for json in [
            "{",
            "{\"",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "{\"a\":1,",
            "[",
            "[1",
            "tru",
            "-",
            "1.",
            "1e",
            "\"\\",
            "\"\\u1",
        ] {
            for words in [Words::Classic, Words::Modern] {
                assert_eq!(first_value(json.as_bytes(), words), Err(Syntax::CutOff), "{json}");
            }
        }
        assert_eq!(first_value(b" \n", Words::Modern), Err(Syntax::Nothing));
    }

    #[test]
    fn ten_thousand_levels_are_the_deepest() {
        let nested = |levels: usize| [vec![b'['; levels], vec![b']'; levels]].concat();
        assert_eq!(first_value(&nested(10_000), Words::Modern), Ok((0, 20_000)));
        assert_eq!(wrong(&nested(10_001), Words::Modern), "exceeded max depth");
        assert_eq!(
            wrong(&nested(10_001), Words::Classic),
            "invalid character '[' exceeded max depth"
        );
    }

    proptest! {
        #[test]
        fn it_agrees_with_serde_json_on_what_is_json(json in r#"[ \[\]{}",:0-9a-fnrtul\\.eE+-]{0,12}"#) {
            let ours = match first_value(json.as_bytes(), Words::Classic) {
                Ok((_, end)) => next_byte(json.as_bytes(), end).is_none(),
                Err(_) => false,
            };
            // A lone surrogate is fine in Go, and a number of any size.
            let theirs = serde_json::from_str::<&serde_json::value::RawValue>(&json).is_ok();
            prop_assert!(ours == theirs || (ours && json.contains("\\u")), "{json}: {ours} {theirs}");
        }

        #[test]
        fn any_bytes_are_judged(bytes in any::<Vec<u8>>()) {
            let classic = first_value(&bytes, Words::Classic);
            let modern = first_value(&bytes, Words::Modern);
            prop_assert_eq!(classic.is_ok(), modern.is_ok());
            if let Ok((start, end)) = classic {
                prop_assert!(start < end && end <= bytes.len());
            }
        }
    }
}
