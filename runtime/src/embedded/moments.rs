//! The time and the randomness that the engine is given: it reads no clock and draws nothing itself.

use std::sync::{Arc, Mutex, PoisonError};

use sernixa_engine::{Entropy, Moment, Timestamp};

use crate::clock::Clock;
use crate::error::Error;

/// Makes moments. The system is asked for randomness once, and that is expanded: asking it for
/// every call would cost as much as a tenth of the call.
pub(super) struct Moments {
    clock: Arc<dyn Clock>,
    entropy: Mutex<Entropy>,
}

impl Moments {
    /// # Errors
    /// `Configuration` when the system gives no randomness.
    pub(super) fn new(clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let mut seed = [0; 32];
        crate::random::fill(&mut seed)?;
        let entropy = Mutex::new(Entropy::from_seed(seed));
        Ok(Self { clock, entropy })
    }

    /// Now, with randomness of its own.
    pub(super) fn now(&self) -> Moment {
        let seed = self
            .entropy
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .draw_secret();
        Moment::new(Timestamp::from_millis(self.clock.unix_millis()), seed)
    }
}
