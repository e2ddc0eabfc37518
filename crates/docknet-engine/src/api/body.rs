//! What comes with a request.

use bytes::Bytes;

/// The body of a request: whole already (a client in the same process), or on its way.
pub(crate) enum RequestBody {
    Whole(Bytes),
    Incoming(hyper::body::Incoming),
}
