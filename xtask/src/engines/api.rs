//! As much HTTP as it takes to talk to an engine on its socket.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.body).with_context(|| format!("no JSON: {}", self.body))
    }
}

pub(super) fn get(socket: &Path, path: &str) -> Result<Answer> {
    send(socket, "GET", path, "", &[])
}

/// `GET` that must succeed.
pub(super) fn get_json(socket: &Path, path: &str) -> Result<Value> {
    let answer = get(socket, path)?;
    if answer.status != 200 {
        bail!("GET {path}: {} {}", answer.status, answer.body.trim());
    }
    answer.json()
}

/// `POST` that must succeed.
pub(super) fn post(socket: &Path, path: &str, kind: &str, body: &[u8]) -> Result<String> {
    let answer = send(socket, "POST", path, kind, body)?;
    if !(200..300).contains(&answer.status) {
        bail!("POST {path}: {} {}", answer.status, answer.body.trim());
    }
    Ok(answer.body)
}

pub(super) fn post_json(socket: &Path, path: &str, body: &Value) -> Result<String> {
    post(socket, path, "application/json", body.to_string().as_bytes())
}

/// Whether the engine answers.
pub(super) fn ping(socket: &Path) -> bool {
    get(socket, "/_ping").is_ok_and(|answer| answer.status == 200)
}

fn send(socket: &Path, method: &str, path: &str, kind: &str, body: &[u8]) -> Result<Answer> {
    let exchange = || -> Result<Vec<u8>> {
        let mut stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.set_write_timeout(Some(Duration::from_secs(30)))?;
        // Version 1.0, so that the answer is in one piece and ends with the connection.
        let head = format!(
            "{method} {path} HTTP/1.0\r\nHost: docknet\r\nContent-Type: {kind}\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    };
    let raw = exchange().with_context(|| format!("{method} {path} on {}", socket.display()))?;
    parse(&String::from_utf8_lossy(&raw))
        .ok_or_else(|| anyhow!("{method} {path} on {}: no HTTP answer", socket.display()))
}

fn parse(raw: &str) -> Option<Answer> {
    let (head, body) = raw.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.")?.split_whitespace().nth(1)?.parse().ok()?;
    Some(Answer { status, body: body.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_taken_apart() {
        let answer =
            parse("HTTP/1.0 404 Not Found\r\nServer: x\r\n\r\n{\"message\":\"no\"}").unwrap();
        assert_eq!(answer.status, 404);
        assert_eq!(answer.json().unwrap()["message"], "no");
        assert!(parse("HTTP/1.0 200 OK\r\n").is_none());
        assert!(parse("").is_none());
    }
}
