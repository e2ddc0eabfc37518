//! Filters of a request.

mod container;
mod network;
mod pattern;
mod time;

use std::collections::BTreeMap;

pub(crate) use self::container::{ContainerFacts, ContainerListFilter};
pub(crate) use self::network::{Facts, NetworkListFilter, NetworkPruneFilter};
pub(crate) use self::pattern::Patterns;
pub(crate) use self::time::{parse_time, parse_unix_time};
use crate::Profile;
use crate::api::go_json::{self, Dialect, shapes};

/// Keys, each with the values asked for. A value counts or does not: old clients write `{"name":{"a":true}}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filters {
    fields: BTreeMap<String, BTreeMap<String, bool>>,
}

impl Filters {
    /// Reads what is in the parameter `filters`. Where there is no such parameter, [`Self::default`] it is: Podman does not
    /// take an empty one.
    pub(crate) fn parse(json: &str, profile: Profile) -> Result<Self, FilterRefusal> {
        let dialect = Dialect::from(profile);
        if json.is_empty() && profile != Profile::Podman5 {
            return Ok(Self::default());
        }
        let maps = go_json::unmarshal(&shapes::FILTERS, json, dialect);
        let mut fields: BTreeMap<String, BTreeMap<String, bool>> = match maps {
            Ok(fields) => fields,
            Err(of_maps) => go_json::unmarshal(&shapes::FILTER_LISTS, json, dialect)
                .map(from_lists)
                .map_err(|of_lists| FilterRefusal::Malformed {
                    go: if profile == Profile::Podman5 { of_lists } else { of_maps },
                })?,
        };
        if profile == Profile::Podman5 {
            for values in fields.values_mut() {
                values.retain(|_, counts| *counts);
            }
        }
        Ok(Self { fields })
    }

    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    pub(crate) fn contains(&self, key: &str) -> bool {
        self.fields.contains_key(key)
    }

    /// The values of a key, those that do not count too: so does Docker where it goes through them.
    pub(crate) fn values(&self, key: &str) -> impl Iterator<Item = &str> {
        self.fields.get(key).into_iter().flat_map(|values| values.keys().map(String::as_str))
    }

    /// Whether the source is one of the values, or there are none.
    pub(crate) fn matches_exactly(&self, key: &str, source: &str) -> bool {
        self.fields
            .get(key)
            .is_none_or(|values| values.is_empty() || values.get(source).copied().unwrap_or(false))
    }

    /// Whether each value, a key or `key=value`, is among the labels.
    pub(crate) fn matches_labels(&self, key: &str, labels: &BTreeMap<String, String>) -> bool {
        self.values(key).all(|wanted| match wanted.split_once('=') {
            Some((name, value)) => labels.get(name).is_some_and(|label| label == value),
            None => labels.contains_key(wanted),
        })
    }

    /// The values of a key as regular expressions.
    pub(crate) fn patterns(&self, key: &str) -> Patterns {
        self.fields.get(key).map(Patterns::new).unwrap_or_default()
    }

    /// Refuses the first key that is not among those.
    fn check_keys(&self, accepted: &[&str]) -> Result<(), FilterRefusal> {
        match self.fields.keys().find(|key| !accepted.contains(&key.as_str())) {
            Some(key) => Err(FilterRefusal::UnknownKey(key.clone())),
            None => Ok(()),
        }
    }

    /// The one value of a key. `None` where there is none.
    fn only(&self, key: &str, more: FilterRefusal) -> Result<Option<&str>, FilterRefusal> {
        let mut values = self.values(key);
        let first = values.next();
        if values.next().is_some() { Err(more) } else { Ok(first) }
    }

    /// As Podman takes them: keys in any case, and none without a value.
    fn podman(&self) -> Self {
        let mut filters = Self::default();
        for (key, values) in self.fields.iter().filter(|(_, values)| !values.is_empty()) {
            let held = filters.fields.entry(key.to_lowercase()).or_default();
            held.extend(values.iter().map(|(value, counts)| (value.clone(), *counts)));
        }
        filters
    }
}

fn from_lists(lists: BTreeMap<String, Vec<String>>) -> BTreeMap<String, BTreeMap<String, bool>> {
    lists
        .into_iter()
        .map(|(key, values)| (key, values.into_iter().map(|value| (value, true)).collect()))
        .collect()
}

