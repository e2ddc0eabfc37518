//! Which networks, containers or events a call is about.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{Driver, NetworkKind, Scope};

/// Filters of a list, a prune or an event stream. Several values of one key are alternatives, but for labels, which
/// must all match; several keys must all match.
///
/// ```
/// use docknet_types::{Driver, Filters};
///
/// let filters = Filters::new().driver(Driver::Bridge).label("app=shop").dangling(true);
/// assert_eq!(
///     filters.to_json(),
///     r#"{"dangling":{"true":true},"driver":{"bridge":true},"label":{"app=shop":true}}"#,
/// );
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
#[must_use]
pub struct Filters(BTreeMap<String, BTreeSet<String>>);

impl Filters {
    /// No filter: everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names that contain this text, or match it as a regular expression: that is how engines read it.
    /// For one network of exactly this name use `networks.get` or `networks.find`.
    pub fn name(self, name: impl Into<String>) -> Self {
        self.raw("name", name)
    }

    /// Ids that contain this text (Podman: that start with it).
    pub fn id(self, id: impl Into<String>) -> Self {
        self.raw("id", id)
    }

    /// Networks of this driver.
    pub fn driver(self, driver: impl Into<Driver>) -> Self {
        self.raw("driver", driver.into().to_string())
    }

    /// What has this label: `key`, or `key=value`.
    pub fn label(self, label: impl Into<String>) -> Self {
        self.raw("label", label)
    }

    /// What does not have this label: `key`, or `key=value`. Docker takes it for prune only.
    pub fn without_label(self, label: impl Into<String>) -> Self {
        self.raw("label!", label)
    }

    /// Networks made by users, or by the engine. Podman has no such filter.
    pub fn kind(self, kind: impl Into<NetworkKind>) -> Self {
        self.raw("type", kind.into().to_string())
    }

    /// Networks of this scope. Podman has no such filter.
    pub fn scope(self, scope: impl Into<Scope>) -> Self {
        self.raw("scope", scope.into().to_string())
    }

    /// Networks that no container uses, or that some container does. Docker takes any network of a user's for one that
    /// none uses.
    pub fn dangling(self, dangling: bool) -> Self {
        self.raw("dangling", if dangling { "true" } else { "false" })
    }

    /// What was made before this time: a date, a Unix time, or an age such as `24h`. For prune.
    pub fn until(self, time: impl Into<String>) -> Self {
        self.raw("until", time)
    }

    /// Containers of this network, by name or id.
    pub fn network(self, network: impl Into<String>) -> Self {
        self.raw("network", network)
    }

    /// Containers in this state: `running`, `exited` and so on.
    pub fn status(self, status: impl Into<String>) -> Self {
        self.raw("status", status)
    }

    /// Any other key.
    pub fn raw(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.entry(key.into()).or_default().insert(value.into());
        self
    }

    /// Whether everything matches.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys in order, and the values of each.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &BTreeSet<String>)> {
        self.0.iter().map(|(key, values)| (key.as_str(), values))
    }

    /// The values of a key, in order.
    pub fn values(&self, key: &str) -> impl Iterator<Item = &str> {
        self.0.get(key).into_iter().flatten().map(String::as_str)
    }

    /// As the `filters` parameter of a request has it.
    #[must_use]
    pub fn to_json(&self) -> String {
        let object = self.0.iter().map(|(key, values)| {
            let set =
                values.iter().map(|value| (value.clone(), serde_json::Value::Bool(true))).collect();
            (key.clone(), serde_json::Value::Object(set))
        });
        serde_json::Value::Object(object.collect()).to_string()
    }

    /// Whether labels match `label` and `label!` of these filters: all of the first, none of the second.
    #[must_use]
    pub fn match_labels(&self, labels: &BTreeMap<String, String>) -> bool {
        let has = |wanted: &str| match wanted.split_once('=') {
            Some((key, value)) => labels.get(key).is_some_and(|found| found == value),
            None => labels.contains_key(wanted),
        };
        self.values("label").all(has) && !self.values("label!").any(has)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_are_escaped_as_json() {
        assert_eq!(Filters::new().raw("a\"b", "c\\d").to_json(), r#"{"a\"b":{"c\\d":true}}"#);
        assert_eq!(Filters::new().to_json(), "{}");
    }

    #[test]
    fn labels_must_all_match_and_none_of_the_unwanted() {
        let labels = BTreeMap::from([
            ("app".to_owned(), "shop".to_owned()),
            ("keep".to_owned(), String::new()),
        ]);
        let matches = |filters: Filters| filters.match_labels(&labels);
        assert!(matches(Filters::new()));
        assert!(matches(Filters::new().label("app").label("app=shop")));
        assert!(!matches(Filters::new().label("app").label("tier")));
        assert!(!matches(Filters::new().label("app=bar")));
        assert!(!matches(Filters::new().without_label("keep").without_label("tier")));
        assert!(matches(Filters::new().without_label("app=bar")));
    }
}
