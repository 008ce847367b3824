//! A one-way door between threads: [`Latch::wait`] returns once somebody called [`Latch::open`].

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How long a test waits for an event before it fails: far more than any event here needs.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Closed at first, open for ever after the first [`open`](Latch::open). Cheap to clone.
#[derive(Clone, Default)]
pub struct Latch(Arc<(Mutex<bool>, Condvar)>);

impl Latch {
    /// A closed latch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets everybody through, now and later.
    pub fn open(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }

    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it is open; panics after [`PATIENCE`].
    pub fn wait(&self) {
        let closed = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_open, wait) = self
            .0
            .1
            .wait_timeout_while(closed, PATIENCE, |open| !*open)
            .unwrap();
        assert!(
            !wait.timed_out(),
            "nobody opened the latch within {PATIENCE:?}"
        );
    }
}
