//! Images that clients send: what is in them, and on the kernel their files, too.

#[cfg(kernel)]
mod kept;

use std::io::{self, Read};

use bytes::{Buf as _, Bytes};
use serde_json::{Map, Value};
use tokio::sync::mpsc;

use super::archive::{Found, Index};
use crate::api::Api;
use crate::api::body::RequestBody;
use crate::core::image::{Reference, Taken};

/// An image of an archive, and the names that it is to have.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) names: Vec<Reference>,
    pub(super) taken: Taken,
}

/// Takes the images of an archive in.
pub(super) async fn load(api: &Api, body: RequestBody) -> io::Result<Vec<Sent>> {
    #[cfg(kernel)]
    if let Some(images) = api.engine.images.clone() {
        return fed(body, move |archive| kept::load(&images, archive)).await;
    }
    #[cfg(not(kernel))]
    let _ = api;
    fed(body, |mut archive| {
        let index = Index::read(&mut archive)?;
        let size = archive.finish()?;
        let found = index.images()?.into_iter();
        Ok(found.map(|found| described(found, Taken { size, ..Taken::default() })).collect())
    })
    .await
}

/// Takes a tree of files in, as an image with these settings.
pub(super) async fn import(
    api: &Api,
    body: RequestBody,
    settings: Map<String, Value>,
) -> io::Result<Taken> {
    #[cfg(kernel)]
    if let Some(images) = api.engine.images.clone() {
        return fed(body, move |files| kept::import(&images, files, settings)).await;
    }
    #[cfg(not(kernel))]
    let _ = api;
    let size = fed(body, Chunks::finish).await?;
    Ok(Taken { size, settings, ..Taken::default() })
}

fn described(found: Found, taken: Taken) -> Sent {
    let Found { names, description, .. } = found;
    let taken = Taken {
        created: description.created,
        settings: description.config.unwrap_or_default(),
        layers: description.rootfs.diff_ids,
        architecture: description.architecture,
        ..taken
    };
    Sent { names, taken }
}

/// Lets a thread that may wait read a body while it comes.
async fn fed<T: Send + 'static>(
    mut body: RequestBody,
    read: impl FnOnce(Chunks) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (chunks, incoming) = mpsc::channel(4);
    let reader = tokio::task::spawn_blocking(move || {
        read(Chunks { incoming, ended: false, current: Bytes::new(), length: 0 })
    });
    while let Some(chunk) = body.next_chunk().await {
        let broken = chunk.as_ref().err().map(ToString::to_string);
        // To the reader, what breaks off must not look like an end.
        let chunk = chunk.map(Some).map_err(|why| io::Error::other(why.to_string()));
        let sent = chunks.send(chunk).await;
        if let Some(why) = broken {
            drop(chunks);
            reader.await.map_err(io::Error::other)?.map(drop).ok();
            return Err(io::Error::other(why));
        }
        if sent.is_err() {
            break;
        }
    }
    // If the reader has ended already, a client that still writes would not hear why: the rest goes by.
    while let Some(Ok(_)) = body.next_chunk().await {}
    let _ = chunks.send(Ok(None)).await;
    drop(chunks);
    reader.await.map_err(io::Error::other)?
}

/// Pieces that come, as a reader.
struct Chunks {
    /// Nothing is the end. If it does not come, whoever fed it is gone, and this is not all.
    incoming: mpsc::Receiver<io::Result<Option<Bytes>>>,
    ended: bool,
    current: Bytes,
    /// Of what was read, in bytes.
    length: u64,
}

impl Chunks {
    /// Reads what is left, and says how long all of it was.
    fn finish(mut self) -> io::Result<u64> {
        io::copy(&mut self, &mut io::sink())?;
        Ok(self.length)
    }
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() && !self.ended {
            match self.incoming.blocking_recv() {
                Some(chunk) => match chunk? {
                    Some(chunk) => self.current = chunk,
                    None => self.ended = true,
                },
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        let length = buffer.len().min(self.current.len());
        if let Some(buffer) = buffer.get_mut(..length) {
            self.current.copy_to_slice(buffer);
        }
        self.length += length as u64;
        Ok(length)
    }
}
