//! Points in time as Go prints them.

use std::fmt;
use std::rc::Rc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A point in time, and the zone it is shown in.
#[derive(Clone, Debug)]
pub(crate) struct Time {
    /// RFC 3339, as the engine wrote it.
    wire: Rc<str>,
    shown: Rc<str>,
    at: Timestamp,
}

impl Time {
    /// What Go has where no time was given.
    pub(crate) fn zero() -> Self {
        let at = Timestamp::from_second(-62_135_596_800).unwrap_or_default();
        Self {
            wire: Rc::from("0001-01-01T00:00:00Z"),
            shown: Rc::from("0001-01-01 00:00:00 +0000 UTC"),
            at,
        }
    }

    /// Reads RFC 3339, as Go writes it into JSON.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::parse_at(text, &TimeZone::system())
    }

    /// The same, where this is the zone of the machine.
    fn parse_at(text: &str, local: &TimeZone) -> Option<Self> {
        let at: Timestamp = text.parse().ok()?;
        let (date, time) = text.split_once('T')?;
        let zone = time.find(['Z', '+', '-'])?;
        let (clock, zone) = time.split_at(zone);
        // Neither Go nor the engine writes zeros at the end of a fraction.
        let clock = match clock.split_once('.') {
            Some((seconds, fraction)) => match fraction.trim_end_matches('0') {
                "" => seconds.to_owned(),
                fraction => format!("{seconds}.{fraction}"),
            },
            None => clock.to_owned(),
        };
        let shown_zone = if zone == "Z" {
            "+0000 UTC".to_owned()
        } else {
            let offset = zone.replace(':', "");
            // Go takes an offset that the machine has at that time for the machine's own zone.
            let here = local.to_offset_info(at);
            let minutes = here.offset().seconds() / 60;
            let sign = if minutes < 0 { '-' } else { '+' };
            let own = format!("{sign}{:02}{:02}", minutes.abs() / 60, minutes.abs() % 60);
            match here.abbreviation() {
                name if own == offset => format!("{offset} {name}"),
                _ => format!("{offset} {offset}"),
            }
        };
        Some(Self {
            wire: Rc::from(format!("{date}T{clock}{zone}")),
            shown: Rc::from(format!("{date} {clock} {shown_zone}")),
            at,
        })
    }

    /// As JSON has it.
    pub(super) fn wire(&self) -> &str {
        &self.wire
    }

    /// Seconds since 1970.
    pub(super) fn unix(&self) -> i64 {
        self.at.as_second()
    }
}

impl Time {
    /// As this layout shows the second of January 2006, at 15:04:05.
    pub(super) fn format(&self, layout: &str) -> Result<String, String> {
        // Longer ones first, where one begins with another.
        const PARTS: &[&str] = &[
            "2006", "January", "Jan", "Monday", "Mon", "MST", "Z07:00", "-07:00", "-0700", "01",
            "02", "03", "04", "05", "06", "15", "PM", "pm", "_2", "1", "2", "3", "4", "5",
        ];
        let parts = Parts::of(self).ok_or("this time cannot be formatted")?;
        let mut out = String::new();
        let mut rest = layout;
        while let Some(first) = rest.chars().next() {
            let fraction = ["Z07", "-07", ".0", ".9", ",0", ",9", "002", "_2006"];
            match PARTS.iter().find(|part| rest.starts_with(**part)) {
                Some(part) => {
                    out.push_str(&parts.show(part));
                    rest = &rest[part.len()..];
                }
                None if fraction.iter().any(|part| rest.starts_with(part)) => {
                    return Err(format!("the layout {layout:?} is not supported"));
                }
                None => {
                    out.push(first);
                    rest = &rest[first.len_utf8()..];
                }
            }
        }
        Ok(out)
    }
}

/// A time, in the zone it is shown in.
struct Parts<'a> {
    date: jiff::civil::DateTime,
    /// `Z` or `+02:00`.
    offset: &'a str,
    zone: &'a str,
}

impl<'a> Parts<'a> {
    fn of(time: &'a Time) -> Option<Self> {
        let behind = time.wire.split_once('T')?.1;
        let (_, offset) = behind.split_at(behind.find(['Z', '+', '-'])?);
        let date = time.wire.strip_suffix(offset)?.parse().ok()?;
        Some(Self { date, offset, zone: time.shown.rsplit(' ').next()? })
    }

