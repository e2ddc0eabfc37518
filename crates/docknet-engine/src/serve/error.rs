//! What keeps an engine from being served.

use std::{fmt, io};

/// Why an engine could not be served at an address.
///
/// ```
/// use docknet_engine::ListenAddress;
///
/// let error = "tcp://127.0.0.1".parse::<ListenAddress>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "\"tcp://127.0.0.1\" is no address to listen at: a port is wanted, as in tcp://127.0.0.1:2375; 0 takes any"
/// );
/// ```
#[derive(Debug)]
pub struct ServeError {
    message: String,
    source: Option<io::Error>,
}

impl ServeError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None }
    }

    /// The same for what the system refused.
    pub(super) fn from_io(message: impl fmt::Display, source: io::Error) -> Self {
        Self { message: format!("{message}: {source}"), source: Some(source) }
    }
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ServeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}
