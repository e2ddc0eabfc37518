//! Archives of images, as `docker save` and its like write them: which images are in them, and where in the archive their parts are.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read};
use std::path::{Component, Path};

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tar::{Archive, EntryType};

use super::view::architecture;
use crate::core::image::{BadReference, Reference};

/// What describes images is no longer than this, each and together.
const LONGEST: u64 = 4 << 20;
const LONGEST_TOGETHER: usize = 64 << 20;

/// An archive, looked through once.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// What may describe images, whole.
    documents: HashMap<String, Vec<u8>>,
    /// Where each file is, and how long it is, in bytes.
    places: HashMap<String, (u64, u64)>,
    /// Names for other files of the archive.
    links: HashMap<String, String>,
}

/// An image in an archive.
#[derive(Debug)]
pub(super) struct Found {
    /// The names that it is to have, perhaps none.
    pub(super) names: Vec<Reference>,
    /// The document that describes it, byte for byte: it is named by its digest.
    pub(super) document: Vec<u8>,
    pub(super) description: Description,
    /// Its layers' names in the archive, the lowest first.
    pub(super) layers: Vec<String>,
}

/// What an image says of itself (OCI image specification, `config.md`).
#[derive(Debug, Default, Deserialize)]
pub(super) struct Description {
    #[serde(default)]
    pub(super) architecture: String,
    #[serde(default)]
    pub(super) created: Option<Timestamp>,
    /// What its containers are made with.
    #[serde(default)]
    pub(super) config: Option<Map<String, Value>>,
    #[serde(default)]
    pub(super) rootfs: RootFs,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct RootFs {
    /// Of its layers, without compression.
    #[serde(default)]
    pub(super) diff_ids: Vec<String>,
}

/// Docker's own list of what is in an archive.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Option<Vec<String>>,
}

/// What an OCI layout points with.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pointer {
    digest: String,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    #[serde(default)]
    platform: Option<Platform>,
}

#[derive(Deserialize)]
struct Platform {
    architecture: String,
}

/// An OCI index, or a manifest.
#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    manifests: Vec<Pointer>,
    #[serde(default)]
    config: Option<Pointer>,
    #[serde(default)]
    layers: Vec<Pointer>,
}

impl Index {
    /// Looks an archive through.
    pub(super) fn read(archive: impl Read) -> io::Result<Self> {
        let mut index = Self::default();
        let mut held = 0;
        for entry in Archive::new(archive).entries()? {
            let mut entry = entry?;
            let Some(name) = plain_name(&entry.path()?) else { continue };
            match entry.header().entry_type() {
                EntryType::Symlink | EntryType::Link => {
                    let to = entry.link_name()?.unwrap_or_default();
                    // As old versions of Docker write the second use of a layer, beside the file or from the top.
                    let beside = Path::new(&name).with_file_name(&*to);
                    let to = plain_name(&beside).or_else(|| plain_name(&to));
                    index.links.extend(to.map(|to| (name, to)));
                }
                EntryType::Regular | EntryType::Continuous => {
                    let size = entry.size();
                    index.places.insert(name.clone(), (entry.raw_file_position(), size));
                    if size > LONGEST {
                        continue;
                    }
                    let mut bytes = vec![0];
                    if entry.read(&mut bytes)? == 0 || !matches!(bytes[0], b'{' | b'[') {
                        continue;
                    }
                    entry.read_to_end(&mut bytes)?;
                    held += bytes.len();
                    if held > LONGEST_TOGETHER {
                        return Err(wrong("it describes more than anybody has images".to_owned()));
                    }
                    index.documents.insert(name, bytes);
                }
                _ => {}
            }
        }
        Ok(index)
    }

    /// All images of the archive.
    pub(super) fn images(&self) -> io::Result<Vec<Found>> {
        if self.documents.contains_key("manifest.json") {
            let listed: Vec<Listed> = self.document("manifest.json")?;
            return listed.into_iter().map(|listed| self.listed(listed)).collect();
        }
        if self.documents.contains_key("index.json") {
            let index: Manifest = self.document("index.json")?;
            return index.manifests.iter().map(|pointer| self.pointed_at(pointer)).collect();
        }
        Err(io::Error::other("manifest.json: no such file or directory"))
    }

    /// Where a file of the archive begins, and how long it is.
    pub(super) fn place(&self, name: &str) -> io::Result<(u64, u64)> {
        let name = plain_name(Path::new(name)).unwrap_or_default();
        let name = self.links.get(&name).unwrap_or(&name);
        self.places.get(name).copied().ok_or_else(|| missing(name))
    }

    fn listed(&self, Listed { config, repo_tags, layers }: Listed) -> io::Result<Found> {
        self.found(&config, repo_tags.unwrap_or_default(), layers.unwrap_or_default())
    }

    fn pointed_at(&self, pointer: &Pointer) -> io::Result<Found> {
        /// The names that tools give, from the fullest one to the one that may be a tag only.
        const NAMES: [&str; 2] = ["io.containerd.image.name", "org.opencontainers.image.ref.name"];
        let name = NAMES.iter().find_map(|key| pointer.annotations.get(*key)).cloned();
        let mut manifest: Manifest = self.document(&blob(&pointer.digest))?;
        if manifest.config.is_none() {
            // One image for several kinds of machines: ours, or else the first.
            let fits = |pointer: &Pointer| {
                pointer.platform.as_ref().is_some_and(|of| of.architecture == architecture())
            };
            let all = &manifest.manifests;
            let chosen = all.iter().find(|pointer| fits(pointer)).or_else(|| all.first());
            let chosen = chosen.ok_or_else(|| wrong("an index in it is empty".to_owned()))?;
            manifest = self.document(&blob(&chosen.digest))?;
        }
        let config =
            manifest.config.ok_or_else(|| wrong("a manifest in it has no config".to_owned()))?;
        let layers = manifest.layers.iter().map(|layer| blob(&layer.digest)).collect();
        self.found(&blob(&config.digest), name.into_iter().collect(), layers)
    }

