//! Records in a file: redb, one transaction a commit.

mod backend;
mod translate;

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use redb::backends::FileBackend;
use redb::{
    Builder, Database, ReadTransaction, ReadableDatabase, ReadableTable, StorageBackend,
    TableDefinition, TableHandle, WriteTransaction,
};

use self::backend::Unflushed;
use self::translate::Translate;
pub(super) use self::translate::contain;
use super::{Change, Durability, Records, Store, StoreError, StoreErrorKind, Table};

/// The format that this version writes. It reads no newer one.
pub(super) const FORMAT: u64 = 1;

pub(super) const FILE: &str = "state.redb";
/// The file while it is being made: a state that can be seen is a whole one.
const UNFINISHED: &str = "state.redb.new";

const META: TableDefinition<'_, &str, &str> = TableDefinition::new("meta");
const META_FORMAT: &str = "format";
/// The version that last opened it.
const META_VERSION: &str = "version";

/// The engine keeps the records in memory: redb's copies of pages need not stay there as well.
const CACHE: usize = 32 << 20;

/// Records in the file `state.redb` of a directory.
#[derive(Debug)]
pub(crate) struct DiskStore {
    path: PathBuf,
    db: Handle,
    /// After an error nobody knows what the file holds, so what follows must not build on it.
    broken: bool,
}

/// redb's handle prints nothing of itself.
struct Handle(Database);

impl DiskStore {
    /// Opens the state in this directory, or makes both. What is not a whole and valid state is an error; nothing is reset.
    ///
    /// The whole file is verified. redb may panic on a damaged file that it did not verify.
    pub(crate) fn load(dir: &Path, durability: Durability) -> Result<(Self, Records), StoreError> {
        make_dir(dir)?;
        let path = dir.join(FILE);
        let db = match open_file(&path)? {
            Some(file) => open(file, &path, durability)?,
            None => create(dir, &path, durability)?,
        };
        let records = contain(&path, || {
            let records = read(&db, &path)?;
            sign(&db).translate(&path)?;
            Ok(records)
        })?;
        Ok((Self { path, db: Handle(db), broken: false }, records))
    }
}

impl Store for DiskStore {
    fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        if self.broken {
            return Err(translate::broken(&self.path));
        }
        let done = contain(&self.path, || write(&self.db.0, changes).translate(&self.path));
        self.broken = done.is_err();
        done
    }

    fn is_durable(&self) -> bool {
        true
    }
}

fn make_dir(dir: &Path) -> Result<(), StoreError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(|error| StoreError::io(dir, "make the directory", error))
}

/// The file if it is there.
fn open_file(path: &Path) -> Result<Option<File>, StoreError> {
    match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io(path, "open the file", error)),
    }
}

/// Opens a file with a state in it.
fn open(file: File, path: &Path, durability: Durability) -> Result<Database, StoreError> {
    let length =
        file.metadata().map_err(|error| StoreError::io(path, "read the file", error))?.len();
    refuse_empty(length, path)?;
    let backend = FileBackend::new(file).translate(path)?;
    match durability {
        Durability::Immediate => open_backend(backend, path),
        Durability::Process => open_backend(Unflushed(backend), path),
    }
}

/// redb would take an empty file for a new one.
pub(super) fn refuse_empty(length: u64, path: &Path) -> Result<(), StoreError> {
    if length == 0 {
        return Err(StoreError::new(StoreErrorKind::Damaged, path, "the file is empty"));
    }
    Ok(())
}

pub(super) fn open_backend(
    backend: impl StorageBackend,
    path: &Path,
) -> Result<Database, StoreError> {
    contain(path, || {
        Builder::new()
            .set_cache_size(CACHE)
            .set_check_integrity_on_open(true)
            .create_with_backend(backend)
            .translate(path)
    })
}

/// Whether an engine has it open.
pub(super) fn is_in_use(path: &Path) -> bool {
    let open = || Builder::new().open_read_only(path).translate(path);
    contain(path, open).is_err_and(|error| error.kind() == StoreErrorKind::InUse)
}

