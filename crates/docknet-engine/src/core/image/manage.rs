//! Taking images in, naming them and taking them away.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{Image, Reference};
use crate::core::event::ImageRef;
use crate::core::image::BadReference;
use crate::core::refusal::Refusal;
use crate::core::tx::{Touched, Tx};

/// Where an image comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// An archive of files.
    Import,
    /// An archive of images.
    Load,
    /// A registry, if there were one.
    Pull,
}

/// What is taken in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taken {
    /// Made up if nothing is known from which it follows.
    pub(crate) id: Option<String>,
    /// In bytes.
    pub(crate) size: u64,
    pub(crate) created: Option<Timestamp>,
    pub(crate) settings: Map<String, Value>,
    pub(crate) layers: Vec<String>,
    pub(crate) architecture: String,
    pub(crate) has_files: bool,
}

/// What a removal did, as it is answered.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) enum Removal {
    Deleted(String),
    Untagged(String),
}

/// Adds an image of this name with nothing in it, unless there is one. What cannot be a name adds nothing.
pub(crate) fn add(tx: &mut Tx<'_>, name: &str) {
    let Ok(name) = Reference::parse(name) else { return };
    let tag = name.tagged();
    if tx.state.images.find(&tag).is_err() {
        let id = format!("sha256:{}", tx.given.draw.id());
        let created = tx.given.now;
        tx.state.images.put(Image { id: id.clone(), created, ..Image::default() });
        name_it(tx, &id, tag);
    }
}

/// Takes an image in, with a name if it has one, and gives its id. What is pulled and here already stays as it is.
pub(crate) fn register(
    tx: &mut Tx<'_>,
    source: Source,
    name: Option<&Reference>,
    taken: Taken,
) -> String {
    let tag = name.map(Reference::tagged);
    let here =
        tag.as_ref().and_then(|tag| tx.state.images.find(tag).ok()).map(|image| image.id.clone());
    let id = match here {
        Some(id) if source == Source::Pull => id,
        _ => {
            let Taken { id, size, created, settings, layers, architecture, has_files } = taken;
            let id = id.unwrap_or_else(|| format!("sha256:{}", tx.given.draw.id()));
            let comment = match source {
                Source::Import => "Imported from -",
                Source::Load | Source::Pull => "",
            };
            // What is here already keeps its names.
            let tags = tx.state.images.get(&id).map(|here| here.tags.clone()).unwrap_or_default();
            tx.state.images.put(Image {
                id: id.clone(),
                tags,
                created: created.unwrap_or(tx.given.now),
                size,
                comment: comment.to_owned(),
                settings,
                layers,
                architecture,
                has_files,
            });
            id
        }
    };
    let labels = std::collections::BTreeMap::new();
    let image = ImageRef { id: &id, labels: &labels };
    match source {
        Source::Import => tx.events.image_import(image, tag.as_deref()),
        Source::Load => tx.events.image_load(image),
        Source::Pull => {
            if let Some(name) = name {
                tx.events.image_pull(&name.tagged(), &name.name, &labels);
            }
        }
    }
    if let Some(tag) = tag {
        name_it(tx, &id, tag);
    }
    tx.touch(Touched::Image(id.clone()));
    id
}

/// Gives an image one more name.
pub(crate) fn tag(tx: &mut Tx<'_>, term: &str, name: &str) -> Result<(), Refusal> {
    let name =
        Reference::parse(name).map_err(|BadReference(why)| Refusal::BadImageReference(why))?;
    let id = tx.state.images.find(term)?.id.clone();
    let tag = name.tagged();
    tx.events.image_tag(ImageRef { id: &id, labels: &std::collections::BTreeMap::new() }, &tag);
    name_it(tx, &id, tag);
    Ok(())
}

fn name_it(tx: &mut Tx<'_>, id: &str, tag: String) {
    if let Some(former) = tx.state.images.name(id, tag) {
        tx.touch(Touched::Image(former));
    }
    tx.touch(Touched::Image(id.to_owned()));
}

/// Takes a name from an image, and the image away with its last one, unless containers use it.
pub(crate) fn remove(tx: &mut Tx<'_>, term: &str, force: Force) -> Result<Vec<Removal>, Refusal> {
    let image = tx.state.images.find(term)?.clone();
    let labels = std::collections::BTreeMap::new();
    let by_name = Reference::parse(term)
        .ok()
        .map(|name| name.tagged())
        .filter(|tag| image.tags.contains(tag));
    let users = tx.state.containers().filter(|container| container.config.image_id == image.id);
    let user = users.max_by_key(|container| container.is_running()).cloned();
    let short =
        |id: &str| id.strip_prefix("sha256:").and_then(|id| id.get(..12)).unwrap_or(id).to_owned();
    let mut done = Vec::new();
    match by_name {
        Some(tag) if image.tags.len() > 1 => {
            tx.state.images.unname(&image.id, &tag);
            tx.events.image_untag(ImageRef { id: &image.id, labels: &labels }, &tag);
            tx.touch(Touched::Image(image.id.clone()));
            return Ok(vec![Removal::Untagged(tag)]);
        }
        Some(tag) => {
            if let Some(user) = &user
                && (force == Force::No || user.is_running())
            {
                let how = if force == Force::No { "must force" } else { "cannot force" };
                return Err(Refusal::ImageInUse(format!(
                    "conflict: unable to remove repository reference {term:?} ({how}) - container {} is using its referenced image {}",
                    user.id.short(),
                    short(&image.id)
                )));
            }
            done.push(Removal::Untagged(tag));
        }
        None => {
            if let Some(user) = &user {
                let (how, what) = match user.is_running() {
                    true => ("cannot be forced", "running"),
                    false => ("must be forced", "stopped"),
                };
                if user.is_running() || force == Force::No {
                    return Err(Refusal::ImageInUse(format!(
                        "conflict: unable to delete {} ({how}) - image is being used by {what} container {}",
                        short(&image.id),
                        user.id.short()
                    )));
                }
            }
            if image.tags.len() > 1 && force == Force::No {
                return Err(Refusal::ImageInUse(format!(
                    "conflict: unable to delete {} (must be forced) - image is referenced in multiple repositories",
                    short(&image.id)
                )));
            }
            done.extend(image.tags.iter().cloned().map(Removal::Untagged));
        }
    }
    for tag in &image.tags {
        tx.events.image_untag(ImageRef { id: &image.id, labels: &labels }, tag);
    }
    delete(tx, &image);
    done.push(Removal::Deleted(image.id.clone()));
    Ok(done)
}

/// Whether stopped containers and further names are no reason to keep an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Force {
    No,
    Yes,
}

/// Takes every image away that has no name and no container.
pub(crate) fn prune(tx: &mut Tx<'_>) -> (Vec<Removal>, u64) {
    let used: std::collections::BTreeSet<String> =
        tx.state.containers().map(|container| container.config.image_id.clone()).collect();
    let unused: Vec<_> = tx
        .state
        .images
        .iter()
        .filter(|image| image.tags.is_empty() && !used.contains(&image.id))
        .cloned()
        .collect();
    let mut size = 0;
    let mut removed = Vec::with_capacity(unused.len());
    for image in unused {
        delete(tx, &image);
        size += image.size;
        removed.push(Removal::Deleted(image.id.clone()));
    }
    (removed, size)
}

fn delete(tx: &mut Tx<'_>, image: &Image) {
    tx.events.image_delete(ImageRef { id: &image.id, labels: &std::collections::BTreeMap::new() });
    tx.state.images.take(&image.id);
    tx.touch(Touched::Image(image.id.clone()));
}
