//! Where the state is kept: nowhere, or in a file.
//!
//! The state is a set of records. An operation changes a few of them, all or none.

#[cfg(test)]
#[cfg(feature = "disk")]
mod crash;
#[cfg(test)]
#[cfg(feature = "disk")]
mod damage;
#[cfg(feature = "disk")]
mod disk;
#[cfg(feature = "disk")]
mod dump;
mod error;
#[cfg(test)]
#[cfg(feature = "disk")]
mod figures;
mod keeper;
mod memory;
#[cfg(test)]
#[cfg(feature = "disk")]
mod power;
mod records;

#[cfg(feature = "disk")]
pub(crate) use self::disk::DiskStore;
#[cfg(feature = "disk")]
pub use self::dump::dump_state;
pub use self::error::{StoreError, StoreErrorKind};
pub(crate) use self::keeper::Keeper;
pub(crate) use self::memory::MemoryStore;
#[cfg(feature = "disk")]
pub(crate) use self::records::Records;

/// Keeps records.
pub(crate) trait Store: Send {
    /// Makes these changes, in this order, all or none. They may be those of several operations: what each commit costs is
    /// then paid once.
    ///
    /// After an error it is not known whether they will be there at the next start, and the store takes no more changes.
    fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError>;

    /// Whether the records outlive the process.
    fn is_durable(&self) -> bool;
}

/// One change of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The record is this from now on.
    Put {
        table: Table,
        key: String,
        /** JSON. */
        value: Vec<u8>,
    },
    /// The record is gone. That it never was is no error.
    Delete { table: Table, key: String },
}

impl Change {
    #[cfg(feature = "disk")]
    fn table(&self) -> Table {
        match self {
            Self::Put { table, .. } | Self::Delete { table, .. } => *table,
        }
    }
}

/// A kind of record.
///
/// Another kind is another format of the file: raise `disk::FORMAT` with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Table {
    Network,
    Endpoint,
    Container,
    Image,
    /// What there is one of: the engine's id, where pools were left off.
    Engine,
}

impl Table {
    pub(crate) const ALL: [Self; 5] =
        [Self::Network, Self::Endpoint, Self::Container, Self::Image, Self::Engine];

    /// Its name in files, dumps and errors.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Endpoint => "endpoint",
            Self::Container => "container",
            Self::Image => "image",
            Self::Engine => "engine",
        }
    }
}

/// What a change that was answered survives.
///
/// ```
/// use docknet_engine::Durability;
///
/// assert_eq!(Durability::default(), Durability::Immediate);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Durability {
    /// The end of the process and of the machine, power cuts included: the file is flushed to the disk before the answer.
    #[default]
    Immediate,
    /// The end of the process, however it ends (`kill -9`, a panic), but not of the machine: the file is left to the
    /// system to write when it likes.
    ///
    /// After a power cut or a crash of the system, the file holds whatever the system had written, in no order. The next
    /// start verifies all of it: it either finds the state as it was after some earlier change, or refuses the file as
    /// damaged. It never takes a mixture for a state. Use it where the machine's end is the state's end too: for tests, in
    /// a container, on a tmpfs.
    Process,
}
