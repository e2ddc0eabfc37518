//! Filters on containers.

use std::collections::BTreeMap;

use super::{FilterRefusal, Filters, Patterns};
use crate::api::query::atoi;

pub(super) const STATES: [&str; 7] =
    ["created", "running", "paused", "restarting", "removing", "exited", "dead"];
pub(super) const HEALTHS: [&str; 4] = ["none", "starting", "healthy", "unhealthy"];

/// What filters ask about a container. `N` goes through the networks it is in: name and id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ContainerFacts<'a, N> {
    pub(crate) id: &'a str,
    /// Without the slash.
    pub(crate) name: &'a str,
    /// As the client called it, and as it is called by its content.
    pub(crate) image: &'a str,
    pub(crate) image_id: &'a str,
    pub(crate) labels: &'a BTreeMap<String, String>,
    /// `running`, `exited`, …
    pub(crate) state: &'a str,
    /// `none` where nobody looks after it.
    pub(crate) health: &'a str,
    /// Of one that ran and does not run.
    pub(crate) exit_code: Option<i64>,
    pub(crate) networks: N,
}

/// Which containers a list is about. Filters on ports are taken, and leave nothing out.
#[derive(Clone, Debug)]
pub(crate) struct ContainerListFilter {
    filters: Filters,
    ids: Patterns,
    names: Patterns,
    states: Patterns,
    exit_codes: Vec<i64>,
    is_task: Option<bool>,
}

impl ContainerListFilter {
    pub(crate) fn new(filters: &Filters) -> Result<Self, FilterRefusal> {
        filters.check_keys(&ACCEPTED)?;
        let mut exit_codes = Vec::new();
        for value in filters.values("exited") {
            exit_codes.push(
                atoi(value).map_err(|go| FilterRefusal::Exited { value: value.to_owned(), go })?,
            );
        }
        if let Some(value) = filters.values("status").find(|value| !STATES.contains(value)) {
            return Err(FilterRefusal::Status(value.to_owned()));
        }
        let is_task = is_task(filters)?;
        if let Some(value) = filters.values("health").find(|value| !HEALTHS.contains(value)) {
            return Err(FilterRefusal::Health(value.to_owned()));
        }
        Ok(Self {
            ids: filters.patterns("id"),
            names: filters.patterns("name"),
            states: filters.patterns("status"),
            exit_codes,
            is_task,
            filters: filters.clone(),
        })
    }

    /// Whether containers count that do not run, though the client did not ask for all.
    pub(crate) fn asks_for_stopped(&self) -> bool {
        self.filters.values("status").next().is_some()
    }

    /// A container, by id or name: only those made before it.
    pub(crate) fn before(&self) -> Option<&str> {
        self.filters.values("before").last()
    }

    /// A container, by id or name: only those made after it.
    pub(crate) fn since(&self) -> Option<&str> {
        self.filters.values("since").last()
    }

    pub(crate) fn matches<'a, N>(&self, container: &ContainerFacts<'a, N>) -> bool
    where
        N: Iterator<Item = (&'a str, &'a str)> + Clone,
    {
        self.names.matches(container.name)
            && self.ids.matches(container.id)
            // A task is a service's, and there are none here.
            && self.is_task != Some(true)
            && self.filters.matches_labels("label", container.labels)
            && (self.exit_codes.is_empty()
                || container.exit_code.is_some_and(|code| self.exit_codes.contains(&code)))
            && self.states.matches(container.state)
            && self.filters.matches_exactly("health", container.health)
            && !self.filters.contains("volume")
            && self.matches_image(container.image, container.image_id)
            && self.matches_network(container.networks.clone())
    }

    fn matches_image(&self, image: &str, id: &str) -> bool {
        !self.filters.contains("ancestor")
            || self.filters.values("ancestor").any(|value| {
                let plain = id.strip_prefix("sha256:").unwrap_or(id);
                let digest = value.strip_prefix("sha256:").unwrap_or(value);
                latest(value) == latest(image) || (!digest.is_empty() && plain.starts_with(digest))
            })
    }

    fn matches_network<'a>(
        &self,
        mut networks: impl Iterator<Item = (&'a str, &'a str)> + Clone,
    ) -> bool {
        !self.filters.contains("network")
            || networks.any(|(name, id)| {
                self.filters.values("network").any(|value| name == value || id.starts_with(value))
            })
    }
}

/// Docker's, and `label!` and `until` are not among them.
const ACCEPTED: [&str; 15] = [
    "ancestor",
    "before",
    "exited",
    "expose",
    "health",
    "id",
    "is-task",
    "isolation",
    "label",
    "name",
    "network",
    "publish",
    "since",
    "status",
    "volume",
];

