//! The functions of templates: Go's and docker's. `and` and `or` are with the execution, as they do not need all of
//! their arguments.

use std::cmp::Ordering;
use std::fmt::Write;

use super::{Mode, Type, Value, compare, json, printf, show};

const FUNCTIONS: &[&str] = &[
    "and", "eq", "ge", "gt", "html", "index", "join", "js", "json", "le", "len", "lower", "lt",
    "ne", "not", "or", "pad", "print", "printf", "println", "slice", "split", "title", "truncate",
    "upper", "urlquery",
];

/// How much a function makes of a text at most: padding takes any number.
pub(super) const LONGEST: usize = 1 << 20;

pub(super) fn is_function(name: &str) -> bool {
    FUNCTIONS.contains(&name)
}

pub(super) fn call(name: &str, args: &[Value], mode: Mode) -> Result<Value, String> {
    if mode == Mode::Header
        && let Some(head) = head(name, args)
    {
        return head;
    }
    let truth = |value: bool| Ok(Value::Bool(value));
    match (name, args) {
        ("eq", [first, others @ ..]) => truth(compare::equals_any(first, others)?),
        ("ne", [one, other]) => truth(!compare::equals_any(one, std::slice::from_ref(other))?),
        ("lt", [one, other]) => truth(compare::order(one, other)? == Some(Ordering::Less)),
        ("le", [one, other]) => {
            truth(matches!(compare::order(one, other)?, Some(Ordering::Less | Ordering::Equal)))
        }
        ("gt", [one, other]) => truth(compare::order(one, other)? == Some(Ordering::Greater)),
        ("ge", [one, other]) => {
            truth(matches!(compare::order(one, other)?, Some(Ordering::Greater | Ordering::Equal)))
        }
        ("not", [value]) => truth(!value.is_true()),
        ("len", [value]) => length(value),
        ("index", [value, path @ ..]) => {
            path.iter().try_fold(value.clone(), |value, key| index(&value, key))
        }
        ("slice", [value, bounds @ ..]) => slice(value, bounds),
        ("print", args) => Ok(Value::text(print(args))),
        ("println", args) => Ok(Value::text(println(args))),
        ("printf", [format, args @ ..]) => printf::printf(text(format)?, args).map(Value::text),
        ("html", args) => Ok(Value::text(visible(&joined(args), html))),
        ("js", args) => Ok(Value::text(visible(&joined(args), js))),
        ("urlquery", args) => Ok(Value::text(urlquery(&joined(args)))),
        ("json", [value]) => Ok(Value::text(json::encoded(value))),
        ("join", [list, separator]) => join(list, text(separator)?),
        ("split", [whole, separator]) => Ok(split(text(whole)?, text(separator)?)),
        ("lower", [value]) => Ok(Value::text(text(value)?.to_lowercase())),
        ("upper", [value]) => Ok(Value::text(text(value)?.to_uppercase())),
        ("title", [value]) => Ok(Value::text(title(text(value)?))),
        ("pad", [value, before, behind]) => pad(text(value)?, int(before)?, int(behind)?),
        ("truncate", [value, length]) => truncate(text(value)?, int(length)?),
        _ => Err(format!("wrong number of arguments: {}", args.len())),
    }
}

/// What docker has in place of its functions where it prints the head of a table.
fn head(name: &str, args: &[Value]) -> Option<Result<Value, String>> {
    let takes = match name {
        "json" | "title" | "lower" | "upper" => 1,
        "split" | "join" | "truncate" => 2,
        _ => return None,
    };
    Some(match args {
        [value, ..] if args.len() == takes => text(value).map(|_| value.clone()),
        _ => Err(format!("wrong number of arguments: {}", args.len())),
    })
}

fn text(value: &Value) -> Result<&str, String> {
    match value {
        Value::Text(text) => Ok(text),
        Value::Nil => Err("invalid value; expected string".to_owned()),
        other => Err(wrong_type("string", other)),
    }
}

