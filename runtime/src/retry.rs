//! When to send the same bytes again (DESIGN 6, retries): a pure schedule.

use std::time::Duration;

use crate::transport::{Answer, Fault};

/// All attempts of one request end within this time.
pub(crate) const ALL_ATTEMPTS: Duration = Duration::from_mins(2);

/// The longest that a `Retry-After` makes us wait.
pub(crate) const RETRY_AFTER_CAP: Duration = Duration::from_secs(30);

/// The back-off after the first attempt, doubled after each one more.
const FIRST: Duration = Duration::from_millis(250);

/// The longest back-off.
const LONGEST: Duration = Duration::from_secs(2);

/// Whether another attempt may end better. A 408, 505 or 507 is an answer like any other, as in
/// the reference (PROTOCOL 1).
pub(crate) fn worth_another(result: &Result<Answer, Fault>) -> bool {
    match result {
        Ok(answer) => matches!(answer.status, 429 | 500 | 502 | 503 | 504),
        Err(Fault::Timeout | Fault::Unreachable(_) | Fault::Interrupted(_)) => true,
        Err(Fault::TooLarge) => false,
    }
}

/// How long to wait after the attempt `attempt` (0 is the first), or `None` to take what came.
///
/// `chance` is uniform in 0..1: the full jitter, so that many clients do not come back at once.
pub(crate) fn pause(
    attempt: u32,
    max_retries: u32,
    elapsed: Duration,
    result: &Result<Answer, Fault>,
    chance: f64,
) -> Option<Duration> {
    if attempt >= max_retries || !worth_another(result) {
        return None;
    }
    let asked = result.as_ref().ok().and_then(|answer| answer.retry_after);
    let pause = match asked {
        Some(asked) => asked.min(RETRY_AFTER_CAP),
        None => backoff(attempt).mul_f64(chance.clamp(0.0, 1.0)),
    };
    (elapsed + pause < ALL_ATTEMPTS).then_some(pause)
}

/// 0.25 · 2^n seconds, at most 2.
fn backoff(attempt: u32) -> Duration {
    FIRST
        .saturating_mul(2_u32.saturating_pow(attempt))
        .min(LONGEST)
}

/// A number in 0..1 from the system's randomness. Without any, the middle: it only spreads load.
pub(crate) fn chance() -> f64 {
    getrandom::u32().map_or(0.5, |number| {
        f64::from(number) / (f64::from(u32::MAX) + 1.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "as the schedule takes it")]
    fn answer(status: u16, retry_after: Option<u64>) -> Result<Answer, Fault> {
        let mut answer = Answer::json(status, "{}");
        answer.retry_after = retry_after.map(Duration::from_secs);
        Ok(answer)
    }

    #[test]
    fn exactly_the_passing_troubles_are_retried() {
        for status in 100..600 {
            let retried = [429, 500, 502, 503, 504].contains(&status);
            assert_eq!(worth_another(&answer(status, None)), retried, "{status}");
        }
        assert!(worth_another(&Err(Fault::Timeout)));
        assert!(worth_another(&Err(Fault::Unreachable("refused".into()))));
        assert!(worth_another(&Err(Fault::Interrupted("reset".into()))));
        assert!(!worth_another(&Err(Fault::TooLarge)));
    }

    #[test]
    fn pauses_double_from_a_quarter_second_to_two_with_full_jitter() {
        let longest = |attempt| pause(attempt, 10, Duration::ZERO, &Err(Fault::Timeout), 1.0);
        let millis: Vec<_> = (0..6).map(|n| longest(n).unwrap().as_millis()).collect();
        assert_eq!(millis, [250, 500, 1000, 2000, 2000, 2000]);
        let none = pause(3, 10, Duration::ZERO, &Err(Fault::Timeout), 0.0);
        assert_eq!(none, Some(Duration::ZERO));
        let chances: Vec<f64> = (0..100).map(|_| chance()).collect();
        assert!(chances.iter().all(|chance| (0.0..1.0).contains(chance)));
    }

    #[test]
    fn what_the_service_asks_for_is_done_up_to_thirty_seconds() {
        let asked = |seconds| pause(0, 2, Duration::ZERO, &answer(503, Some(seconds)), 0.9);
        assert_eq!(asked(0), Some(Duration::ZERO));
        assert_eq!(asked(7), Some(Duration::from_secs(7)));
        assert_eq!(asked(86_400), Some(RETRY_AFTER_CAP));
    }

    #[test]
    fn attempts_end_with_their_number_and_with_two_minutes() {
        let trouble = Err(Fault::Timeout);
        assert_eq!(pause(2, 2, Duration::ZERO, &trouble, 0.5), None);
        assert_eq!(pause(0, 0, Duration::ZERO, &trouble, 0.5), None);
        assert_eq!(pause(0, 9, ALL_ATTEMPTS, &trouble, 0.0), None);
        let late = Duration::from_secs(95);
        assert_eq!(pause(0, 9, late, &answer(429, Some(30)), 0.5), None);
        assert!(pause(0, 9, late, &answer(429, Some(20)), 0.5).is_some());
    }
}
