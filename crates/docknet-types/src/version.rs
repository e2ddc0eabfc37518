//! Versions of the Docker Engine API.

use std::fmt;
use std::str::FromStr;

/// A version of the Docker Engine API, as in `1.51`.
///
/// ```
/// use docknet_types::ApiVersion;
///
/// let version: ApiVersion = "1.9".parse()?;
/// assert!(version < ApiVersion::new(1, 51));
/// assert_eq!(version.to_string(), "1.9");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiVersion {
    major: u16,
    minor: u16,
}

impl ApiVersion {
    /// The oldest version docknet speaks: Docker 19.03. What is older misses half of the network API.
    pub const OLDEST: Self = Self::new(1, 40);
    /// The newest version docknet speaks.
    pub const NEWEST: Self = Self::new(1, 55);

    /// `major.minor`.
    #[must_use]
    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl fmt::Debug for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ApiVersion {
    type Err = ParseVersionError;

    /// Takes `1.51`, and `v1.51` as well.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |part: &str| match part.bytes().all(|b| b.is_ascii_digit()) {
            true => part.parse().ok(),
            false => None,
        };
        text.strip_prefix('v')
            .unwrap_or(text)
            .split_once('.')
            .and_then(|(major, minor)| Some(Self::new(number(major)?, number(minor)?)))
            .ok_or_else(|| ParseVersionError(text.to_owned()))
    }
}

/// A text that is no API version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseVersionError(String);

impl fmt::Display for ParseVersionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid API version {:?}: two numbers are wanted, as in 1.51", self.0)
    }
}

impl std::error::Error for ParseVersionError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_what_engines_and_people_write() {
        assert_eq!("v1.41".parse(), Ok(ApiVersion::new(1, 41)));
        for text in ["", "1", "1.", ".1", "1.2.3", "1.x", "1.+2", "1.99999", "latest"] {
            assert!(text.parse::<ApiVersion>().is_err(), "{text:?}");
        }
    }
}