fn int(value: &Value) -> Result<i64, String> {
    match value {
        Value::Int(value) => Ok(*value),
        Value::Nil => Err("invalid value; expected int".to_owned()),
        other => Err(wrong_type("int", other)),
    }
}

fn wrong_type(wanted: &str, value: &Value) -> String {
    format!("wrong type for value; expected {wanted}; got {}", value.type_name())
}

fn length(value: &Value) -> Result<Value, String> {
    let length = match value {
        Value::Text(text) | Value::Number(text) => text.len(),
        Value::Map(_, map) => map.as_ref().map_or(0, |map| map.len()),
        Value::List(_, list) => list.as_ref().map_or(0, |list| list.len()),
        Value::Entry(_)
        | Value::Nil
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::Time(_)
        | Value::Struct(..) => {
            return Err(format!("len of type {}", value.type_name()));
        }
    };
    i64::try_from(length).map(Value::Int).map_err(|error| error.to_string())
}

fn index(value: &Value, key: &Value) -> Result<Value, String> {
    let place = |length: usize| match key {
        Value::Int(at) => usize::try_from(*at)
            .ok()
            .filter(|at| *at < length)
            .ok_or_else(|| format!("index out of range: {at}")),
        Value::Nil => Err("cannot index slice/array with nil".to_owned()),
        other => Err(format!("cannot index slice/array with type {}", other.type_name())),
    };
    match value {
        Value::Map(of, map) => {
            let key = text(key)?;
            let found = map.as_ref().and_then(|map| map.get(key));
            Ok(found.cloned().unwrap_or_else(|| of.zero()))
        }
        Value::List(_, list) => {
            let list = list.as_deref().map_or(&[][..], Vec::as_slice);
            let at = place(list.len())?;
            Ok(list.get(at).cloned().unwrap_or(Value::Nil))
        }
        Value::Text(text) | Value::Number(text) => {
            let at = place(text.len())?;
            Ok(Value::Int(text.as_bytes().get(at).copied().unwrap_or_default().into()))
        }
        Value::Nil => Err("index of untyped nil".to_owned()),
        other => Err(format!("cannot index item of type {}", other.type_name())),
    }
}

fn slice(value: &Value, bounds: &[Value]) -> Result<Value, String> {
    let length = match value {
        Value::Text(text) | Value::Number(text) => text.len(),
        Value::List(_, list) => list.as_ref().map_or(0, |list| list.len()),
        Value::Nil => return Err("slice of untyped nil".to_owned()),
        other => return Err(format!("cannot slice item of type {}", other.type_name())),
    };
    let bound = |at: usize, default: usize| match bounds.get(at).map(int) {
        None => Ok(default),
        Some(Ok(bound)) => usize::try_from(bound)
            .ok()
            .filter(|bound| *bound <= length)
            .ok_or_else(|| format!("index out of range: {bound}")),
        Some(Err(error)) => Err(error),
    };
    let (from, to) = (bound(0, 0)?, bound(1, length)?);
    if bounds.len() > 2 {
        return Err(format!("too many slice indexes: {}", bounds.len()));
    }
    if from > to {
        return Err(format!("invalid slice index: {from} > {to}"));
    }
    Ok(match value {
        Value::List(of, Some(list)) => {
            Value::list(of, list.get(from..to).unwrap_or_default().to_vec())
        }
        Value::Text(text) | Value::Number(text) => Value::text(bytes(text, from, to)),
        other => other.clone(),
    })
}

/// A part of a text by its bytes. Where it cuts a character in two, the rest of it shows as unknown.
fn bytes(text: &str, from: usize, to: usize) -> String {
    String::from_utf8_lossy(text.as_bytes().get(from..to).unwrap_or_default()).into_owned()
}

