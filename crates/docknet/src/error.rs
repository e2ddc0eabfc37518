//! The one error type.

use std::fmt;

use docknet_types::{ErrorKind, classify};
use http::StatusCode;

/// What calls of this crate return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong: a [kind](Self::kind) to act on, the engine's own [words](Self::message) and
/// [status](Self::status), and what was being done.
///
/// ```
/// use docknet::{Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::NameTaken, "network with name backend already exists");
/// assert_eq!(error.kind(), ErrorKind::NameTaken);
/// assert!(error.is_conflict());
/// assert_eq!(error.to_string(), "network with name backend already exists");
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    status: Option<StatusCode>,
    message: String,
    operation: Option<&'static str>,
    subject: Option<String>,
    note: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of this kind: for those who write a [`Transport`](crate::Transport).
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self(Box::new(Inner {
            kind,
            status: None,
            message,
            operation: None,
            subject: None,
            note: None,
            source: None,
        }))
    }

    /// The same with its cause.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What an engine refused, in its own words.
    pub(crate) fn refused(status: StatusCode, body: &[u8]) -> Self {
        let words = words(body);
        let kind = classify(status.as_u16(), words.as_deref().unwrap_or_default());
        let reason = || status.canonical_reason().unwrap_or("no reason given").to_owned();
        let mut error = Self::new(kind, words.unwrap_or_else(reason));
        error.0.status = Some(status);
        // What servers written in Go answer to whom they take for a client without TLS.
        if error.message() == "Client sent an HTTP request to an HTTPS server." {
            error.0.kind = ErrorKind::Config;
            return error.with_note(
                "this port is for TLS: use https://, give TLS options, or set DOCKER_TLS_VERIFY",
            );
        }
        error
    }

    /// Says what was being done, unless an inner call said it already.
    pub(crate) fn doing(mut self, operation: &'static str, subject: Option<&str>) -> Self {
        if self.0.operation.is_none() {
            self.0.operation = Some(operation);
            self.0.subject = subject.map(str::to_owned);
        }
        self
    }

    /// Says what else there is to know, behind the engine's own words.
    pub(crate) fn with_note(mut self, note: impl Into<String>) -> Self {
        self.0.note = Some(note.into());
        self
    }

    /// What happened, as a caller can act on it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The status of the engine's answer; none if there was no answer.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.0.status
    }

    /// The engine's own words, untouched; or ours, if there was no answer.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What was being done, as in `network create`.
    #[must_use]
    pub fn operation(&self) -> Option<&'static str> {
        self.0.operation
    }

    /// The name or id it was done to.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.0.subject.as_deref()
    }

    /// Whether there is no such network, container or driver.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self.kind(), ErrorKind::NoSuchDriver | ErrorKind::NotFound)
    }

    /// Whether what is there already stands in the way: a name, an address, a subnet, a connection, a user.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(
            self.kind(),
            ErrorKind::AddressInUse
                | ErrorKind::AlreadyConnected
                | ErrorKind::Conflict
                | ErrorKind::InUse
                | ErrorKind::NameTaken
                | ErrorKind::PoolOverlap
        )
    }

    /// Whether the limit of time was reached. What the engine did of it is not known.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.kind() == ErrorKind::Timeout
    }

    /// Whether the same call may succeed later, with nothing changed by the caller. A call that changes something may
    /// have taken effect all the same when the connection broke or the time ran out: look before you repeat it.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.kind(),
            ErrorKind::Connect | ErrorKind::Protocol | ErrorKind::Timeout | ErrorKind::Unavailable
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        if let Some(operation) = inner.operation {
            f.write_str(operation)?;
            if let Some(subject) = &inner.subject {
                write!(f, " {subject:?}")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&inner.message)?;
        if let Some(status) = inner.status {
            write!(f, " ({status})")?;
        }
        match &inner.note {
            Some(note) => write!(f, "; {note}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, status, message, operation, subject, note, source } = &*self.0;
        f.debug_struct("Error")
            .field("kind", kind)
            .field("status", status)
            .field("message", message)
            .field("operation", operation)
            .field("subject", subject)
            .field("note", note)
            .field("source", source)
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// The message of an error's body: `message` of a JSON object, or else the text itself.
fn words(body: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Refusal {
        message: String,
    }

    // Podman 4 may write the object twice, one after the other.
    let first = serde_json::Deserializer::from_slice(body).into_iter::<Refusal>().next();
    let text = match first {
        Some(Ok(refusal)) => refusal.message,
        Some(Err(_)) | None => String::from_utf8_lossy(body).into_owned(),
    };
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_one_word_wide_and_crosses_threads() {
        const fn crosses<T: Send + Sync + 'static>() {}
        crosses::<Error>();
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }

    #[test]
    fn keeps_the_words_of_the_engine() {
        let cases: [(&[u8], &str); 6] = [
            (br#"{"message":"network x not found"}"#, "network x not found"),
            (br#"{"cause":"a","message":"a: b","response":404}"#, "a: b"),
            (b"{\"message\":\"twice\"}\n{\"message\":\"twice\"}", "twice"),
            (b"<html>404 page</html>\n", "<html>404 page</html>"),
            (b"", "Not Found"),
            (b"\xff\xfe", "\u{fffd}\u{fffd}"),
        ];
        for (body, message) in cases {
            let error = Error::refused(StatusCode::NOT_FOUND, body);
            assert_eq!((error.message(), error.kind()), (message, ErrorKind::NotFound));
        }
    }

    #[test]
    fn reads_well() {
        let error = Error::refused(
            StatusCode::FORBIDDEN,
            br#"{"message":"Pool overlaps with other one on this address space"}"#,
        )
        .doing("network create", Some("backend"))
        .doing("ensure", None);
        assert_eq!(
            error.to_string(),
            "network create \"backend\": Pool overlaps with other one on this address space (403 Forbidden)"
        );
        assert_eq!((error.operation(), error.subject()), (Some("network create"), Some("backend")));
    }
}
