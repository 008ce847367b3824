//! The time and the randomness that the engine is given: it reads no clock and draws nothing itself.

use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use sernixa_engine::{Entropy, Moment, Timestamp};

/// Makes moments. The system is asked for randomness once, at the start; that is expanded.
pub(crate) struct Moments {
    entropy: Mutex<Entropy>,
}

impl Moments {
    /// # Errors
    /// When the system gives no randomness: guessable ids would be worse than no service.
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)?;
        Ok(Self {
            entropy: Mutex::new(Entropy::from_seed(seed)),
        })
    }

    /// Now, with randomness of its own.
    pub(crate) fn now(&self) -> Moment {
        let seed = self
            .entropy
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .draw_secret();
        Moment::new(time(), seed)
    }
}

/// The time of day. A clock before 1970 counts as 1970: everything has expired then, or nothing has
/// begun; nothing is let run by it.
pub(crate) fn time() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