/// Space between two values if neither is a text.
pub(super) fn print(args: &[Value]) -> String {
    let mut out = String::new();
    let mut after_text = true;
    for (at, arg) in args.iter().enumerate() {
        let is_text = matches!(arg, Value::Text(_));
        if at > 0 && !is_text && !after_text {
            out.push(' ');
        }
        out.push_str(&show::shown(arg, show::Names::Hidden));
        after_text = is_text;
    }
    out
}

fn println(args: &[Value]) -> String {
    let texts: Vec<_> = args.iter().map(|arg| show::shown(arg, show::Names::Hidden)).collect();
    texts.join(" ") + "\n"
}

/// What the functions that escape make of their arguments first.
fn joined(args: &[Value]) -> String {
    let printed = |arg: &Value| match arg {
        Value::Nil => Value::text("<no value>"),
        arg => arg.clone(),
    };
    print(&args.iter().map(printed).collect::<Vec<_>>())
}

fn visible(text: &str, escape: fn(char) -> Option<&'static str>) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match escape(char) {
            Some(escaped) => out.push_str(escaped),
            None => out.push(char),
        }
    }
    out
}

fn html(char: char) -> Option<&'static str> {
    Some(match char {
        '\0' => "\u{fffd}",
        '"' => "&#34;",
        '\'' => "&#39;",
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        _ => return None,
    })
}

fn js(char: char) -> Option<&'static str> {
    Some(match char {
        '\\' => "\\\\",
        '\'' => "\\'",
        '"' => "\\\"",
        '<' => "\\u003C",
        '>' => "\\u003E",
        '&' => "\\u0026",
        '=' => "\\u003D",
        '\n' => "\\u000A",
        '\r' => "\\u000D",
        '\t' => "\\u0009",
        '\u{1b}' => "\\u001B",
        _ => return None,
    })
}

fn urlquery(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            // A String takes anything.
            byte => _ = write!(out, "%{byte:02X}"),
        }
    }
    out
}

fn join(list: &Value, separator: &str) -> Result<Value, String> {
    let Value::List(Type::Text, list) = list else {
        return Err(match list {
            Value::Nil => return Ok(Value::text("")),
            other => wrong_type("[]string", other),
        });
    };
    let texts: Result<Vec<_>, _> = list.iter().flat_map(|list| list.iter()).map(text).collect();
    Ok(Value::text(texts?.join(separator)))
}

fn split(whole: &str, separator: &str) -> Value {
    let parts: Vec<_> = match separator {
        // Every character by itself, and nothing at the ends.
        "" => whole.chars().map(|char| Value::text(char.to_string())).collect(),
        separator => whole.split(separator).map(Value::text).collect(),
    };
    Value::list(&Type::Text, parts)
}

/// A capital letter at the beginning of every word.
fn title(text: &str) -> String {
    let mut previous = ' ';
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        let is_separator = match previous {
            '_' | '\'' => previous == '\'',
            previous if previous.is_ascii() => !previous.is_ascii_alphanumeric(),
            previous => previous.is_whitespace(),
        };
        match is_separator {
            true => out.extend(char.to_uppercase()),
            false => out.push(char),
        }
        previous = char;
    }
    out
}

fn pad(text: &str, before: i64, behind: i64) -> Result<Value, String> {
    if text.is_empty() {
        return Ok(Value::text(""));
    }
    let spaces = |count: i64| {
        let count = usize::try_from(count).ok().filter(|count| *count <= LONGEST);
        count.map(|count| " ".repeat(count)).ok_or_else(|| "cannot pad so far".to_owned())
    };
    Ok(Value::text(format!("{}{text}{}", spaces(before)?, spaces(behind)?)))
}

fn truncate(text: &str, length: i64) -> Result<Value, String> {
    let Ok(length) = usize::try_from(length) else {
        return Err(format!("cannot truncate to {length} characters"));
    };
    Ok(Value::text(bytes(text, 0, length.min(text.len()))))
}
