//! When to come back to a stream that ended: a pure schedule.

use std::time::Duration;

/// Until the service says otherwise.
const FIRST: Duration = Duration::from_millis(250);

/// The shortest that a service may ask for.
const SHORTEST: Duration = Duration::from_millis(50);

/// The longest pause, whatever went wrong and whatever was asked for.
const LONGEST: Duration = Duration::from_secs(30);

/// The pause after a no that is meant: no stream for us, or none at all.
const REFUSED: Duration = Duration::from_mins(5);

/// A stream that lasted so long was a good one.
const GOOD: Duration = Duration::from_secs(10);

/// See the [module](self).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    base: Duration,
    /// Attempts in a row that came to nothing.
    troubles: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            base: FIRST,
            troubles: 0,
        }
    }
}

impl Pace {
    /// The service says how long to wait.
    pub(crate) fn asked(&mut self, retry: Duration) {
        self.base = retry.clamp(SHORTEST, LONGEST);
    }

    /// The pause after a stream that told something, or lasted `lasted`.
    pub(crate) fn after_stream(&mut self, told: bool, lasted: Duration, chance: f64) -> Duration {
        if told || lasted >= GOOD {
            self.troubles = 0;
        }
        self.after_trouble(None, chance)
    }

    /// The pause after no stream. `chance` is uniform in 0..1: clients that lost their streams at
    /// once do not come back at once.
    pub(crate) fn after_trouble(&mut self, asked: Option<Duration>, chance: f64) -> Duration {
        let doublings = self.troubles.min(16);
        self.troubles = self.troubles.saturating_add(1);
        let longest = self.base.saturating_mul(1 << doublings).min(LONGEST);
        let pause = longest.mul_f64(0.5 + 0.5 * chance.clamp(0.0, 1.0));
        pause.max(asked.unwrap_or_default().min(LONGEST))
    }

    /// The pause after a no that is meant.
    pub(crate) fn after_refusal() -> Duration {
        REFUSED
    }

    /// Whether the last attempt came to nothing, too.
    pub(crate) fn is_in_trouble(&self) -> bool {
        self.troubles > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn pauses_double_to_half_a_minute_and_begin_anew_after_a_good_stream() {
        let mut pace = Pace::default();
        let pauses: Vec<_> = (0..9).map(|_| pace.after_trouble(None, 1.0)).collect();
        let expected = [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000];
        assert_eq!(pauses, expected.map(ms));
        assert!(pace.is_in_trouble());
        assert_eq!(pace.after_stream(false, ms(1), 1.0), ms(30_000));
        assert_eq!(pace.after_stream(false, GOOD, 1.0), ms(250));
        assert!(!pace.is_in_trouble());
        assert_eq!(pace.after_stream(true, ms(1), 0.0), ms(125));
    }

    #[test]
    fn what_the_service_asks_for_is_bounded() {
        let mut pace = Pace::default();
        pace.asked(Duration::ZERO);
        assert_eq!(pace.after_trouble(None, 1.0), SHORTEST);
        let mut pace = Pace::default();
        pace.asked(Duration::MAX);
        assert_eq!(pace.after_trouble(Some(Duration::MAX), 1.0), LONGEST);
        let mut pace = Pace::default();
        assert_eq!(pace.after_trouble(Some(ms(9_000)), 1.0), ms(9_000));
    }
}
