//! Where two JSON values differ.

use serde_json::Value;

/// One place, and what is there in each.
#[derive(Debug, PartialEq)]
pub(super) struct Place<'a> {
    /// As in `.IPAM.Config[0].Subnet`; empty where the values differ as a whole.
    pub(super) path: String,
    pub(super) recorded: Option<&'a Value>,
    pub(super) ours: Option<&'a Value>,
}

pub(super) fn places<'a>(recorded: &'a Value, ours: &'a Value) -> Vec<Place<'a>> {
    let mut places = Vec::new();
    walk(String::new(), Some(recorded), Some(ours), &mut places);
    places
}

fn walk<'a>(
    path: String,
    recorded: Option<&'a Value>,
    ours: Option<&'a Value>,
    places: &mut Vec<Place<'a>>,
) {
    match (recorded, ours) {
        (a, b) if a == b => {}
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let of_ours_alone = b.keys().filter(|key| !a.contains_key(*key));
            for key in a.keys().chain(of_ours_alone) {
                walk(format!("{path}.{key}"), a.get(key), b.get(key), places);
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            for index in 0..a.len().max(b.len()) {
                walk(format!("{path}[{index}]"), a.get(index), b.get(index), places);
            }
        }
        (recorded, ours) => places.push(Place { path, recorded, ours }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_places_that_differ_are_named() {
        let recorded = serde_json::json!({"a": 1, "b": [1, {"c": null}], "d": {}});
        let ours = serde_json::json!({"a": 1, "b": [1, {"c": {}}, 3], "e": 0});
        let places = places(&recorded, &ours);
        let paths: Vec<_> = places.iter().map(|place| place.path.as_str()).collect();
        assert_eq!(paths, [".b[1].c", ".b[2]", ".d", ".e"]);
        assert_eq!(places[1].recorded, None);
        assert_eq!(places[2].ours, None);
    }

    #[test]
    fn equal_values_have_no_such_place() {
        assert_eq!(places(&serde_json::json!([{}]), &serde_json::json!([{}])), []);
    }
}
