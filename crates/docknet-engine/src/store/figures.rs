//! What the file costs, here and now: `cargo test --release -p docknet-engine store::figures -- --ignored --nocapture`.

use std::path::Path;
use std::time::{Duration, Instant};

use super::{Change, DiskStore, Durability, Store, Table};

#[test]
#[ignore = "measures, and judges nothing"]
fn commits() {
    for durability in [Durability::Immediate, Durability::Process] {
        for records in [10, 100_000] {
            let dir = dir();
            let (mut store, _) = DiskStore::load(dir.path(), Durability::Process).unwrap();
            fill(&mut store, Table::Endpoint, records, 500);
            drop(store);
            let (mut store, _) = DiskStore::load(dir.path(), durability).unwrap();
            let mut times = Vec::new();
            for number in 0..1_000 {
                let number = number * 7_919 % records;
                let changes = [Table::Network, Table::Endpoint, Table::Engine]
                    .map(|table| put(table, number, 500));
                let start = Instant::now();
                store.commit(&changes).unwrap();
                times.push(start.elapsed());
            }
            report(&format!("{durability:?}, {records} records"), times);
        }
    }
}

#[test]
#[ignore = "measures, and judges nothing"]
fn size_and_opening() {
    let dir = dir();
    let (mut store, _) = DiskStore::load(dir.path(), Durability::Process).unwrap();
    let start = Instant::now();
    fill(&mut store, Table::Network, 10_000, 400);
    fill(&mut store, Table::Endpoint, 100_000, 400);
    println!("110,000 records written in {:?}", start.elapsed());
    println!("the file: {} KiB open", size(dir.path()));
    let killed = self::dir();
    std::fs::copy(dir.path().join("state.redb"), killed.path().join("state.redb")).unwrap();
    let start = Instant::now();
    drop(store);
    println!("closed in {:?}, {} KiB", start.elapsed(), size(dir.path()));
    for (what, dir) in [("closed", &dir), ("killed", &killed)] {
        let start = Instant::now();
        let (store, records) = DiskStore::load(dir.path(), Durability::Process).unwrap();
        println!("{what}: opened in {:?}", start.elapsed());
        assert_eq!(records.iter(Table::Endpoint).count(), 100_000);
        drop((store, records));
        let start = Instant::now();
        crate::dump_state(dir.path()).unwrap();
        println!("{what}: dumped in {:?}", start.elapsed());
    }
}

/// Where a disk is: a temporary directory may be memory.
fn dir() -> tempfile::TempDir {
    tempfile::tempdir_in(std::env::var_os("DOCKNET_STORE_DIR").unwrap_or_else(|| ".".into()))
        .unwrap()
}

fn fill(store: &mut DiskStore, table: Table, records: usize, length: usize) {
    let changes: Vec<_> = (0..records).map(|number| put(table, number, length)).collect();
    for changes in changes.chunks(100) {
        store.commit(changes).unwrap();
    }
}

fn put(table: Table, number: usize, length: usize) -> Change {
    // Ids are random: no two neighbours follow each other.
    let key = format!(
        "{:032x}",
        (number as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
    );
    Change::Put { table, key, value: format!("\"{}\"", "x".repeat(length - 2)).into() }
}

fn report(what: &str, mut times: Vec<Duration>) {
    let total: Duration = times.iter().sum();
    times.sort();
    println!(
        "{what}: {:.0} commits a second, p50 {:?}, p99 {:?}",
        times.len() as f64 / total.as_secs_f64(),
        times[times.len() / 2],
        times[times.len() * 99 / 100],
    );
}

fn size(dir: &Path) -> u64 {
    std::fs::metadata(dir.join("state.redb")).unwrap().len() / 1024
}
