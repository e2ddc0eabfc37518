//! Dates as Go's package `time` reads them, and what it says where it cannot.

use jiff::civil::DateTime;
use jiff::tz::Offset;

/// The layout that Docker picks for a value, by the look of it.
pub(super) fn of(value: &str) -> &'static str {
    let has_zone =
        value.contains(['z', 'Z', '+']) || value.bytes().filter(|&byte| byte == b'-').count() == 3;
    if value.contains('.') {
        return if has_zone {
            "2006-01-02T15:04:05.999999999Z07:00"
        } else {
            "2006-01-02T15:04:05.999999999"
        };
    }
    if !value.contains('T') {
        return if has_zone { "2006-01-02Z07:00" } else { "2006-01-02" };
    }
    let colons = value.bytes().filter(|&byte| byte == b':').count();
    // A zone has a colon of its own, unless it is Z.
    let of_zone = usize::from(has_zone && !value.contains(['z', 'Z']));
    match (colons.saturating_sub(of_zone), has_zone) {
        (0, false) => "2006-01-02T15",
        (1, false) => "2006-01-02T15:04",
        (_, false) => "2006-01-02T15:04:05",
        (0, true) => "2006-01-02T15Z07:00",
        (1, true) => "2006-01-02T15:04Z07:00",
        (_, true) => "2006-01-02T15:04:05Z07:00",
    }
}

/// Seconds since 1970, and nanoseconds.
pub(super) fn parse(layout: &'static str, value: &str) -> Result<(i64, i32), String> {
    let mut parser = Parser { layout, value, rest: value.as_bytes() };
    let mut read = Read::default();
    let mut pattern = layout;
    while !pattern.is_empty() {
        let (element, after) = next_element(pattern);
        let hold = parser.rest;
        match parser.element(element, &mut read) {
            Ok(()) => {}
            Err(Trouble::Range(what)) => return Err(parser.about(&format!("{what} out of range"))),
            Err(Trouble::Syntax) => {
                // In a separator, what was read of it is behind us.
                let rest = if ELEMENTS.contains(&element) { hold } else { parser.rest };
                return Err(parser.cannot_parse(rest, element));
            }
        }
        pattern = after;
    }
    if !parser.rest.is_empty() {
        return Err(parser.about(&format!("extra text: {}", quote(parser.rest))));
    }
    read.time().ok_or_else(|| parser.about("day out of range"))
}

const ELEMENTS: [&str; 8] = ["2006", "01", "02", "15", "04", "05", ".999999999", "Z07:00"];

/// The first element of a layout, or the separator before it; and what comes after.
fn next_element(layout: &'static str) -> (&'static str, &'static str) {
    if let Some(element) = ELEMENTS.into_iter().find(|element| layout.starts_with(element)) {
        return (element, layout.get(element.len()..).unwrap_or_default());
    }
    layout.split_at_checked(1).unwrap_or((layout, ""))
}

#[derive(Default)]
struct Read {
    year: i16,
    month: i8,
    day: i8,
    hour: i8,
    minute: i8,
    second: i8,
    nanosecond: i32,
    /// Seconds east of Greenwich.
    offset: i64,
}

impl Read {
    fn time(&self) -> Option<(i64, i32)> {
        let time =
            DateTime::new(self.year, self.month, self.day, self.hour, self.minute, self.second, 0);
        let time = Offset::UTC.to_timestamp(time.ok()?).ok()?;
        Some((time.as_second() - self.offset, self.nanosecond))
    }
}

enum Trouble {
    Syntax,
    Range(&'static str),
}

struct Parser<'a> {
    layout: &'static str,
    value: &'a str,
    rest: &'a [u8],
}

