//! The word that the service closes: streams and loops end on it.

use tokio::sync::watch;

/// Tells whether the service closes.
#[derive(Clone)]
pub(crate) struct Closing(watch::Receiver<bool>);

/// Says that the service closes. Dropped, it says so, too.
pub(crate) struct Close(watch::Sender<bool>);

/// The two ends.
pub(crate) fn closing() -> (Close, Closing) {
    let (close, closing) = watch::channel(false);
    (Close(close), Closing(closing))
}

impl Close {
    /// Says it.
    pub(crate) fn now(&self) {
        self.0.send_replace(true);
    }
}

impl Closing {
    /// Waits until it is said.
    pub(crate) async fn wait(&mut self) {
        // An error means that nobody is left who could say it.
        let _ = self.0.wait_for(|closes| *closes).await;
    }

    /// Whether it was said.
    pub(crate) fn is_said(&self) -> bool {
        *self.0.borrow()
    }
}
