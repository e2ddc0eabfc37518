//! JSON as Go's encoding/json writes it.

use super::Value;

/// Whether what HTML takes for its own is escaped in texts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Html {
    Escaped,
    Plain,
}

/// What the function `json` gives.
pub(super) fn encoded(value: &Value) -> String {
    let mut out = String::new();
    encode(value, Html::Plain, &mut out);
    out
}

fn encode(value: &Value, html: Html, out: &mut String) {
    match value {
        Value::Nil | Value::Map(_, None) | Value::List(_, None) => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Int(value) => out.push_str(&value.to_string()),
        Value::Float(value) => out.push_str(&super::show::float(*value)),
        Value::Text(text) => encode_text(text, html, out),
        Value::Number(digits) => out.push_str(digits),
        Value::Time(time) => encode_text(time.wire(), html, out),
        Value::Map(_, Some(map)) => {
            let entries = map.iter().map(|(key, value)| (key.as_str(), value));
            encode_object(entries, html, out);
        }
        Value::List(_, Some(list)) => {
            out.push('[');
            for (at, value) in list.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                encode(value, html, out);
            }
            out.push(']');
        }
        Value::Struct(shape, fields) => {
            let entries = shape.fields.iter().zip(fields.iter());
            let entries = entries.filter(|(field, value)| !field.omits_empty || value.is_true());
            encode_object(entries.map(|(field, value)| (field.key, value)), html, out);
        }
        // The docker CLI writes these by itself, and escapes for HTML; everything else is not.
        Value::Entry(entry) => {
            encode_object(
                entry.fields.iter().map(|(key, value)| (*key, value)),
                Html::Escaped,
                out,
            );
        }
    }
}

fn encode_object<'a>(
    entries: impl Iterator<Item = (&'a str, &'a Value)>,
    html: Html,
    out: &mut String,
) {
    out.push('{');
    for (at, (key, value)) in entries.enumerate() {
        out.push_str(if at > 0 { "," } else { "" });
        encode_text(key, html, out);
        out.push(':');
        encode(value, html, out);
    }
    out.push('}');
}

fn encode_text(text: &str, html: Html, out: &mut String) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '<' | '>' | '&' if html == Html::Escaped => push_code(char, out),
            '\0'..='\u{1f}' | '\u{2028}' | '\u{2029}' => push_code(char, out),
            char => out.push(char),
        }
    }
    out.push('"');
}

fn push_code(char: char, out: &mut String) {
    out.push_str(&format!("\\u{:04x}", u32::from(char)));
}

/// The same JSON, one value a line, indented by four spaces: the order of keys and the writing of numbers stay.
pub(crate) fn indented(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let line = |depth: usize, out: &mut String| {
        out.push('\n');
        out.extend(std::iter::repeat_n("    ", depth));
    };
    let mut opened = false;
    for word in words(json) {
        if matches!(word, "}" | "]") {
            depth = depth.saturating_sub(1);
            if !std::mem::take(&mut opened) {
                line(depth, &mut out);
            }
            out.push_str(word);
            continue;
        }
        if std::mem::take(&mut opened) {
            line(depth, &mut out);
        }
        out.push_str(word);
        match word {
            "{" | "[" => {
                depth += 1;
                opened = true;
            }
            "," => line(depth, &mut out),
            ":" => out.push(' '),
            _ => {}
        }
    }
    out
}

/// The same JSON without space between its parts.
pub(crate) fn one_line(json: &str) -> String {
    words(json).collect()
}

/// The marks, texts and numbers of a JSON text.
fn words(json: &str) -> impl Iterator<Item = &str> {
    let mut rest = json;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let length = match rest.as_bytes().first()? {
            b'"' => string_length(rest.as_bytes()),
            b'{' | b'}' | b'[' | b']' | b',' | b':' => 1,
            _ => rest
                .find([' ', '\t', '\r', '\n', '{', '}', '[', ']', ',', ':', '"'])
                .unwrap_or(rest.len()),
        };
        let (word, behind) = rest.split_at_checked(length).unwrap_or((rest, ""));
        rest = behind;
        Some(word)
    })
}

fn string_length(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i32>().prop_map(Into::into),
            ".{0,8}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                prop::collection::vec((".{0,4}", inner), 0..4)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn indenting_changes_nothing_but_space(json in any_json()) {
            let text = json.to_string();
            prop_assert_eq!(one_line(&indented(&text)), text.as_str());
            let encoded = encoded(&crate::template::raw(&json));
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&encoded).unwrap(), json);
        }

        #[test]
        fn no_text_stops_the_indenting(text in ".{0,40}") {
            let _ = indented(&text);
        }
    }

    #[test]
    fn json_is_indented_as_go_indents_it() {
        let json = "[{\"a\": {}, \"b\":[ ],\"c\":[1.50,\"x: {\\\"\"]}\n]";
        let expected = "[\n    {\n        \"a\": {},\n        \"b\": [],\n        \"c\": [\n            1.50,\n            \"x: {\\\"\"\n        ]\n    }\n]";
        assert_eq!(indented(json), expected);
        assert_eq!(one_line(&indented(json)), r#"[{"a":{},"b":[],"c":[1.50,"x: {\""]}]"#);
    }

    #[test]
    fn texts_are_escaped_as_go_escapes_them() {
        let text = Value::text("a\"\\\u{8}\u{c}\n\r\t\u{1b}\u{7f}\u{2028}<&>é");
        assert_eq!(encoded(&text), "\"a\\\"\\\\\\b\\f\\n\\r\\t\\u001b\u{7f}\\u2028<&>é\"");
    }
}
