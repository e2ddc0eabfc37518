use std::collections::BTreeMap;
use std::pin::pin;

use super::*;
use crate::core::event::{ContainerRef, NetworkRef, Recorder};

const START: i64 = 1_000;

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn query(pairs: &[(&str, &str)]) -> Result<EventsQuery, (u16, String)> {
    query_like(Profile::Docker28, pairs)
}

fn query_like(profile: Profile, pairs: &[(&str, &str)]) -> Result<EventsQuery, (u16, String)> {
    let pairs: BTreeMap<_, _> = pairs.iter().copied().collect();
    EventsQuery::parse(|name| pairs.get(name).copied().unwrap_or_default(), second(START), profile)
}

/// A network by that name is made at that second.
fn create(bus: &EventBus, at: i64, name: &str) {
    let mut recorder = Recorder::new(Profile::Docker28, second(at));
    recorder.network_create(NetworkRef { id: name, name, driver: "bridge", config_only: false });
    bus.publish(recorder.into_events());
}

async fn next(lines: &mut Pin<&mut impl Stream<Item = Bytes>>) -> Option<String> {
    let line = std::future::poll_fn(|context| lines.as_mut().poll_next(context)).await?;
    let event: docknet_types::Event = serde_json::from_slice(&line).unwrap();
    assert!(line.ends_with(b"\n"));
    Some(event.id)
}

async fn rest(lines: &mut Pin<&mut impl Stream<Item = Bytes>>) -> Vec<String> {
    let mut names = Vec::new();
    while let Some(name) = next(lines).await {
        names.push(name);
    }
    names
}

/// What a client gets that asks at second 1000.
async fn all(bus: &EventBus, pairs: &[(&str, &str)]) -> Vec<String> {
    let body: Pin<Box<dyn Stream<Item = Bytes> + Send>> =
        Box::pin(stream(bus, query(pairs).unwrap(), second(START)));
    rest(&mut pin!(body)).await
}

#[test]
fn mistakes_are_named_in_dockers_order_and_words() {
    let number = |text| (500, format!("strconv.ParseInt: parsing {text:?}: invalid syntax"));
    let order = |a, b| (400, format!("`since` time ({a}) cannot be after `until` time ({b})"));
    for (pairs, refusal) in [
        (&[("since", "a"), ("until", "b"), ("filters", "{")][..], number("a")),
        (&[("since", "5"), ("until", "b"), ("filters", "{")], number("b")),
        (&[("since", "5"), ("until", "4"), ("filters", "{")], order("5", "4")),
        (&[("since", "1.5"), ("until", "1.4")], order("1.5", "1.4")),
        (&[("until", "1"), ("filters", "{")], (400, "invalid filter".to_owned())),
    ] {
        assert_eq!(query(pairs).unwrap_err(), refusal);
    }
}

#[test]
fn podman_does_not_mind_a_since_after_the_until() {
    assert!(query_like(Profile::Podman5, &[("since", "5"), ("until", "4")]).is_ok());
}

