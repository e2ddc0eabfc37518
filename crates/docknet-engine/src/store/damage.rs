//! What a file that was altered behind the store's back comes to: an error, or the state as it was; no panic, no other state.

use std::fs;

use super::disk::FILE;
use super::{Change, DiskStore, Durability, Records, Store, StoreError, StoreErrorKind, Table};

/// Files of a small state: closed as it should be, and left by an engine that was killed.
struct Sample {
    name: &'static str,
    bytes: Vec<u8>,
    records: Records,
}

fn samples() -> [Sample; 2] {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, _) = DiskStore::load(dir.path(), Durability::Process).unwrap();
    for number in 0..12 {
        let value = format!("{{\"number\":{number},\"filler\":\"{}\"}}", "x".repeat(200));
        let put = |table, key: String| Change::Put { table, key, value: value.clone().into() };
        store
            .commit(&[
                put(Table::Network, format!("n{number}")),
                put(Table::Endpoint, format!("e{number}")),
                put(Table::Engine, "cursor".to_owned()),
            ])
            .unwrap();
    }
    let killed = fs::read(dir.path().join(FILE)).unwrap();
    drop(store);
    let closed = fs::read(dir.path().join(FILE)).unwrap();
    let (_store, records) = DiskStore::load(dir.path(), Durability::Process).unwrap();
    [
        Sample { name: "closed", bytes: closed, records: records.clone() },
        Sample { name: "killed", bytes: killed, records },
    ]
}

/// Another file, and how it came to be.
type Damage = (String, Vec<u8>);

#[test]
fn a_damaged_file_is_refused_or_holds_the_same_state() {
    let mut outcomes = [0, 0];
    for sample in samples() {
        for (what, bytes) in damages(&sample) {
            match load(&bytes) {
                Ok(records) => {
                    let same =
                        Table::ALL.iter().all(|t| records.iter(*t).eq(sample.records.iter(*t)));
                    assert!(same, "{}, {what}: another state", sample.name);
                    outcomes[0] += 1;
                }
                Err(error) => {
                    let told = matches!(
                        error.kind(),
                        StoreErrorKind::Damaged | StoreErrorKind::Foreign | StoreErrorKind::Format
                    );
                    assert!(told, "{}, {what}: {error:?}", sample.name);
                    outcomes[1] += 1;
                }
            }
        }
    }
    // Both happen: pages that are free hold nothing, and the others cannot be taken for anything else.
    assert!(outcomes.iter().all(|count| *count > 100), "{outcomes:?}");
}

fn damages(sample: &Sample) -> Vec<Damage> {
    let bytes = &sample.bytes;
    let mut damages: Vec<Damage> =
        vec![("with a tail".to_owned(), [&bytes[..], &[7; 5_000]].concat())];
    let bits = (0..HEADER).map(|offset| (offset, offset % 8));
    let bits = bits.chain((0..8).map(|bit| (FLAGS, bit)));
    let bits = bits.chain((HEADER..bytes.len()).step_by(step()).map(|offset| (offset, offset % 8)));
    // Which of the last two commits is the last, one bit says. After a kill in the middle of a commit both answers are right.
    for (offset, bit) in bits.filter(|flip| sample.name == "closed" || *flip != (FLAGS, 0)) {
        let mut bytes = bytes.clone();
        bytes[offset] ^= 1 << bit;
        damages.push((format!("bit {bit} of byte {offset} flipped"), bytes));
    }
    for page in (0..bytes.len()).step_by(PAGE) {
        damages.push((format!("cut at {page}"), bytes[..page].to_vec()));
        damages.push((format!("cut after {page}"), bytes[..page + 1_000].to_vec()));
        let mut zeroed = bytes.clone();
        zeroed[page..page + PAGE].fill(0);
        damages.push((format!("zeros at {page}"), zeroed));
        let mut doubled = bytes.clone();
        let next = (page + PAGE) % bytes.len();
        doubled.copy_within(page..page + PAGE, next);
        damages.push((format!("the page at {page} twice"), doubled));
    }
    damages
}

const PAGE: usize = 4_096;
/// What redb keeps in the first page: its layout and the two last commits.
const HEADER: usize = 320;
const FLAGS: usize = 9;

/// `DOCKNET_DAMAGE_STEP=1` flips every byte. It takes its time.
fn step() -> usize {
    std::env::var("DOCKNET_DAMAGE_STEP").map_or(251, |step| step.parse().unwrap())
}

/// What comes of this file, twice the same: a start that was refused mends nothing.
fn load(bytes: &[u8]) -> Result<Records, StoreError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(FILE);
    fs::write(&path, bytes).unwrap();
    let first = DiskStore::load(dir.path(), Durability::Process).map(|(_, records)| records);
    if first.is_err() {
        DiskStore::load(dir.path(), Durability::Process).unwrap_err();
    }
    assert!(path.exists() && fs::read_dir(dir.path()).unwrap().count() == 1);
    first
}

#[test]
fn a_file_that_is_no_state_is_refused() {
    for bytes in [&b""[..], b"{}", &[0; 100_000], b"SQLite format 3\0", &[0xff; 4_096]] {
        let error = load(bytes).unwrap_err();
        assert!(
            matches!(error.kind(), StoreErrorKind::Foreign | StoreErrorKind::Damaged),
            "{error:?}"
        );
        assert!(error.to_string().contains(FILE) && error.to_string().contains("move"), "{error}");
    }
}
