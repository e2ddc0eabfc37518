//! `printf` with the verbs that fit what networks have.

use std::fmt::Write;

use super::call::LONGEST;
use super::{Value, show};

/// What stands between `%` and its verb.
#[derive(Clone, Copy, Debug, Default)]
struct Flags {
    left: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
    /// `%+v`: the fields of structs by name.
    names: bool,
}

pub(super) fn printf(format: &str, args: &[Value]) -> Result<String, String> {
    let mut printer = Printer { args, at: 0, reordered: false, out: String::new() };
    let mut chars = format.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '%' => printer.verb(&mut chars)?,
            char => printer.out.push(char),
        }
    }
    let Printer { at, reordered, mut out, .. } = printer;
    let extra = args.get(at..).unwrap_or_default();
    if !extra.is_empty() && !reordered {
        let extra: Vec<_> = extra.iter().map(with_type).collect();
        // A String takes anything, here and below.
        let _ = write!(out, "%!(EXTRA {})", extra.join(", "));
    }
    Ok(out)
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

struct Printer<'a> {
    args: &'a [Value],
    /// The next argument.
    at: usize,
    /// Whether arguments were chosen by number.
    reordered: bool,
    out: String,
}

impl Printer<'_> {
    /// What follows a `%`.
    fn verb(&mut self, chars: &mut Chars<'_>) -> Result<(), String> {
        let mut flags = Flags::default();
        while let Some(flag) = chars.next_if(|char| "-+# 0".contains(*char)) {
            match flag {
                '-' => flags.left = true,
                '+' => flags.plus = true,
                '#' => flags.sharp = true,
                ' ' => flags.space = true,
                _ => flags.zero = true,
            }
        }
        self.choose(chars);
        flags.width = self.number(chars, &mut flags.left);
        if chars.next_if_eq(&'.').is_some() {
            let mut negative = false;
            self.choose(chars);
            let precision = self.number(chars, &mut negative);
            flags.precision = Some(precision.unwrap_or(0)).filter(|_| !negative);
        }
        flags.zero &= !flags.left;
        self.choose(chars);
        match (chars.next(), self.args.get(self.at)) {
            (None, _) => self.out.push_str("%!(NOVERB)"),
            (Some('%'), _) => self.out.push('%'),
            (Some(verb), None) => {
                let problem = if self.reordered { "BADINDEX" } else { "MISSING" };
                _ = write!(self.out, "%!{verb}({problem})");
            }
            (
                Some('v'),
                Some(
                    value @ (Value::Map(..)
                    | Value::List(..)
                    | Value::Struct(..)
                    | Value::Entry(_)
                    | Value::Time(_)
                    | Value::Number(_)),
                ),
            ) if flags.sharp => {
                return Err(format!("`%#v` of {} is not supported", value.type_name()));
            }
            (Some('v'), Some(value)) => {
                self.at += 1;
                flags.names = std::mem::take(&mut flags.plus);
                add(if flags.sharp { '#' } else { 'v' }, flags, value, &mut self.out);
            }
            (Some(verb), Some(value)) => {
                self.at += 1;
                add(verb, flags, value, &mut self.out);
            }
        }
        Ok(())
    }

    /// `[n]`: which argument is next, counted from 1.
    fn choose(&mut self, chars: &mut Chars<'_>) {
        let mut ahead = chars.clone();
        if ahead.next() != Some('[') {
            return;
        }
        let number: String = ahead.by_ref().take_while(|char| *char != ']').collect();
        if let Ok(number) = number.parse::<usize>() {
            *chars = ahead;
            self.reordered = true;
            // What is out of range is said at the verb.
            self.at = number.checked_sub(1).unwrap_or(self.args.len());
        }
    }

    /// A width or a precision: digits, or `*` and the next argument.
    fn number(&mut self, chars: &mut Chars<'_>, negative: &mut bool) -> Option<usize> {
        if chars.next_if_eq(&'*').is_some() {
            let value = self.args.get(self.at);
            self.at += 1;
            let Some(Value::Int(number)) = value else {
                self.out.push_str("%!(BADWIDTH)");
                return None;
            };
            *negative |= *number < 0;
            return usize::try_from(number.unsigned_abs()).ok().filter(|size| *size <= LONGEST);
        }
        let mut digits = String::new();
        while let Some(digit) = chars.next_if(char::is_ascii_digit) {
            digits.push(digit);
        }
        digits.parse().ok().filter(|size| *size <= LONGEST)
    }
}

