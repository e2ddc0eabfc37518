//! Where an engine is to listen.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::ServeError;

/// Where an engine listens.
///
/// | | |
/// |---|---|
/// | `unix:///run/docknet.sock` | a Unix socket, by its absolute path |
/// | `tcp://127.0.0.1:2375` | TCP without encryption; port 0 takes any that is free |
///
/// ```
/// use docknet_engine::ListenAddress;
///
/// let address: ListenAddress = "tcp://[::1]:0".parse()?;
/// assert_eq!(address.to_string(), "tcp://[::1]:0");
///
/// let error = "/run/docknet.sock".parse::<ListenAddress>().unwrap_err();
/// assert!(error.to_string().ends_with("it has no scheme; is \"unix:///run/docknet.sock\" meant?"));
/// # Ok::<(), docknet_engine::ServeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ListenAddress(Place);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    Unix(PathBuf),
    Tcp {
        host: String,
        port: u16,
    },
    /// A socket without a name, that was handed over.
    Unnamed,
}

impl ListenAddress {
    /// A Unix socket at this path, which need not be text.
    ///
    /// # Errors
    /// If the path is not absolute.
    ///
    /// ```
    /// use docknet_engine::ListenAddress;
    ///
    /// assert_eq!(ListenAddress::unix("/run/docknet.sock")?, "unix:///run/docknet.sock".parse()?);
    /// # Ok::<(), docknet_engine::ServeError>(())
    /// ```
    pub fn unix(path: impl Into<PathBuf>) -> Result<Self, ServeError> {
        let path = path.into();
        if !path.is_absolute() {
            return Err(wrong(&path.to_string_lossy(), NO_PATH));
        }
        Ok(Self(Place::Unix(path)))
    }

    /// The path of the socket, where it is a Unix socket.
    ///
    /// ```
    /// use docknet_engine::ListenAddress;
    ///
    /// assert!("tcp://127.0.0.1:0".parse::<ListenAddress>()?.path().is_none());
    /// # Ok::<(), docknet_engine::ServeError>(())
    /// ```
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &self.0 {
            Place::Unix(path) => Some(path),
            Place::Tcp { .. } | Place::Unnamed => None,
        }
    }

    pub(super) fn place(&self) -> &Place {
        &self.0
    }
}

impl From<Place> for ListenAddress {
    fn from(place: Place) -> Self {
        Self(place)
    }
}

impl FromStr for ListenAddress {
    type Err = ServeError;

    /// # Errors
    /// If it is no such address: the message names the text, and says what is wanted.
    fn from_str(text: &str) -> Result<Self, ServeError> {
        parse(text).map(Self).map_err(|problem| wrong(text, &problem))
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Unix(path) => write!(f, "unix://{}", path.display()),
            Place::Tcp { host, port } if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            Place::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
            Place::Unnamed => f.write_str("a socket without a name"),
        }
    }
}

fn wrong(text: &str, problem: &str) -> ServeError {
    ServeError::new(format!("{text:?} is no address to listen at: {problem}"))
}

const WANTED: &str = "unix:///path or tcp://host:port is wanted";
const NO_PATH: &str = "the absolute path of a socket is wanted, as in unix:///run/docknet.sock";

fn parse(text: &str) -> Result<Place, String> {
    if text.is_empty() {
        return Err(format!("it is empty, and {WANTED}"));
    }
    if let Some(bad) = text.chars().find(|c| c.is_control()) {
        return Err(format!("it has {bad:?} in it, and {WANTED}"));
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        let scheme = if text.starts_with('/') { "unix" } else { "tcp" };
        return Err(format!("it has no scheme; is {:?} meant?", format!("{scheme}://{text}")));
    };
    match scheme {
        "unix" if !rest.starts_with('/') || rest.ends_with('/') => Err(NO_PATH.to_owned()),
        "unix" => Ok(Place::Unix(PathBuf::from(rest))),
        "tcp" => tcp(rest.strip_suffix('/').unwrap_or(rest)),
        "http" => Err(format!("is {:?} meant?", format!("tcp://{rest}"))),
        "https" => Err(format!("this engine does not serve TLS, and {WANTED}")),
        _ => Err(format!("{scheme:?} is no scheme to listen with, and {WANTED}")),
    }
}

fn tcp(rest: &str) -> Result<Place, String> {
    if rest.contains(['/', '?', '#', '@']) {
        return Err("a host and a port are wanted, and nothing else".to_owned());
    }
    let (host, port) = match rest.strip_prefix('[') {
        Some(bracketed) => {
            let (host, port) = bracketed
                .split_once(']')
                .ok_or_else(|| "a bracket is opened and not closed".to_owned())?;
            let address = host.split('%').next().unwrap_or_default();
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return Err("an IPv6 address is wanted in the brackets".to_owned());
            }
            (host, port.strip_prefix(':'))
        }
        None if rest.matches(':').count() > 1 => {
            return Err("an IPv6 address stands in brackets, as in tcp://[::1]:2375".to_owned());
        }
        None => match rest.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (rest, None),
        },
    };
    if host.is_empty() {
        return Err(
            "it names no host; tcp://127.0.0.1:… is this machine alone, tcp://0.0.0.0:… all that reach it"
                .to_owned(),
        );
    }
    let Some(port) = port else {
        return Err("a port is wanted, as in tcp://127.0.0.1:2375; 0 takes any".to_owned());
    };
    match port.parse() {
        Ok(number) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            Ok(Place::Tcp { host: host.to_owned(), port: number })
        }
        _ => Err(format!("{port:?} is no port: a number from 0 to 65535 is wanted")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_wrong_with_an_address_is_said() {
        let cases = [
            ("", "it is empty"),
            ("unix://run/x.sock", "absolute path"),
            ("unix:///", "absolute path"),
            ("/run/x.sock", "is \"unix:///run/x.sock\" meant?"),
            ("127.0.0.1:1", "is \"tcp://127.0.0.1:1\" meant?"),
            ("tcp://:1", "names no host"),
            ("tcp://h", "a port is wanted"),
            ("tcp://h:", "\"\" is no port"),
            ("tcp://h:+1", "\"+1\" is no port"),
            ("tcp://h:65536", "\"65536\" is no port"),
            ("tcp://::1:1", "stands in brackets"),
            ("tcp://[::1:1", "not closed"),
            ("tcp://[h]:1", "an IPv6 address is wanted"),
            ("tcp://h:1/x", "nothing else"),
            ("http://h:1", "is \"tcp://h:1\" meant?"),
            ("https://h:1", "does not serve TLS"),
            ("fd://3", "\"fd\" is no scheme"),
            ("unix:///a\nb", "it has '\\n' in it"),
        ];
        for (text, problem) in cases {
            let error = text.parse::<ListenAddress>().unwrap_err().to_string();
            assert!(error.contains(problem), "{text:?}: {error}");
        }
        assert!(ListenAddress::unix("x.sock").unwrap_err().to_string().contains("absolute path"));
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_shown_reads_back(text in "(unix://|tcp://)?.{0,20}") {
            if let Ok(address) = text.parse::<ListenAddress>() {
                prop_assert_eq!(address.to_string().parse::<ListenAddress>().unwrap(), address);
            }
        }
    }
}
