//! Networks as the docker CLI reads an engine's JSON: into Go's structs, or without types.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value as Json;

use super::time::Time;
use super::value::Field;
use super::{Shape, Type, Value};

/// A network in docker's struct; an error says what does not fit into it.
pub(crate) fn network(json: &Json) -> Result<Value, String> {
    static TYPE: Type = Type::Struct(&NETWORK);
    typed(&TYPE, json)
}

/// Any JSON, without types.
pub(crate) fn raw(json: &Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => Value::Number(Rc::from(number.to_string())),
        Json::String(text) => Value::text(text),
        Json::Array(list) => Value::list(&Type::Any, list.iter().map(raw).collect()),
        Json::Object(map) => {
            let map = map.iter().map(|(key, value)| (key.clone(), raw(value))).collect();
            Value::Map(&Type::Any, Some(Rc::new(map)))
        }
    }
}

fn typed(of: &'static Type, json: &Json) -> Result<Value, String> {
    Ok(match (of, json) {
        (_, Json::Null) => of.zero(),
        (Type::Any, json) => raw(json),
        (Type::Bool, Json::Bool(value)) => Value::Bool(*value),
        (Type::Int, Json::Number(number)) => {
            Value::Int(number.as_i64().ok_or_else(|| unfit(of, json))?)
        }
        (Type::Text, Json::String(text)) => Value::text(text),
        (Type::Time, Json::String(text)) => {
            Value::Time(Time::parse(text).ok_or_else(|| unfit(of, json))?)
        }
        (Type::Map(element), Json::Object(map)) => {
            let entry = |(key, value): (&String, _)| Ok((key.clone(), typed(element, value)?));
            let map: Result<BTreeMap<_, _>, String> = map.iter().map(entry).collect();
            Value::Map(element, Some(Rc::new(map?)))
        }
        (Type::List(element), Json::Array(list)) => {
            let list: Result<_, String> = list.iter().map(|value| typed(element, value)).collect();
            Value::list(element, list?)
        }
        (Type::Struct(shape), Json::Object(map)) => {
            let value = |field: &'static Field| match find(map, field.key) {
                Some(value) => typed(&field.of, value),
                None => Ok(field.of.zero()),
            };
            let fields: Result<Rc<[_]>, String> = shape.fields.iter().map(value).collect();
            Value::Struct(shape, fields?)
        }
        _ => return Err(unfit(of, json)),
    })
}

/// Go finds a field in whatever case its key is written.
fn find<'a>(map: &'a serde_json::Map<String, Json>, key: &str) -> Option<&'a Json> {
    let alike = || map.iter().find(|(found, _)| found.eq_ignore_ascii_case(key));
    map.get(key).or_else(|| alike().map(|(_, value)| value))
}

fn unfit(of: &Type, json: &Json) -> String {
    let found = match json {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    };
    format!("the engine's JSON has {found} where {} is wanted", of.name())
}

const fn optional(name: &'static str, of: Type) -> Field {
    Field { omits_empty: true, ..Field::of(name, of) }
}

const fn shape(name: &'static str, fields: &'static [Field]) -> Shape {
    Shape { name, fields, text: None }
}

static NETWORK: Shape = shape(
    "network.Inspect",
    &[
        Field::of("Name", Type::Text),
        Field { key: "Id", ..Field::of("ID", Type::Text) },
        Field::of("Created", Type::Time),
        Field::of("Scope", Type::Text),
        Field::of("Driver", Type::Text),
        Field::of("EnableIPv4", Type::Bool),
        Field::of("EnableIPv6", Type::Bool),
        Field::of("IPAM", Type::Struct(&IPAM)),
        Field::of("Internal", Type::Bool),
        Field::of("Attachable", Type::Bool),
        Field::of("Ingress", Type::Bool),
        Field::of("ConfigFrom", Type::Struct(&CONFIG_REFERENCE)),
        Field::of("ConfigOnly", Type::Bool),
        Field::of("Containers", Type::Map(&Type::Struct(&ENDPOINT))),
        Field::of("Options", Type::Map(&Type::Text)),
        Field::of("Labels", Type::Map(&Type::Text)),
        optional("Peers", Type::List(&Type::Struct(&PEER))),
        optional("Services", Type::Map(&Type::Struct(&SERVICE))),
    ],
);

static IPAM: Shape = shape(
    "network.IPAM",
    &[
        Field::of("Driver", Type::Text),
        Field::of("Options", Type::Map(&Type::Text)),
        Field::of("Config", Type::List(&Type::Struct(&POOL))),
    ],
);

static POOL: Shape = shape(
    "network.IPAMConfig",
    &[
        optional("Subnet", Type::Text),
        optional("IPRange", Type::Text),
        optional("Gateway", Type::Text),
        Field { key: "AuxiliaryAddresses", ..optional("AuxAddress", Type::Map(&Type::Text)) },
    ],
);

static CONFIG_REFERENCE: Shape =
    shape("network.ConfigReference", &[Field::of("Network", Type::Text)]);

static ENDPOINT: Shape = shape(
    "network.EndpointResource",
    &[
        Field::of("Name", Type::Text),
        Field::of("EndpointID", Type::Text),
        Field::of("MacAddress", Type::Text),
        Field::of("IPv4Address", Type::Text),
        Field::of("IPv6Address", Type::Text),
    ],
);

static PEER: Shape =
    shape("network.PeerInfo", &[Field::of("Name", Type::Text), Field::of("IP", Type::Text)]);

static SERVICE: Shape = shape(
    "network.ServiceInfo",
    &[
        Field::of("VIP", Type::Text),
        Field::of("Ports", Type::List(&Type::Text)),
        Field::of("LocalLBIndex", Type::Int),
        Field::of("Tasks", Type::List(&Type::Struct(&TASK))),
    ],
);

static TASK: Shape = shape(
    "network.Task",
    &[
        Field::of("Name", Type::Text),
        Field::of("EndpointID", Type::Text),
        Field::of("EndpointIP", Type::Text),
        Field::of("Info", Type::Map(&Type::Text)),
    ],
);
