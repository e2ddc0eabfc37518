//! `kill -9` at random moments, under concurrent load, hundreds of times.

#[path = "../../tests/crash/harness.rs"]
mod harness;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;
use std::{fs, thread};

use self::harness::Death;
use super::{Change, DiskStore, Durability, Records, Store, Table};

const THREADS: u64 = 4;
/// An operation also deletes what the one so many before it made.
const KEPT: u64 = 20;

/// How long a process may work.
const LONGEST: Duration = Duration::from_millis(50);

const CHILD: &str = "store::crash::a_child_commits_until_it_is_killed";
const DIR: &str = "DOCKNET_CRASH_DIR";
const DURABILITY: &str = "DOCKNET_CRASH_DURABILITY";

#[test]
fn a_killed_process_leaves_what_it_acknowledged_and_at_most_what_was_in_flight() {
    let mut rng = harness::rng();
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("state");
    let mut answered = Counts::new();
    let mut operations = 0;
    for round in 0..harness::rounds_or(200) {
        if round % 8 == 0 && dir.exists() {
            // A state that does not exist yet is the one that is hardest to make.
            fs::remove_dir_all(&dir).unwrap();
            answered.clear();
        }
        let death = Death::random(&mut rng, LONGEST);
        let durability = if rng.bool() { "immediate" } else { "process" };
        let mut child = harness::child_of(CHILD);
        for operation in harness::kill(child.env(DIR, &dir).env(DURABILITY, durability), death) {
            let (thread, number) = operation.split_once(' ').unwrap();
            answered.insert(thread.to_owned(), number.parse().unwrap());
            operations += 1;
        }
        let (_store, records) = DiskStore::load(&dir, Durability::Process)
            .unwrap_or_else(|error| panic!("round {round}, {death:?}, {durability}: {error}"));
        let found = check(&records);
        for thread in (0..THREADS).map(|thread| thread.to_string()) {
            let answered = answered.get(&thread).copied().unwrap_or_default();
            let found = found.get(&thread).copied().unwrap_or_default();
            assert!(
                found == answered || found == answered + 1,
                "round {round}, {death:?}, {durability}: thread {thread} was answered {answered}, and {found} is there"
            );
        }
        answered = found;
    }
    println!("{operations} operations were acknowledged");
    assert!(operations > 0);
}

/// How many operations of each thread were done.
type Counts = BTreeMap<String, u64>;

/// Each operation is there with all its parts, and so are those that are still kept before it.
fn check(records: &Records) -> Counts {
    let counts: Counts = records.read(Table::Engine).unwrap();
    let mut expected = BTreeMap::new();
    for (thread, count) in &counts {
        for number in count.saturating_sub(KEPT - 1).max(1)..=*count {
            expected.insert(key(thread, number), value(number));
        }
    }
    for table in [Table::Network, Table::Endpoint] {
        let found: BTreeMap<String, serde_json::Value> = records.read(table).unwrap();
        assert!(found == expected, "the {table:?} records are not those of {counts:?}");
    }
    counts
}

#[test]
#[ignore = "the process that the test above kills"]
fn a_child_commits_until_it_is_killed() {
    if !harness::is_child_of(CHILD) {
        return;
    }
    let dir = std::env::var_os(DIR).unwrap();
    let durability = match std::env::var(DURABILITY).unwrap().as_str() {
        "immediate" => Durability::Immediate,
        _ => Durability::Process,
    };
    let (store, records) = DiskStore::load(Path::new(&dir), durability).unwrap();
    let counts: Counts = records.read(Table::Engine).unwrap();
    let store = Mutex::new(store);
    harness::ready();
    thread::scope(|scope| {
        for thread in (0..THREADS).map(|thread| thread.to_string()) {
            let done = counts.get(&thread).copied().unwrap_or_default();
            let store = &store;
            scope.spawn(move || {
                for number in done + 1.. {
                    store.lock().unwrap().commit(&operation(&thread, number)).unwrap();
                    harness::acknowledge(&format!("{thread} {number}"));
                }
            });
        }
    });
}

fn operation(thread: &str, number: u64) -> Vec<Change> {
    let mut changes = vec![Change::Put {
        table: Table::Engine,
        key: thread.to_owned(),
        value: number.to_string().into(),
    }];
    for table in [Table::Network, Table::Endpoint] {
        let value = value(number).to_string().into();
        changes.push(Change::Put { table, key: key(thread, number), value });
        if let Some(old) = number.checked_sub(KEPT) {
            changes.push(Change::Delete { table, key: key(thread, old) });
        }
    }
    changes
}

fn key(thread: &str, number: u64) -> String {
    format!("{thread}-{number}")
}

/// Of many lengths, so that pages split and merge.
fn value(number: u64) -> serde_json::Value {
    let length = usize::try_from(number * 7_919 % 1_500).unwrap();
    serde_json::json!({ "number": number, "filler": "x".repeat(length) })
}
