//! The seam between calls and engines: a request goes in, a response comes out.

mod body;
mod http1;
mod io;
mod record;
mod script;
#[cfg(all(unix, feature = "ssh"))]
mod ssh;
mod tcp;
#[cfg(feature = "tls")]
mod tls;
#[cfg(unix)]
mod unix;

use std::fmt;
use std::pin::Pin;

use bytes::Bytes;

pub use self::body::Body;
pub(crate) use self::http1::{Http1, outside_a_runtime};
pub(crate) use self::io::{Dial, Stream};
pub use self::record::{Exchange, Recorder};
pub use self::script::{Reply, Script, expect};
#[cfg(all(unix, feature = "ssh"))]
pub(crate) use self::ssh::Ssh;
pub(crate) use self::tcp::Tcp;
#[cfg(feature = "tls")]
pub(crate) use self::tls::Tls;
#[cfg(unix)]
pub(crate) use self::unix::Unix;

use crate::Result;

/// A future that can be stored and sent.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Anything that answers requests: a socket, an engine in the same process, a [script](Script) of a test, a
/// [recorder](Recorder) around any of them.
///
/// Requests have a path with the API version, and no host. Dropping the future gives the exchange up.
///
/// ```
/// use docknet::{Body, BoxFuture, Client, Result, Transport};
///
/// #[derive(Debug)]
/// struct Teapot;
///
/// impl Transport for Teapot {
///     fn send(&self, _: http::Request<bytes::Bytes>) -> BoxFuture<'_, Result<http::Response<Body>>> {
///         Box::pin(async {
///             let mut response = http::Response::new(Body::from("{}"));
///             *response.status_mut() = http::StatusCode::IM_A_TEAPOT;
///             Ok(response)
///         })
///     }
///
///     fn describe(&self) -> String {
///         "a teapot".to_owned()
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let error = Client::with_transport(Teapot).networks().get("x").await.unwrap_err();
/// assert_eq!(error.status(), Some(http::StatusCode::IM_A_TEAPOT));
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// Sends a request and gives the response, as soon as its head is there.
    ///
    /// # Errors
    /// `Connect` if nothing was sent, `Protocol` if the exchange broke; never for a status.
    fn send(&self, request: http::Request<Bytes>) -> BoxFuture<'_, Result<http::Response<Body>>>;

    /// Where requests go, for messages: `unix:///run/docker.sock`.
    fn describe(&self) -> String;
}

impl<T: Transport + ?Sized> Transport for std::sync::Arc<T> {
    fn send(&self, request: http::Request<Bytes>) -> BoxFuture<'_, Result<http::Response<Body>>> {
        (**self).send(request)
    }

    fn describe(&self) -> String {
        (**self).describe()
    }
}

/// Marks a request whose response goes on until somebody ends it: it takes no place among the connections that are
/// limited in number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Endless;
