//! redb's errors and panics in our words.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use redb::Error;

use crate::store::{StoreError, StoreErrorKind};

/// Says which file an error is about, and what it means.
pub(super) trait Translate<T> {
    fn translate(self, path: &Path) -> Result<T, StoreError>;
}

impl<T, E: Into<Error>> Translate<T> for Result<T, E> {
    fn translate(self, path: &Path) -> Result<T, StoreError> {
        self.map_err(|error| translate(error.into(), path))
    }
}

/// A panic of redb is damage: it takes for granted what a file that was altered behind its back does not keep.
pub(in crate::store) fn contain<T>(
    path: &Path,
    act: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    // Nothing is used again after it: the store is broken, or was never made.
    catch_unwind(AssertUnwindSafe(act))
        .unwrap_or_else(|_| Err(damaged(path, "its parts do not fit together")))
}

pub(super) fn in_use(path: &Path) -> StoreError {
    StoreError::new(StoreErrorKind::InUse, path, "another engine has this state open")
}

pub(super) fn broken(path: &Path) -> StoreError {
    let what = "an earlier error has closed the file; restart the engine";
    StoreError::new(StoreErrorKind::Io, path, what)
}

fn damaged(path: &Path, reason: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Damaged, path, format!("the file is damaged: {reason}"))
}

fn translate(error: Error, path: &Path) -> StoreError {
    match error {
        Error::DatabaseAlreadyOpen | Error::LockProtocolMismatch => in_use(path),
        Error::Corrupted(reason) => damaged(path, &reason),
        Error::RepairAborted => damaged(path, "it was not closed, and cannot be mended"),
        Error::Io(error) => match error.kind() {
            io::ErrorKind::InvalidData => {
                StoreError::new(StoreErrorKind::Foreign, path, "the file is not an engine's state")
            }
            io::ErrorKind::UnexpectedEof => damaged(path, "it ends early"),
            _ => StoreError::io(path, "read or write the file", error),
        },
        Error::UpgradeRequired(version) => StoreError::new(
            StoreErrorKind::Format,
            path,
            format!("the file is in redb's format {version}, which is too old"),
        ),
        Error::PreviousIo | Error::DatabaseClosed | Error::LockPoisoned(_) => broken(path),
        // A table that is missing or of another kind: the format's number says that it should be there.
        Error::TableDoesNotExist(table)
        | Error::TableIsMultimap(table)
        | Error::TableTypeMismatch { table, .. } => {
            damaged(path, &format!("the table {table:?} is missing or of another kind"))
        }
        error => StoreError::new(StoreErrorKind::Io, path, "cannot read or write the file")
            .with_source(error),
    }
}