/// Makes a state under another name, and gives it its own name when it is whole: a process that is killed on the way leaves
/// nothing that looks like a state.
///
/// The lock on the unfinished file is held until after the renaming, and nobody renames without looking again: of two
/// processes that begin at once, one makes the state.
fn create(dir: &Path, path: &Path, durability: Durability) -> Result<Database, StoreError> {
    let unfinished = dir.join(UNFINISHED);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options
        .open(&unfinished)
        .map_err(|error| StoreError::io(&unfinished, "make the file", error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => return Err(translate::in_use(path)),
        Err(fs::TryLockError::Error(error)) => {
            return Err(StoreError::io(&unfinished, "lock the file", error));
        }
    }
    if let Some(state) = open_file(path)? {
        // What is locked is either the state itself or a file that nobody needs.
        drop(file);
        fs::remove_file(&unfinished).ok();
        return open(state, path, durability);
    }
    file.set_len(0).map_err(|error| StoreError::io(&unfinished, "empty the file", error))?;
    if cfg!(windows) {
        // There, redb's lock on the same handle would wait for this one.
        file.unlock().map_err(|error| StoreError::io(&unfinished, "unlock the file", error))?;
    }
    let backend = FileBackend::new(file).translate(&unfinished)?;
    let db = match durability {
        Durability::Immediate => open_backend(backend, &unfinished),
        Durability::Process => open_backend(Unflushed(backend), &unfinished),
    }?;
    contain(&unfinished, || begin(&db).translate(&unfinished))?;
    fs::rename(&unfinished, path).map_err(|error| StoreError::io(path, "name the file", error))?;
    if durability == Durability::Immediate && cfg!(unix) {
        flush_dir(dir).map_err(|error| StoreError::io(dir, "flush the directory", error))?;
    }
    Ok(db)
}

/// A file's name is its directory's, and the directory's name is that of the one above, which may be new as well.
fn flush_dir(dir: &Path) -> io::Result<()> {
    let dir = fs::canonicalize(dir)?;
    File::open(&dir)?.sync_all()?;
    for above in dir.ancestors().skip(1) {
        // One that may not be read was there before.
        File::open(above).and_then(|above| above.sync_all()).ok();
    }
    Ok(())
}

/// Makes every table: one that is missing later is damage.
fn begin(db: &Database) -> Result<(), redb::Error> {
    let transaction = begin_write(db)?;
    transaction.open_table(META)?.insert(META_FORMAT, FORMAT.to_string().as_str())?;
    for table in Table::ALL {
        transaction.open_table(definition(table))?;
    }
    transaction.commit()?;
    Ok(())
}

/// Notes which version has it now.
fn sign(db: &Database) -> Result<(), redb::Error> {
    let version = env!("CARGO_PKG_VERSION");
    let signed = db.begin_read()?.open_table(META)?.get(META_VERSION)?;
    if signed.is_some_and(|signed| signed.value() == version) {
        return Ok(());
    }
    let transaction = begin_write(db)?;
    transaction.open_table(META)?.insert(META_VERSION, version)?;
    transaction.commit()?;
    Ok(())
}

/// In one phase, redb cannot tell a commit that was cut short from one that was damaged later, and takes the state before it
/// for both. In two, the last commit is whole or the file is refused. The price is a second flush.
fn begin_write(db: &Database) -> Result<WriteTransaction, redb::Error> {
    let mut transaction = db.begin_write()?;
    transaction.set_two_phase_commit(true);
    Ok(transaction)
}

fn write(db: &Database, changes: &[Change]) -> Result<(), redb::Error> {
    let transaction = begin_write(db)?;
    for table in Table::ALL {
        write_table(&transaction, table, changes)?;
    }
    transaction.commit()?;
    Ok(())
}

fn write_table(
    transaction: &WriteTransaction,
    table: Table,
    changes: &[Change],
) -> Result<(), redb::Error> {
    let mut changes = changes.iter().filter(|change| change.table() == table).peekable();
    if changes.peek().is_none() {
        return Ok(());
    }
    let mut open = transaction.open_table(definition(table))?;
    for change in changes {
        match change {
            Change::Put { key, value, .. } => open.insert(key.as_str(), value.as_slice())?,
            Change::Delete { key, .. } => open.remove(key.as_str())?,
        };
    }
    Ok(())
}

/// Every record, after a look at what format they are in.
pub(super) fn read(db: &Database, path: &Path) -> Result<Records, StoreError> {
    let transaction = db.begin_read().translate(path)?;
    check_format(&transaction, path)?;
    let mut records = Records::new(path);
    for table in Table::ALL {
        read_table(&transaction, table, &mut records).translate(path)?;
    }
    Ok(records)
}

fn read_table(
    transaction: &ReadTransaction,
    table: Table,
    records: &mut Records,
) -> Result<(), redb::Error> {
    for record in transaction.open_table(definition(table))?.iter()? {
        let (key, value) = record?;
        records.insert(table, key.value().to_owned(), value.value().to_owned());
    }
    Ok(())
}

fn check_format(transaction: &ReadTransaction, path: &Path) -> Result<(), StoreError> {
    let foreign = |what: &str| StoreError::new(StoreErrorKind::Foreign, path, what);
    let meta = match transaction.open_table(META) {
        Err(redb::TableError::Storage(error)) => return Err(error).translate(path),
        // A new file gets its name when its tables are in it.
        Err(_) if is_bare(transaction).translate(path)? => {
            return Err(StoreError::new(
                StoreErrorKind::Damaged,
                path,
                "the file lost all it held",
            ));
        }
        Err(_) => return Err(foreign("a redb file, but not an engine's state")),
        Ok(meta) => meta,
    };
    let format = meta.get(META_FORMAT).translate(path)?;
    let format = format.as_ref().map(|format| format.value());
    match format.and_then(|format| format.parse::<u64>().ok()) {
        Some(FORMAT) => {}
        Some(format) => {
            let version = meta.get(META_VERSION).translate(path)?;
            let version = version.as_ref().map_or("an unknown version", |version| version.value());
            let what = format!(
                "the state is in format {format}, written by docknet-engine {version}; this version ({}) reads format {FORMAT}",
                env!("CARGO_PKG_VERSION"),
            );
            return Err(StoreError::new(StoreErrorKind::Format, path, what));
        }
        None => return Err(foreign("the file does not say which format its state is in")),
    }
    for table in transaction.list_tables().translate(path)? {
        let name = table.name();
        if name != META.name() && Table::ALL.iter().all(|known| known.name() != name) {
            return Err(foreign(&format!("the file has a table {name:?}, which no state has")));
        }
    }
    Ok(())
}

fn is_bare(transaction: &ReadTransaction) -> Result<bool, redb::Error> {
    Ok(transaction.list_tables()?.next().is_none()
        && transaction.list_multimap_tables()?.next().is_none())
}

fn definition(table: Table) -> TableDefinition<'static, &'static str, &'static [u8]> {
    TableDefinition::new(table.name())
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Database")
    }
}

#[cfg(test)]
pub(super) mod tests;
