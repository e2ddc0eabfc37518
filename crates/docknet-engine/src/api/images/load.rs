//! Archives of images: which names are in them. They are read as they come, and nothing of them is kept.

use std::io::{self, Read};

use bytes::{Buf as _, Bytes};
use serde::Deserialize;
use tokio::sync::mpsc;

use crate::api::body::RequestBody;

/// A list of names is no longer than this.
const LONGEST_MANIFEST: u64 = 4 << 20;

/// What an archive has in it.
pub(super) struct Archive {
    /// The names of each image, perhaps none.
    pub(super) images: Vec<Vec<String>>,
    /// In bytes, all of it.
    pub(super) size: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ManifestEntry {
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
}

/// Reads a tape archive with Docker's `manifest.json` in it.
pub(super) async fn read(mut body: RequestBody) -> io::Result<Archive> {
    let (chunks, incoming) = mpsc::channel(4);
    let reader =
        tokio::task::spawn_blocking(move || names(Chunks { incoming, current: Bytes::new() }));
    let mut size = 0;
    let mut reads = true;
    while let Some(chunk) = body.next_chunk().await {
        let chunk = chunk.map_err(io::Error::other)?;
        size += chunk.len() as u64;
        // Once the names are known, the rest goes by.
        reads = reads && chunks.send(chunk).await.is_ok();
    }
    drop(chunks);
    let images = reader.await.map_err(io::Error::other)??;
    Ok(Archive { images, size })
}

fn names(archive: impl Read) -> io::Result<Vec<Vec<String>>> {
    let mut archive = tar::Archive::new(archive);
    for entry in archive.entries()? {
        let entry = entry?;
        if entry.path_bytes().as_ref() == b"manifest.json" {
            let mut json = Vec::new();
            entry.take(LONGEST_MANIFEST).read_to_end(&mut json)?;
            let entries: Vec<ManifestEntry> = serde_json::from_slice(&json)?;
            return Ok(entries
                .into_iter()
                .map(|entry| entry.repo_tags.unwrap_or_default())
                .collect());
        }
    }
    Err(io::Error::other("manifest.json: no such file or directory"))
}

/// Pieces that come, as a reader.
struct Chunks {
    incoming: mpsc::Receiver<Bytes>,
    current: Bytes,
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.incoming.blocking_recv() {
                Some(chunk) => self.current = chunk,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.current.len());
        if let Some(buffer) = buffer.get_mut(..length) {
            self.current.copy_to_slice(buffer);
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(files: &[(&str, &str)]) -> Bytes {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, text) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            builder.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap().into()
    }

    #[tokio::test]
    async fn the_names_of_an_archive_are_read() {
        let manifest =
            r#"[{"Config":"c","RepoTags":["a:1","b:2"],"Layers":["l"]},{"RepoTags":null}]"#;
        let bytes = archive(&[("layer.tar", "x"), ("manifest.json", manifest), ("last", "y")]);
        let size = bytes.len() as u64;
        let read = read(RequestBody::Whole(bytes)).await.unwrap();
        assert_eq!(read.images, [vec!["a:1".to_owned(), "b:2".to_owned()], vec![]]);
        assert_eq!(read.size, size);
    }

    #[tokio::test]
    async fn what_is_no_archive_is_refused() {
        for bytes in
            [Bytes::new(), Bytes::from_static(b"no archive at all"), archive(&[("a", "b")])]
        {
            assert!(read(RequestBody::Whole(bytes)).await.is_err());
        }
    }
}
