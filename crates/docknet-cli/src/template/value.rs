//! Values as Go has them: with their types, and with maps and lists that may be nil.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::time::Time;

#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// No value, or a nil of no type.
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Rc<str>),
    /// A number of a JSON text where it is read without types: json.Number, which is a text.
    Number(Rc<str>),
    Time(Time),
    Map(&'static Type, Option<Rc<BTreeMap<String, Self>>>),
    List(&'static Type, Option<Rc<Vec<Self>>>),
    /// The fields in the order of the shape.
    Struct(&'static Shape, Rc<[Self]>),
    Entry(Rc<Entry>),
}

/// A type in Go.
#[derive(Debug)]
pub(crate) enum Type {
    Any,
    Bool,
    Int,
    Text,
    Time,
    Map(&'static Self),
    List(&'static Self),
    Struct(&'static Shape),
}

/// A struct in Go.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    pub(crate) fields: &'static [Field],
    /// How it prints, if not as structs do.
    pub(crate) text: Option<fn(&[Value]) -> String>,
}

#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    /// Its key in JSON.
    pub(crate) key: &'static str,
    pub(crate) of: Type,
    /// Whether JSON leaves it out when it is empty.
    pub(crate) omits_empty: bool,
}

/// What the docker CLI calls a context: one line of a list. It prints what it has by methods.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) fields: BTreeMap<&'static str, Value>,
    pub(crate) labels: Labels,
}

/// What the method `Label` of an entry gives.
#[derive(Debug)]
pub(crate) enum Labels {
    /// The label of this name, or an empty text.
    Of(BTreeMap<String, String>),
    /// A head for a column of such labels. An entry with this one is the head of a table: a map, where anything may be
    /// asked for.
    Head,
}

impl Field {
    pub(crate) const fn of(name: &'static str, of: Type) -> Self {
        Self { name, key: name, of, omits_empty: false }
    }
}

impl Value {
    pub(crate) fn text(text: impl AsRef<str>) -> Self {
        Self::Text(Rc::from(text.as_ref()))
    }

    pub(crate) fn list(of: &'static Type, values: Vec<Self>) -> Self {
        Self::List(of, Some(Rc::new(values)))
    }

    pub(super) fn type_name(&self) -> String {
        match self {
            Self::Nil => "nil".to_owned(),
            Self::Bool(_) => "bool".to_owned(),
            Self::Int(_) => "int".to_owned(),
            Self::Float(_) => "float64".to_owned(),
            Self::Text(_) => "string".to_owned(),
            Self::Number(_) => "json.Number".to_owned(),
            Self::Time(_) => "time.Time".to_owned(),
            Self::Map(of, _) => format!("map[string]{}", of.name()),
            Self::List(of, _) => format!("[]{}", of.name()),
            Self::Struct(shape, _) => shape.name.to_owned(),
            Self::Entry(entry) => entry.name.to_owned(),
        }
    }

    /// What `if` takes for true.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Text(text) | Self::Number(text) => !text.is_empty(),
            Self::Map(_, map) => map.as_ref().is_some_and(|map| !map.is_empty()),
            Self::List(_, list) => list.as_ref().is_some_and(|list| !list.is_empty()),
            Self::Time(_) | Self::Struct(..) | Self::Entry(_) => true,
        }
    }
}

impl Type {
    pub(super) fn name(&self) -> String {
        match self {
            Self::Any => "interface {}".to_owned(),
            Self::Bool => "bool".to_owned(),
            Self::Int => "int".to_owned(),
            Self::Text => "string".to_owned(),
            Self::Time => "time.Time".to_owned(),
            Self::Map(of) => format!("map[string]{}", of.name()),
            Self::List(of) => format!("[]{}", of.name()),
            Self::Struct(shape) => shape.name.to_owned(),
        }
    }

    /// What a variable of this type is before anything is written to it.
    pub(super) fn zero(&self) -> Value {
        match self {
            Self::Any => Value::Nil,
            Self::Bool => Value::Bool(false),
            Self::Int => Value::Int(0),
            Self::Text => Value::text(""),
            Self::Time => Value::Time(Time::zero()),
            Self::Map(of) => Value::Map(of, None),
            Self::List(of) => Value::List(of, None),
            Self::Struct(shape) => {
                Value::Struct(shape, shape.fields.iter().map(|field| field.of.zero()).collect())
            }
        }
    }
}

impl Entry {
    /// The value of a field; none if there is no such field.
    pub(super) fn field(&self, name: &str) -> Option<Value> {
        match (self.fields.get(name), &self.labels) {
            (None, Labels::Head) => Some(Value::Nil),
            (field, _) => field.cloned(),
        }
    }

    pub(super) fn label(&self, name: &str) -> String {
        match &self.labels {
            Labels::Of(labels) => labels.get(name).cloned().unwrap_or_default(),
            Labels::Head => name.rsplit('.').next().unwrap_or_default().replace(['-', '_'], " "),
        }
    }
}
