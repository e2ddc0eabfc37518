//! A service manager that started this program: sockets that it hands over, and what it wants to be told.

use std::env;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};

use listenfd::ListenFd;

use crate::failure::{Failure, Outcome};

/// The sockets that it has opened for us: none if nobody did.
pub(crate) fn sockets() -> Outcome<Vec<UnixListener>> {
    let mut inherited = ListenFd::from_env();
    let mut sockets = Vec::new();
    for at in 0..inherited.len() {
        let socket = inherited.take_unix_listener(at).map_err(|error| {
            Failure::new(format!(
                "socket {at} of the service manager is none to listen on: {error}"
            ))
            .hint("`ListenStream=/run/docknet.sock` in the socket unit makes one")
        })?;
        sockets.extend(socket);
    }
    Ok(sockets)
}

/// Tells it of a change, if it wants to know: `sd_notify(3)`.
pub(crate) fn tell(change: &str) {
    let Some(name) = env::var_os("NOTIFY_SOCKET") else { return };
    let address = match name.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(&name),
    };
    // Who does not hear it waits for it in vain, and says so.
    let _ = address
        .and_then(|address| UnixDatagram::unbound()?.send_to_addr(change.as_bytes(), &address));
}
