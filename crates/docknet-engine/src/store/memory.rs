//! Records that nobody keeps.

use super::{Change, Store, StoreError};

/// The engine's own state is all there is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct MemoryStore;

impl Store for MemoryStore {
    fn commit(&mut self, _changes: &[Change]) -> Result<(), StoreError> {
        Ok(())
    }

    fn is_durable(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Table;

    #[test]
    fn memory_takes_changes_and_promises_nothing() {
        let mut store = MemoryStore;
        let change = Change::Delete { table: Table::Network, key: "n1".to_owned() };
        assert!(store.commit(&[change]).is_ok());
        assert!(!store.is_durable());
    }
}
