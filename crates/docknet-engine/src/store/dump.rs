//! The state as a person reads it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use redb::StorageBackend;
use redb::backends::InMemoryBackend;
use serde_json::{Map, Value};

use super::disk::{self, FILE, FORMAT, contain};
use super::{Records, StoreError, StoreErrorKind, Table};

/// How often a file that changes under the reader's eyes is read again.
const ATTEMPTS: usize = 8;

/// The whole state in this directory as JSON, by kind and key: what `docknet state dump` prints.
///
/// Nothing is written, not even to a state whose engine was killed: the file is copied into memory, verified, and mended
/// there. An engine may be running: what is read is the state after one of its changes, whole. (While it changes the state
/// all the time, it may take a few attempts, and end in [`StoreErrorKind::InUse`].)
///
/// ```
/// # let dir = std::env::temp_dir().join("docknet-doc-no-such-state");
/// use docknet_engine::{StoreErrorKind, dump_state};
///
/// assert_eq!(dump_state(&dir).unwrap_err().kind(), StoreErrorKind::Io);
/// ```
pub fn dump_state(dir: &Path) -> Result<Value, StoreError> {
    let path = dir.join(FILE);
    let mut attempt = 1;
    let records = loop {
        match read_copy(&path) {
            Err(error) if error.kind() == StoreErrorKind::Damaged && disk::is_in_use(&path) => {
                if attempt == ATTEMPTS {
                    let what = "an engine changes this state too fast to read it";
                    return Err(StoreError::new(StoreErrorKind::InUse, &path, what));
                }
                attempt += 1;
            }
            done => break done?,
        }
    };
    to_json(&records)
}

/// A copy that mixes two states does not verify: each page is named by its parent's checksum of it.
fn read_copy(path: &Path) -> Result<Records, StoreError> {
    let copy = copy(path).map_err(|error| StoreError::io(path, "read the file", error))?;
    let length = copy.len().map_err(|error| StoreError::io(path, "read the file", error))?;
    disk::refuse_empty(length, path)?;
    let db = disk::open_backend(copy, path)?;
    contain(path, || disk::read(&db, path))
}

fn copy(path: &Path) -> io::Result<InMemoryBackend> {
    let mut file = File::open(path)?;
    let copy = InMemoryBackend::new();
    let mut chunk = vec![0; 1 << 20];
    let mut offset = 0;
    loop {
        let count = file.read(&mut chunk)?;
        let Some(bytes) = chunk.get(..count).filter(|bytes| !bytes.is_empty()) else {
            return Ok(copy);
        };
        let end = offset + bytes.len() as u64;
        copy.set_len(end)?;
        copy.write(offset, bytes)?;
        offset = end;
    }
}

fn to_json(records: &Records) -> Result<Value, StoreError> {
    let mut state = Map::new();
    state.insert("format".to_owned(), FORMAT.into());
    for table in Table::ALL {
        let table_records: Map<String, Value> = records.read::<Value>(table)?.into_iter().collect();
        state.insert(table.name().to_owned(), table_records.into());
    }
    Ok(state.into())
}
