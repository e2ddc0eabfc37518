//! The words of a template.

use super::{Parsed, Problem};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Text(String),
    /// `{{`
    Open,
    /// `}}`
    Close,
    Space,
    /// `.`
    Dot,
    /// `.Name`, without the dot.
    Field(String),
    /// `$name`, with the dollar.
    Variable(String),
    /// A function or a keyword.
    Word(String),
    /// A number, as it is written.
    Number(String),
    /// The number of a character: `'a'`.
    Char(char),
    /// A text, without quotes and escapes.
    Quoted(String),
    /// `:=`
    Declare,
    /// `=`
    Assign,
    Pipe,
    Comma,
    LeftParen,
    RightParen,
}

const OPEN: &str = "{{";
const CLOSE: &str = "}}";
const SPACE: &[char] = &[' ', '\t', '\r', '\n'];

/// Every word, with the byte where it begins.
pub(super) fn tokens(source: &str) -> Parsed<Vec<(Token, usize)>> {
    let mut lexer = Lexer { source, at: 0, parens: 0, tokens: Vec::new() };
    lexer.text()?;
    Ok(lexer.tokens)
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
    parens: usize,
    tokens: Vec<(Token, usize)>,
}

impl<'a> Lexer<'a> {
    fn text(&mut self) -> Parsed<()> {
        loop {
            let (start, rest) = (self.at, self.rest());
            let Some(text) = rest.split(OPEN).next().filter(|text| text.len() < rest.len()) else {
                self.push_text(rest, start);
                return Ok(());
            };
            let open = start + text.len();
            self.at = open + OPEN.len();
            let trims = self.rest().strip_prefix('-').is_some_and(|rest| rest.starts_with(SPACE));
            self.push_text(if trims { text.trim_end_matches(SPACE) } else { text }, start);
            if trims {
                self.at += 2;
            }
            // A comment may stand a few spaces behind a trim marker.
            let comment = if trims { self.rest().trim_start_matches(SPACE) } else { self.rest() };
            if comment.starts_with("/*") {
                self.at = self.source.len() - comment.len();
                self.comment()?;
            } else {
                self.tokens.push((Token::Open, open));
                self.action(open)?;
            }
        }
    }

    fn comment(&mut self) -> Parsed<()> {
        let start = self.at;
        let Some(end) = self.rest().find("*/") else {
            return Err(Problem::new(start, "unclosed comment"));
        };
        self.at += end + 2;
        if !self.close() {
            return Err(Problem::new(start, "a comment ends before the closing `}}`"));
        }
        Ok(())
    }

    fn action(&mut self, open: usize) -> Parsed<()> {
        self.parens = 0;
        loop {
            let start = self.at;
            if self.close() {
                if self.parens > 0 {
                    return Err(Problem::new(start, "unclosed left parenthesis"));
                }
                self.tokens.push((Token::Close, start));
                return Ok(());
            }
            let Some(first) = self.rest().chars().next() else {
                return Err(Problem::new(open, "unclosed action: `}}` is missing"));
            };
            let token = self.word(first)?;
            self.tokens.push((token, start));
        }
    }

    /// Steps over `}}` or ` -}}`, if it is next, and over the space behind the latter.
    fn close(&mut self) -> bool {
        let rest = self.rest();
        let trimming = rest.strip_prefix(SPACE).and_then(|rest| rest.strip_prefix("-}}"));
        if let Some(behind) = trimming {
            self.at = self.source.len() - behind.trim_start_matches(SPACE).len();
        } else if rest.starts_with(CLOSE) {
            self.at += CLOSE.len();
        } else {
            return false;
        }
        true
    }

    fn word(&mut self, first: char) -> Parsed<Token> {
        let start = self.at;
        if SPACE.contains(&first) {
            // Up to the space that belongs to a trim marker.
            self.at += first.len_utf8();
            while self.rest().starts_with(SPACE) && !self.trims_behind() {
                self.at += 1;
            }
            return Ok(Token::Space);
        }
        self.at += first.len_utf8();
        Ok(match first {
            '=' => Token::Assign,
            ':' if self.rest().starts_with('=') => {
                self.at += 1;
                Token::Declare
            }
            ':' => return Err(Problem::new(start, "expected `:=`")),
            '|' => Token::Pipe,
            ',' => Token::Comma,
            '(' => {
                self.parens += 1;
                Token::LeftParen
            }
            ')' => {
                let Some(parens) = self.parens.checked_sub(1) else {
                    return Err(Problem::new(start, "unexpected right parenthesis"));
                };
                self.parens = parens;
                Token::RightParen
            }
            '"' => Token::Quoted(self.quoted(start, '"')?),
            '\'' => {
                let text = self.quoted(start, '\'')?;
                let mut chars = text.chars();
                match (chars.next(), chars.next()) {
                    (Some(char), None) => Token::Char(char),
                    _ => return Err(Problem::new(start, "malformed character constant")),
                }
            }
            '`' => {
                let Some(length) = self.rest().find('`') else {
                    return Err(Problem::new(start, "unterminated raw quoted string"));
                };
                let text = self.rest()[..length].replace('\r', "");
                self.at += length + 1;
                Token::Quoted(text)
            }
            '.' if !self.rest().starts_with(|char: char| char.is_ascii_digit()) => {
                match self.name(start)? {
                    "" => Token::Dot,
                    name => Token::Field(name.to_owned()),
                }
            }
            '$' => Token::Variable(format!("${}", self.name(start)?)),
            '.' | '+' | '-' | '0'..='9' => Token::Number(self.number(start)?.to_owned()),
            _ if first == '_' || first.is_alphanumeric() => {
                self.at = start;
                Token::Word(self.name(start)?.to_owned())
            }
            _ => {
                return Err(Problem::new(
                    start,
                    format!("unexpected character {first:?} in an action"),
                ));
            }
        })
    }