/// Why filters are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FilterRefusal {
    /// No JSON, or not of that form. With Go's words for it.
    Malformed {
        go: String,
    },
    UnknownKey(String),
    DanglingTwice,
    Dangling(String),
    NetworkType(String),
    UntilTwice,
    /// With the words for what is wrong with it.
    Until(String),
    /// Neither true nor false, or both.
    Bool {
        key: &'static str,
        values: Vec<String>,
    },
    Status(String),
    Health(String),
    Exited {
        value: String,
        go: String,
    },
}

impl FilterRefusal {
    /// The status and the message of the answer. What Podman puts before the message depends on the request.
    pub(crate) fn answer(&self, profile: Profile) -> (u16, String) {
        match profile {
            Profile::Podman5 => (500, self.podman()),
            Profile::Docker20_10 => self.docker_20(),
            Profile::Docker26 => match self {
                Self::Status(value) => (400, format!("invalid filter 'status={value}'")),
                Self::Health(value) => {
                    (400, format!("unrecognized filter value for health: {value}"))
                }
                _ => self.docker_28(),
            },
            Profile::Docker28 => self.docker_28(),
        }
    }

    fn docker_28(&self) -> (u16, String) {
        let message = match self {
            Self::Malformed { .. } => "invalid filter".to_owned(),
            Self::UnknownKey(key) => format!("invalid filter '{key}'"),
            Self::DanglingTwice => DANGLING_TWICE.to_owned(),
            Self::Dangling(_) => concat!(
                "invalid value for filter 'dangling', ",
                r#"must be "true" (or "1"), or "false" (or "0")"#
            )
            .to_owned(),
            Self::NetworkType(value) => {
                return (500, format!("invalid filter: 'type'='{value}'"));
            }
            Self::UntilTwice => "more than one until filter specified".to_owned(),
            Self::Until(message) => message.clone(),
            Self::Bool { key, values } if values.is_empty() => format!("invalid filter '{key}'"),
            Self::Bool { key, values } => format!("invalid filter '{key}=[{}]'", values.join(" ")),
            Self::Status(value) => format!(
                "invalid filter 'status={value}': invalid value for state ({value}): must be one of {}",
                container::STATES.join(", ")
            ),
            Self::Health(value) => format!(
                "invalid filter 'health={value}': invalid value for health ({value}): must be one of {}",
                container::HEALTHS.join(", ")
            ),
            Self::Exited { value, go } => format!("invalid filter 'exited={value}': {go}"),
        };
        (400, message)
    }

    fn docker_20(&self) -> (u16, String) {
        match self {
            Self::Malformed { go } | Self::Exited { go, .. } => (500, go.clone()),
            Self::UnknownKey(key) => (400, format!("Invalid filter '{key}'")),
            Self::Bool { key, values } => {
                (400, format!("Invalid filter '{key}=[{}]'", values.join(" ")))
            }
            Self::Status(value) => (400, format!("Invalid filter 'status={value}'")),
            Self::Health(value) => (400, format!("Unrecognised filter value for health: {value}")),
            Self::UntilTwice | Self::Until(_) => (500, self.docker_28().1),
            Self::DanglingTwice | Self::Dangling(_) | Self::NetworkType(_) => self.docker_28(),
        }
    }

    fn podman(&self) -> String {
        match self {
            Self::Malformed { go } | Self::Exited { go, .. } => go.clone(),
            Self::UnknownKey(key) => format!("invalid filter \"{key}\""),
            Self::DanglingTwice => DANGLING_TWICE.to_owned(),
            Self::Dangling(value) => format!("invalid dangling filter value \"{value}\""),
            Self::UntilTwice => "specify exactly one timestamp for until".to_owned(),
            Self::NetworkType(_)
            | Self::Until(_)
            | Self::Bool { .. }
            | Self::Status(_)
            | Self::Health(_) => self.docker_28().1,
        }
    }
}

