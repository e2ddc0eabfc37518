//! Why an engine does not start.

use std::fmt;

use crate::StoreError;

/// Why an engine does not start: printed, it says what to do.
///
/// ```
/// # #[cfg(feature = "disk")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use docknet_engine::Engine;
///
/// let error = Engine::open("/dev/null/state").start().await.unwrap_err();
/// assert!(error.to_string().contains("/dev/null/state"), "{error}");
/// # }
/// # #[cfg(not(feature = "disk"))]
/// # fn main() {}
/// ```
#[derive(Debug)]
pub struct StartError(Cause);

#[derive(Debug)]
enum Cause {
    Refused(String),
    Store(StoreError),
}

impl StartError {
    pub(super) fn refused(why: String) -> Self {
        Self(Cause::Refused(why))
    }

    /// What is wrong with the state on disk, if it is that.
    #[must_use]
    pub fn store(&self) -> Option<&StoreError> {
        match &self.0 {
            Cause::Store(error) => Some(error),
            Cause::Refused(_) => None,
        }
    }
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        Self(Cause::Store(error))
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Cause::Refused(why) => write!(f, "the engine cannot make its own networks: {why}"),
            Cause::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            Cause::Refused(_) => None,
            Cause::Store(error) => error.source(),
        }
    }
}
