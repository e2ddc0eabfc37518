//! A JSON value as Go's types take it: which keys are fields, what is of the wrong type, and what a null does.
//!
//! The bytes were found to be one JSON value before; nothing here has to tell what is wrong with them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::node::Node;
use super::{Dialect, Field, Kind, Shape, Unknown, Words, scan, text};

/// A body, as the shape has it. The error is the first in it, for Go reads on behind one.
pub(super) fn body<'a>(
    shape: &'static Shape,
    json: &'a [u8],
    dialect: Dialect,
) -> Result<Node<'a>, String> {
    let mut decoder = Decoder::new(json, dialect);
    if !shape.through_interface {
        decoder.root = shape.name(dialect);
    }
    let node = match decoder.found() {
        Found::Object => decoder.object(shape, None),
        found => {
            if found != Found::Null {
                decoder.mismatch(found.name(), shape.name(dialect));
            }
            Node::Object(Vec::new())
        }
    };
    decoder.finish(node)
}

/// A value of any type.
pub(super) fn value<'a>(
    kind: &'static Kind,
    json: &'a [u8],
    dialect: Dialect,
) -> Result<Node<'a>, String> {
    let mut decoder = Decoder::new(json, dialect);
    let node = decoder.value(kind, None);
    decoder.finish(node.unwrap_or_else(|| zero(kind)))
}

/// How deep a value may be that is handed on as it is. What Docker knows is a handful of levels deep.
const DEEPEST: usize = 100;

struct Decoder<'a> {
    json: &'a [u8],
    at: usize,
    dialect: Dialect,
    root: &'static str,
    /// Where in the value we are: names of fields in Go's classic words, keys and indexes in the modern ones.
    path: Vec<Cow<'a, str>>,
    /// The struct whose field we are in.
    owner: Option<&'static Shape>,
    error: Option<String>,
}

impl<'a> Decoder<'a> {
    fn new(json: &'a [u8], dialect: Dialect) -> Self {
        Self { json, at: 0, dialect, root: "", path: Vec::new(), owner: None, error: None }
    }

    fn finish(self, node: Node<'a>) -> Result<Node<'a>, String> {
        match self.error {
            Some(message) => Err(message),
            None => Ok(node),
        }
    }

    /// The next value, on top of what the place holds already. `None` leaves the place without one.
    fn value(&mut self, kind: &'static Kind, held: Option<Node<'a>>) -> Option<Node<'a>> {
        let found = self.found();
        if let Kind::Any = kind {
            return self.any(DEEPEST);
        }
        if found == Found::Null {
            self.skip();
            return if is_nilable(kind) { None } else { held };
        }
        self.typed(kind, kind, found, held)
    }

