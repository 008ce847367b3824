//! What the engine could not do: counted here, since a store that fails cannot keep it.

use std::sync::{Mutex, PoisonError};

use crate::engine::Engine;

/// What the engine could not do since it was built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// How often it could not do its part.
    pub count: u64,
    /// What it was, the last time. For the operator's log; never for a caller.
    pub last: Option<Box<str>>,
}

/// See [`Failures`].
#[derive(Debug, Default)]
pub(super) struct Failed(Mutex<Failures>);

impl Failed {
    /// Counts one.
    pub(super) fn note(&self, what: &str) {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failures.count = failures.count.saturating_add(1);
        failures.last = Some(what.into());
    }
}

impl Engine {
    /// What the engine could not do since it was built: a service whose engine fails is not ready.
    pub fn failures(&self) -> Failures {
        self.inner
            .failed
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
