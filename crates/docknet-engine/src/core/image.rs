//! Images: what containers can be made from. On the kernel their files are in `crate::images`; in memory there are none.

mod manage;
mod reference;
mod settings;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map as Object, Value};

pub(crate) use self::manage::{Force, Removal, Source, Taken, add, prune, register, remove, tag};
pub(crate) use self::reference::{BadReference, Reference};
pub(crate) use self::settings::{change, settle};
use super::refusal::Refusal;
use super::state::Map;

/// The image that is always there.
const HOST: &str = "host:latest";
/// Made up, and the same in every engine: nothing is in this image.
const HOST_ID: &str = "sha256:d0c4e7d0c4e7d0c4e7d0c4e7d0c4e7d0c4e7d0c4e7d0c4e7d0c4e7d0c4e7d0c4";

/// The images of an engine, and their names.
#[derive(Clone, Debug)]
pub(crate) struct Images {
    by_id: Map<String, Arc<Image>>,
    /// The ids by `name:tag`.
    by_tag: Map<String, String>,
}

/// An image.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Image {
    /// `sha256:` and 64 hexadecimal digits.
    pub(crate) id: String,
    /// As `name:tag`, in order.
    pub(crate) tags: Vec<String>,
    pub(crate) created: Timestamp,
    /// In bytes.
    pub(crate) size: u64,
    /// Where it is from, as an inspection says it.
    pub(crate) comment: String,
    /// What its containers are made with where they ask for nothing else: `Cmd`, `Env` and the like, as Docker has them.
    #[serde(default, skip_serializing_if = "Object::is_empty")]
    pub(crate) settings: Object<String, Value>,
    /// The digests of its layers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) layers: Vec<String>,
    /// Whose machines it is for, in Go's word; empty: this machine.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) architecture: String,
    /// Whether its files are kept, and its containers run programs over them.
    #[serde(default)]
    pub(crate) has_files: bool,
}

/// Whether this is the image whose containers see the host's own files.
pub(crate) fn is_host(id: &str) -> bool {
    id == HOST_ID
}

impl Default for Images {
    fn default() -> Self {
        let mut images = Self { by_id: Map::new_sync(), by_tag: Map::new_sync() };
        images.put(Image {
            id: HOST_ID.to_owned(),
            tags: vec![HOST.to_owned()],
            created: Timestamp::UNIX_EPOCH,
            comment: "Built in".to_owned(),
            ..Image::default()
        });
        images
    }
}

impl Images {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Image>> {
        self.by_id.values()
    }

    pub(crate) fn count(&self) -> usize {
        self.by_id.size()
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Arc<Image>> {
        self.by_id.get(id)
    }

    /// The image of this name, id, or beginning of an id.
    pub(crate) fn find(&self, term: &str) -> Result<&Arc<Image>, Refusal> {
        let reference = Reference::parse(term);
        if let Some(image) = self.by_id.get(term) {
            return Ok(image);
        }
        if let Ok(reference) = &reference
            && let Some(image) =
                self.by_tag.get(&reference.tagged()).and_then(|id| self.by_id.get(id))
        {
            return Ok(image);
        }
        let digits = term.strip_prefix("sha256:").unwrap_or(term);
        if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let prefix = format!("sha256:{digits}");
            let mut found = self.by_id.range(prefix.clone()..).map(|(_, image)| image);
            if let Some(image) = found.next().filter(|image| image.id.starts_with(&prefix))
                && found.next().is_none_or(|next| !next.id.starts_with(&prefix))
            {
                return Ok(image);
            }
        }
        match reference {
            Ok(reference) => Err(Refusal::ImageNotFound(reference.asked())),
            Err(BadReference(why)) => Err(Refusal::BadImageReference(why)),
        }
    }

    /// Takes an image in, in the place of its former self.
    pub(crate) fn put(&mut self, image: Image) {
        if let Some(former) = self.by_id.get(&image.id).cloned() {
            for tag in &former.tags {
                self.by_tag.remove_mut(tag);
            }
        }
        for tag in &image.tags {
            self.by_tag.insert_mut(tag.clone(), image.id.clone());
        }
        self.by_id.insert_mut(image.id.clone(), Arc::new(image));
    }

    /// Gives a name to an image, and takes it from the one that had it: that one's id comes back.
    fn name(&mut self, id: &str, tag: String) -> Option<String> {
        let former = self.by_tag.get(&tag).filter(|former| *former != id).cloned();
        if let Some(former) = &former {
            self.unname(former, &tag);
        }
        if let Some(image) = self.by_id.get(id) {
            let mut image = Image::clone(image);
            if !image.tags.contains(&tag) {
                image.tags.push(tag);
                image.tags.sort();
            }
            self.put(image);
        }
        former
    }

    fn unname(&mut self, id: &str, tag: &str) {
        if let Some(image) = self.by_id.get(id) {
            let mut image = Image::clone(image);
            image.tags.retain(|other| other != tag);
            self.put(image);
        }
    }

    fn take(&mut self, id: &str) {
        if let Some(image) = self.by_id.get(id).cloned() {
            for tag in &image.tags {
                self.by_tag.remove_mut(tag);
            }
            self.by_id.remove_mut(id);
        }
    }
}
