//! Points in time as clients write them.

mod layout;

use jiff::{SignedDuration, Timestamp};

use crate::api::go_json::text::quote;
use crate::api::query::parse_int;

/// A time in any form that Docker takes: so long ago (`1h30m`), a date and a time of RFC 3339 or the beginning of one, or
/// seconds since 1970. Where a form has no zone, it is UTC. The error is the message for the client.
pub(crate) fn parse_time(value: &str, now: Timestamp) -> Result<Timestamp, String> {
    // Docker counts in whole seconds here, so that what was made a moment ago may be younger than `0s`. We do not.
    if value != "0"
        && let Some(ago) = duration(value)
    {
        let then = i128::from(now.as_second()) * NANOSECONDS + i128::from(now.subsec_nanosecond())
            - i128::from(ago);
        return Ok(timestamp(0, then));
    }
    let error = match layout::parse(layout::of(value), value) {
        Ok((second, nanosecond)) => return Ok(timestamp(second.into(), nanosecond.into())),
        Err(error) => error,
    };
    if value.contains('-') {
        return Err(error);
    }
    parse_seconds(value)
        .map_err(|_| format!("failed to parse value as time or duration: {}", quote(value)))
}

/// A time as `/events` takes it: seconds since 1970, with a fraction or without. `None` where there is none. The error is
/// the message for the client.
pub(crate) fn parse_unix_time(value: &str) -> Result<Option<Timestamp>, String> {
    if value.is_empty() {
        return Ok(None);
    }
    let time = parse_seconds(value)?;
    // Docker has -1 for a time that is not given.
    Ok(Some(time).filter(|_| value.split('.').next() != Some("-1")))
}

const NANOSECONDS: i128 = 1_000_000_000;

fn parse_seconds(value: &str) -> Result<Timestamp, String> {
    let Some((seconds, fraction)) = value.split_once('.') else {
        return Ok(timestamp(parse_int(value)?.into(), 0));
    };
    let seconds = parse_int(seconds)?;
    let nanoseconds = i128::from(parse_int(fraction)?);
    let digits = u32::try_from(fraction.len()).unwrap_or(u32::MAX);
    let nanoseconds = if digits <= 9 {
        nanoseconds * 10_i128.pow(9 - digits)
    } else {
        nanoseconds / 10_i128.checked_pow(digits - 9).unwrap_or(i128::MAX)
    };
    Ok(timestamp(seconds.into(), nanoseconds))
}