fn add(verb: char, flags: Flags, value: &Value, out: &mut String) {
    if verb == 'T' {
        let name = match value {
            Value::Nil => "<nil>".to_owned(),
            value => value.type_name(),
        };
        return text(&name, flags, out);
    }
    match (verb, value) {
        ('v' | '#', Value::Nil) => pad("<nil>", Flags { zero: false, ..flags }, out),
        ('#' | 'q', Value::Text(text)) | ('q', Value::Number(text)) => {
            let cut: String = text.chars().take(flags.precision.unwrap_or(usize::MAX)).collect();
            pad(&quoted(&cut, '"', flags), flags, out);
        }
        ('v' | 't' | '#', Value::Bool(value)) => pad(&value.to_string(), flags, out),
        ('v', Value::Int(number)) => int('d', *number, flags, out),
        ('#', Value::Int(number)) => int('d', *number, Flags { sharp: false, ..flags }, out),
        ('v' | '#', Value::Float(number)) => pad(&show::float(*number), flags, out),
        ('s' | 'v', Value::Text(_) | Value::Number(_) | Value::Time(_)) => {
            text(&show::shown(value, show::Names::Hidden), flags, out);
        }
        ('x' | 'X', Value::Text(text)) => hex(text, verb == 'X', flags, out),
        ('d' | 'x' | 'X' | 'o' | 'b', Value::Int(number)) => int(verb, *number, flags, out),
        ('c', Value::Int(number)) => {
            let char = u32::try_from(*number).ok().and_then(char::from_u32);
            pad(&char.unwrap_or('\u{fffd}').to_string(), flags, out);
        }
        ('U', Value::Int(number)) => pad(&format!("U+{number:04X}"), flags, out),
        ('q', Value::Int(number)) => {
            let char = u32::try_from(*number).ok().and_then(char::from_u32);
            let char = char.unwrap_or('\u{fffd}').to_string();
            pad(&quoted(&char, '\'', flags), flags, out);
        }
        ('f' | 'F', Value::Float(number)) => {
            let sign = if flags.plus && *number >= 0.0 { "+" } else { "" };
            let precision = flags.precision.unwrap_or(6);
            pad(&format!("{sign}{number:.precision$}"), flags, out);
        }
        ('e' | 'E', Value::Float(number)) => {
            let text = format!("{number:.*e}", flags.precision.unwrap_or(6));
            let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let (sign, exponent) = match exponent.strip_prefix('-') {
                Some(exponent) => ('-', exponent),
                None => ('+', exponent),
            };
            pad(&format!("{digits}{verb}{sign}{exponent:0>2}"), flags, out);
        }
        ('g', Value::Float(number)) => pad(&show::float(*number), flags, out),
        // Every part of it by itself, as Go does.
        (_, Value::Map(_, map)) => {
            out.push_str("map[");
            for (at, (key, value)) in map.iter().flat_map(|map| map.iter()).enumerate() {
                out.push_str(if at > 0 { " " } else { "" });
                add(verb, flags, &Value::text(key), out);
                out.push(':');
                add(verb, flags, value, out);
            }
            out.push(']');
        }
        (_, Value::List(_, list)) => {
            out.push('[');
            for (at, value) in list.iter().flat_map(|list| list.iter()).enumerate() {
                out.push_str(if at > 0 { " " } else { "" });
                add(verb, flags, value, out);
            }
            out.push(']');
        }
        (_, Value::Struct(shape, fields)) => {
            if let Some(of) = shape.text {
                return text(&of(fields), flags, out);
            }
            out.push('{');
            for (at, (field, value)) in shape.fields.iter().zip(fields.iter()).enumerate() {
                out.push_str(if at > 0 { " " } else { "" });
                if flags.names {
                    out.push_str(field.name);
                    out.push(':');
                }
                add(verb, flags, value, out);
            }
            out.push('}');
        }
        ('v' | 's', Value::Entry(_)) => text(&show::shown(value, show::Names::Hidden), flags, out),
        (verb, Value::Nil) => _ = write!(out, "%!{verb}(<nil>)"),
        (verb, value) => {
            _ = write!(out, "%!{verb}({}=", value.type_name());
            add('v', flags, value, out);
            out.push(')');
        }
    }
}

