//! Filters on networks.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{FilterRefusal, Filters, Patterns, parse_time};
use crate::Profile;
use crate::api::query::parse_bool;

/// What filters ask about a network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) name: &'a str,
    pub(crate) id: &'a str,
    pub(crate) driver: &'a str,
    pub(crate) scope: &'a str,
    pub(crate) labels: &'a BTreeMap<String, String>,
    pub(crate) created: Timestamp,
    /// `bridge`, `host` or `none`, or what the engine has instead.
    pub(crate) builtin: bool,
    /// No container and no service is in it, and it is not built in.
    pub(crate) dangling: bool,
}

/// Which networks a list is about.
#[derive(Clone, Debug)]
pub(crate) struct NetworkListFilter {
    filters: Filters,
    names: Patterns,
    ids: Ids,
    dangling: Option<bool>,
    kinds: Option<Kinds>,
    labels: Labels,
    until: Option<Timestamp>,
}

#[derive(Clone, Debug)]
enum Ids {
    Docker(Patterns),
    /// Beginnings of ids; an expression, where it cannot be one.
    Podman {
        beginnings: Vec<String>,
        expressions: Option<Patterns>,
    },
}

#[derive(Clone, Copy, Debug, Default)]
struct Kinds {
    builtin: bool,
    custom: bool,
}

impl NetworkListFilter {
    pub(crate) fn new(
        filters: &Filters,
        now: Timestamp,
        profile: Profile,
    ) -> Result<Self, FilterRefusal> {
        match profile {
            Profile::Podman5 => Self::podman(filters.podman(), now),
            Profile::Docker20_10 | Profile::Docker26 | Profile::Docker28 => {
                Self::docker(filters.clone(), profile)
            }
        }
    }

    fn docker(filters: Filters, profile: Profile) -> Result<Self, FilterRefusal> {
        filters.check_keys(&["dangling", "driver", "id", "label", "name", "scope", "type"])?;
        let dangling = match filters.only("dangling", FilterRefusal::DanglingTwice)? {
            None => None,
            Some("0" | "false") => Some(false),
            Some("1" | "true") => Some(true),
            Some(other) => return Err(FilterRefusal::Dangling(other.to_owned())),
        };
        let mut kinds = filters.contains("type").then(Kinds::default);
        for value in filters.values("type") {
            let kinds = kinds.get_or_insert_default();
            match value {
                "builtin" => kinds.builtin = true,
                "custom" => kinds.custom = true,
                other => return Err(FilterRefusal::NetworkType(other.to_owned())),
            }
        }
        Ok(Self {
            names: filters.patterns("name"),
            ids: Ids::Docker(filters.patterns("id")),
            dangling,
            kinds,
            labels: Labels::new(&filters, profile),
            until: None,
            filters,
        })
    }

    fn podman(filters: Filters, now: Timestamp) -> Result<Self, FilterRefusal> {
        filters.check_keys(&["dangling", "driver", "id", "label", "label!", "name", "until"])?;
        let dangling = match filters.only("dangling", FilterRefusal::DanglingTwice)? {
            None => None,
            Some(value) => {
                Some(parse_bool(value).map_err(|_| FilterRefusal::Dangling(value.to_owned()))?)
            }
        };
        let (beginnings, expressions): (Vec<_>, Vec<_>) =
            filters.values("id").map(str::to_owned).partition(|value| is_hexadecimal(value));
        let expressions: BTreeMap<_, _> =
            expressions.into_iter().map(|value| (value, true)).collect();
        Ok(Self {
            names: filters.patterns("name"),
            ids: Ids::Podman {
                beginnings: beginnings.iter().map(|value| value.to_lowercase()).collect(),
                expressions: (!expressions.is_empty()).then(|| Patterns::new(&expressions)),
            },
            dangling,
            kinds: None,
            labels: Labels::new(&filters, Profile::Podman5),
            until: until(&filters, now)?,
            filters,
        })
    }

    pub(crate) fn matches(&self, network: &Facts<'_>) -> bool {
        self.names.matches(network.name)
            && self.ids.match_id(network.id)
            && self.filters.matches_exactly("driver", network.driver)
            && self.filters.matches_exactly("scope", network.scope)
            && self.labels.match_labels(network.labels)
            && self.dangling.is_none_or(|dangling| dangling == network.dangling)
            && self.kinds.is_none_or(
                |kinds| {
                    if network.builtin { kinds.builtin } else { kinds.custom }
                },
            )
            && self.until.is_none_or(|until| network.created < until)
    }
}

