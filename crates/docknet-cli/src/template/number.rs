//! Numbers of a template.

use super::{Parsed, Problem, Value};

/// A number as Go writes it.
pub(super) fn number(text: &str, at: usize) -> Parsed<Value> {
    let plain = text.replace('_', "");
    let (negative, digits) = match plain.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let bad = || Problem::new(at, format!("bad number syntax: `{text}`"));
    let lower = digits.to_ascii_lowercase();
    let radix = match lower.get(..2) {
        Some("0x") => Some(16),
        Some("0o") => Some(8),
        Some("0b") => Some(2),
        _ => None,
    };
    if !digits.starts_with(|char: char| char.is_ascii_digit() || char == '.') {
        return Err(bad());
    }
    if radix.is_none() && lower.contains(['.', 'e']) {
        let float: f64 = digits.parse().map_err(|_| bad())?;
        return Ok(Value::Float(if negative { -float } else { float }));
    }
    let octal = lower.len() > 1 && lower.starts_with('0');
    let integer = match radix {
        Some(radix) => i128::from_str_radix(lower.get(2..).unwrap_or_default(), radix),
        None => i128::from_str_radix(&lower, if octal { 8 } else { 10 }),
    };
    let integer = integer.map_err(|_| bad())?;
    let integer = i64::try_from(if negative { -integer } else { integer });
    integer.map(Value::Int).map_err(|_| Problem::new(at, format!("`{text}` overflows int")))
}
