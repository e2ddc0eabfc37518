//! Calls as HTTP requests: values, without I/O.

use bytes::Bytes;
use docknet_types::Filters;
use http::Method;
use serde::Serialize;

use crate::client::invalid;
use crate::{Error, ErrorKind, Result};

/// A call: the request, and what it is about for messages.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) operation: &'static str,
    pub(crate) subject: Option<String>,
    pub(crate) http: Result<http::Request<Bytes>>,
}

impl Request {
    /// A call without a body.
    pub(crate) fn new(operation: &'static str, method: Method, target: Target) -> Self {
        Self::with_bytes(operation, method, target, Ok(Bytes::new()))
    }

    /// A call with a JSON body.
    pub(crate) fn json(
        operation: &'static str,
        method: Method,
        target: Target,
        body: &impl Serialize,
    ) -> Self {
        let bytes = serde_json::to_vec(body).map(Bytes::from).map_err(|error| {
            Error::new(ErrorKind::InvalidSpec, format!("this cannot be written as JSON: {error}"))
                .with_source(error)
        });
        Self::with_bytes(operation, method, target, bytes)
    }

    fn with_bytes(
        operation: &'static str,
        method: Method,
        target: Target,
        bytes: Result<Bytes>,
    ) -> Self {
        let http = target.0.and_then(|target| {
            http::Request::builder().method(method).uri(target).body(bytes?).map_err(invalid)
        });
        Self { operation, subject: None, http }
    }

    /// Names what it is about.
    pub(crate) fn about(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }
}

/// The path and query of a request.
#[derive(Debug)]
pub(crate) struct Target(Result<String>);

impl Target {
    /// A path that is written here.
    pub(crate) fn path(path: &'static str) -> Self {
        Self(Ok(path.to_owned()))
    }

    /// Adds a name or an id as one segment of the path. Nothing in it can end the segment.
    pub(crate) fn segment(self, segment: &str) -> Self {
        Self(self.0.and_then(|mut path| {
            if segment.is_empty() {
                return Err(Error::new(
                    ErrorKind::InvalidSpec,
                    "a name or an id is wanted, and this is empty",
                ));
            }
            path.push('/');
            encode(segment, &mut path);
            Ok(path)
        }))
    }

    /// Adds the rest of a path.
    pub(crate) fn tail(self, rest: &'static str) -> Self {
        Self(self.0.map(|path| path + rest))
    }

    /// Adds a query parameter.
    pub(crate) fn query(self, key: &str, value: &str) -> Self {
        Self(self.0.map(|mut path| {
            path.push(if path.contains('?') { '&' } else { '?' });
            encode(key, &mut path);
            path.push('=');
            encode(value, &mut path);
            path
        }))
    }

    /// Adds a query parameter, if there is a value.
    pub(crate) fn maybe(self, key: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.query(key, value),
            None => self,
        }
    }

    /// Adds filters, if there are any.
    pub(crate) fn filters(self, filters: &Filters) -> Self {
        if filters.is_empty() { self } else { self.query("filters", &filters.to_json()) }
    }
}

/// Percent-encodes all but the unreserved characters of RFC 3986 §2.3.
fn encode(text: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

/// Whether an engine finds a network by this text in a path. Go cleans paths after decoding them: what has empty, `.`
/// or `..` segments is redirected elsewhere, escaped or not.
pub(crate) fn is_routable(name: &str) -> bool {
    // Docker's router matches a name with `.*`, which ends at a line.
    !name.contains('\n') && name.split('/').all(|segment| !matches!(segment, "" | "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(target: Target) -> String {
        target.0.unwrap()
    }

    #[test]
    fn a_name_is_one_segment_whatever_it_holds() {
        for (name, path) in [
            ("a b", "/networks/a%20b"),
            ("../containers/x", "/networks/..%2Fcontainers%2Fx"),
            ("x?force=1", "/networks/x%3Fforce%3D1"),
            ("a#b%2f", "/networks/a%23b%252f"),
            ("réseau", "/networks/r%C3%A9seau"),
            ("a\r\nHost: b", "/networks/a%0D%0AHost%3A%20b"),
            ("A-z_0.9~", "/networks/A-z_0.9~"),
        ] {
            assert_eq!(target(Target::path("/networks").segment(name)), path);
        }
    }

    #[test]
    fn an_empty_name_is_refused_and_not_sent_as_a_list() {
        let error = Target::path("/networks").segment("").0.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSpec);
    }

    #[test]
    fn queries_are_escaped() {
        let filters = Filters::new().label("a=b&c");
        assert_eq!(
            target(Target::path("/networks").query("a", "1").filters(&filters).maybe("b", None)),
            "/networks?a=1&filters=%7B%22label%22%3A%7B%22a%3Db%26c%22%3Atrue%7D%7D"
        );
    }

    #[test]
    fn knows_which_names_go_cleans_away() {
        for name in ["a", "a/b", "...", "a..b", " "] {
            assert!(is_routable(name), "{name}");
        }
        for name in ["", ".", "..", "../x", "a//b", "/a", "a/", "a/../b", "a\nb"] {
            assert!(!is_routable(name), "{name}");
        }
    }
}
