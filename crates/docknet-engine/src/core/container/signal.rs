//! Signals, by name and number.

/// Linux's, from 1 on.
const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
    "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
    "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];
const LAST: u8 = 64;
pub(crate) const KILL: u8 = 9;
pub(super) const TERM: u8 = 15;

/// Reads a signal as Docker does: a number, or a name with or without `SIG`, in any case. The error is in its words.
pub(super) fn parse(text: &str) -> Result<u8, String> {
    if let Ok(number) = text.parse::<i64>() {
        return match u8::try_from(number) {
            Ok(0) => Err(format!("invalid signal: {text}")),
            Ok(number @ 1..=LAST) => Ok(number),
            _ => Err(format!("the linux daemon does not support signal {number}")),
        };
    }
    let upper = text.to_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let named =
        NAMES.iter().position(|known| *known == name).and_then(|at| u8::try_from(at + 1).ok());
    let real_time = || match name.split_at_checked(5)? {
        ("RTMIN", "") => Some(34),
        ("RTMAX", "") => Some(LAST),
        ("RTMIN", more) => more
            .strip_prefix('+')?
            .parse::<u8>()
            .ok()
            .filter(|more| *more <= 15)
            .map(|more| 34 + more),
        ("RTMAX", less) => less
            .strip_prefix('-')?
            .parse::<u8>()
            .ok()
            .filter(|less| *less <= 14)
            .map(|less| LAST - less),
        _ => None,
    };
    let other = match name {
        "CLD" => Some(17),
        "POLL" => Some(29),
        "IOT" => Some(6),
        _ => None,
    };
    named.or(other).or_else(real_time).ok_or_else(|| format!("invalid signal: {text}"))
}

/// Whether a signal ends a process that handles none: no first process of a container, which only a kill ends, unless an
/// init stands before it that hands the others on.
pub(super) fn ends(signal: u8, has_init: bool) -> bool {
    // Ignored, or a stop, or a going on.
    let harmless = matches!(signal, 17..=23 | 28);
    signal == KILL || (has_init && !harmless)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_read_as_docker_does() {
        for (text, signal) in [
            ("KILL", Ok(9)),
            ("SIGKILL", Ok(9)),
            ("sigterm", Ok(15)),
            ("9", Ok(9)),
            ("64", Ok(64)),
            ("SYS", Ok(31)),
            ("RTMIN+3", Ok(37)),
            ("SIGRTMAX-1", Ok(63)),
            ("RTMIN", Ok(34)),
            ("0", Err("invalid signal: 0")),
            ("99", Err("the linux daemon does not support signal 99")),
            ("FOO", Err("invalid signal: FOO")),
            ("", Err("invalid signal: ")),
            ("RTMIN+99", Err("invalid signal: RTMIN+99")),
        ] {
            assert_eq!(parse(text), signal.map_err(str::to_owned), "{text}");
        }
    }
}