#[tokio::test]
async fn the_past_is_told_between_both_ends_and_the_stream_is_over() {
    let bus = EventBus::default();
    for at in 1..=5 {
        create(&bus, at, &at.to_string());
    }
    for (pairs, expected) in [
        (&[("since", "2"), ("until", "4")][..], &["2", "3", "4"][..]),
        (&[("since", "2.5"), ("until", "3.999999999")], &["3"]),
        (&[("until", "2")], &["1", "2"]),
        (&[("since", "6"), ("until", "7")], &[]),
        (&[("until", "0")], &["1", "2", "3", "4", "5"]),
        (&[("until", "-5")], &["1", "2", "3", "4", "5"]),
        (&[("until", "9"), ("filters", r#"{"network":["3"]}"#)], &["3"]),
    ] {
        assert_eq!(all(&bus, pairs).await, expected, "{pairs:?}");
    }
}

#[tokio::test]
async fn an_until_of_1970_tells_nothing_on_podman() {
    let bus = EventBus::default();
    create(&bus, 1, "past");
    let query = query_like(Profile::Podman5, &[("until", "0")]).unwrap();
    let mut lines = pin!(stream(&bus, query, second(START)));
    assert_eq!(next(&mut lines).await, None);
}

#[tokio::test]
async fn without_a_time_only_what_comes_is_told() {
    let bus = EventBus::default();
    create(&bus, 1, "past");
    let mut lines = pin!(stream(&bus, query(&[]).unwrap(), second(START)));
    create(&bus, START, "first");
    create(&bus, START + 1, "second");
    assert_eq!(next(&mut lines).await.unwrap(), "first");
    drop(bus);
    assert_eq!(rest(&mut lines).await, ["second"]);
    assert_eq!(next(&mut lines).await, None);
}

#[tokio::test]
async fn since_joins_the_past_to_what_comes() {
    let bus = EventBus::default();
    create(&bus, 1, "older");
    create(&bus, 2, "past");
    let mut lines = pin!(stream(&bus, query(&[("since", "2")]).unwrap(), second(START)));
    create(&bus, START, "live");
    drop(bus);
    assert_eq!(rest(&mut lines).await, ["past", "live"]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_when_its_time_has_come() {
    let bus = EventBus::default();
    let query = query(&[("until", "1010")]).unwrap();
    let begin = Instant::now();
    let mut lines = pin!(stream(&bus, query, second(START)));
    let publisher = bus.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(4)).await;
        create(&publisher, START + 4, "in time");
    });
    assert_eq!(next(&mut lines).await.unwrap(), "in time");
    assert_eq!(begin.elapsed().as_secs(), 4);
    assert_eq!(next(&mut lines).await, None);
    assert_eq!(begin.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn an_event_after_the_end_is_not_told() {
    let bus = EventBus::default();
    let mut lines = pin!(stream(&bus, query(&[("until", "1010")]).unwrap(), second(START)));
    create(&bus, START + 10, "in time");
    create(&bus, START + 11, "late");
    create(&bus, START + 11, "later");
    assert_eq!(rest(&mut lines).await, ["in time"]);
}

#[tokio::test(start_paused = true)]
async fn an_end_beyond_all_clocks_is_no_end() {
    let bus = EventBus::default();
    let forever = query(&[("until", "9223372036854775807")]).unwrap();
    let mut lines = pin!(stream(&bus, forever, second(START)));
    create(&bus, START, "live");
    assert_eq!(next(&mut lines).await.unwrap(), "live");
}

#[tokio::test]
async fn a_client_that_reads_too_slowly_sees_the_end_and_no_gap() {
    let bus = EventBus::default();
    let mut lines = pin!(stream(&bus, query(&[]).unwrap(), second(START)));
    create(&bus, START, "read");
    assert_eq!(next(&mut lines).await.unwrap(), "read");
    for number in 0..10_000 {
        create(&bus, START, &number.to_string());
    }
    assert_eq!(rest(&mut lines).await, <[String; 0]>::default());
}

#[tokio::test]
async fn a_filter_holds_for_the_past_and_for_what_comes() {
    let labels = BTreeMap::new();
    let container = ContainerRef { id: "c", name: "c", image: "", labels: &labels };
    let start = |bus: &EventBus| {
        let network = NetworkRef { id: "n", name: "n", driver: "bridge", config_only: false };
        let mut recorder = Recorder::new(Profile::Docker28, second(START));
        recorder.container_start(container, &[network]);
        bus.publish(recorder.into_events());
    };
    let bus = EventBus::default();
    let filters = ("filters", r#"{"type":["container"]}"#);
    start(&bus);
    let query = query(&[("since", "1"), filters]).unwrap();
    let mut lines = pin!(stream(&bus, query, second(START)));
    start(&bus);
    drop(bus);
    assert_eq!(rest(&mut lines).await, ["c", "c"]);
}