impl Parser<'_> {
    fn element(&mut self, element: &str, read: &mut Read) -> Result<(), Trouble> {
        match element {
            "2006" => {
                let digits = self.rest.get(..4).ok_or(Trouble::Syntax)?;
                read.year = number(digits).ok_or(Trouble::Syntax)?;
                self.skip(4);
            }
            "01" => read.month = self.two_digits("month", 1, 12)?,
            // Whether the month has that day is seen at the end.
            "02" => read.day = self.two_digits("day", i8::MIN, i8::MAX)?,
            "15" => {
                // The only one that may have one digit.
                let digits =
                    self.rest.iter().take(2).take_while(|byte| byte.is_ascii_digit()).count();
                if digits == 1 {
                    read.hour =
                        number(self.rest.get(..1).unwrap_or_default()).ok_or(Trouble::Syntax)?;
                    self.skip(1);
                } else {
                    read.hour = self.two_digits("hour", 0, 23)?;
                }
            }
            "04" => read.minute = self.two_digits("minute", 0, 59)?,
            "05" => {
                read.second = self.two_digits("second", 0, 59)?;
                // Go takes a fraction here even where the layout has none.
                self.fraction(read);
            }
            ".999999999" => self.fraction(read),
            "Z07:00" => read.offset = self.zone()?,
            separator => {
                self.rest = self.rest.strip_prefix(separator.as_bytes()).ok_or(Trouble::Syntax)?;
            }
        }
        Ok(())
    }

    fn two_digits(&mut self, what: &'static str, least: i8, most: i8) -> Result<i8, Trouble> {
        let digits = self.rest.get(..2).ok_or(Trouble::Syntax)?;
        let number = number(digits).ok_or(Trouble::Syntax)?;
        self.skip(2);
        if (least..=most).contains(&number) { Ok(number) } else { Err(Trouble::Range(what)) }
    }

    fn fraction(&mut self, read: &mut Read) {
        let Some((b'.' | b',', after)) = self.rest.split_first() else { return };
        let digits = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return;
        }
        let shown = after.get(..digits.min(9)).unwrap_or_default();
        let missing = u32::try_from(9 - shown.len()).unwrap_or_default();
        read.nanosecond = number::<i32>(shown).unwrap_or_default() * 10_i32.pow(missing);
        self.skip(1 + digits);
    }

    fn zone(&mut self) -> Result<i64, Trouble> {
        if self.rest.first() == Some(&b'Z') {
            self.skip(1);
            return Ok(0);
        }
        let Some(&[sign, h1, h2, b':', m1, m2]) = self.rest.first_chunk::<6>() else {
            return Err(Trouble::Syntax);
        };
        let hours: i64 = number(&[h1, h2]).ok_or(Trouble::Syntax)?;
        let minutes: i64 = number(&[m1, m2]).ok_or(Trouble::Syntax)?;
        if hours > 24 {
            return Err(Trouble::Range("time zone offset hour"));
        }
        if minutes > 60 {
            return Err(Trouble::Range("time zone offset minute"));
        }
        let seconds = (hours * 60 + minutes) * 60;
        self.skip(6);
        match sign {
            b'+' => Ok(seconds),
            b'-' => Ok(-seconds),
            _ => Err(Trouble::Syntax),
        }
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    fn about(&self, what: &str) -> String {
        format!("parsing time {}: {what}", quote(self.value.as_bytes()))
    }

    fn cannot_parse(&self, rest: &[u8], element: &str) -> String {
        format!(
            "parsing time {} as {}: cannot parse {} as {}",
            quote(self.value.as_bytes()),
            quote(self.layout.as_bytes()),
            quote(rest),
            quote(element.as_bytes())
        )
    }
}

fn number<T: std::str::FromStr>(digits: &[u8]) -> Option<T> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// This package of Go quotes in a way of its own.
fn quote(bytes: &[u8]) -> String {
    let mut quoted = String::from("\"");
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => quoted.extend(['\\', char::from(byte)]),
            b' '..=0x7f => quoted.push(char::from(byte)),
            _ => quoted.push_str(&format!("\\x{byte:02x}")),
        }
    }
    quoted.push('"');
    quoted
}