fn with_type(value: &Value) -> String {
    match value {
        Value::Nil => "<nil>".to_owned(),
        value => format!("{}={}", value.type_name(), show::shown(value, show::Names::Hidden)),
    }
}

/// A text, cut to as many characters as the precision says.
fn text(text: &str, flags: Flags, out: &mut String) {
    match flags.precision {
        Some(precision) => {
            let cut: String = text.chars().take(precision).collect();
            pad(&cut, flags, out);
        }
        None => pad(text, flags, out),
    }
}

fn hex(text: &str, upper: bool, flags: Flags, out: &mut String) {
    let mut digits = String::new();
    for (at, byte) in text.bytes().take(flags.precision.unwrap_or(usize::MAX)).enumerate() {
        if at > 0 && flags.space {
            digits.push(' ');
        }
        if flags.sharp && (at == 0 || flags.space) {
            digits.push_str(if upper { "0X" } else { "0x" });
        }
        _ = if upper { write!(digits, "{byte:02X}") } else { write!(digits, "{byte:02x}") };
    }
    pad(&digits, flags, out);
}

fn int(verb: char, number: i64, flags: Flags, out: &mut String) {
    if number == 0 && flags.precision == Some(0) {
        return pad("", Flags { zero: false, ..flags }, out);
    }
    let size = number.unsigned_abs();
    let (prefix, digits) = match verb {
        'x' => ("0x", format!("{size:x}")),
        'X' => ("0X", format!("{size:X}")),
        'o' => ("0", format!("{size:o}")),
        'b' => ("0b", format!("{size:b}")),
        _ => ("", size.to_string()),
    };
    let sign = match number {
        ..0 => "-",
        _ if flags.plus => "+",
        _ if flags.space => " ",
        _ => "",
    };
    let prefix = if flags.sharp { prefix } else { "" };
    let taken = sign.len() + prefix.len();
    let width = match (flags.precision, flags.width) {
        (Some(precision), _) => precision,
        (None, Some(width)) if flags.zero => width.saturating_sub(taken),
        _ => 0,
    };
    pad(&format!("{sign}{prefix}{digits:0>width$}"), Flags { zero: false, ..flags }, out);
}

fn pad(text: &str, flags: Flags, out: &mut String) {
    let missing = flags.width.unwrap_or(0).saturating_sub(text.chars().count());
    let fill = |out: &mut String, char| out.extend(std::iter::repeat_n(char, missing));
    match text.strip_prefix('-') {
        _ if flags.left => {
            out.push_str(text);
            fill(out, ' ');
        }
        Some(behind) if flags.zero => {
            out.push('-');
            fill(out, '0');
            out.push_str(behind);
        }
        _ => {
            fill(out, if flags.zero { '0' } else { ' ' });
            out.push_str(text);
        }
    }
}

/// A text as it stands in Go's source.
fn quoted(text: &str, quote: char, flags: Flags) -> String {
    let mut out = String::from(quote);
    for char in text.chars() {
        match char {
            char if char == quote || char == '\\' => out.extend(['\\', char]),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            char if char.is_ascii_control() => _ = write!(out, "\\x{:02x}", u32::from(char)),
            char if char.is_control() || flags.plus && !char.is_ascii() => {
                _ = match u32::from(char) {
                    code @ ..0x1_0000 => write!(out, "\\u{code:04x}"),
                    code => write!(out, "\\U{code:08x}"),
                };
            }
            char => out.push(char),
        }
    }
    out.push(quote);
    out
}
