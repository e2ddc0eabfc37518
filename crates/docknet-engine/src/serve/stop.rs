//! The signal that a server stops.

use std::pin::Pin;

use tokio::sync::watch;

/// Who waits for the end.
#[derive(Clone, Debug)]
pub(super) struct Stop(watch::Receiver<bool>);

/// A future that is done when the server stops; once it is, it is not polled again.
pub(super) type Stopped = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Who says that it has come.
#[derive(Debug)]
pub(super) struct Stopper(watch::Sender<bool>);

impl Stop {
    pub(super) fn new() -> (Stopper, Self) {
        let (sender, receiver) = watch::channel(false);
        (Stopper(sender), Self(receiver))
    }

    pub(super) fn stopped(&self) -> Stopped {
        let mut receiver = self.0.clone();
        // A sender that is gone says the same.
        Box::pin(async move { drop(receiver.wait_for(|stopped| *stopped).await) })
    }
}

impl Stopper {
    pub(super) fn stop(&self) {
        self.0.send_replace(true);
    }
}