impl Ids {
    fn match_id(&self, id: &str) -> bool {
        match self {
            Self::Docker(patterns) => patterns.matches(id),
            Self::Podman { beginnings, expressions } => {
                (beginnings.is_empty() && expressions.is_none())
                    || beginnings.iter().any(|beginning| id.starts_with(beginning.as_str()))
                    || expressions.as_ref().is_some_and(|patterns| patterns.matches(id))
            }
        }
    }
}

/// Which networks a prune may remove, by their age and their labels. Containers are pruned by the same.
#[derive(Clone, Debug)]
pub(crate) struct NetworkPruneFilter {
    labels: Labels,
    until: Option<Timestamp>,
    profile: Profile,
}

impl NetworkPruneFilter {
    pub(crate) fn new(
        filters: &Filters,
        now: Timestamp,
        profile: Profile,
    ) -> Result<Self, FilterRefusal> {
        let filters = match profile {
            Profile::Podman5 => filters.podman(),
            Profile::Docker20_10 | Profile::Docker26 | Profile::Docker28 => filters.clone(),
        };
        filters.check_keys(&["label", "label!", "until"])?;
        Ok(Self { labels: Labels::new(&filters, profile), until: until(&filters, now)?, profile })
    }

    pub(crate) fn matches(&self, created: Timestamp, labels: &BTreeMap<String, String>) -> bool {
        self.labels.match_labels(labels)
            && self.until.is_none_or(|until| match self.profile {
                Profile::Podman5 => created < until,
                Profile::Docker20_10 | Profile::Docker26 | Profile::Docker28 => created <= until,
            })
    }
}

/// The time up to which. None at all is like none given: Docker's own handler fails on it.
fn until(filters: &Filters, now: Timestamp) -> Result<Option<Timestamp>, FilterRefusal> {
    filters
        .only("until", FilterRefusal::UntilTwice)?
        .map(|value| parse_time(value, now).map_err(FilterRefusal::Until))
        .transpose()
}

/// `label` and `label!`.
#[derive(Clone, Debug)]
struct Labels {
    filters: Filters,
}

impl Labels {
    fn new(filters: &Filters, profile: Profile) -> Self {
        let mut wanted = Filters::default();
        for key in ["label", "label!"] {
            if let Some(values) = filters.fields.get(key) {
                let values = values.iter().map(|(value, counts)| {
                    // To Podman, no value is any value.
                    let value = match (profile, value.strip_suffix('=')) {
                        (Profile::Podman5, Some(name)) if !name.contains('=') => name,
                        _ => value,
                    };
                    (value.to_owned(), *counts)
                });
                wanted.fields.insert(key.to_owned(), values.collect());
            }
        }
        Self { filters: wanted }
    }

    fn match_labels(&self, labels: &BTreeMap<String, String>) -> bool {
        self.filters.matches_labels("label", labels)
            && !(self.filters.contains("label!") && self.filters.matches_labels("label!", labels))
    }
}

