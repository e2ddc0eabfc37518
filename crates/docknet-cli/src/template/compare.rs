//! `eq`, `lt` and their like.

use std::cmp::Ordering;

use super::Value;

/// Whether the first equals any of the others.
pub(super) fn equals_any(first: &Value, others: &[Value]) -> Result<bool, String> {
    if others.is_empty() {
        return Err("missing argument for comparison".to_owned());
    }
    for other in others {
        if equals(first, other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn equals(one: &Value, other: &Value) -> Result<bool, String> {
    match (one, other) {
        (Value::Bool(one), Value::Bool(other)) => Ok(one == other),
        (Value::Int(one), Value::Int(other)) => Ok(one == other),
        (Value::Float(one), Value::Float(other)) => Ok(one == other),
        (Value::Text(one) | Value::Number(one), Value::Text(other) | Value::Number(other)) => {
            Ok(one == other)
        }
        (Value::Time(one), Value::Time(other)) => Ok(one == other),
        (Value::Nil, Value::Nil) => Ok(true),
        (Value::Map(_, map), Value::Nil) | (Value::Nil, Value::Map(_, map)) => Ok(map.is_none()),
        (Value::List(_, list), Value::Nil) | (Value::Nil, Value::List(_, list)) => {
            Ok(list.is_none())
        }
        (Value::Nil, _) | (_, Value::Nil) => Ok(false),
        (Value::Struct(shape, one), Value::Struct(other_shape, other))
            if std::ptr::eq(*shape, *other_shape) =>
        {
            for (one, other) in one.iter().zip(other.iter()) {
                if !equals(one, other)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Value::Map(..), Value::Map(..)) | (Value::List(..), Value::List(..)) => {
            Err(format!("{} cannot be compared", one.type_name()))
        }
        _ => Err(incompatible(one, other)),
    }
}

pub(super) fn order(one: &Value, other: &Value) -> Result<Option<Ordering>, String> {
    match (one, other) {
        (Value::Int(one), Value::Int(other)) => Ok(Some(one.cmp(other))),
        (Value::Float(one), Value::Float(other)) => Ok(one.partial_cmp(other)),
        (Value::Text(one) | Value::Number(one), Value::Text(other) | Value::Number(other)) => {
            Ok(Some(one.cmp(other)))
        }
        (
            Value::Bool(_)
            | Value::Nil
            | Value::Time(_)
            | Value::Map(..)
            | Value::List(..)
            | Value::Struct(..)
            | Value::Entry(_),
            _,
        ) => Err(format!("{} has no order", one.type_name())),
        _ => Err(incompatible(one, other)),
    }
}

fn incompatible(one: &Value, other: &Value) -> String {
    format!("incompatible types for comparison: {} and {}", one.type_name(), other.type_name())
}
