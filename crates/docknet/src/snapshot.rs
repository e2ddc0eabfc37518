//! What an engine said of one object, kept as it said it and read when somebody looks.

use std::sync::OnceLock;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::client::undecodable;
use crate::{Error, ErrorKind, Result};

/// The JSON of one object. Of a list, each keeps its part of the whole answer, without a copy.
#[derive(Debug)]
pub(crate) struct Snapshot<T> {
    json: Bytes,
    pub(crate) id: String,
    pub(crate) name: String,
    info: OnceLock<T>,
    attrs: OnceLock<Value>,
}

impl<T> Snapshot<T> {
    /// Takes an answer that is one object.
    pub(crate) fn one(json: Bytes) -> Result<Self> {
        let _valid: &RawValue =
            serde_json::from_slice(&json).map_err(|error| undecodable(&error))?;
        Self::of_valid(json)
    }

    /// Takes an answer that is a list of objects; `null` is an empty one.
    pub(crate) fn list(json: &Bytes) -> Result<Vec<Self>> {
        let objects: Option<Vec<&RawValue>> =
            serde_json::from_slice(json).map_err(|error| undecodable(&error))?;
        let parts = objects
            .unwrap_or_default()
            .into_iter()
            .map(|object| json.slice_ref(object.get().as_bytes()));
        parts.map(Self::of_valid).collect()
    }

    fn of_valid(json: Bytes) -> Result<Self> {
        let mut head = Head::default();
        // Names and ids come first: once they are known the rest is not read, which ends in an error of no meaning.
        let _stopped = serde_json::Deserializer::from_slice(&json).deserialize_map(&mut head);
        let Head { id: Some(id), name } = head else {
            return Err(Error::new(
                ErrorKind::Decode,
                "the engine's answer does not read as it should: an object has no Id",
            ));
        };
        Ok(Self {
            json,
            id,
            name: name.unwrap_or_default(),
            info: OnceLock::new(),
            attrs: OnceLock::new(),
        })
    }

    /// The JSON, byte for byte.
    pub(crate) fn json(&self) -> &str {
        // It was read as JSON before, which is UTF-8.
        std::str::from_utf8(&self.json).unwrap_or_default()
    }

    /// The JSON, as a tree.
    pub(crate) fn attrs(&self) -> &Value {
        // Valid JSON fails to be a tree only beyond 128 levels, or with a number beyond any float.
        self.attrs.get_or_init(|| serde_json::from_slice(&self.json).unwrap_or_default())
    }

    /// The JSON, typed.
    pub(crate) fn info(&self, read: impl FnOnce(&str) -> T) -> &T {
        self.info.get_or_init(|| read(self.json()))
    }
}

/// The name and the id of an object, without the rest.
#[derive(Default)]
struct Head {
    id: Option<String>,
    name: Option<String>,
}

impl<'de> Visitor<'de> for &mut Head {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while self.id.is_none() || self.name.is_none() {
            match map.next_key_seed(Key)? {
                Some(Field::Id) => self.id = map.next_value()?,
                Some(Field::Name) => self.name = map.next_value()?,
                Some(Field::Names) => {
                    self.name = map.next_value::<Option<Vec<String>>>()?.and_then(first_own)
                }
                Some(Field::Other) => drop(map.next_value::<IgnoredAny>()?),
                None => break,
            }
        }
        Ok(())
    }
}

/// A list shows a container under its own name, `/web`, and under those that links give it, `/other/alias`.
fn first_own(names: Vec<String>) -> Option<String> {
    let own = |name: &String| !name.trim_start_matches('/').contains('/');
    let at = names.iter().position(own).unwrap_or(0);
    names.into_iter().nth(at)
}

enum Field {
    Id,
    Name,
    Names,
    Other,
}

struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Field;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Field, D::Error> {
        #[derive(Deserialize)]
        #[serde(field_identifier)]
        enum Known {
            Id,
            Name,
            Names,
            #[serde(other)]
            Other,
        }
        Ok(match Known::deserialize(deserializer)? {
            Known::Id => Field::Id,
            Known::Name => Field::Name,
            Known::Names => Field::Names,
            Known::Other => Field::Other,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_list_are_kept_as_they_were_written() {
        let json = Bytes::from_static(
            br#"[ {"Name":"a","Id":"1","New": [1.50]} ,{"Id":"2","Names":["/b/c","/d"]}]"#,
        );
        let list = Snapshot::<()>::list(&json).unwrap();
        assert_eq!(list[0].json(), r#"{"Name":"a","Id":"1","New": [1.50]}"#);
        assert_eq!((list[0].id.as_str(), list[0].name.as_str()), ("1", "a"));
        assert_eq!((list[1].id.as_str(), list[1].name.as_str()), ("2", "/d"));
        assert_eq!(list[0].attrs()["New"][0], 1.5);
    }

    #[test]
    fn what_is_no_list_of_objects_is_an_error() {
        for json in [
            "",
            "{}",
            "[1]",
            "[{}]",
            r#"[{"Name":"a"}]"#,
            r#"[{"Id":"1"}"#,
            "[[]]",
            r#"[{"Id":7}]"#,
            "\u{feff}[]",
        ] {
            let error = Snapshot::<()>::list(&Bytes::from(json)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode, "{json}");
        }
        assert!(Snapshot::<()>::list(&Bytes::from("null")).unwrap().is_empty());
        assert!(Snapshot::<()>::one(Bytes::from(r#"{"Name":"a","Id":"1","#)).is_err());
    }
}