    fn typed(
        &mut self,
        kind: &'static Kind,
        named: &'static Kind,
        found: Found,
        held: Option<Node<'a>>,
    ) -> Option<Node<'a>> {
        match (kind, found) {
            (Kind::Named(_, inner), _) => self.typed(inner, named, found, held),
            (Kind::Pointer(inner), _) => self.typed(inner, inner, found, held),
            (Kind::Struct(shape), Found::Object) => Some(self.object(shape, held)),
            (Kind::Map(element), Found::Object) => Some(self.map(element, held)),
            (Kind::Slice(element), Found::Array) => Some(self.array(element)),
            (Kind::Unit, Found::Object) => {
                self.skip();
                Some(Node::Object(Vec::new()))
            }
            (Kind::Bool, Found::Bool) => Some(Node::Bool(self.skip() == b"true")),
            (Kind::String, Found::String) => Some(Node::String(self.string())),
            (Kind::Int | Kind::Int64 | Kind::Uint, Found::Number) => self.integer(kind, held),
            (Kind::Words, _) => self.words(found, held),
            _ => {
                self.skip();
                self.mismatch(found.name(), &type_name(named, self.dialect));
                held
            }
        }
    }

    fn object(&mut self, shape: &'static Shape, held: Option<Node<'a>>) -> Node<'a> {
        let mut fields: Vec<(Cow<'a, str>, Node<'a>)> = Vec::new();
        let mut others: BTreeMap<Cow<'a, str>, Node<'a>> = BTreeMap::new();
        // Of a struct that comes twice, the fields of the first stay. Its unknown keys do not: to merge them each time
        // would be quadratic.
        if let Some(Node::Object(entries)) = held {
            fields.extend(entries.into_iter().filter(|(key, _)| shape.has(key)));
        }
        let depth = self.path.len();
        let owner = self.owner;
        self.members(|decoder, key| {
            let Some(field) = decoder.field(shape, &key) else {
                match shape.unknown {
                    Unknown::Ignored => drop(decoder.skip()),
                    Unknown::Kept => {
                        if let Some(node) = decoder.any(DEEPEST) {
                            others.insert(key, node);
                        }
                    }
                }
                return;
            };
            decoder.owner = Some(shape);
            decoder.enter_field(field, key);
            let place = fields.iter().position(|(name, _)| *name == field.name);
            let held = place.map(|place| fields.swap_remove(place).1);
            if let Some(node) = decoder.value(&field.kind, held) {
                fields.push((Cow::Borrowed(field.name), node));
            }
            decoder.path.truncate(depth);
            decoder.owner = owner;
        });
        fields.extend(others);
        Node::Object(fields)
    }

    /// The field of a key: in Go, one that is spelled the same goes before one in another case.
    fn field(&self, shape: &'static Shape, key: &str) -> Option<&'static Field> {
        let mut known = shape.fields.iter().filter(|field| field.is_known(self.dialect));
        known.clone().find(|field| field.name == key).or_else(|| {
            known.find(|field| field.name.len() <= key.len() && equal_folded(field.name, key))
        })
    }

    fn enter_field(&mut self, field: &'static Field, key: Cow<'a, str>) {
        match (self.dialect.words(), self.dialect) {
            (Words::Modern, _) => self.enter_key(key),
            (Words::Classic, dialect) => {
                // Go 1.19 does not name what is embedded.
                if dialect != Dialect::Docker20_10
                    && let Some(embedded) = field.embedded_in
                {
                    self.path.push(Cow::Borrowed(embedded));
                }
                self.path.push(Cow::Borrowed(field.name));
            }
        }
    }

    /// Keys are written as in a JSON pointer.
    fn enter_key(&mut self, key: Cow<'a, str>) {
        if self.dialect.words() == Words::Modern {
            self.path.push(if key.contains(['~', '/']) {
                Cow::Owned(key.replace('~', "~0").replace('/', "~1"))
            } else {
                key
            });
        }
    }

    fn map(&mut self, element: &'static Kind, held: Option<Node<'a>>) -> Node<'a> {
        let mut entries = match held {
            Some(Node::Object(entries)) => entries,
            _ => Vec::new(),
        };
        let depth = self.path.len();
        self.members(|decoder, key| {
            decoder.enter_key(key.clone());
            let node = decoder.value(element, None).unwrap_or_else(|| zero(element));
            decoder.path.truncate(depth);
            entries.push((key, node));
        });
        Node::Object(entries)
    }

    fn array(&mut self, element: &'static Kind) -> Node<'a> {
        let mut nodes = Vec::new();
        let depth = self.path.len();
        self.elements(|decoder| {
            if decoder.dialect.words() == Words::Modern {
                decoder.path.push(Cow::Owned(nodes.len().to_string()));
            }
            let node = decoder.value(element, None).unwrap_or_else(|| zero(element));
            decoder.path.truncate(depth);
            nodes.push(node);
        });
        Node::Array(nodes)
    }

    fn integer(&mut self, kind: &'static Kind, held: Option<Node<'a>>) -> Option<Node<'a>> {
        let number = self.number();
        let fits = match kind {
            Kind::Uint => number.parse::<u64>().is_ok(),
            _ => number.parse::<i64>().is_ok(),
        };
        if fits {
            return Some(Node::Number(number));
        }
        self.mismatch(&format!("number {number}"), &type_name(kind, self.dialect));
        held
    }

    /// A string, or strings. Go tries the list first, and complains about the string.
    fn words(&mut self, found: Found, held: Option<Node<'a>>) -> Option<Node<'a>> {
        match found {
            Found::String => return Some(Node::Array(vec![Node::String(self.string())])),
            Found::Array => {
                let mut strings = Vec::new();
                let mut is_strings = true;
                self.elements(|decoder| match decoder.found() {
                    Found::String => strings.push(Node::String(decoder.string())),
                    Found::Null => {
                        decoder.skip();
                        strings.push(Node::String(Cow::Borrowed("")));
                    }
                    _ => {
                        decoder.skip();
                        is_strings = false;
                    }
                });
                if is_strings {
                    return Some(Node::Array(strings));
                }
            }
            _ => drop(self.skip()),
        }
        match self.dialect.words() {
            Words::Classic => self.mismatch(found.name(), "string"),
            // The type reads itself, and its error goes out as it is.
            Words::Modern => {
                self.fail(format!(
                    "json: cannot unmarshal {} into Go value of type string",
                    found.name()
                ));
            }
        }
        held
    }

    /// A value as it is. One that is too deep is left out.
    fn any(&mut self, levels: usize) -> Option<Node<'a>> {
        if levels == 0 {
            self.skip();
            return None;
        }
        Some(match self.found() {
            Found::Object => {
                let mut entries = Vec::new();
                self.members(|decoder, key| {
                    if let Some(node) = decoder.any(levels - 1) {
                        entries.push((key, node));
                    }
                });
                Node::Object(entries)
            }
            Found::Array => {
                let mut nodes = Vec::new();
                self.elements(|decoder| nodes.extend(decoder.any(levels - 1)));
                Node::Array(nodes)
            }
            Found::String => Node::String(self.string()),
            Found::Number => Node::Number(self.number()),
            Found::Bool => Node::Bool(self.skip() == b"true"),
            Found::Null => {
                self.skip();
                Node::Null
            }
        })
    }

    fn members(&mut self, mut member: impl FnMut(&mut Self, Cow<'a, str>)) {
        self.at += 1;
        while self.peek().is_some_and(|byte| byte != b'}') {
            let key = self.string();
            self.peek();
            self.at += 1;
            member(self, key);
            if self.peek() == Some(b',') {
                self.at += 1;
            }
        }
        self.at += 1;
    }

    fn elements(&mut self, mut element: impl FnMut(&mut Self)) {
        self.at += 1;
        while self.peek().is_some_and(|byte| byte != b']') {
            element(self);
            if self.peek() == Some(b',') {
                self.at += 1;
            }
        }
        self.at += 1;
    }

    fn string(&mut self) -> Cow<'a, str> {
        self.peek();
        let raw = self.skip();
        text::unquote(raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default())
    }

    fn number(&mut self) -> &'a str {
        std::str::from_utf8(self.skip()).unwrap_or("0")
    }

    /// The bytes of the value at hand, which is behind us then.
    fn skip(&mut self) -> &'a [u8] {
        let rest = self.json.get(self.at..).unwrap_or_default();
        let (start, end) = scan::first_value(rest, self.dialect.words()).unwrap_or((0, rest.len()));
        self.at += end;
        rest.get(start..end).unwrap_or_default()
    }

    fn found(&mut self) -> Found {
        match self.peek() {
            Some(b'{') => Found::Object,
            Some(b'[') => Found::Array,
            Some(b'"') => Found::String,
            Some(b't' | b'f') => Found::Bool,
            Some(b'n') | None => Found::Null,
            Some(_) => Found::Number,
        }
    }

    /// The next byte that is no white space, where we are then.
    fn peek(&mut self) -> Option<u8> {
        while let Some(&byte) = self.json.get(self.at) {
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    fn mismatch(&mut self, found: &str, wanted: &str) {
        if self.error.is_some() {
            return;
        }
        let place = match (self.dialect.words(), self.path.is_empty()) {
            (_, true) => "Go value".to_owned(),
            (Words::Classic, false) => {
                let owner = self.owner.map_or("", |shape| shape.name(self.dialect));
                format!("Go struct field {}.{}", short(owner), self.path.join("."))
            }
            (Words::Modern, false) => {
                let path = self.path.join(".");
                // An index is no field; nor is a key that looks like one.
                let last = path.rsplit('.').next().unwrap_or_default();
                let is_index = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
                let what = if is_index { "" } else { "Go struct field " };
                format!("{what}{}.{path}", short(self.root))
            }
        };
        self.fail(format!("json: cannot unmarshal {found} into {place} of type {wanted}"));
    }

    fn fail(&mut self, message: String) {
        self.error.get_or_insert(message);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Object,
    Array,
    String,
    Number,
    Bool,
    Null,
}

impl Found {
    fn name(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Array => "array",
            Self::String => "string",
            Self::Number => "number",
            Self::Bool => "bool",
            Self::Null => "null",
        }
    }
}

fn is_nilable(kind: &Kind) -> bool {
    match kind {
        Kind::Slice(_) | Kind::Map(_) | Kind::Pointer(_) | Kind::Words | Kind::Any => true,
        Kind::Named(_, inner) => is_nilable(inner),
        Kind::Bool
        | Kind::String
        | Kind::Int
        | Kind::Int64
        | Kind::Uint
        | Kind::Struct(_)
        | Kind::Unit => false,
    }
}

/// What Go has where it read nothing.
fn zero(kind: &Kind) -> Node<'static> {
    match kind {
        Kind::Bool => Node::Bool(false),
        Kind::String => Node::String(Cow::Borrowed("")),
        Kind::Int | Kind::Int64 | Kind::Uint => Node::Number("0"),
        Kind::Struct(_) | Kind::Unit | Kind::Map(_) => Node::Object(Vec::new()),
        Kind::Slice(_) | Kind::Words => Node::Array(Vec::new()),
        Kind::Pointer(_) | Kind::Any => Node::Null,
        Kind::Named(_, inner) => zero(inner),
    }
}

fn type_name(kind: &'static Kind, dialect: Dialect) -> Cow<'static, str> {
    Cow::Borrowed(match kind {
        Kind::Bool => "bool",
        Kind::String => "string",
        Kind::Int => "int",
        Kind::Int64 => "int64",
        Kind::Uint => "uint",
        Kind::Unit => "struct {}",
        Kind::Words => "strslice.StrSlice",
        Kind::Any => "interface {}",
        Kind::Named(name, _) => name,
        Kind::Struct(shape) => shape.name(dialect),
        Kind::Slice(inner) => return Cow::Owned(format!("[]{}", type_name(inner, dialect))),
        Kind::Map(inner) => return Cow::Owned(format!("map[string]{}", type_name(inner, dialect))),
        Kind::Pointer(inner) => return Cow::Owned(format!("*{}", type_name(inner, dialect))),
    })
}

/// A type's name without its package.
fn short(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or_default()
}

/// Go's folding of keys, for names that are ASCII: besides the two cases of letters, two signs fold to them.
fn equal_folded(name: &str, key: &str) -> bool {
    let mut key = key.chars().map(|character| match character {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    });
    name.chars().all(|character| key.next() == Some(character.to_ascii_lowercase()))
        && key.next().is_none()
}
