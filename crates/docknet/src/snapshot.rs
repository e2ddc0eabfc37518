//! What an engine said of one object, kept as it said it and read when somebody looks.

use std::iter::Peekable;
use std::sync::OnceLock;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::client::undecodable;
use crate::{Error, ErrorKind, Result};

/// The JSON of one object. Of a list, each keeps its part of the whole answer, without a copy.
///
/// It begins and ends as an object, UTF-8 is in order, and the name and the id were read. What else is wrong with it, and an engine does
/// not write that, shows when somebody looks: as `undecoded`, or as `null`.
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
        let is_object = |text: &&str| text.starts_with('{') && text.ends_with('}');
        if let Some(object) = std::str::from_utf8(&json).ok().map(str::trim_ascii).filter(is_object)
        {
            return Self::of_valid(json.slice_ref(object.as_bytes()));
        }
        // Who knows what is wrong with it says so.
        let _value: &RawValue =
            serde_json::from_slice(&json).map_err(|error| undecodable(&error))?;
        Self::of_valid(json)
    }

    /// Takes an answer that is a list of objects; `null` is an empty one. Of each, only the end and the head are looked
    /// for here: most callers want a few of many, and reading all of them takes longer than fetching them.
    pub(crate) fn list(json: &Bytes) -> Result<Vec<Self>> {
        let Some(parts) = std::str::from_utf8(json).ok().and_then(objects) else {
            // Who knows what is wrong with it says so.
            let read: Result<Option<Vec<&RawValue>>, _> = serde_json::from_slice(json);
            let objects = read.map_err(|error| undecodable(&error))?.unwrap_or_default();
            let parts = objects.into_iter().map(|part| json.slice_ref(part.get().as_bytes()));
            return parts.map(Self::of_valid).collect();
        };
        parts.into_iter().map(|part| Self::of_valid(json.slice_ref(part.as_bytes()))).collect()
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
        // That was looked at before.
        std::str::from_utf8(&self.json).unwrap_or_default()
    }

    /// The JSON, as a tree.
    pub(crate) fn attrs(&self) -> &Value {
        // What an engine writes fails to be a tree only beyond 128 levels, or with a number beyond any float.
        self.attrs.get_or_init(|| serde_json::from_slice(&self.json).unwrap_or_default())
    }

    /// The JSON, typed.
    pub(crate) fn info(&self, read: impl FnOnce(&str) -> T) -> &T {
        self.info.get_or_init(|| read(self.json()))
    }
}

/// The objects of a list, if it is one: braces and strings are looked at, and nothing else.
fn objects(list: &str) -> Option<Vec<&str>> {
    let list = list.trim_ascii();
    let mut objects = Vec::new();
    let (mut depth, mut begin, mut end) = (0_usize, 0, 0);
    for (at, brace) in Braces::of(list) {
        if brace == b'{' {
            if depth == 0 {
                let between = if objects.is_empty() { "[" } else { "," };
                if list.get(end..at)?.trim_ascii() != between {
                    return None;
                }
                begin = at;
            }
            depth += 1;
        } else {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                end = at + 1;
                objects.push(list.get(begin..end)?);
            }
        }
    }
    let rest = list.get(end..)?;
    let ends = match objects.is_empty() {
        true => rest.strip_prefix('[')?.trim_ascii() == "]",
        false => rest.trim_ascii() == "]",
    };
    (depth == 0 && ends).then_some(objects)
}

/// The braces of a JSON text that are in no string. Between two of them quotes are counted, which processors do for dozens of bytes
/// at once: to go from string to string takes several times as long.
struct Braces<'a> {
    text: &'a [u8],
    braces: memchr::Memchr2<'a>,
    backslashes: Peekable<memchr::Memchr<'a>>,
    /// Up to here quotes are counted.
    counted: usize,
    in_string: bool,
}

impl<'a> Braces<'a> {
    fn of(text: &'a str) -> Self {
        let text = text.as_bytes();
        Self {
            text,
            braces: memchr::memchr2_iter(b'{', b'}', text),
            backslashes: memchr::memchr_iter(b'\\', text).peekable(),
            counted: 0,
            in_string: false,
        }
    }

    /// How many quotes there are before this place, behind the last one that was asked for, that no backslash takes the meaning from.
    fn quotes(&mut self, before: usize) -> usize {
        let piece = self.text.get(self.counted..before).unwrap_or_default();
        let mut quotes = memchr::memchr_iter(b'"', piece).count();
        while let Some(backslash) = self.backslashes.next_if(|at| *at < before) {
            match self.text.get(backslash + 1) {
                Some(b'"') if backslash + 1 < before => quotes = quotes.saturating_sub(1),
                Some(b'\\') => drop(self.backslashes.next()),
                _ => {}
            }
        }
        self.counted = before;
        quotes
    }
}

impl Iterator for Braces<'_> {
    type Item = (usize, u8);

    fn next(&mut self) -> Option<(usize, u8)> {
        loop {
            let at = self.braces.next()?;
            self.in_string ^= self.quotes(at) % 2 == 1;
            if !self.in_string {
                return Some((at, *self.text.get(at)?));
            }
        }
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
            r#"[{"Id":"1"},]"#,
            r#"[{"Id":"1"} {"Id":"2"}]"#,
            r#"[{"Id":"1"}]]"#,
            r#"[{"Id":"1}]"#,
            r#"[{"Id":"1","x":"\"#,
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

    #[test]
    fn strings_may_hold_brackets_and_quotes() {
        let object = r#"{"Id":"}]","Labels":{"\"}":"\\","[":"\\\"{"},"é":[]}"#;
        let json = Bytes::from(format!(" [{object} ,\n{object}]\n"));
        let list = Snapshot::<()>::list(&json).unwrap();
        assert_eq!((list[0].json(), list[1].json(), list.len()), (object, object, 2));
        assert_eq!(Snapshot::<()>::one(Bytes::from(format!("{object}\n"))).unwrap().json(), object);
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

        #[test]
        fn the_parts_are_those_that_a_parser_finds(list in r#"[ \n]?\[(\{("[a{}\]\[:, é]*(\\\\|\\")?":(\[\]|\{"":"\\""\}|7|""))?\}( ?,|)){0,4}[\]}]? ?"#) {
            let parsed: Option<Vec<&RawValue>> = serde_json::from_str(&list).ok();
            if let Some(parsed) = parsed {
                let parsed: Vec<_> = parsed.into_iter().map(RawValue::get).collect();
                proptest::prop_assert_eq!(objects(&list), Some(parsed));
            }
        }

        #[test]
        fn nothing_makes_it_panic(list in r#"[\[\]{}",:\\ aé]{0,40}"#) {
            if let Some(objects) = objects(&list) {
                let whole = objects.iter().all(|object| object.starts_with('{') && object.len() > 1);
                proptest::prop_assert!(whole);
            }
        }
    }
}
