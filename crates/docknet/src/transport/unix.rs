//! Unix sockets.

use std::path::PathBuf;

use tokio::net::UnixStream;

use super::{BoxFuture, Dial, Stream};
use crate::{Error, ErrorKind, Result};

#[derive(Debug)]
pub(crate) struct Unix(pub(crate) PathBuf);

impl Dial for Unix {
    fn dial(&self) -> BoxFuture<'_, Result<Stream>> {
        Box::pin(async {
            let stream = UnixStream::connect(&self.0).await.map_err(|error| {
                Error::new(
                    ErrorKind::Connect,
                    format!("cannot connect to {}: {error}", self.describe()),
                )
                .with_source(error)
            })?;
            Ok(Stream::Unix(stream))
        })
    }

    fn host(&self) -> &str {
        // Any name does, but an empty one is refused by Go from 1.20.6 on, and so is a path.
        "localhost"
    }

    fn describe(&self) -> String {
        format!("unix://{}", self.0.display())
    }
}
