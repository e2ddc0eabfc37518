//! Any requests, one after the other.

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, UPGRADE};
use http::{HeaderValue, Method, Request, Uri};

use super::lab::Lab;
use super::profile;

/// The first byte is the engine. Then requests, with a line of `---` between them: a method and a target, perhaps the type
/// of the body, in one line; and the body. The method `UPGRADE` is a POST that asks for the connection.
pub fn requests(data: &[u8]) {
    let (profile, rest) = profile(data);
    let lab = Lab::furnished(profile);
    let mut rest = Some(rest);
    for _ in 0..12 {
        let Some(text) = rest else { break };
        let (one, after) = split(text, b"\n---\n");
        rest = after;
        let (line, body) = split(one, b"\n");
        if let Some(request) = request(line, body.unwrap_or_default()) {
            lab.send(request);
        }
    }
    lab.check();
}

fn split<'a>(text: &'a [u8], mark: &[u8]) -> (&'a [u8], Option<&'a [u8]>) {
    match text.windows(mark.len()).position(|window| window == mark) {
        Some(at) => (&text[..at], text.get(at + mark.len()..)),
        None => (text, None),
    }
}

/// None where HTTP has no such request.
fn request(line: &[u8], body: &[u8]) -> Option<Request<Bytes>> {
    let mut words = line.splitn(3, |byte| *byte == b' ');
    let (method, target) = (words.next()?, words.next()?);
    let upgrade = method == b"UPGRADE";
    let method = if upgrade { Method::POST } else { Method::from_bytes(method).ok()? };
    let target = Uri::try_from(target).ok().filter(|target| target.path().starts_with('/'))?;
    let mut request = Request::new(Bytes::copy_from_slice(body));
    let mut put = |name: HeaderName, value: &[u8]| {
        let value = HeaderValue::from_bytes(value).ok()?;
        request.headers_mut().insert(name, value)
    };
    put(CONTENT_TYPE, words.next().unwrap_or(b"application/json"));
    put(CONTENT_LENGTH, body.len().to_string().as_bytes());
    if upgrade {
        put(CONNECTION, b"Upgrade");
        put(UPGRADE, b"tcp");
    }
    *request.method_mut() = method;
    *request.uri_mut() = target;
    Some(request)
}
