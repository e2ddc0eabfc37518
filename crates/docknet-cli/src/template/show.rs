//! How Go prints values: `%v`.

use std::fmt::Write;

use super::Value;

/// What an action that gives this value adds to the output.
pub(super) fn printed(value: &Value) -> String {
    match value {
        Value::Nil => "<no value>".to_owned(),
        value => shown(value, Names::Hidden),
    }
}

/// Whether the fields of structs are named: `%+v`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    Hidden,
    Shown,
}

pub(super) fn shown(value: &Value, names: Names) -> String {
    let mut out = String::new();
    show(value, names, &mut out);
    out
}

fn show(value: &Value, names: Names, out: &mut String) {
    match value {
        Value::Nil => out.push_str("<nil>"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Int(value) => add(out, value),
        Value::Float(value) => out.push_str(&float(*value)),
        Value::Text(text) | Value::Number(text) => out.push_str(text),
        Value::Time(time) => add(out, time),
        Value::Map(_, map) => {
            out.push_str("map[");
            for (at, (key, value)) in map.iter().flat_map(|map| map.iter()).enumerate() {
                out.push_str(if at > 0 { " " } else { "" });
                out.push_str(key);
                out.push(':');
                show(value, names, out);
            }
            out.push(']');
        }
        Value::List(_, list) => {
            out.push('[');
            for (at, value) in list.iter().flat_map(|list| list.iter()).enumerate() {
                out.push_str(if at > 0 { " " } else { "" });
                show(value, names, out);
            }
            out.push(']');
        }
        Value::Struct(shape, fields) => {
            if let Some(text) = shape.text {
                return out.push_str(&text(fields));
            }
            out.push('{');
            for (at, (field, value)) in shape.fields.iter().zip(fields.iter()).enumerate() {
                out.push_str(if at > 0 { " " } else { "" });
                if names == Names::Shown {
                    out.push_str(field.name);
                    out.push(':');
                }
                show(value, names, out);
            }
            out.push('}');
        }
        // What Go prints here are the inner parts of the docker CLI.
        Value::Entry(entry) => {
            out.push_str("map[");
            for (at, (name, value)) in entry.fields.iter().enumerate() {
                out.push_str(if at > 0 { " " } else { "" });
                out.push_str(name);
                out.push(':');
                show(value, names, out);
            }
            out.push(']');
        }
    }
}

fn add(out: &mut String, value: impl std::fmt::Display) {
    // A String takes anything.
    let _ = write!(out, "{value}");
}

/// The shortest digits, with an exponent where it is below -4 or from 21 on.
pub(super) fn float(value: f64) -> String {
    if !value.is_finite() {
        return match value {
            value if value.is_nan() => "NaN".to_owned(),
            value if value > 0.0 => "+Inf".to_owned(),
            _ => "-Inf".to_owned(),
        };
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if value == 0.0 || (-4..21).contains(&exponent) {
        return value.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}
