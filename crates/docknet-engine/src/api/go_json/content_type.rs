//! What a body says it is.

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use super::{Dialect, text};

/// Whether a request's body is called JSON, or there is none. The error is the whole message for the client.
pub(crate) fn check_content_type(
    headers: &HeaderMap,
    has_body: bool,
    dialect: Dialect,
) -> Result<(), String> {
    let header = headers.get(CONTENT_TYPE).map(http::HeaderValue::as_bytes).unwrap_or_default();
    let header = text::lossy(header);
    if header.is_empty() && !has_body {
        return Ok(());
    }
    let parsed = media_type(&header);
    match dialect {
        // It does not ask. But a form was read as one before the handler looks for JSON.
        Dialect::Podman5 => match parsed {
            Ok(kind) if kind == "application/x-www-form-urlencoded" => Err("Decode(): EOF".into()),
            _ => Ok(()),
        },
        Dialect::Docker20_10 => match parsed {
            Ok(kind) if kind == JSON => Ok(()),
            _ => Err(format!("Content-Type specified ({header}) must be '{JSON}'")),
        },
        Dialect::Docker26 | Dialect::Docker28 => match parsed {
            Ok(kind) if kind == JSON => Ok(()),
            Ok(_) => Err(format!("unsupported Content-Type header ({header}): must be '{JSON}'")),
            Err(cause) => Err(format!("malformed Content-Type header ({header}): mime: {cause}")),
        },
    }
}

const JSON: &str = "application/json";

/// Go's `mime.ParseMediaType`, the type alone.
fn media_type(header: &str) -> Result<String, &'static str> {
    let (kind, mut parameters) = match header.find(';') {
        Some(at) => header.split_at(at),
        None => (header, ""),
    };
    let kind = kind.trim().to_lowercase();
    check_kind(&kind)?;
    let mut names = Vec::new();
    while !parameters.trim_start().is_empty() {
        let Some((name, rest)) = parameter(parameters) else {
            // A semicolon too many at the end is forgiven.
            return if parameters.trim() == ";" {
                Ok(kind)
            } else {
                Err("invalid media parameter")
            };
        };
        if names.contains(&name) {
            return Err("duplicate parameter name");
        }
        names.push(name);
        parameters = rest;
    }
    Ok(kind)
}

fn check_kind(kind: &str) -> Result<(), &'static str> {
    let (first, rest) = token(kind);
    if first.is_empty() {
        return Err("no media type");
    }
    if rest.is_empty() {
        return Ok(());
    }
    let rest = rest.strip_prefix('/').ok_or("expected slash after first token")?;
    let (second, rest) = token(rest);
    if second.is_empty() {
        return Err("expected token after slash");
    }
    if rest.is_empty() { Ok(()) } else { Err("unexpected content after media subtype") }
}

/// The name of the first parameter, and what follows it.
fn parameter(parameters: &str) -> Option<(String, &str)> {
    let rest = parameters.trim_start().strip_prefix(';')?;
    let (name, rest) = token(rest.trim_start());
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let rest = match rest.strip_prefix('"') {
        Some(quoted) => behind_quoted(quoted)?,
        None => match token(rest) {
            ("", _) => return None,
            (_, rest) => rest,
        },
    };
    (!name.is_empty()).then(|| (name.to_lowercase(), rest))
}

fn behind_quoted(quoted: &str) -> Option<&str> {
    let mut characters = quoted.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return quoted.get(at + 1..),
            '\r' | '\n' => return None,
            '\\' => drop(characters.next_if(|(_, next)| !is_token(*next))),
            _ => {}
        }
    }
    None
}

fn token(text: &str) -> (&str, &str) {
    text.split_at(text.find(|character| !is_token(character)).unwrap_or(text.len()))
}

fn is_token(character: char) -> bool {
    character.is_ascii_graphic() && !r#"()<>@,;:\"/[]?="#.contains(character)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn check(header: &[u8], dialect: Dialect) -> Result<(), String> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_bytes(header).unwrap());
        check_content_type(&headers, true, dialect)
    }

    #[test]
    fn json_is_what_says_so() {
        for header in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;",
            "application/json; a=\"x\\\"y\"; b=2",
        ] {
            for dialect in [Dialect::Docker20_10, Dialect::Docker26, Dialect::Docker28] {
                assert_eq!(check(header.as_bytes(), dialect), Ok(()), "{header}");
            }
        }
    }

    #[test]
    fn other_types_are_refused_in_the_words_of_real_engines() {
        for (header, cause) in [
            ("", "no media type"),
            ("/json", "no media type"),
            ("application /json", "expected slash after first token"),
            ("application/", "expected token after slash"),
            ("a/b c", "unexpected content after media subtype"),
            ("application/json; charset", "invalid media parameter"),
            ("application/json;;", "invalid media parameter"),
            ("application/json; a=\"x", "invalid media parameter"),
            ("application/json; a=1; A=2", "duplicate parameter name"),
        ] {
            let refusal = format!("malformed Content-Type header ({header}): mime: {cause}");
            assert_eq!(check(header.as_bytes(), Dialect::Docker28), Err(refusal));
        }
        for header in ["text/plain", "application", "application/x-www-form-urlencoded"] {
            assert_eq!(
                check(header.as_bytes(), Dialect::Docker26),
                Err(format!(
                    "unsupported Content-Type header ({header}): must be 'application/json'"
                ))
            );
            assert_eq!(
                check(header.as_bytes(), Dialect::Docker20_10),
                Err(format!("Content-Type specified ({header}) must be 'application/json'"))
            );
        }
        assert_eq!(check(b"text/plain", Dialect::Podman5), Ok(()));
        let form = b"application/x-www-form-urlencoded";
        assert_eq!(check(form, Dialect::Podman5), Err("Decode(): EOF".into()));
    }

    #[test]
    fn a_request_without_a_body_need_not_say() {
        let headers = HeaderMap::new();
        for dialect in
            [Dialect::Docker20_10, Dialect::Docker26, Dialect::Docker28, Dialect::Podman5]
        {
            assert_eq!(check_content_type(&headers, false, dialect), Ok(()));
        }
        assert_eq!(
            check_content_type(&headers, true, Dialect::Docker28),
            Err("malformed Content-Type header (): mime: no media type".into())
        );
        assert_eq!(
            check_content_type(&headers, true, Dialect::Docker20_10),
            Err("Content-Type specified () must be 'application/json'".into())
        );
    }

    proptest! {
        #[test]
        fn any_header_is_taken_or_refused(header in r#"[ -~éÿ\t]{0,20}"#) {
            if check(header.as_bytes(), Dialect::Docker28).is_ok() {
                prop_assert!(header.to_lowercase().trim_start().starts_with("application/json"));
            }
        }
    }
}
