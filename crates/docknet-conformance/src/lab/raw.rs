//! Requests as they are, and answers with their words.

use bytes::Bytes;
use docknet::{Client, Error, ErrorKind, Result};
use http::{Method, Request};
use serde_json::Value;

/// What an engine answered.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body, if it is JSON.
    pub body: Value,
    /// The message of a refusal, or the body as it is.
    pub message: String,
}

/// Sends what the SDK would not send. Of a target only the blanks, quotes and brackets of filters are escaped.
///
/// # Errors
/// What the connection meets; a refusal is none.
pub async fn exchange(client: &Client, method: &str, target: &str, body: &str) -> Result<Answer> {
    let invalid = |error: &dyn std::fmt::Display| Error::new(ErrorKind::Misuse, error.to_string());
    let method = Method::from_bytes(method.as_bytes()).map_err(|error| invalid(&error))?;
    let mut request = Request::builder().method(method).uri(escaped(target));
    if !body.is_empty() {
        request = request.header(http::header::CONTENT_TYPE, "application/json");
    }
    let request = request.body(Bytes::from(body.to_owned())).map_err(|error| invalid(&error))?;
    let mut response = client.send(request).await?;
    let mut bytes = Vec::new();
    while let Some(piece) = response.body_mut().next_chunk().await {
        bytes.extend_from_slice(&piece?);
    }
    let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let message = match body["message"].as_str() {
        Some(message) => message.trim_end().to_owned(),
        None => String::from_utf8_lossy(&bytes).trim_end().to_owned(),
    };
    Ok(Answer { status: response.status().as_u16(), body, message })
}

fn escaped(target: &str) -> String {
    let escape = |c: char| match c {
        ' ' | '"' | '{' | '}' | '[' | ']' | '<' | '>' | '\\' => format!("%{:02X}", u32::from(c)),
        c => c.to_string(),
    };
    target.chars().map(escape).collect()
}