fn is_hexadecimal(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::tests::PROFILES;
    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_800_000_000, 500_000_000);

    struct Network {
        name: &'static str,
        id: &'static str,
        driver: &'static str,
        labels: BTreeMap<String, String>,
        builtin: bool,
        used: bool,
    }

    impl Network {
        fn facts(&self) -> Facts<'_> {
            Facts {
                name: self.name,
                id: self.id,
                driver: self.driver,
                scope: "local",
                labels: &self.labels,
                created: Timestamp::constant(1_799_999_990, 0),
                builtin: self.builtin,
                dangling: !self.builtin && !self.used,
            }
        }
    }

    /// The networks that the recorded lists are about.
    fn networks() -> Vec<Network> {
        let network = |name, id, driver, labels: &[(&str, &str)]| Network {
            name,
            id,
            driver,
            labels: labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            builtin: matches!(name, "bridge" | "host" | "none"),
            used: false,
        };
        vec![
            network("alpha", "ef070c2d596c44", "bridge", &[("env", "dev"), ("tier", "1")]),
            network("alphabet", "a0", "bridge", &[("env", "prod")]),
            network("beta", "b0", "bridge", &[("flag", "")]),
            network("bridge", "c0", "bridge", &[]),
            network("host", "d0", "host", &[]),
            network("mv", "e0", "macvlan", &[]),
            network("none", "f0", "null", &[]),
        ]
    }

    fn list(filters: &Value, profile: Profile) -> Result<Vec<&'static str>, (u16, String)> {
        let answer = |refusal: FilterRefusal| refusal.answer(profile);
        let filters = Filters::parse(&filters.to_string(), profile).map_err(answer)?;
        let filter = NetworkListFilter::new(&filters, NOW, profile).map_err(answer)?;
        let networks = networks();
        let found = networks.iter().filter(|network| filter.matches(&network.facts()));
        Ok(found.map(|network| network.name).collect())
    }

    #[test]
    fn lists_are_as_recorded() {
        let all = ["alpha", "alphabet", "beta", "bridge", "host", "mv", "none"];
        let custom = ["alpha", "alphabet", "beta", "mv"];
        let builtin = ["bridge", "host", "none"];
        for (filters, expected) in [
            (json!({}), &all[..]),
            (json!({"name": ["alpha"]}), &["alpha", "alphabet"]),
            (json!({"name": {"lph": true}}), &["alpha", "alphabet"]),
            (json!({"name": {"alpha": false}}), &["alpha", "alphabet"]),
            (json!({"name": ["alphabet", "beta"]}), &["alphabet", "beta"]),
            (json!({"name": ["("]}), &[]),
            (json!({"name": [""]}), &all),
            (json!({"name": []}), &all),
            (json!({"name": null}), &all),
            (json!({"id": ["ef070c2d596c"]}), &["alpha"]),
            (json!({"id": ["c2d596"]}), &["alpha"]),
            (json!({"id": ["ffff"]}), &[]),
            (json!({"driver": ["bridge"]}), &["alpha", "alphabet", "beta", "bridge"]),
            (json!({"driver": {"bridge": false}}), &[]),
            (json!({"driver": ["macvlan", "host"]}), &["host", "mv"]),
            (json!({"driver": ["brid"]}), &[]),
            (json!({"label": ["env"]}), &["alpha", "alphabet"]),
            (json!({"label": ["env=dev"]}), &["alpha"]),
            (json!({"label": ["env", "tier"]}), &["alpha"]),
            (json!({"label": ["flag="]}), &["beta"]),
            (json!({"type": ["custom"]}), &custom),
            (json!({"type": ["builtin"]}), &builtin),
            (json!({"type": ["builtin", "custom"]}), &all),
            (json!({"type": []}), &[]),
            (json!({"scope": ["local"]}), &all),
            (json!({"scope": ["swarm"]}), &[]),
            (json!({"dangling": ["true"]}), &custom),
            (json!({"dangling": ["0"]}), &builtin),
            (json!({"dangling": []}), &all),
            (json!({"driver": ["bridge"], "label": ["env"]}), &["alpha", "alphabet"]),
            (json!({"driver": ["macvlan"], "label": ["env"]}), &[]),
        ] {
            for profile in [Profile::Docker20_10, Profile::Docker26, Profile::Docker28] {
                assert_eq!(list(&filters, profile).as_deref(), Ok(expected), "{filters}");
            }
        }
    }

    #[test]
    fn lists_are_refused_as_recorded() {
        for (filters, status, message) in [
            (json!({"label!": ["env"]}), 400, "invalid filter 'label!'"),
            (json!({"until": ["1h"]}), 400, "invalid filter 'until'"),
            (json!({"foo": []}), 400, "invalid filter 'foo'"),
            (json!({"Name": ["alpha"]}), 400, "invalid filter 'Name'"),
            (json!({"type": ["foo"]}), 500, "invalid filter: 'type'='foo'"),
            (
                json!({"dangling": ["True"]}),
                400,
                r#"invalid value for filter 'dangling', must be "true" (or "1"), or "false" (or "0")"#,
            ),
            (
                json!({"dangling": ["true", "false"]}),
                400,
                r#"got more than one value for filter key "dangling""#,
            ),
        ] {
            let refused = Err((status, message.to_owned()));
            assert_eq!(list(&filters, Profile::Docker28), refused);
            assert_eq!(list(&filters, Profile::Docker26), refused);
        }
        let refused = Err((400, "Invalid filter 'foo'".to_owned()));
        assert_eq!(list(&json!({"foo": ["x"]}), Profile::Docker20_10), refused);
    }

    #[test]
    fn podman_lists_are_as_recorded() {
        for (filters, expected) in [
            (json!({"Name": ["alpha"]}), Ok(&["alpha", "alphabet"][..])),
            (json!({"name": {"nosuch": false}, "driver": {"macvlan": true}}), Ok(&["mv"])),
            (json!({"foo": [], "driver": ["macvlan"]}), Ok(&["mv"])),
            (json!({"id": ["EF07"]}), Ok(&["alpha"])),
            (json!({"id": ["c2d596"]}), Ok(&[])),
            (json!({"label!": ["env"], "driver": ["bridge"]}), Ok(&["beta", "bridge"])),
            (json!({"dangling": ["False"]}), Ok(&["bridge", "host", "none"])),
            (json!({"until": ["1h"]}), Ok(&[])),
            (json!({"type": ["custom"]}), Err(r#"invalid filter "type""#)),
            (json!({"scope": ["local"]}), Err(r#"invalid filter "scope""#)),
            (json!({"dangling": ["foo"]}), Err(r#"invalid dangling filter value "foo""#)),
        ] {
            let expected = expected.map(<[_]>::to_vec).map_err(|message| (500, message.to_owned()));
            assert_eq!(list(&filters, Profile::Podman5), expected, "{filters}");
        }
    }

    fn prune(filters: &Value, profile: Profile) -> Result<Vec<&'static str>, (u16, String)> {
        let answer = |refusal: FilterRefusal| refusal.answer(profile);
        let filters = Filters::parse(&filters.to_string(), profile).map_err(answer)?;
        let filter = NetworkPruneFilter::new(&filters, NOW, profile).map_err(answer)?;
        let networks = networks();
        let dangling = networks.iter().filter(|network| network.facts().dangling);
        Ok(dangling
            .filter(|network| filter.matches(network.facts().created, &network.labels))
            .map(|n| n.name)
            .collect())
    }

    #[test]
    fn prunes_are_as_recorded() {
        let all = &["alpha", "alphabet", "beta", "mv"][..];
        for (filters, expected) in [
            (json!({}), all),
            (json!({"label": ["env"]}), &["alpha", "alphabet"]),
            (json!({"label": ["env", "flag"]}), &[]),
            (json!({"label!": ["env"]}), &["beta", "mv"]),
            (json!({"label!": ["env=dev"]}), &["alphabet", "beta", "mv"]),
            (json!({"label": ["env"], "label!": ["tier"]}), &["alphabet"]),
            (json!({"until": ["24h"]}), &[]),
            (json!({"until": ["0s"]}), all),
            (json!({"until": ["1ms"]}), all),
            (json!({"until": ["1799999990"]}), all),
            (json!({"until": ["1799999989"]}), &[]),
            (json!({"until": ["2100-01-01T00:00:00Z"]}), all),
            (json!({"until": []}), all),
        ] {
            assert_eq!(prune(&filters, Profile::Docker28).as_deref(), Ok(expected), "{filters}");
        }
    }

    #[test]
    fn prunes_are_refused_as_recorded() {
        let garbage = "failed to parse value as time or duration: \"foo\"";
        for (filters, docker, podman) in [
            (json!({"until": ["foo"]}), garbage, garbage),
            (
                json!({"until": ["1h", "2h"]}),
                "more than one until filter specified",
                "specify exactly one timestamp for until",
            ),
            (json!({"name": ["free"]}), "invalid filter 'name'", r#"invalid filter "name""#),
            (
                json!({"dangling": ["true"]}),
                "invalid filter 'dangling'",
                r#"invalid filter "dangling""#,
            ),
        ] {
            assert_eq!(prune(&filters, Profile::Docker28), Err((400, docker.to_owned())));
            assert_eq!(prune(&filters, Profile::Podman5), Err((500, podman.to_owned())));
        }
        let filters = json!({"until": ["foo"]});
        assert_eq!(prune(&filters, Profile::Docker20_10), Err((500, garbage.to_owned())));
    }

    proptest! {
        #[test]
        fn a_filter_on_any_name_finds_the_network_of_that_name(name in r"[a-zA-Z0-9_.()\[\]*+?{}^$|\\-]{1,12}") {
            let filters = Filters::parse(&json!({"name": [&name]}).to_string(), Profile::Docker28).unwrap();
            let filter = NetworkListFilter::new(&filters, NOW, Profile::Docker28).unwrap();
            let networks = networks();
            let facts = Facts { name: &name, ..networks[0].facts() };
            prop_assert!(filter.matches(&facts));
        }

        #[test]
        fn any_filters_are_taken_or_refused(
            key in "name|id|driver|label!?|type|scope|dangling|until|foo",
            values in prop::collection::vec(r"[ -~]{0,8}", 0..3),
        ) {
            for profile in PROFILES {
                let json = json!({ &key: &values });
                let _ = (list(&json, profile), prune(&json, profile));
            }
        }
    }
}