fn is_task(filters: &Filters) -> Result<Option<bool>, FilterRefusal> {
    if !filters.contains("is-task") {
        return Ok(None);
    }
    let has = |value: &str| filters.values("is-task").any(|held| held == value);
    match (has("1") || has("true"), has("0") || has("false")) {
        (true, false) => Ok(Some(true)),
        (false, true) => Ok(Some(false)),
        _ => {
            let values = filters.values("is-task").map(str::to_owned).collect();
            Err(FilterRefusal::Bool { key: "is-task", values })
        }
    }
}

/// An image's name without the tag that goes without saying.
fn latest(image: &str) -> &str {
    image.strip_suffix(":latest").unwrap_or(image)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::tests::filters;
    use super::*;
    use crate::Profile;

    fn filter(json: &Value) -> Result<ContainerListFilter, FilterRefusal> {
        ContainerListFilter::new(&filters(&json.to_string()))
    }

    #[test]
    fn each_filter_is_about_what_it_is_called() {
        let labels = BTreeMap::from([("env".to_owned(), "dev".to_owned())]);
        let networks = [("front", "ab12"), ("back", "cd34")];
        let container = ContainerFacts {
            id: "0123456789ab",
            name: "web-1",
            image: "nginx",
            image_id: "sha256:feed00",
            labels: &labels,
            state: "exited",
            health: "none",
            exit_code: Some(137),
            networks: networks.iter().copied(),
        };
        for (json, matches) in [
            (json!({}), true),
            (json!({"name": ["^web"]}), true),
            (json!({"name": ["db"]}), false),
            (json!({"id": ["0123"]}), true),
            (json!({"id": ["ff"]}), false),
            (json!({"label": ["env=dev"]}), true),
            (json!({"label": ["env=prod"]}), false),
            (json!({"network": ["front"]}), true),
            (json!({"network": ["cd"]}), true),
            (json!({"network": ["fron"]}), false),
            (json!({"network": []}), false),
            (json!({"status": ["exited", "running"]}), true),
            (json!({"status": ["running"]}), false),
            (json!({"exited": ["137"]}), true),
            (json!({"exited": ["0"]}), false),
            (json!({"ancestor": ["nginx:latest"]}), true),
            (json!({"ancestor": ["feed"]}), true),
            (json!({"ancestor": ["redis"]}), false),
            (json!({"health": ["none"]}), true),
            (json!({"health": ["healthy"]}), false),
            (json!({"is-task": ["false"]}), true),
            (json!({"is-task": ["1"]}), false),
            (json!({"volume": ["x"]}), false),
            (json!({"publish": ["80"], "expose": ["80"], "isolation": ["x"]}), true),
        ] {
            assert_eq!(filter(&json).unwrap().matches(&container), matches, "{json}");
        }
    }

    #[test]
    fn filters_on_age_are_handed_to_the_caller() {
        let filter =
            filter(&json!({"before": ["a"], "since": ["b"], "status": ["created"]})).unwrap();
        assert_eq!((filter.before(), filter.since()), (Some("a"), Some("b")));
        assert!(filter.asks_for_stopped());
    }

    #[test]
    fn filters_are_refused_in_the_words_of_a_real_engine() {
        for (json, at_28, at_26) in [
            (json!({"foo": ["x"]}), "invalid filter 'foo'", None),
            (
                json!({"status": ["foo"]}),
                "invalid filter 'status=foo': invalid value for state (foo): must be one of created, running, paused, restarting, removing, exited, dead",
                Some("invalid filter 'status=foo'"),
            ),
            (
                json!({"health": ["foo"]}),
                "invalid filter 'health=foo': invalid value for health (foo): must be one of none, starting, healthy, unhealthy",
                Some("unrecognized filter value for health: foo"),
            ),
            (
                json!({"exited": ["foo"]}),
                r#"invalid filter 'exited=foo': strconv.Atoi: parsing "foo": invalid syntax"#,
                None,
            ),
            (json!({"is-task": ["foo"]}), "invalid filter 'is-task=[foo]'", None),
            (json!({"is-task": ["true", "false"]}), "invalid filter 'is-task=[false true]'", None),
            (json!({"is-task": []}), "invalid filter 'is-task'", None),
        ] {
            let refusal = filter(&json).unwrap_err();
            assert_eq!(refusal.answer(Profile::Docker28), (400, at_28.to_owned()));
            assert_eq!(refusal.answer(Profile::Docker26), (400, at_26.unwrap_or(at_28).to_owned()));
        }
    }
}
