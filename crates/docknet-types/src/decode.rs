//! How answers of engines are read: Go writes an empty list, map or text as `null`, as `""` or not at all.

use std::fmt::Display;
use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// `null` is the default.
pub(crate) fn null_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// `""` and `null` are `None`; any other text must parse.
pub(crate) fn optional<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    match Option::<String>::deserialize(deserializer)? {
        Some(text) if !text.is_empty() => text.parse().map(Some).map_err(serde::de::Error::custom),
        _ => Ok(None),
    }
}

/// Reads an object field by field where it does not read as a whole: what does not fit stays at its default, and its
/// name is returned, so that one odd field of a newer engine does not hide the rest.
pub(crate) fn forgiving<T: DeserializeOwned + Default>(json: &str) -> (T, Vec<String>) {
    // serde takes a list for a struct as well, by position.
    if json.trim_start().starts_with('{')
        && let Ok(whole) = serde_json::from_str(json)
    {
        return (whole, Vec::new());
    }
    let Ok(object) = serde_json::from_str::<Map<String, Value>>(json) else {
        return (T::default(), vec!["the whole answer".to_owned()]);
    };
    let fits = |key: &String, value: &Value| {
        let alone = Map::from_iter([(key.clone(), value.clone())]);
        serde_json::from_value::<T>(Value::Object(alone)).is_ok()
    };
    let (good, bad): (Map<_, _>, Map<_, _>) =
        object.into_iter().partition(|(key, value)| fits(key, value));
    let info = serde_json::from_value(Value::Object(good)).unwrap_or_default();
    (info, bad.into_iter().map(|(key, _)| key).collect())
}