const DANGLING_TWICE: &str = "got more than one value for filter key \"dangling\"";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    pub(super) const PROFILES: [Profile; 4] =
        [Profile::Docker20_10, Profile::Docker26, Profile::Docker28, Profile::Podman5];

    pub(super) fn filters(json: &str) -> Filters {
        Filters::parse(json, Profile::Docker28).unwrap()
    }

    fn refused(json: &str, profile: Profile) -> (u16, String) {
        Filters::parse(json, profile).unwrap_err().answer(profile)
    }

    #[test]
    fn lists_and_maps_are_read() {
        assert_eq!(
            filters(r#"{"name":["b","a","b"]}"#),
            filters(r#"{"name":{"a":true,"b":true}}"#)
        );
        assert_eq!(filters("null"), Filters::default());
        assert_eq!(filters("{}"), Filters::default());
        assert_eq!(filters(""), Filters::default());
        let without_values = filters(r#"{"name":null,"id":[]}"#);
        assert!(without_values.contains("name") && without_values.matches_exactly("name", "x"));
    }

    #[test]
    fn a_value_that_is_false_counts_where_docker_goes_through_values() {
        let map = filters(r#"{"driver":{"bridge":false},"label":{"a":false}}"#);
        assert!(!map.matches_exactly("driver", "bridge"));
        assert!(!map.matches_labels("label", &BTreeMap::new()));
        let podman = Filters::parse(r#"{"name":{"a":false}}"#, Profile::Podman5).unwrap();
        assert_eq!(podman.values("name").count(), 0);
    }

    #[test]
    fn malformed_filters_are_refused_in_the_recorded_words() {
        for (json, at_20, at_podman) in [
            ("{", "unexpected end of JSON input", None),
            ("foo", "invalid character 'o' in literal false (expecting 'a')", None),
            (
                "[]",
                "json: cannot unmarshal array into Go value of type map[string]map[string]bool",
                Some("json: cannot unmarshal array into Go value of type map[string][]string"),
            ),
            (
                r#"{"name":"alpha"}"#,
                "json: cannot unmarshal string into Go value of type map[string]bool",
                Some("json: cannot unmarshal string into Go value of type []string"),
            ),
            (
                r#"{"name":[1]}"#,
                "json: cannot unmarshal array into Go value of type map[string]bool",
                Some("json: cannot unmarshal number into Go value of type string"),
            ),
            ("{} x", "invalid character 'x' after top-level value", None),
        ] {
            assert_eq!(refused(json, Profile::Docker28), (400, "invalid filter".into()));
            assert_eq!(refused(json, Profile::Docker26), (400, "invalid filter".into()));
            assert_eq!(refused(json, Profile::Docker20_10), (500, at_20.into()));
            assert_eq!(refused(json, Profile::Podman5), (500, at_podman.unwrap_or(at_20).into()));
        }
        assert_eq!(refused("", Profile::Podman5), (500, "unexpected end of JSON input".into()));
    }

    #[test]
    fn each_label_asked_for_must_be_there() {
        let labels = BTreeMap::from([
            ("env".to_owned(), "dev".to_owned()),
            ("flag".to_owned(), String::new()),
        ]);
        for (values, matches) in [
            (json!(["env"]), true),
            (json!(["env=dev", "flag"]), true),
            (json!(["flag="]), true),
            (json!(["env="]), false),
            (json!(["env=dev", "env=prod"]), false),
            (json!(["en"]), false),
            (json!([]), true),
        ] {
            let filters = filters(&json!({ "label": values }).to_string());
            assert_eq!(filters.matches_labels("label", &labels), matches, "{values}");
        }
    }

    proptest! {
        #[test]
        fn filters_come_back_as_they_were_written(
            fields in prop::collection::btree_map(any::<String>(), prop::collection::btree_map(any::<String>(), any::<bool>(), 0..3), 0..4),
        ) {
            let json = serde_json::to_string(&fields).unwrap();
            for profile in [Profile::Docker20_10, Profile::Docker26, Profile::Docker28] {
                prop_assert_eq!(&Filters::parse(&json, profile).unwrap().fields, &fields);
            }
        }

        #[test]
        fn any_text_is_read_or_refused(json in r#"[ \[\]{}",:a-fnrtul\\0-9]{0,16}"#) {
            for profile in PROFILES {
                if let Err(refusal) = Filters::parse(&json, profile) {
                    prop_assert!(refusal.answer(profile).0 >= 400);
                }
            }
        }
    }
}
