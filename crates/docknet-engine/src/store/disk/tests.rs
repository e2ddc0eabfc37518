use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::collection::vec;
use proptest::prelude::*;
use redb::backends::InMemoryBackend;
use tempfile::TempDir;

use super::*;

fn put(table: Table, key: &str, value: &str) -> Change {
    Change::Put { table, key: key.to_owned(), value: value.as_bytes().to_vec() }
}

fn delete(table: Table, key: &str) -> Change {
    Change::Delete { table, key: key.to_owned() }
}

fn refusal(dir: &Path) -> StoreError {
    DiskStore::load(dir, Durability::Process).unwrap_err()
}

fn new_state() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    DiskStore::load(dir.path(), Durability::Process).unwrap();
    dir
}

#[test]
fn what_was_committed_is_there_at_the_next_start() {
    for durability in [Durability::Immediate, Durability::Process] {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("of/its/own");
        let (mut store, records) = DiskStore::load(&dir, durability).unwrap();
        assert!(records.is_empty() && store.is_durable());
        store
            .commit(&[
                put(Table::Network, "n1", "1"),
                put(Table::Network, "n2", "2"),
                put(Table::Endpoint, "n1", "3"),
            ])
            .unwrap();
        store.commit(&[]).unwrap();
        store
            .commit(&[
                delete(Table::Network, "n2"),
                put(Table::Network, "n1", "4"),
                delete(Table::Image, "none"),
            ])
            .unwrap();
        drop(store);

        let (_store, records) = DiskStore::load(&dir, durability).unwrap();
        assert_eq!(records.iter(Table::Network).collect::<Vec<_>>(), [("n1", &b"4"[..])]);
        assert_eq!(records.iter(Table::Endpoint).collect::<Vec<_>>(), [("n1", &b"3"[..])]);
        assert_eq!(records.iter(Table::Image).count(), 0);
    }
}

#[test]
#[cfg(unix)]
fn only_the_owner_may_look_into_a_state() {
    use std::os::unix::fs::PermissionsExt;

    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("state");
    DiskStore::load(&dir, Durability::Process).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    assert_eq!(mode(&dir.join(FILE)), 0o600);
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
}

#[test]
fn a_state_that_another_engine_has_open_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = DiskStore::load(dir.path(), Durability::Process).unwrap();
    let error = refusal(dir.path());
    assert_eq!(error.kind(), StoreErrorKind::InUse);
    assert!(error.to_string().contains(dir.path().to_str().unwrap()), "{error}");
    drop(store);
    DiskStore::load(dir.path(), Durability::Process).unwrap();
}

#[test]
fn of_many_that_begin_at_once_one_makes_the_state_and_none_undoes_it() {
    let dir = tempfile::tempdir().unwrap();
    let owners: usize = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8)
            .map(|number| {
                let dir = dir.path();
                scope.spawn(move || match DiskStore::load(dir, Durability::Process) {
                    Ok((mut store, _)) => {
                        store.commit(&[put(Table::Network, &number.to_string(), "1")]).unwrap();
                        1
                    }
                    Err(error) => {
                        assert_eq!(error.kind(), StoreErrorKind::InUse, "{error}");
                        0
                    }
                })
            })
            .collect();
        starts.into_iter().map(|start| start.join().unwrap()).sum()
    });
    let (_store, records) = DiskStore::load(dir.path(), Durability::Process).unwrap();
    assert!(owners >= 1);
    assert_eq!(records.iter(Table::Network).count(), owners);
}

#[test]
fn what_a_start_that_was_killed_left_behind_is_no_state() {
    for left in [&b""[..], b"redb", &[0; 70_000]] {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(UNFINISHED), left).unwrap();
        let (_store, records) = DiskStore::load(dir.path(), Durability::Immediate).unwrap();
        assert!(records.is_empty());
        assert!(!dir.path().join(UNFINISHED).exists());
    }
}

#[test]
fn a_newer_format_is_refused_and_says_who_wrote_it() {
    let dir = new_state();
    change_meta(dir.path(), |meta| {
        meta.insert(META_FORMAT, "2").unwrap();
        meta.insert(META_VERSION, "7.8.9").unwrap();
    });
    let error = refusal(dir.path());
    assert_eq!(error.kind(), StoreErrorKind::Format);
    for part in ["state.redb", "format 2", "7.8.9", "reads format 1"] {
        assert!(error.to_string().contains(part), "{part} is missing: {error}");
    }
    assert_eq!(crate::dump_state(dir.path()).unwrap_err().kind(), StoreErrorKind::Format);
}

#[test]
fn a_state_without_a_format_is_none() {
    let dir = new_state();
    change_meta(dir.path(), |meta| {
        meta.remove(META_FORMAT).unwrap();
    });
    assert_eq!(refusal(dir.path()).kind(), StoreErrorKind::Foreign);
}

fn change_meta(dir: &Path, change: impl FnOnce(&mut redb::Table<'_, &'static str, &'static str>)) {
    let db = Database::open(dir.join(FILE)).unwrap();
    let transaction = db.begin_write().unwrap();
    change(&mut transaction.open_table(META).unwrap());
    transaction.commit().unwrap();
}

#[test]
fn a_database_of_another_program_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let theirs = TableDefinition::<'_, u64, u64>::new("theirs");
    let db = Database::create(dir.path().join(FILE)).unwrap();
    let transaction = db.begin_write().unwrap();
    transaction.open_table(theirs).unwrap().insert(1, 2).unwrap();
    transaction.commit().unwrap();
    drop(db);

    assert_eq!(refusal(dir.path()).kind(), StoreErrorKind::Foreign);
    let db = Database::open(dir.path().join(FILE)).unwrap();
    let table = db.begin_read().unwrap().open_table(theirs).unwrap();
    assert_eq!(table.get(1).unwrap().unwrap().value(), 2);
}

