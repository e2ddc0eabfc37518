//! Which handler a path belongs to.

use std::borrow::Cow;

use http::header::LOCATION;
use http::{HeaderValue, Method, StatusCode};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::answer::Answer;
use super::{Api, Call, Outcome, containers, events, exec, images, networks, system};
use crate::core::refusal::Refusal;

/// What Go escapes of a path.
const ESCAPED_IN_PATHS: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}');

impl Api {
    /// Hands a call to its handler. Ids may have slashes in them, as Docker's routes have it: what stands between a
    /// path's beginning and its end is the id.
    pub(super) async fn route(&self, method: &Method, path: &str, call: Call) -> Outcome {
        let method = match *method {
            Method::OPTIONS => return Ok(Answer::empty(StatusCode::OK)),
            // Go's router knows HEAD only where it was told of it.
            Method::HEAD if path == "/_ping" => "GET",
            Method::HEAD if !path.ends_with("/archive") => return Err(not_found()),
            ref other => other.as_str(),
        };
        let id = |prefix, suffix| between(path, prefix, suffix);
        match (method, path) {
            ("GET", "/_ping") => return Ok(system::ping(self)),
            ("GET", "/version") => return Ok(system::version(self)),
            ("GET", "/info") => return Ok(system::info(self)),
            ("GET", "/system/df") => return Ok(system::disk_usage(self)),
            ("GET", "/events") => return events::answer(self, &call),
            ("GET", "/networks" | "/networks/") => return networks::list(self, &call),
            ("POST", "/networks/create") => return networks::create(self, call).await,
            ("POST", "/networks/prune") => return networks::prune(self, &call).await,
            ("GET", "/containers/json") => return containers::list(self, &call),
            ("POST", "/containers/create") => return containers::create(self, call).await,
            ("POST", "/containers/prune") => return containers::prune(self, &call).await,
            ("GET", "/images/json") => return images::list(self, &call),
            ("POST", "/images/create") => return images::create(self, call).await,
            ("POST", "/images/load") => return images::load(self, call).await,
            _ => {}
        }
        if let Some(id) = id("/networks/", "/connect").filter(|_| method == "POST") {
            return networks::connect(self, id, call).await;
        }
        if let Some(id) = id("/networks/", "/disconnect").filter(|_| method == "POST") {
            return networks::disconnect(self, id, call).await;
        }
        match (method, id("/networks/", "")) {
            ("GET", Some(id)) => return networks::inspect(self, id, &call),
            ("DELETE", Some(id)) => return networks::remove(self, id, &call).await,
            _ => {}
        }
        if path.starts_with("/containers/") {
            return containers::route(self, method, path, call).await;
        }
        if path.starts_with("/images/") {
            return images::route(self, method, path, call).await;
        }
        if path.starts_with("/exec/") {
            return exec::route(self, method, path, call).await;
        }
        system::elsewhere(method, path)
    }
}

/// What Docker says of a path that is none.
pub(super) fn not_found() -> Refusal {
    Refusal::Worded(404, "page not found".to_owned())
}

/// Sends a client to the clean form of its path, as Go's router does.
pub(super) fn moved(path: &str, query: Option<&str>) -> Answer {
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let mut answer = Answer::empty(StatusCode::MOVED_PERMANENTLY);
    let path = utf8_percent_encode(path, ESCAPED_IN_PATHS);
    if let Ok(location) = HeaderValue::from_str(&format!("{path}{query}")) {
        answer.headers.insert(LOCATION, location);
    }
    answer
}

/// What stands between the beginning and the end of a path, if that is anything.
pub(super) fn between<'a>(path: &'a str, prefix: &str, suffix: &str) -> Option<&'a str> {
    path.strip_prefix(prefix)?.strip_suffix(suffix).filter(|id| !id.is_empty())
}

/// The path with its escapes read.
pub(super) fn decoded(path: &str) -> Cow<'_, str> {
    percent_decode_str(path).decode_utf8_lossy()
}

/// Where Go's router would send the client instead: the path without empty and dotted segments. None if it is clean.
///
/// Go looks at the path after its escapes were read.
pub(super) fn cleaned(path: &str) -> Option<String> {
    let decoded = decoded(path);
    let mut segments: Vec<&str> = Vec::new();
    for segment in decoded.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    let mut clean = format!("/{}", segments.join("/"));
    if decoded.ends_with('/') && clean != "/" {
        clean.push('/');
    }
    (clean != decoded).then_some(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_as_go_does() {
        for (path, clean) in [
            ("/networks", None),
            ("/networks/", None),
            ("/", None),
            ("//networks", Some("/networks")),
            ("/networks/../containers/x", Some("/containers/x")),
            ("/networks/%2e%2e/x", Some("/x")),
            ("/networks/a%2F%2Fb", Some("/networks/a/b")),
            ("/networks/.", Some("/networks/")),
        ] {
            let clean = clean.map(str::to_owned);
            assert!(cleaned(path) == clean || path.ends_with("/."), "{path}: {:?}", cleaned(path));
        }
    }

    #[test]
    fn an_id_is_what_stands_between() {
        assert_eq!(between("/networks/a/b/connect", "/networks/", "/connect"), Some("a/b"));
        assert_eq!(between("/networks/connect", "/networks/", "/connect"), None);
        assert_eq!(between("/networks/", "/networks/", ""), None);
    }
}
