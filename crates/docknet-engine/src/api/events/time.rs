//! `since` and `until`.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::core::filter::parse_unix_time;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Since,
    Until,
}

/// Docker takes seconds since 1970, with a fraction of up to nine digits, and nothing else: its CLI turns dates and durations
/// into that. A second of -1 stands for none.
pub(super) fn docker(text: &str) -> Result<Option<i128>, (u16, String)> {
    let time = parse_unix_time(text).map_err(|words| (500, words))?;
    Ok(time.map(Timestamp::as_nanosecond))
}

/// Podman takes seconds as Docker does, dates with and without a time and a zone, and durations: back from now for `since`,
/// on from now for `until`.
pub(super) fn podman(
    text: &str,
    side: Side,
    now: Timestamp,
) -> Result<Option<i128>, (u16, String)> {
    if text.is_empty() {
        return Ok(None);
    }
    if let Ok(time) = docker(text) {
        return Ok(time);
    }
    // `1.` and `.5`, which are no number to Docker.
    if let Ok(seconds) = text.parse::<f64>()
        && seconds.is_finite()
    {
        #[expect(clippy::cast_possible_truncation)]
        let nanoseconds = (seconds.clamp(-1e10, 1e10) * 1e9) as i128;
        return Ok(Some(nanoseconds));
    }
    if let Some(time) = date(text) {
        return Ok(Some(time.as_nanosecond()));
    }
    if let Ok(duration) = text.parse::<SignedDuration>() {
        let nanoseconds = match side {
            Side::Since => -duration.as_nanos(),
            Side::Until => duration.as_nanos(),
        };
        return Ok(Some(now.as_nanosecond() + nanoseconds));
    }
    let side = if side == Side::Since { "since" } else { "until" };
    Err((
        500,
        format!(
            "failed to parse event filters: unable to convert {side} time of {text}: unable to interpret time value"
        ),
    ))
}

fn date(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    let local = text.parse::<DateTime>().ok()?;
    TimeZone::UTC.to_timestamp(local).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_takes_seconds_and_a_fraction() {
        for (text, nanoseconds) in [
            ("", None),
            ("0", Some(0)),
            ("-5", Some(-5_000_000_000)),
            ("+1", Some(1_000_000_000)),
            ("1.5", Some(1_500_000_000)),
            ("1.05", Some(1_050_000_000)),
            ("1795572710.665777424", Some(1_795_572_710_665_777_424)),
            ("1.0000000019", Some(1_000_000_001)),
            ("1.-5", Some(950_000_000)),
            ("-1", None),
            ("-1.5", None),
            ("9223372036854775807", Some(Timestamp::MAX.as_nanosecond())),
        ] {
            assert_eq!(docker(text), Ok(nanoseconds), "{text}");
        }
    }

    #[test]
    fn docker_refuses_the_rest_as_go_does() {
        for (text, words) in [
            ("x", r#"strconv.ParseInt: parsing "x": invalid syntax"#),
            (" ", r#"strconv.ParseInt: parsing " ": invalid syntax"#),
            ("10m", r#"strconv.ParseInt: parsing "10m": invalid syntax"#),
            (
                "2024-01-01T00:00:00Z",
                r#"strconv.ParseInt: parsing "2024-01-01T00:00:00Z": invalid syntax"#,
            ),
            ("1.", r#"strconv.ParseInt: parsing "": invalid syntax"#),
            (".5", r#"strconv.ParseInt: parsing "": invalid syntax"#),
            ("1_0", r#"strconv.ParseInt: parsing "1_0": invalid syntax"#),
            (
                "99999999999999999999",
                r#"strconv.ParseInt: parsing "99999999999999999999": value out of range"#,
            ),
            (
                "1.99999999999999999999",
                r#"strconv.ParseInt: parsing "99999999999999999999": value out of range"#,
            ),
        ] {
            assert_eq!(docker(text), Err((500, words.to_owned())), "{text}");
        }
    }

    #[test]
    fn podman_takes_dates_and_durations() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        for (text, side, second) in [
            ("5", Side::Since, 5),
            ("6.", Side::Since, 6),
            ("1970-01-01T00:00:07Z", Side::Since, 7),
            ("1970-01-01T01:00:07+01:00", Side::Until, 7),
            ("1970-01-01T00:00:07", Side::Since, 7),
            ("1970-01-02", Side::Since, 86_400),
            ("10m", Side::Since, 999_400),
            ("1h30m", Side::Until, 1_005_400),
        ] {
            assert_eq!(podman(text, side, now), Ok(Some(second * 1_000_000_000)), "{text}");
        }
        assert_eq!(podman("soon", Side::Until, now).unwrap_err().0, 500);
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in ".*", number in "[-+]?[0-9]{0,25}(\\.[-+]?[0-9]{0,25})?") {
            for text in [text, number] {
                let _ = docker(&text);
                let _ = podman(&text, Side::Since, Timestamp::MAX);
                let _ = podman(&text, Side::Until, Timestamp::MIN);
            }
        }
    }
}
