//! The engine on a socket.

mod address;
mod connection;
mod error;
mod reply;
#[cfg(unix)]
mod socket;
mod stop;
#[cfg(test)]
#[cfg(unix)]
mod tests;

use std::io;
use std::time::Duration;

use http::Request;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};
use tokio::task::{JoinHandle, JoinSet};

pub use self::address::ListenAddress;
use self::address::Place;
pub use self::error::ServeError;
#[cfg(unix)]
use self::socket::SocketFile;
use self::stop::{Stop, Stopper};
use crate::api::answer::Answer;
use crate::api::body::RequestBody;

/// What answers requests, whatever carries them.
pub(crate) trait Service: Clone + Send + Sync + 'static {
    /// Dropped before its end, where the client went away.
    fn answer(&self, request: Request<RequestBody>) -> impl Future<Output = Answer> + Send;
}

/// An engine that listens at an address.
///
/// Dropped, it stops at once: connections are closed in the middle of what they do, and a Unix socket's file is removed.
/// [`shutdown`](Self::shutdown) lets requests finish first.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use docknet::Client;
/// use docknet_engine::Engine;
///
/// let engine = Engine::memory().start().await?;
/// let server = engine.serve(&"tcp://127.0.0.1:0".parse()?).await?;
/// let client = Client::connect(&server.address().to_string())?;
/// assert_eq!(client.networks().list().await?.len(), 3);
/// server.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Server {
    address: ListenAddress,
    stopper: Stopper,
    accepting: JoinHandle<()>,
    #[cfg(unix)]
    file: Option<SocketFile>,
}

impl Server {
    /// Where it listens, with the port that was found where any was asked for.
    #[must_use]
    pub fn address(&self) -> &ListenAddress {
        &self.address
    }

    /// Takes no connection any more, ends streams, and lets requests finish for up to ten seconds.
    pub async fn shutdown(self) {
        self.shutdown_within(Duration::from_secs(10)).await;
    }

    /// The same with another limit.
    pub async fn shutdown_within(mut self, limit: Duration) {
        #[cfg(unix)]
        drop(self.file.take());
        self.stopper.stop();
        if tokio::time::timeout(limit, &mut self.accepting).await.is_err() {
            tracing::warn!(address = %self.address, "requests were cut off by the shutdown");
            self.accepting.abort();
            // Connections are dropped with their task.
            let _ = (&mut self.accepting).await;
        }
    }

    fn start<S: Service>(listener: Listener, address: ListenAddress, service: S) -> Self {
        tracing::info!(%address, "listening");
        let (stopper, stop) = Stop::new();
        let accepting = tokio::spawn(accept(listener, service, stop));
        Self {
            address,
            stopper,
            accepting,
            #[cfg(unix)]
            file: None,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The file first: as long as its socket is open, no other file can be taken for it.
        #[cfg(unix)]
        drop(self.file.take());
        self.accepting.abort();
    }
}

/// Answers whoever connects to an address. Needs a runtime of tokio with I/O and time.
pub(crate) async fn serve<S: Service>(
    address: &ListenAddress,
    service: S,
) -> Result<Server, ServeError> {
    match address.place() {
        #[cfg(unix)]
        Place::Unix(path) => {
            let (listener, file) = socket::listen(path).await?;
            let mut server = Server::start(Listener::Unix(listener), address.clone(), service);
            server.file = Some(file);
            Ok(server)
        }
        Place::Tcp { host, port } => {
            let failed =
                |error| ServeError::from_io(format_args!("cannot listen at {address}"), error);
            let listener = TcpListener::bind((host.as_str(), *port)).await.map_err(failed)?;
            let found = listener.local_addr().map_err(failed)?;
            if !found.ip().is_loopback() {
                tracing::warn!(
                    address = %found,
                    "whoever reaches this address controls the engine: there is no TLS"
                );
            }
            let address = Place::Tcp { host: host.clone(), port: found.port() }.into();
            Ok(Server::start(Listener::Tcp(listener), address, service))
        }
        _ => Err(ServeError::new(format!("cannot listen at {address} on this system"))),
    }
}

/// Answers whoever connects to a socket that was handed over. Its file is not ours to remove.
#[cfg(unix)]
pub(crate) fn serve_inherited<S: Service>(
    listener: std::os::unix::net::UnixListener,
    service: S,
) -> Result<Server, ServeError> {
    let failed = |error| ServeError::from_io("cannot listen on the socket that was given", error);
    listener.set_nonblocking(true).map_err(failed)?;
    let name = listener.local_addr().map_err(failed)?;
    let place = name.as_pathname().map_or(Place::Unnamed, |path| Place::Unix(path.to_owned()));
    let listener = UnixListener::from_std(listener).map_err(failed)?;
    Ok(Server::start(Listener::Unix(listener), place.into(), service))
}

enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener),
}

/// Takes connections until the end, and then waits for those that are left.
async fn accept<S: Service>(listener: Listener, service: S, stop: Stop) {
    let mut connections = JoinSet::new();
    let mut stopped = stop.stopped();
    loop {
        let accepted = tokio::select! {
            () = stopped.as_mut() => break,
            accepted = listener.accept() => accepted,
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "a connection broke down");
                }
                continue;
            }
        };
        let (service, stop) = (service.clone(), stop.clone());
        match accepted {
            Ok(Accepted::Tcp(stream)) => {
                // A socket that takes no options serves as well.
                let _ = prepare(&stream);
                connections.spawn(connection::serve(stream, service, stop));
            }
            #[cfg(unix)]
            Ok(Accepted::Unix(stream)) => {
                connections.spawn(connection::serve(stream, service, stop));
            }
            // The client gave up already.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                // Out of files as a rule: it passes when connections end.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(AFTER_A_FAILURE).await;
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

const AFTER_A_FAILURE: Duration = Duration::from_millis(50);

fn prepare(stream: &TcpStream) -> io::Result<()> {
    // An answer is one write; waiting for more would only delay it.
    stream.set_nodelay(true)?;
    // A machine that went away says nothing, and its streams would be kept for ever.
    let keepalive = TcpKeepalive::new().with_time(SILENCE);
    SockRef::from(stream).set_tcp_keepalive(&keepalive)
}

const SILENCE: Duration = Duration::from_secs(60);

enum Accepted {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Listener {
    async fn accept(&self) -> io::Result<Accepted> {
        match self {
            Self::Tcp(listener) => Ok(Accepted::Tcp(listener.accept().await?.0)),
            #[cfg(unix)]
            Self::Unix(listener) => Ok(Accepted::Unix(listener.accept().await?.0)),
        }
    }
}
