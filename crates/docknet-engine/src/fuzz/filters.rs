//! Filters and times, as clients write them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::PROFILES;
use crate::Profile;
use crate::core::filter::{
    ContainerFacts, ContainerListFilter, Facts, FilterRefusal, Filters, NetworkListFilter,
    NetworkPruneFilter, parse_time, parse_unix_time,
};

/// A line of JSON, and lines of names that the filters are held against. Every line is tried as a time, too.
pub fn filters(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let now = Timestamp::from_second(1_700_000_000).expect("a time");
    let mut lines = text.split('\n');
    let json = lines.next().unwrap_or_default();
    for line in text.split('\n') {
        times(line, now);
    }
    let names: Vec<&str> = lines.take(8).chain(["bridge"]).collect();
    for profile in PROFILES {
        match Filters::parse(json, profile) {
            Ok(filters) => hold(&filters, &names, now, profile),
            Err(refusal) => told(&refusal, profile),
        }
    }
}

fn times(value: &str, now: Timestamp) {
    for parsed in [parse_time(value, now).map(Some), parse_unix_time(value)] {
        match parsed {
            Ok(time) => drop(time.map(|time| time.to_string())),
            Err(message) => assert!(!message.is_empty(), "{value:?} is refused without words"),
        }
    }
}

fn told(refusal: &FilterRefusal, profile: Profile) {
    let (status, message) = refusal.answer(profile);
    assert!((400..600).contains(&status) && !message.is_empty(), "{refusal:?}");
}

fn hold(filters: &Filters, names: &[&str], now: Timestamp, profile: Profile) {
    match NetworkListFilter::new(filters, now, profile) {
        Ok(filter) => networks(filters, &filter, names, (now, profile)),
        Err(refusal) => told(&refusal, profile),
    }
    match NetworkPruneFilter::new(filters, now, profile) {
        Ok(filter) => {
            let found = filter.matches(now, &labels(names));
            assert!(found || !filters.is_empty(), "no filter leaves something out");
        }
        Err(refusal) => told(&refusal, profile),
    }
    match ContainerListFilter::new(filters) {
        Ok(filter) => containers(filters, &filter, names),
        Err(refusal) => told(&refusal, profile),
    }
}

fn networks(
    filters: &Filters,
    filter: &NetworkListFilter,
    names: &[&str],
    (now, profile): (Timestamp, Profile),
) {
    let labels = labels(names);
    for name in names {
        let facts = Facts {
            name,
            id: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            driver: "bridge",
            scope: "local",
            labels: &labels,
            created: now,
            builtin: *name == "bridge",
            dangling: *name != "bridge",
        };
        let found = filter.matches(&facts);
        assert!(found || !filters.is_empty(), "no filter leaves {name} out");
        let by_name = serde_json::json!({ "name": [name] }).to_string();
        let by_name = Filters::parse(&by_name, profile).ok();
        let by_name =
            by_name.and_then(|filters| NetworkListFilter::new(&filters, now, profile).ok());
        assert!(by_name.is_some_and(|filter| filter.matches(&facts)), "{name:?} is not found");
    }
}

fn containers(filters: &Filters, filter: &ContainerListFilter, names: &[&str]) {
    let labels = labels(names);
    for name in names {
        let facts = ContainerFacts {
            id: "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210",
            name,
            image: "busybox:latest",
            image_id: "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            labels: &labels,
            state: "exited",
            health: "none",
            exit_code: Some(137),
            networks: names.iter().map(|name| (*name, "0123456789abcdef")),
        };
        let found = filter.matches(&facts);
        assert!(found || !filters.is_empty(), "no filter leaves {name} out");
        let (before, since) = (filter.before(), filter.since());
        assert!(before.is_none() || filters.contains("before"));
        assert!(since.is_none() || filters.contains("since"));
    }
}

fn labels(names: &[&str]) -> BTreeMap<String, String> {
    let pairs = names.iter().map(|name| name.split_once('=').unwrap_or((name, "")));
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}
