//! What Podman's API does otherwise, whatever is asked for.

use http::{Method, StatusCode};
use serde_json::json;

use super::answer::Answer;
use crate::core::refusal::{PodmanWords, Refusal};

/// What it puts before Go's words for a body that it cannot read.
const DECODE: &str = "Decode(): ";
/// What is below these is a swarm's.
const OF_A_SWARM: [&str; 4] = ["nodes", "services", "swarm", "tasks"];

/// A refusal as it tells it.
pub(super) fn refusal(refusal: &Refusal) -> Answer {
    let PodmanWords { status, message, cause } = refusal.podman();
    let code = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Answer::json(code, &json!({ "cause": cause, "message": message, "response": code.as_u16() }))
}

/// Of a body, or of filters, that could not be read.
pub(super) fn undecoded(message: &str) -> Refusal {
    Refusal::caused(500, "Decode()", message.strip_prefix(DECODE).unwrap_or(message))
}

/// What its router says before any handler does. It looks at the path as it was escaped, and takes one segment for a
/// name.
pub(super) fn misrouted(method: &Method, path: &str) -> Option<Answer> {
    let segments: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
    let first = segments.first().copied().unwrap_or_default();
    if OF_A_SWARM.contains(&first) {
        return Some(if path == "/swarm" {
            said(StatusCode::NOT_FOUND)
        } else {
            unsupported(path)
        });
    }
    if first != "networks" {
        return None;
    }
    let takes: &[Method] = match segments.as_slice() {
        [_] => &[Method::GET],
        [_, ""] => return Some(said(StatusCode::NOT_FOUND)),
        [_, "create" | "prune"] => &[Method::GET, Method::DELETE, Method::POST],
        [_, _] => &[Method::GET, Method::DELETE],
        [_, _, "connect" | "disconnect"] => &[Method::POST],
        _ => return Some(said(StatusCode::NOT_FOUND)),
    };
    (!takes.contains(method)).then(|| said(StatusCode::METHOD_NOT_ALLOWED))
}

fn unsupported(path: &str) -> Answer {
    refusal(&Refusal::Worded(503, format!("Podman does not support service: {path}")))
}

/// A status in words.
fn said(status: StatusCode) -> Answer {
    let words = format!("{}\n", status.canonical_reason().unwrap_or_default());
    Answer::typed(status, "text/plain; charset=utf-8", words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_that_a_path_does_not_take_is_405() {
        for (method, path, status) in [
            (Method::GET, "/networks", None),
            (Method::GET, "/networks/a%2Fb", None),
            (Method::POST, "/networks/create", None),
            (Method::POST, "/networks/n/connect", None),
            (Method::GET, "/containers/json", None),
            (Method::HEAD, "/networks", Some(405)),
            (Method::PUT, "/networks/create", Some(405)),
            (Method::GET, "/networks/n/connect", Some(405)),
            (Method::POST, "/networks/n", Some(405)),
            (Method::GET, "/networks/", Some(404)),
            (Method::GET, "/networks/n/x", Some(404)),
            (Method::POST, "/swarm/init", Some(503)),
        ] {
            let answer = misrouted(&method, path).map(|answer| answer.status.as_u16());
            assert_eq!(answer, status, "{method} {path}");
        }
    }
}
