//! TCP without encryption.

use tokio::net::TcpStream;

use super::{BoxFuture, Dial, Stream};
use crate::host::Authority;
use crate::{Error, ErrorKind, Result};

#[derive(Debug)]
pub(crate) struct Tcp {
    authority: Authority,
    host: String,
}

impl Tcp {
    pub(crate) fn new(authority: Authority) -> Self {
        let host = authority.header();
        Self { authority, host }
    }
}

impl Dial for Tcp {
    fn dial(&self) -> BoxFuture<'_, Result<Stream>> {
        Box::pin(async { connect(&self.authority).await.map(Stream::Tcp) })
    }

    fn host(&self) -> &str {
        &self.host
    }

    fn describe(&self) -> String {
        format!("tcp://{}", self.authority)
    }
}

/// Opens a TCP connection to an engine.
pub(super) async fn connect(authority: &Authority) -> Result<TcpStream> {
    let refuse = |error: std::io::Error| {
        Error::new(ErrorKind::Connect, format!("cannot connect to tcp://{authority}: {error}"))
            .with_source(error)
    };
    let stream =
        TcpStream::connect((authority.host.as_str(), authority.port)).await.map_err(refuse)?;
    // A request is one write; waiting for more would only delay it.
    stream.set_nodelay(true).map_err(refuse)?;
    Ok(stream)
}