    fn found(&self, config: &str, names: Vec<String>, layers: Vec<String>) -> io::Result<Found> {
        let description: Description = self.document(config)?;
        let known = description.rootfs.diff_ids.len();
        if known != layers.len() {
            let count = layers.len();
            return Err(wrong(format!("{config} names {known} layers, and the archive {count}")));
        }
        let parsed = |name: String| {
            Reference::parse(&name).map_err(|BadReference(why)| wrong(format!("{name}: {why}")))
        };
        let names = names.into_iter().map(parsed).collect::<io::Result<_>>()?;
        let document = self.documents.get(config).cloned().unwrap_or_default();
        Ok(Found { names, document, description, layers })
    }

    fn document<T: DeserializeOwned>(&self, name: &str) -> io::Result<T> {
        let bytes = self.documents.get(name).ok_or_else(|| missing(name))?;
        serde_json::from_slice(bytes).map_err(|why| wrong(format!("{name}: {why}")))
    }
}

fn blob(digest: &str) -> String {
    format!("blobs/{}", digest.replacen(':', "/", 1))
}

fn missing(name: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("{name}: no such file or directory"))
}

fn wrong(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// A name in an archive without what means nothing; none if it leads elsewhere.
fn plain_name(path: &Path) -> Option<String> {
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => parts.push(name.to_str()?),
            Component::ParentDir => drop(parts.pop()?),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(files: &[(&str, &str)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, text) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            builder.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn images(files: &[(&str, &str)]) -> io::Result<Vec<Found>> {
        Index::read(&*archive(files))?.images()
    }

    fn tags(found: &Found) -> Vec<String> {
        found.names.iter().map(Reference::tagged).collect()
    }

    const CONFIG: &str =
        r#"{"architecture":"amd64","config":{"Cmd":["app"]},"rootfs":{"diff_ids":["sha256:1"]}}"#;

    #[test]
    fn what_docker_saves_is_read() {
        let manifest = r#"[{"Config":"c.json","RepoTags":["a:1","b:2"],"Layers":["l/layer.tar"]},
                           {"Config":"c.json","RepoTags":null,"Layers":["l/layer.tar"]}]"#;
        let files = [("l/layer.tar", "x"), ("c.json", CONFIG), ("manifest.json", manifest)];
        let found = images(&files).unwrap();
        assert_eq!(tags(&found[0]), ["a:1", "b:2"]);
        assert_eq!(found[0].layers, ["l/layer.tar"]);
        assert_eq!(found[0].document, CONFIG.as_bytes());
        assert_eq!(
            found[0].description.config.as_ref().unwrap()["Cmd"],
            serde_json::json!(["app"])
        );
        assert!(found[1].names.is_empty());
        let index = Index::read(&*archive(&files)).unwrap();
        assert_eq!(index.place("./l/layer.tar").unwrap(), (512, 1));
    }

    #[test]
    fn what_others_save_is_read() {
        let config = r#"{"digest":"sha256:c"}"#;
        let manifest = format!(r#"{{"config":{config},"layers":[{{"digest":"sha256:l"}}]}}"#);
        let many = r#"{"manifests":[{"digest":"sha256:other","platform":{"architecture":"none"}},
                       {"digest":"sha256:m"}]}"#;
        let many = many.replace("sha256:other", "sha256:m").replace("none", architecture());
        let index = r#"{"manifests":[{"digest":"sha256:many","annotations":{"org.opencontainers.image.ref.name":"app:1"}}]}"#;
        let files = [
            ("index.json", index),
            ("blobs/sha256/many", &many),
            ("blobs/sha256/m", &manifest),
            ("blobs/sha256/c", CONFIG),
        ];
        let found = images(&files).unwrap();
        assert_eq!(tags(&found[0]), ["app:1"]);
        assert_eq!(found[0].layers, ["blobs/sha256/l"]);
    }

    #[test]
    fn what_is_no_archive_of_images_is_refused() {
        let entry = r#"[{"Config":"c.json","Layers":[]}]"#;
        let named = r#"[{"Config":"c.json","Layers":["l"],"RepoTags":["No:Name"]}]"#;
        for (files, why) in [
            (&[("a", "b")][..], "manifest.json: no such file or directory"),
            (&[("manifest.json", "[1]")], "manifest.json: invalid type"),
            (&[("manifest.json", entry)], "c.json: no such file or directory"),
            (
                &[("manifest.json", entry), ("c.json", CONFIG)],
                "c.json names 1 layers, and the archive 0",
            ),
            (&[("manifest.json", named), ("c.json", CONFIG)], "No:Name: invalid reference format"),
        ] {
            let refused = images(files).unwrap_err().to_string();
            assert!(refused.starts_with(why), "{refused}");
        }
        assert!(Index::read(&b"no archive at all"[..]).is_err());
    }
}
