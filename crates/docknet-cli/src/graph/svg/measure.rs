//! How wide a text is, without a font: rather too wide than too narrow.

use unicode_width::UnicodeWidthChar;

use super::Class;

/// The height of the letters, in pixels.
pub(super) fn size(class: Class) -> f64 {
    match class {
        Class::Alias | Class::Tag => 11.0,
        Class::Address | Class::Caption => 12.0,
        Class::Row => 13.0,
        Class::Name => 14.0,
        Class::Title => 18.0,
    }
}

pub(super) fn width(class: Class, text: &str) -> f64 {
    text.chars().map(|c| advance(class, c)).sum::<f64>() * size(class)
}

/// The text, or as much of it as fits, and all of it if something was cut.
pub(super) fn fitted(class: Class, text: &str, room: f64) -> (String, Option<String>) {
    if width(class, text) <= room {
        return (text.to_owned(), None);
    }
    let mut taken = advance(class, '…') * size(class);
    let mut fitting = String::new();
    for c in text.chars() {
        taken += advance(class, c) * size(class);
        if taken > room {
            break;
        }
        fitting.push(c);
    }
    fitting.push('…');
    (fitting, Some(text.to_owned()))
}

/// In heights of a letter: as wide as the widest of the fonts that are asked for has it.
fn advance(class: Class, c: char) -> f64 {
    if class == Class::Address {
        return if c.width().unwrap_or(0) > 1 { 1.21 } else { 0.605 };
    }
    let regular = match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' => 0.34,
        'f' | 'r' | 't' | '(' | ')' | '[' | ']' | '/' | '-' => 0.44,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' | '→' => 1.0,
        'A'..='Z' => 0.78,
        _ if c.width().unwrap_or(0) > 1 => 1.1,
        _ => 0.645,
    };
    match class {
        Class::Name | Class::Title => regular * 1.09,
        _ => regular,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_fits() {
        for room in [40.0, 80.0, 200.0] {
            let (text, more) = fitted(Class::Name, "a network with a rather long name", room);
            assert!(width(Class::Name, &text) <= room);
            assert_eq!(more.is_some(), text.ends_with('…'));
        }
    }
}