/// The nearest time that can be told.
fn timestamp(seconds: i128, nanoseconds: i128) -> Timestamp {
    let second = seconds + nanoseconds.div_euclid(NANOSECONDS);
    let nanosecond = i32::try_from(nanoseconds.rem_euclid(NANOSECONDS)).unwrap_or_default();
    i64::try_from(second)
        .ok()
        .and_then(|second| Timestamp::from_duration(SignedDuration::new(second, nanosecond)).ok())
        .unwrap_or(if second < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// Go's `time.ParseDuration`, in nanoseconds.
fn duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut sum = 0_i128;
    while !rest.is_empty() {
        let (whole, after) = digits(rest);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => digits(after),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let end = after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(end)?;
        let unit = unit_of(unit)?;
        let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        sum = sum.checked_add(whole.checked_mul(unit)?)?.checked_add(part(fraction, unit))?;
        rest = after;
    }
    i64::try_from(if negative { -sum } else { sum }).ok()
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

fn unit_of(name: &str) -> Option<i128> {
    Some(match name {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => NANOSECONDS,
        "m" => 60 * NANOSECONDS,
        "h" => 3600 * NANOSECONDS,
        _ => return None,
    })
}

/// What comes behind the point, of a unit.
fn part(fraction: &str, unit: i128) -> i128 {
    let fraction = fraction.get(..fraction.len().min(18)).unwrap_or_default();
    let scale = u32::try_from(fraction.len()).map_or(1, |digits| 10_i128.pow(digits));
    fraction.parse::<i128>().map_or(0, |number| number * unit / scale)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_800_000_000, 500_000_000);

    fn time(value: &str) -> String {
        parse_time(value, NOW).unwrap().to_string()
    }

    #[test]
    fn durations_are_exactly_that_long_ago() {
        for (value, ago) in [
            ("0s", 0),
            ("1ms", 1_000_000),
            ("501ms", 501_000_000),
            ("24h", 86_400 * NANOSECONDS),
            ("1h30m", 5_400 * NANOSECONDS),
            ("1.5h", 5_400 * NANOSECONDS),
            (".5m", 30 * NANOSECONDS),
            ("-1h", -3_600 * NANOSECONDS),
            ("+1h", 3_600 * NANOSECONDS),
            ("1500000µs", 1_500_000_000),
            ("-0", 0),
        ] {
            let then = Timestamp::from_nanosecond(NOW.as_nanosecond() - ago).unwrap();
            assert_eq!(parse_time(value, NOW), Ok(then), "{value}");
        }
    }

    #[test]
    fn seconds_may_have_a_fraction() {
        assert_eq!(time("0"), "1970-01-01T00:00:00Z");
        assert_eq!(time("1136073600.000000001"), "2006-01-01T00:00:00.000000001Z");
        assert_eq!(time("1136073600.5"), "2006-01-01T00:00:00.5Z");
        assert_eq!(time("1136073600.1234567899"), "2006-01-01T00:00:00.123456789Z");
        assert_eq!(parse_time("99999999999999999", NOW), Ok(Timestamp::MAX));
    }

    #[test]
    fn dates_may_be_cut_short() {
        for (value, expected) in [
            ("2100-01-01T00:00:00Z", "2100-01-01T00:00:00Z"),
            ("2100-01-02T03:04:05.678+01:00", "2100-01-02T02:04:05.678Z"),
            ("2100-01-02T03:04:05-01:30", "2100-01-02T04:34:05Z"),
            ("2100-01-02T03:04:05", "2100-01-02T03:04:05Z"),
            ("2100-01-02T03:04:05.5", "2100-01-02T03:04:05.5Z"),
            ("2100-01-02T03:04", "2100-01-02T03:04:00Z"),
            ("2100-01-02T03", "2100-01-02T03:00:00Z"),
            ("2100-01-02T3", "2100-01-02T03:00:00Z"),
            ("2100-01-02T03:04Z", "2100-01-02T03:04:00Z"),
            ("2100-01-02T03Z", "2100-01-02T03:00:00Z"),
            ("2100-01-02", "2100-01-02T00:00:00Z"),
            ("2100-01-02Z", "2100-01-02T00:00:00Z"),
            ("2100-01-02+02:00", "2100-01-01T22:00:00Z"),
        ] {
            assert_eq!(time(value), expected, "{value}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused_in_gos_words() {
        for (value, message) in [
            ("foo", r#"failed to parse value as time or duration: "foo""#),
            ("1x", r#"failed to parse value as time or duration: "1x""#),
            ("", r#"failed to parse value as time or duration: """#),
            ("2020-13-01", r#"parsing time "2020-13-01": month out of range"#),
            ("2020-02-30", r#"parsing time "2020-02-30": day out of range"#),
            ("2020-01-01T25", r#"parsing time "2020-01-01T25": hour out of range"#),
            ("2020-1-1", r#"parsing time "2020-1-1" as "2006-01-02": cannot parse "1-1" as "01""#),
            ("-5", r#"parsing time "-5" as "2006-01-02": cannot parse "-5" as "2006""#),
            ("2020-01-01x", r#"parsing time "2020-01-01x": extra text: "x""#),
            ("2020-01-01T10:00:00Zx", r#"parsing time "2020-01-01T10:00:00Zx": extra text: "x""#),
            (
                "2020-01-01T10:00:00+1",
                r#"parsing time "2020-01-01T10:00:00+1" as "2006-01-02T15:04Z07:00": cannot parse ":00+1" as "Z07:00""#,
            ),
            (
                "2020-01-01T10:00:00+25:00",
                r#"parsing time "2020-01-01T10:00:00+25:00": time zone offset hour out of range"#,
            ),
            (
                "2020-01-01T10:00:00.5Zz",
                r#"parsing time "2020-01-01T10:00:00.5Zz": extra text: "z""#,
            ),
            (
                "é-x",
                r#"parsing time "\xc3\xa9-x" as "2006-01-02": cannot parse "\xc3\xa9-x" as "2006""#,
            ),
            ("2020-01-01T10:00:61", r#"parsing time "2020-01-01T10:00:61": second out of range"#),
            (
                "2020-01-01T10:0",
                r#"parsing time "2020-01-01T10:0" as "2006-01-02T15:04": cannot parse "0" as "04""#,
            ),
            ("2020-", r#"parsing time "2020-" as "2006-01-02": cannot parse "" as "01""#),
            (
                "2020-01-01t10:00:00",
                r#"parsing time "2020-01-01t10:00:00": extra text: "t10:00:00""#,
            ),
            (
                "2020-01-01z",
                r#"parsing time "2020-01-01z" as "2006-01-02Z07:00": cannot parse "z" as "Z07:00""#,
            ),
            ("99999999999h", r#"failed to parse value as time or duration: "99999999999h""#),
            (
                "2020/01-01",
                r#"parsing time "2020/01-01" as "2006-01-02": cannot parse "/01-01" as "-""#,
            ),
        ] {
            assert_eq!(parse_time(value, NOW), Err(message.to_owned()), "{value}");
        }
    }

    #[test]
    fn events_take_seconds_only() {
        assert_eq!(parse_unix_time(""), Ok(None));
        assert_eq!(parse_unix_time("-1"), Ok(None));
        assert_eq!(parse_unix_time("0"), Ok(Some(Timestamp::UNIX_EPOCH)));
        assert_eq!(parse_unix_time("-5"), Ok(Some(Timestamp::constant(-5, 0))));
        assert_eq!(
            parse_unix_time("2020-01-01"),
            Err(r#"strconv.ParseInt: parsing "2020-01-01": invalid syntax"#.into())
        );
        assert_eq!(
            parse_unix_time("1.5x"),
            Err(r#"strconv.ParseInt: parsing "5x": invalid syntax"#.into())
        );
    }

    proptest! {
        #[test]
        fn every_time_is_read_back(second in -62_167_219_200_i64..253_402_207_200, nanosecond in 0..1_000_000_000_i32) {
            let time = Timestamp::new(second, nanosecond).unwrap();
            prop_assert_eq!(parse_time(&time.to_string(), NOW), Ok(time));
            if second >= 0 {
                prop_assert_eq!(parse_time(&format!("{second}.{nanosecond:09}"), NOW), Ok(time));
            }
        }

        #[test]
        fn any_text_is_a_time_or_refused(value in r"[-0-9TZ:.+hmsnuµé]{0,24}") {
            if let Err(message) = parse_time(&value, NOW) {
                prop_assert!(message.contains("pars"));
            }
            let _ = parse_unix_time(&value);
        }
    }
}
