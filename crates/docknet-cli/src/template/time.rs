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
