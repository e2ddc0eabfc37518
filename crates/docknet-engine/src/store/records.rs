//! What a store held when it was opened.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::{StoreError, Table};

/// All records, by table and key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Records {
    /// The file they are from, for errors.
    path: PathBuf,
    tables: BTreeMap<Table, BTreeMap<String, Vec<u8>>>,
}

impl Records {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), tables: BTreeMap::new() }
    }

    pub(super) fn insert(&mut self, table: Table, key: String, value: Vec<u8>) {
        self.tables.entry(table).or_default().insert(key, value);
    }

    /// Whether there is none: a new state.
    pub(crate) fn is_empty(&self) -> bool {
        self.tables.values().all(BTreeMap::is_empty)
    }

    /// The records of a table as JSON, in the order of their keys.
    pub(crate) fn iter(&self, table: Table) -> impl Iterator<Item = (&str, &[u8])> {
        self.tables
            .get(&table)
            .into_iter()
            .flatten()
            .map(|(key, value)| (key.as_str(), value.as_slice()))
    }

    /// The records of a table, read. One that does not fit is an error that names it.
    pub(crate) fn read<T: DeserializeOwned>(
        &self,
        table: Table,
    ) -> Result<BTreeMap<String, T>, StoreError> {
        self.iter(table)
            .map(|(key, json)| match serde_json::from_slice(json) {
                Ok(value) => Ok((key.to_owned(), value)),
                Err(error) => Err(self.misfit(table, key, error)),
            })
            .collect()
    }

    /// The error that a record is not what it should be: for what only the engine can tell, such as an endpoint without its
    /// network.
    pub(crate) fn misfit(
        &self,
        table: Table,
        key: &str,
        reason: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> StoreError {
        StoreError::record(&self.path, table.name(), key, reason)
    }
}

#[cfg(test)]
impl Records {
    /// What a store does, in memory.
    pub(super) fn apply(&mut self, changes: &[super::Change]) {
        for change in changes.iter().cloned() {
            match change {
                super::Change::Put { table, key, value } => self.insert(table, key, value),
                super::Change::Delete { table, key } => {
                    self.tables.entry(table).or_default().remove(&key);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_does_not_fit_is_named() {
        let mut records = Records::new(Path::new("/state/state.redb"));
        records.insert(Table::Network, "n1".to_owned(), b"{\"a\":1}".to_vec());
        records.insert(Table::Network, "n2".to_owned(), b"[oops".to_vec());
        records.insert(Table::Engine, "id".to_owned(), b"\"x\"".to_vec());

        let error = records.read::<serde_json::Value>(Table::Network).unwrap_err();
        let words = error.to_string();
        for part in ["/state/state.redb", "network", "\"n2\"", "expected value"] {
            assert!(words.contains(part), "{part} is missing: {words}");
        }
        let engine = records.read::<String>(Table::Engine).unwrap();
        assert_eq!(engine.into_iter().collect::<Vec<_>>(), [("id".to_owned(), "x".to_owned())]);
    }
}