    fn trims_behind(&self) -> bool {
        self.rest().strip_prefix(SPACE).is_some_and(|rest| rest.starts_with("-}}"))
    }

    /// The letters and digits that follow, which must end as a name may.
    fn name(&mut self, start: usize) -> Parsed<&'a str> {
        let rest = self.rest();
        let is_part = |char: char| char == '_' || char.is_alphanumeric();
        let end = rest.find(|char| !is_part(char)).unwrap_or(rest.len());
        let (name, behind) = rest.split_at(end);
        self.at += end;
        let ends = behind.is_empty()
            || behind.starts_with(SPACE)
            || behind.starts_with(['.', ',', '|', ':', '(', ')'])
            || behind.starts_with(CLOSE)
            // Go takes these for the beginning of `=` and of a right parenthesis of its own.
            || behind.starts_with('=') && self.source[start..].starts_with('$');
        if ends {
            return Ok(name);
        }
        let bad = behind.chars().next().unwrap_or_default();
        Err(Problem::new(self.at, format!("unexpected character {bad:?} behind a name")))
    }

    fn number(&mut self, start: usize) -> Parsed<&'a str> {
        let text = &self.source[start..];
        let mut previous = ' ';
        let is_part = |char: char| {
            let sign = matches!(char, '+' | '-') && matches!(previous, ' ' | 'e' | 'E' | 'p' | 'P');
            previous = char;
            sign || char == '.' || char == '_' || char.is_alphanumeric()
        };
        let mut is_part = is_part;
        let end = text.find(|char| !is_part(char)).unwrap_or(text.len());
        self.at = start + end;
        Ok(&text[..end])
    }

    /// What stands up to this quote, with Go's escapes resolved.
    fn quoted(&mut self, start: usize, quote: char) -> Parsed<String> {
        let unterminated = || Problem::new(start, "unterminated quoted string");
        let mut bytes = Vec::new();
        loop {
            let char = self.next().ok_or_else(unterminated)?;
            match char {
                '\n' => return Err(unterminated()),
                '\\' => self.escape(&mut bytes)?,
                char if char == quote => break,
                char => bytes.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        Ok(String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    fn escape(&mut self, bytes: &mut Vec<u8>) -> Parsed<()> {
        let start = self.at;
        let invalid = || Problem::new(start, "invalid escape in a quoted string");
        let char = self.next().ok_or_else(invalid)?;
        let byte = match char {
            'a' => 7,
            'b' => 8,
            'f' => 12,
            'n' => b'\n',
            'r' => b'\r',
            't' => b'\t',
            'v' => 11,
            '\\' | '"' | '\'' => char as u8,
            'x' => u8::try_from(self.digits(2, 16).ok_or_else(invalid)?).map_err(|_| invalid())?,
            '0'..='7' => {
                self.at -= 1;
                u8::try_from(self.digits(3, 8).ok_or_else(invalid)?).map_err(|_| invalid())?
            }
            'u' | 'U' => {
                let length = if char == 'u' { 4 } else { 8 };
                let code = self.digits(length, 16).and_then(char::from_u32).ok_or_else(invalid)?;
                bytes.extend_from_slice(code.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            _ => return Err(invalid()),
        };
        bytes.push(byte);
        Ok(())
    }

    fn digits(&mut self, count: usize, radix: u32) -> Option<u32> {
        let digits = self.rest().get(..count)?;
        if !digits.chars().all(|char| char.is_digit(radix)) {
            return None;
        }
        self.at += count;
        u32::from_str_radix(digits, radix).ok()
    }

    fn next(&mut self) -> Option<char> {
        let char = self.rest().chars().next()?;
        self.at += char.len_utf8();
        Some(char)
    }

    fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or_default()
    }

    fn push_text(&mut self, text: &str, at: usize) {
        if !text.is_empty() {
            self.tokens.push((Token::Text(text.to_owned()), at));
        }
    }
}
