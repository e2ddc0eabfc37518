//! The state of an engine that was there before.

use crate::Profile;
use crate::core::restore::{Contradiction, Kept, Kind, restore};
use crate::core::state::{EngineRecord, State};
use crate::store::{Records, StoreError, Table};

/// Reads all that was kept; none if nothing was.
pub(super) fn read(profile: Profile, records: &Records) -> Result<Option<State>, StoreError> {
    if records.is_empty() {
        return Ok(None);
    }
    let engine: Option<EngineRecord> = records.read(Table::Engine)?.into_values().next();
    let kept = Kept {
        engine: engine.ok_or_else(|| records.misfit(Table::Engine, "engine", "it is missing"))?,
        networks: records.read(Table::Network)?,
        endpoints: records.read(Table::Endpoint)?,
        containers: records.read(Table::Container)?,
        images: records.read(Table::Image)?,
    };
    restore(profile, kept).map(Some).map_err(|Contradiction { of, key, why }| {
        let table = match of {
            Kind::Container => Table::Container,
            Kind::Endpoint => Table::Endpoint,
            Kind::Network => Table::Network,
        };
        records.misfit(table, &key, why)
    })
}
