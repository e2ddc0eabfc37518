//! What a power cut leaves, played in memory: of what was written since the last flush, any part may be lost.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use redb::StorageBackend;
use redb::backends::InMemoryBackend;

use super::{Change, Records, Store, StoreError, StoreErrorKind, Table, disk};

const COMMITS: u64 = 24;
const CUTS: usize = 400;
/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

#[test]
fn a_power_cut_loses_nothing_that_was_answered() {
    let events = work();
    let mut rng = fastrand::Rng::with_seed(7);
    let mut found = BTreeSet::new();
    for _ in 0..CUTS {
        let cut = rng.usize(first_answer(&events)..events.len());
        let before = &events[..cut];
        let flushed = before.iter().rposition(|event| matches!(event, Event::Flush)).unwrap();
        let answered = answers(before);
        let records = open(&disk_after(before, flushed, &mut rng)).unwrap();
        let number = check(&records).unwrap();
        assert!(
            number == answered || number == answered + 1,
            "cut at {cut}: {answered} were answered, and {number} is there"
        );
        found.insert(number - answered);
    }
    assert_eq!(found.len(), 2, "no cut fell into the end of a commit");
}

#[test]
fn without_flushes_a_power_cut_leaves_an_earlier_state_or_a_damaged_file() {
    let events = work();
    let mut rng = fastrand::Rng::with_seed(7);
    let mut found = BTreeSet::new();
    for _ in 0..CUTS {
        let cut = rng.usize(first_answer(&events)..events.len());
        let before = &events[..cut];
        // Most of it is usually written: else hardly any cut would leave a state.
        let flushed = cut - rng.usize(0..cut.min(40));
        match open(&disk_after(before, flushed, &mut rng)) {
            Ok(records) => {
                let number = check(&records).unwrap();
                assert!(number <= answers(before) + 1, "a state that never was");
                found.insert("a state");
            }
            Err(error) => {
                assert_eq!(error.kind(), StoreErrorKind::Damaged, "{error}");
                found.insert("damage");
            }
        }
    }
    assert_eq!(found.len(), 2, "only {found:?}");
}

/// What a disk was asked to do.
#[derive(Debug)]
enum Event {
    Write(u64, Vec<u8>),
    Length(u64),
    Flush,
    /// Not the disk's: so far the engine's clients know.
    Answer,
}

type Events = Arc<Mutex<Vec<Event>>>;

/// All that commits do to a disk.
fn work() -> Vec<Event> {
    let events = Events::default();
    let disk = Disk { bytes: InMemoryBackend::new(), events: events.clone() };
    let mut store = disk::tests::store_on(disk);
    for number in 1..=COMMITS {
        store.commit(&operation(number)).unwrap();
        events.lock().unwrap().push(Event::Answer);
    }
    // What its end writes is not looked at.
    std::mem::take(&mut *events.lock().unwrap())
}

fn operation(number: u64) -> Vec<Change> {
    let value = serde_json::json!({ "number": number, "filler": "x".repeat(700) }).to_string();
    let mut changes = vec![Change::Put {
        table: Table::Engine,
        key: "last".to_owned(),
        value: number.to_string().into(),
    }];
    for table in [Table::Network, Table::Endpoint] {
        changes.push(Change::Put { table, key: number.to_string(), value: value.clone().into() });
        if let Some(old) = number.checked_sub(4) {
            changes.push(Change::Delete { table, key: old.to_string() });
        }
    }
    changes
}

/// The number of the last operation, if the state is the one after it.
fn check(records: &Records) -> Result<u64, StoreError> {
    let number = records.read::<u64>(Table::Engine)?.get("last").copied().unwrap_or_default();
    let mut expected = Records::default();
    for number in 1..=number {
        expected.apply(&operation(number));
    }
    for table in Table::ALL {
        assert!(records.iter(table).eq(expected.iter(table)), "a mixture in {table:?}");
    }
    Ok(number)
}

fn first_answer(events: &[Event]) -> usize {
    events.iter().position(|event| matches!(event, Event::Answer)).unwrap() + 1
}

fn answers(events: &[Event]) -> u64 {
    events.iter().filter(|event| matches!(event, Event::Answer)).count() as u64
}

/// The disk when the power is cut after these events, of which so many are on it for certain.
fn disk_after(events: &[Event], certain: usize, rng: &mut fastrand::Rng) -> Vec<u8> {
    let mut disk = Vec::new();
    // At times nearly everything is lost, at times nearly nothing.
    let kept = rng.u8(0..=100);
    for (index, event) in events.iter().enumerate() {
        let mut happens = || index < certain || rng.u8(0..100) < kept;
        match event {
            Event::Write(offset, bytes) => {
                let mut offset = usize::try_from(*offset).unwrap();
                for sector in bytes.chunks(SECTOR) {
                    if happens() {
                        disk.resize(disk.len().max(offset + sector.len()), 0);
                        disk[offset..offset + sector.len()].copy_from_slice(sector);
                    }
                    offset += sector.len();
                }
            }
            Event::Length(length) => {
                if happens() {
                    disk.resize(usize::try_from(*length).unwrap(), 0);
                }
            }
            Event::Flush | Event::Answer => {}
        }
    }
    disk
}

fn open(bytes: &[u8]) -> Result<Records, StoreError> {
    let path = Path::new("state.redb");
    let disk = InMemoryBackend::new();
    disk.set_len(bytes.len() as u64).unwrap();
    disk.write(0, bytes).unwrap();
    let db = disk::open_backend(disk, path)?;
    disk::read(&db, path)
}

/// A disk that remembers what it was asked.
#[derive(Debug)]
struct Disk {
    bytes: InMemoryBackend,
    events: Events,
}

impl Disk {
    fn note(&self, event: Event) {
        self.events.lock().unwrap().push(event);
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.bytes.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.bytes.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.note(Event::Length(len));
        self.bytes.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.note(Event::Flush);
        self.bytes.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.note(Event::Write(offset, data.to_vec()));
        self.bytes.write(offset, data)
    }
}
