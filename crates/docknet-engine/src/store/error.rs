//! Why the state could not be read or written.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

/// Why the state could not be read or written: [what kind of thing](Self::kind) happened, to [which file](Self::path), and,
/// when printed, what to do about it.
///
/// ```
/// # let dir = std::env::temp_dir().join(format!("docknet-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// # #[cfg(feature = "disk")] {
/// use docknet_engine::{StoreErrorKind, dump_state};
///
/// std::fs::write(dir.join("state.redb"), "not a state")?;
/// let error = dump_state(&dir).unwrap_err();
/// assert_eq!(error.kind(), StoreErrorKind::Foreign);
/// assert!(error.to_string().contains("state.redb"));
/// # }
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<_, std::io::Error>(())
/// ```
pub struct StoreError(Box<Inner>);

struct Inner {
    kind: StoreErrorKind,
    path: PathBuf,
    what: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What kind of thing went wrong with the state.
///
/// ```
/// use docknet_engine::StoreErrorKind;
///
/// assert_ne!(StoreErrorKind::InUse, StoreErrorKind::Damaged);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The system refused: no permission, no space, a disk that fails.
    Io,
    /// Another engine has it open.
    InUse,
    /// It was a state once: cut short, overwritten, or of a disk that forgets.
    Damaged,
    /// It is a file, but no state of an engine.
    Foreign,
    /// It is a state in a format that this version does not know.
    Format,
    /// The file is whole, but a record in it does not make sense.
    Record,
}

impl StoreError {
    /// What kind of thing happened.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.0.kind
    }

    /// The file or directory it happened to.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    pub(crate) fn new(kind: StoreErrorKind, path: &Path, what: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, path: path.to_owned(), what: what.into(), source: None }))
    }

    pub(super) fn record(
        path: &Path,
        table: &str,
        key: &str,
        reason: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::new(StoreErrorKind::Record, path, format!("the {table} record {key:?} is not valid"))
            .with_source(reason)
    }

    #[cfg(feature = "disk")]
    pub(super) fn io(path: &Path, doing: &str, error: std::io::Error) -> Self {
        Self::new(StoreErrorKind::Io, path, format!("cannot {doing}")).with_source(error)
    }

    pub(super) fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    fn advice(&self) -> &'static str {
        match self.0.kind {
            StoreErrorKind::Io => {
                "check the directory's owner, its rights and the space that is left"
            }
            StoreErrorKind::InUse => {
                "stop the engine that uses it, or give this one a directory of its own"
            }
            StoreErrorKind::Damaged => {
                "nothing was reset; put a copy of the file back, or move the file away to begin with an empty state"
            }
            StoreErrorKind::Foreign => {
                "nothing was reset; give the engine another directory, or move the file away"
            }
            StoreErrorKind::Format => {
                "nothing was reset; use the version that wrote it, or give this one a directory of its own"
            }
            StoreErrorKind::Record => {
                "nothing was reset; please report it, and move the file away to begin with an empty state"
            }
        }
    }
}

/// `/srv/docknet/state.redb: the file is damaged: the file ends early; nothing was changed; …`
impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.path.display(), self.0.what)?;
        if let Some(source) = &self.0.source {
            write!(f, ": {source}")?;
        }
        write!(f, " ({})", self.advice())
    }
}

impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreError")
            .field("kind", &self.0.kind)
            .field("path", &self.0.path)
            .field("what", &self.0.what)
            .field("source", &self.0.source)
            .finish()
    }
}

/// The cause is part of what is printed, so it is not a `source` as well: reports would say it twice.
impl Error for StoreError {}