    fn show(&self, part: &str) -> String {
        const MONTHS: [&str; 12] = [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ];
        const DAYS: [&str; 7] =
            ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
        let name = |names: &[&'static str], at: i8| {
            usize::try_from(at).ok().and_then(|at| names.get(at).copied()).unwrap_or_default()
        };
        let date = &self.date;
        let month = name(&MONTHS, date.month() - 1);
        let day = name(&DAYS, date.weekday().to_monday_zero_offset());
        let hour = (date.hour() + 11) % 12 + 1;
        let offset = if self.offset == "Z" { "+00:00" } else { self.offset };
        match part {
            "2006" => format!("{:04}", date.year()),
            "06" => format!("{:02}", date.year() % 100),
            "January" => month.to_owned(),
            "Jan" => month.chars().take(3).collect(),
            "Monday" => day.to_owned(),
            "Mon" => day.chars().take(3).collect(),
            "01" => format!("{:02}", date.month()),
            "1" => date.month().to_string(),
            "02" => format!("{:02}", date.day()),
            "_2" => format!("{:2}", date.day()),
            "2" => date.day().to_string(),
            "15" => format!("{:02}", date.hour()),
            "03" => format!("{hour:02}"),
            "3" => hour.to_string(),
            "04" => format!("{:02}", date.minute()),
            "4" => date.minute().to_string(),
            "05" => format!("{:02}", date.second()),
            "5" => date.second().to_string(),
            "PM" => (if date.hour() < 12 { "AM" } else { "PM" }).to_owned(),
            "pm" => (if date.hour() < 12 { "am" } else { "pm" }).to_owned(),
            "MST" => self.zone.to_owned(),
            "Z07:00" => self.offset.to_owned(),
            "-07:00" => offset.to_owned(),
            _ => offset.replace(':', ""),
        }
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl PartialEq for Time {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        Time::parse_at(text, &berlin).unwrap().to_string()
    }

    #[test]
    fn times_print_as_go_prints_them() {
        for (text, expected) in [
            ("2026-11-25T05:47:56.504169124Z", "2026-11-25 05:47:56.504169124 +0000 UTC"),
            ("2026-11-25T05:47:56.5Z", "2026-11-25 05:47:56.5 +0000 UTC"),
            ("2026-11-25T05:47:56Z", "2026-11-25 05:47:56 +0000 UTC"),
            ("2026-07-25T05:47:56+02:00", "2026-07-25 05:47:56 +0200 CEST"),
            ("2026-11-25T05:47:56+01:00", "2026-11-25 05:47:56 +0100 CET"),
            ("2026-11-25T05:47:56+02:00", "2026-11-25 05:47:56 +0200 +0200"),
            ("2026-11-25T05:47:56-03:30", "2026-11-25 05:47:56 -0330 -0330"),
            ("0001-01-01T00:00:00Z", "0001-01-01 00:00:00 +0000 UTC"),
        ] {
            assert_eq!(shown(text), expected);
        }
    }

    #[test]
    fn a_layout_shows_the_time_in_its_zone() {
        let time = Time::parse_at("2026-07-05T15:04:09.5+02:00", &TimeZone::UTC).unwrap();
        for (layout, expected) in [
            ("2006-01-02 15:04:05", "2026-07-05 15:04:09"),
            ("Mon Jan _2 15:04:05 MST 2006", "Sun Jul  5 15:04:09 +0200 2026"),
            ("Monday, 2 January 06, 3:4:5 PM", "Sunday, 5 July 26, 3:4:9 PM"),
            ("2006-01-02T15:04:05Z07:00", "2026-07-05T15:04:09+02:00"),
            ("03pm -0700", "03pm +0200"),
            ("day", "day"),
        ] {
            assert_eq!(time.format(layout).as_deref(), Ok(expected));
        }
        assert!(time.format("15:04:05.000").is_err());
        assert_eq!(Time::zero().format("2006 Z07:00").as_deref(), Ok("0001 Z"));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "now", "2026-11-25", "T", "2026-11-25T05:47:56"] {
            assert!(Time::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn no_time_is_the_first_year() {
        assert_eq!(Time::zero().wire(), "0001-01-01T00:00:00Z");
    }
}
