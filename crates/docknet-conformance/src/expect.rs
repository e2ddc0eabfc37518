//! What behaviours say most often.

use std::fmt::Debug;
use std::time::Duration;

use docknet::{Error, ErrorKind, Result};

/// Demands that a call is refused as one of these kinds, and gives the refusal.
///
/// # Panics
/// If it is not.
#[track_caller]
pub fn refused<T: Debug>(result: Result<T>, kinds: &[ErrorKind]) -> Error {
    match result {
        Err(error) if kinds.contains(&error.kind()) => error,
        Err(error) => panic!("wanted {kinds:?}, got {:?}: {error}", error.kind()),
        Ok(value) => panic!("wanted {kinds:?}, and it was accepted: {value:?}"),
    }
}

/// Asks again and again, for ten seconds at most, until the answer is yes.
///
/// # Errors
/// What the question meets.
///
/// # Panics
/// If the answer stays no.
pub async fn soon<F>(what: &str, mut holds: impl FnMut() -> F) -> Result<()>
where
    F: Future<Output = Result<bool>>,
{
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    let mut pause = Duration::from_millis(10);
    while !holds().await? {
        assert!(tokio::time::Instant::now() < deadline, "not within ten seconds: {what}");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(250));
    }
    Ok(())
}
