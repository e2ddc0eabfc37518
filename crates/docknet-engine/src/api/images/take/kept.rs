//! Images whose files are kept.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::super::archive::{Found, Index};
use super::super::view::architecture;
use super::{Sent, described};
use crate::core::image::Taken;
use crate::images::{Images, Incoming, digest, plain, unpack};

/// Takes all images of an archive in, or none.
pub(super) fn load(images: &Images, archive: impl Read + Send) -> io::Result<Vec<Sent>> {
    // What describes an image may come after its layers, so the archive has to be there as a whole first.
    let mut file = images.scratch()?;
    io::copy(&mut plain(archive)?, &mut file)?;
    file.rewind()?;
    let index = Index::read(io::BufReader::new(&file))?;
    let found = index.images()?.into_iter().map(|found| {
        let id = digest(&found.document);
        let (incoming, size) = unpacked(images, &index, &file, &found)?;
        let taken = Taken { id: Some(id.clone()), size, has_files: true, ..Taken::default() };
        Ok((incoming, id, described(found, taken)))
    });
    let found = found.collect::<io::Result<Vec<_>>>()?.into_iter();
    let kept = found.map(|(incoming, id, sent)| incoming.keep(&id).map(|()| sent));
    kept.collect()
}

fn unpacked(
    images: &Images,
    index: &Index,
    mut archive: &File,
    found: &Found,
) -> io::Result<(Incoming, u64)> {
    let incoming = images.begin()?;
    let mut size = 0;
    for (name, expected) in found.layers.iter().zip(&found.description.rootfs.diff_ids) {
        let (at, length) = index.place(name)?;
        archive.seek(SeekFrom::Start(at))?;
        let layer = plain(archive.take(length)).and_then(|layer| unpack(incoming.dir(), layer));
        let layer = layer.map_err(|why| io::Error::new(why.kind(), format!("{name}: {why}")))?;
        if layer.digest != *expected {
            let why = format!("{name}: its digest is {}, and should be {expected}", layer.digest);
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        size += layer.size;
    }
    Ok((incoming, size))
}

/// Takes a tree of files in.
pub(super) fn import(
    images: &Images,
    files: impl Read + Send,
    settings: Map<String, Value>,
) -> io::Result<Taken> {
    let incoming = images.begin()?;
    let layer = unpack(incoming.dir(), plain(files)?)?;
    let created = Timestamp::now();
    let document = json!({
        "architecture": architecture(),
        "config": settings,
        "created": created,
        "os": "linux",
        "rootfs": { "type": "layers", "diff_ids": [layer.digest] },
    });
    let id = digest(document.to_string().as_bytes());
    incoming.keep(&id)?;
    Ok(Taken {
        id: Some(id),
        size: layer.size,
        created: Some(created),
        settings,
        layers: vec![layer.digest],
        architecture: architecture().to_owned(),
        has_files: true,
    })
}
