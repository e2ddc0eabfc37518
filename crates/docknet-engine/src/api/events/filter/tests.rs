use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::Profile;
use crate::core::event::{ContainerRef, Ending, ImageRef, NetworkRef, Occasion, Recorder};

fn told(profile: Profile) -> Vec<Arc<Event>> {
    let labels = BTreeMap::from([("k".into(), "v".into()), ("tier".into(), "web".into())]);
    let network = NetworkRef { id: "8dc8aa", name: "n1", driver: "bridge", config_only: false };
    let container = ContainerRef {
        id: "4f66bb",
        name: "box",
        image: "docker.io/library/busybox:1.36",
        labels: &labels,
    };
    let plain =
        ContainerRef { id: "77aacc", name: "n1-plain", image: "busybox", labels: &BTreeMap::new() };
    let image = ImageRef { id: "sha256:0b0b", labels: &BTreeMap::new() };
    let mut recorder = Recorder::new(profile, Timestamp::UNIX_EPOCH);
    recorder.network_create(network);
    recorder.container_create(container);
    recorder.container_create(plain);
    recorder.network_connect(network, container, Occasion::Running);
    recorder.exec_create(container, "ee", &["ls".into()]);
    let ending = Ending { exit_code: 0, ran_for: Duration::ZERO };
    recorder.container_exit(container, &[], ending);
    recorder.image_tag(image, "busybox:2");
    recorder.networks_prune([]);
    recorder.into_events()
}

/// The numbers of the events that pass.
fn passing(filter: &EventFilter, profile: Profile) -> Vec<usize> {
    let told = told(profile);
    let passing = told.iter().enumerate().filter(|(_, event)| filter.matches(event));
    passing.map(|(number, _)| number).collect()
}

#[test]
fn docker_filters() {
    const ALL: &[usize] = &[0, 1, 2, 3, 4, 5, 6, 7];
    for (filters, expected) in [
        ("", ALL),
        ("{}", ALL),
        ("null", ALL),
        (r#"{"foo":["bar"]}"#, ALL),
        (r#"{"type":[]}"#, ALL),
        (r#"{"scope":null}"#, ALL),
        (r#"{"type":["network"]}"#, &[0, 3, 7]),
        (r#"{"type":{"network":true,"image":true}}"#, &[0, 3, 6, 7]),
        (r#"{"type":["net"]}"#, &[]),
        (r#"{"event":["create"]}"#, &[0, 1, 2]),
        (r#"{"event":["create","prune"],"type":["network"]}"#, &[0, 7]),
        (r#"{"event":["creat"]}"#, &[]),
        (r#"{"event":["exec_create"]}"#, &[4]),
        (r#"{"event":["exec_create","di"]}"#, &[4, 5]),
        (r#"{"event":["exec_create: ls "]}"#, &[4]),
        (r#"{"scope":["local"]}"#, ALL),
        (r#"{"scope":["swarm"]}"#, &[]),
        (r#"{"network":["8dc8"]}"#, &[0, 3]),
        (r#"{"network":["n1"]}"#, &[0, 2, 3]),
        (r#"{"network":["missing"]}"#, &[]),
        (r#"{"container":["box"]}"#, &[1, 4, 5]),
        (r#"{"container":["4f66","77aa"]}"#, &[1, 2, 4, 5]),
        (r#"{"container":["box"],"type":["network"]}"#, &[]),
        (r#"{"container":["box"],"network":["n1"]}"#, &[]),
        (r#"{"label":["k=v"]}"#, &[1, 4, 5]),
        (r#"{"label":["k"]}"#, &[1, 4, 5]),
        (r#"{"label":["k=v","tier=web"]}"#, &[1, 4, 5]),
        (r#"{"label":["k=v","tier=db"]}"#, &[]),
        (r#"{"label":["type=bridge"]}"#, &[0, 3]),
        (r#"{"image":["busybox"]}"#, &[1, 2, 4, 5, 6]),
        (r#"{"image":["busybox:2"]}"#, &[6]),
        (r#"{"image":["docker.io/library/busybox:1.36"]}"#, &[1, 4, 5]),
        (r#"{"image":["sha256:0b0b"]}"#, &[6]),
        (r#"{"daemon":["n1"]}"#, &[0, 2, 3]),
    ] {
        let filter = EventFilter::docker(filters).unwrap();
        assert_eq!(passing(&filter, Profile::Docker28), expected, "{filters}");
    }
}

#[test]
fn what_is_no_filter_is_refused() {
    for filters in ["{", "[]", "1", r#"{"type":"x"}"#, r#"{"type":[1]}"#] {
        let refusal = EventFilter::docker(filters).unwrap_err();
        assert_eq!(refusal, (400, "invalid filter".to_owned()), "{filters}");
    }
}

#[test]
fn podman_filters() {
    for (filters, expected) in [
        (r#"{"type":["network"]}"#, &[0, 3][..]),
        (r#"{"Event":["create"]}"#, &[0, 1, 2]),
        (r#"{"status":["die"]}"#, &[4]),
        (r#"{"container":["box"]}"#, &[1, 4, 5]),
        (r#"{"container":["4f"]}"#, &[1, 4, 5]),
        (r#"{"container":["bo"]}"#, &[]),
        (r#"{"label":["k=v"]}"#, &[1, 4, 5]),
    ] {
        let filter = EventFilter::podman(filters).unwrap();
        assert_eq!(passing(&filter, Profile::Podman5), expected, "{filters}");
    }
}

#[test]
fn podman_refuses_keys_it_does_not_know() {
    for key in ["network", "scope", "foo"] {
        let refusal = EventFilter::podman(&format!(r#"{{"{key}":["n1"]}}"#)).unwrap_err();
        let words = format!("failed to parse event filters: {key} is an invalid filter");
        assert_eq!(refusal, (500, words));
    }
}

#[test]
fn a_familiar_name_is_short() {
    let id = "0".repeat(64);
    for (image, name) in [
        ("busybox", "busybox"),
        ("busybox:1.36", "busybox"),
        ("docker.io/library/busybox:1.36", "busybox"),
        ("docker.io/me/app@sha256:00", "me/app"),
        ("localhost:5000/app", "localhost:5000/app"),
        ("localhost:5000/app:1", "localhost:5000/app"),
        ("sha256:0b0b", "sha256"),
        (&id, &id),
        ("", ""),
    ] {
        assert_eq!(familiar_name(image), name, "{image}");
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in ".*", image in "[a-z:/@.]*") {
        let _ = EventFilter::docker(&text);
        let _ = EventFilter::podman(&text);
        let _ = familiar_name(&image);
        let _ = familiar_name(&text);
    }
}