#[test]
fn a_table_that_is_missing_or_unknown_is_refused() {
    let dir = new_state();
    let db = Database::open(dir.path().join(FILE)).unwrap();
    let transaction = db.begin_write().unwrap();
    transaction.delete_table(definition(Table::Image)).unwrap();
    transaction.commit().unwrap();
    drop(db);
    let error = refusal(dir.path());
    assert_eq!(error.kind(), StoreErrorKind::Damaged);
    assert!(error.to_string().contains("\"image\""), "{error}");

    let dir = new_state();
    let db = Database::open(dir.path().join(FILE)).unwrap();
    let transaction = db.begin_write().unwrap();
    transaction.open_table(TableDefinition::<'_, u64, u64>::new("volume")).unwrap();
    transaction.commit().unwrap();
    drop(db);
    let error = refusal(dir.path());
    assert_eq!(error.kind(), StoreErrorKind::Foreign);
    assert!(error.to_string().contains("\"volume\""), "{error}");
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let error = refusal(&file.join("state"));
    assert_eq!(error.kind(), StoreErrorKind::Io);
    assert!(error.to_string().contains("make the directory"), "{error}");
}

#[test]
fn a_dump_shows_the_state_while_an_engine_has_it_and_after() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, _) = DiskStore::load(dir.path(), Durability::Process).unwrap();
    store
        .commit(&[put(Table::Network, "n1", r#"{"Name":"web"}"#), put(Table::Engine, "id", "7")])
        .unwrap();
    let expected = serde_json::json!({
        "format": 1,
        "network": { "n1": { "Name": "web" } },
        "endpoint": {},
        "container": {},
        "image": {},
        "engine": { "id": 7 },
    });
    assert_eq!(crate::dump_state(dir.path()).unwrap(), expected);
    let before = fs::read(dir.path().join(FILE)).unwrap();
    assert_eq!(crate::dump_state(dir.path()).unwrap(), expected);
    assert!(fs::read(dir.path().join(FILE)).unwrap() == before, "a dump wrote to the file");

    store.commit(&[put(Table::Image, "i1", "[broken")]).unwrap();
    drop(store);
    let error = crate::dump_state(dir.path()).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Record);
    assert!(error.to_string().contains("the image record \"i1\""), "{error}");
}

#[test]
fn a_dump_beside_a_busy_engine_never_shows_half_an_operation() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, _) = DiskStore::load(dir.path(), Durability::Process).unwrap();
    let stop = AtomicBool::new(false);
    let mut dumps = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0.. {
                let value = format!("{:?}", number.to_string().repeat(200));
                let tables = [Table::Network, Table::Endpoint, Table::Engine];
                let key = (number % 30).to_string();
                store.commit(&tables.map(|table| put(table, &key, &value))).unwrap();
                if stop.load(Ordering::Relaxed) {
                    return;
                }
            }
        });
        for _ in 0..100 {
            match crate::dump_state(dir.path()) {
                Ok(state) => {
                    assert_eq!(state["network"], state["endpoint"]);
                    assert_eq!(state["network"], state["engine"]);
                    dumps += 1;
                }
                Err(error) => assert_eq!(error.kind(), StoreErrorKind::InUse, "{error}"),
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    println!("{dumps} of 100 dumps found a state");
    let state = crate::dump_state(dir.path()).unwrap();
    assert_eq!(state["network"], state["engine"]);
}

#[test]
fn after_an_error_a_store_takes_no_more_changes() {
    let full = Arc::new(AtomicBool::new(false));
    let mut store = store_on(Disk { bytes: InMemoryBackend::new(), full: full.clone() });
    store.commit(&[put(Table::Network, "n1", "1")]).unwrap();

    full.store(true, Ordering::Relaxed);
    let error = store.commit(&[put(Table::Network, "n2", "2")]).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Io);
    assert!(error.to_string().contains("storage"), "{error}");

    full.store(false, Ordering::Relaxed);
    let error = store.commit(&[put(Table::Network, "n3", "3")]).unwrap_err();
    assert!(error.to_string().contains("restart the engine"), "{error}");
}

/// A new state on a disk of the test's.
pub(in crate::store) fn store_on(disk: impl StorageBackend) -> DiskStore {
    let path = PathBuf::from(FILE);
    let db = open_backend(disk, &path).unwrap();
    begin(&db).unwrap();
    DiskStore { path, db: Handle(db), broken: false }
}

/// A disk that may be full.
#[derive(Debug)]
struct Disk {
    bytes: InMemoryBackend,
    full: Arc<AtomicBool>,
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.bytes.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.bytes.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.bytes.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.bytes.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if self.full.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.bytes.write(offset, data)
    }
}

fn changes() -> impl Strategy<Value = Vec<Vec<Change>>> {
    let key = "[a-c]";
    let table = (0..Table::ALL.len()).prop_map(|index| Table::ALL[index]);
    let change = (table, key, proptest::option::of(0..9u8)).prop_map(|(table, key, value)| {
        value.map_or_else(|| delete(table, &key), |value| put(table, &key, &value.to_string()))
    });
    vec(vec(change, 0..8), 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn commits_leave_what_their_changes_in_order_leave(commits in changes()) {
        let dir = tempfile::tempdir().unwrap();
        let mut expected = Records::new(&dir.path().join(FILE));
        {
            let (mut store, _) = DiskStore::load(dir.path(), Durability::Process).unwrap();
            for changes in &commits {
                store.commit(changes).unwrap();
                expected.apply(changes);
            }
        }
        let (_store, records) = DiskStore::load(dir.path(), Durability::Process).unwrap();
        for table in Table::ALL {
            prop_assert!(records.iter(table).eq(expected.iter(table)));
        }
    }
}
