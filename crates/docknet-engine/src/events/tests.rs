use std::collections::BTreeMap;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use docknet_types::EventKind;
use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::Profile;
use crate::core::event::{NetworkRef, Recorder};

/// Events that are told apart by their ids.
fn operation(ids: impl IntoIterator<Item = String>) -> Vec<Arc<Event>> {
    let mut recorder = Recorder::new(Profile::Docker28, Timestamp::UNIX_EPOCH);
    for id in ids {
        recorder.network_create(NetworkRef {
            id: &id,
            name: "n",
            driver: "bridge",
            config_only: false,
        });
    }
    recorder.into_events()
}

fn ids(events: &[Arc<Event>]) -> Vec<String> {
    events.iter().map(|event| event.id.clone()).collect()
}

/// What there is to be read now.
fn poll(subscription: &mut Subscription) -> Poll<Option<Batch>> {
    pin!(subscription.next()).poll(&mut Context::from_waker(Waker::noop()))
}

#[derive(Clone, Debug)]
enum Step {
    Publish(usize),
    Subscribe,
    Listen,
    Read(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..4_usize).prop_map(Step::Publish),
        1 => Just(Step::Subscribe),
        1 => Just(Step::Listen),
        3 => any::<usize>().prop_map(Step::Read),
    ]
}

proptest! {
    #[test]
    fn backlog_and_live_have_no_gap_and_no_overlap(steps in prop::collection::vec(step(), 0..60)) {
        let bus = EventBus::default();
        let mut published: Vec<String> = Vec::new();
        // Each listener with what it got, and the number of the first event that it should get.
        let mut listeners: Vec<(Subscription, Vec<String>, usize)> = Vec::new();
        for step in steps {
            match step {
                Step::Publish(count) => {
                    let first = published.len();
                    let new: Vec<_> = (first..first + count).map(|id| id.to_string()).collect();
                    published.extend(new.iter().cloned());
                    bus.publish(operation(new));
                }
                Step::Subscribe => {
                    let (past, subscription) = bus.subscribe();
                    listeners.push((subscription, ids(&past), 0));
                }
                Step::Listen => listeners.push((bus.listen(), Vec::new(), published.len())),
                Step::Read(index) if !listeners.is_empty() => {
                    let index = index % listeners.len();
                    let (subscription, got, _) = &mut listeners[index];
                    if let Poll::Ready(batch) = poll(subscription) {
                        got.extend(ids(&batch.unwrap()));
                    }
                }
                Step::Read(_) => {}
            }
        }
        for (mut subscription, mut got, first) in listeners {
            while let Poll::Ready(batch) = poll(&mut subscription) {
                got.extend(ids(&batch.unwrap()));
            }
            prop_assert_eq!(&got, &published[first..]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_listeners_see_one_order() {
    const PUBLISHERS: usize = 4;
    const OPERATIONS: usize = 200;

    let bus = EventBus::default();
    let publishers: Vec<_> = (0..PUBLISHERS)
        .map(|publisher| {
            let bus = bus.clone();
            tokio::spawn(async move {
                for number in 0..OPERATIONS {
                    bus.publish(operation([
                        format!("{publisher} {number} a"),
                        format!("{publisher} {number} b"),
                    ]));
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let listeners: Vec<_> = (0..16)
        .map(|_| {
            let bus = bus.clone();
            tokio::spawn(async move {
                let (past, mut subscription) = bus.subscribe();
                drop(bus);
                let mut got = ids(&past);
                while let Some(batch) = subscription.next().await {
                    got.extend(ids(&batch));
                }
                got
            })
        })
        .collect();
    for publisher in publishers {
        publisher.await.unwrap();
    }
    let (all, _) = bus.subscribe();
    let all = ids(&all);
    drop(bus);

    for listener in listeners {
        assert_eq!(listener.await.unwrap(), all);
    }
    let mut by_publisher: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for pair in all.chunks(2) {
        let (publisher, a) = pair[0].split_once(' ').unwrap();
        assert_eq!(pair[1], format!("{publisher} {}b", a.trim_end_matches('a')));
        by_publisher.entry(publisher).or_default().push(a);
    }
    let expected: Vec<_> = (0..OPERATIONS).map(|number| format!("{number} a")).collect();
    assert_eq!(by_publisher.len(), PUBLISHERS);
    assert!(by_publisher.values().all(|order| *order == expected));
}

#[test]
fn a_listener_just_within_the_limit_gets_everything() {
    let bus = EventBus::default();
    let mut subscription = bus.listen();
    for number in 0..BEHIND {
        bus.publish(operation([number.to_string()]));
    }
    for number in 0..BEHIND {
        let Poll::Ready(Some(batch)) = poll(&mut subscription) else { panic!("{number}") };
        assert_eq!(ids(&batch), [number.to_string()]);
    }
    assert!(poll(&mut subscription).is_pending());
}

#[test]
fn a_listener_too_far_behind_is_cut_off_and_others_are_not() {
    let bus = EventBus::default();
    let (mut slow, mut quick) = (bus.listen(), bus.listen());
    for number in 0..=BEHIND {
        bus.publish(operation([number.to_string()]));
        assert!(matches!(poll(&mut quick), Poll::Ready(Some(_))));
    }
    assert!(matches!(poll(&mut slow), Poll::Ready(None)));
}

#[test]
fn one_large_operation_cuts_nobody_off() {
    let bus = EventBus::default();
    let mut subscription = bus.listen();
    bus.publish(operation((0..3 * BEHIND).map(|number| number.to_string())));
    let Poll::Ready(Some(batch)) = poll(&mut subscription) else { panic!("cut off") };
    assert_eq!(batch.len(), 3 * BEHIND);
    assert_eq!(batch[0].kind, EventKind::Network);
}

#[test]
fn the_past_is_the_last_events() {
    let bus = EventBus::default();
    for number in 0..KEPT + 10 {
        bus.publish(operation([number.to_string()]));
    }
    let (past, _) = bus.subscribe();
    assert_eq!((past.len(), &*past[0].id), (KEPT, "10"));
}

#[test]
fn listeners_end_with_the_engine() {
    let bus = EventBus::default();
    let mut subscription = bus.listen();
    bus.publish(operation(["last".into()]));
    drop(bus);
    assert!(matches!(poll(&mut subscription), Poll::Ready(Some(_))));
    assert!(matches!(poll(&mut subscription), Poll::Ready(None)));
}
