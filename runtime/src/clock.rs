//! Where the runtime reads the time and waits: the system's clock, or a test's.
//!
//! Everything that reads or waits takes its [`Clock`] from the client's settings, the driver
//! included, so that a test can move hours without sleeping.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant, SystemTime};

/// A wait that ends when the clock has moved far enough.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send + 'static>>;

/// The time as the runtime sees it. Both readings come from one clock.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Milliseconds since 1970-01-01T00:00:00Z: what is signed, and what a person is shown.
    fn unix_millis(&self) -> u64;

    /// Time since some fixed point, never backwards: what waits and deadlines are measured on.
    fn monotonic(&self) -> Duration;

    /// Ends when [`monotonic`](Self::monotonic) has grown by `duration`. Awaited on the driver,
    /// inside its tokio runtime.
    fn sleep(&self, duration: Duration) -> Sleep;
}

/// The system's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemClock {
    start: Instant,
}

impl SystemClock {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    fn unix_millis(&self) -> u64 {
        // Before 1970 the service refuses the timestamp as stale; zero is as good as any.
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(duration))
    }
}

#[cfg(any(test, feature = "testing"))]
#[cfg_attr(
    not(feature = "testing"),
    expect(unused_imports, reason = "only this crate's own tests use it then")
)]
pub use manual::ManualClock;

#[cfg(any(test, feature = "testing"))]
mod manual {
    use std::sync::{Arc, Mutex, PoisonError};
    use std::task::{Context, Poll, Waker};

    use super::{Clock, Duration, Future, Pin, Sleep};

    /// A clock that stands still until a test moves it. Clones are the same clock.
    ///
    /// ```
    /// # use sernixa_runtime::testing::ManualClock;
    /// # use sernixa_runtime::Clock as _;
    /// # use std::time::Duration;
    /// let clock = ManualClock::starting_at(1_778_000_000);
    /// clock.advance(Duration::from_secs(90));
    /// assert_eq!(clock.unix_millis(), 1_778_000_090_000);
    /// ```
    #[derive(Clone, Debug)]
    pub struct ManualClock {
        state: Arc<Mutex<State>>,
    }

    #[derive(Debug)]
    struct State {
        start_millis: u64,
        elapsed: Duration,
        sleepers: Vec<Waker>,
        asleep: usize,
    }

    impl ManualClock {
        /// A clock that says `unix_seconds`.
        pub fn starting_at(unix_seconds: u64) -> Self {
            Self {
                state: Arc::new(Mutex::new(State {
                    start_millis: unix_seconds.saturating_mul(1_000),
                    elapsed: Duration::ZERO,
                    sleepers: Vec::new(),
                    asleep: 0,
                })),
            }
        }

        /// Moves the clock and ends the waits that are over.
        pub fn advance(&self, by: Duration) {
            let woken = {
                let mut state = self.lock();
                state.elapsed = state.elapsed.saturating_add(by);
                std::mem::take(&mut state.sleepers)
            };
            woken.into_iter().for_each(Waker::wake);
        }

        /// How many waits have begun and not ended: a test's sign that somebody waits by now.
        pub fn sleepers(&self) -> usize {
            self.lock().asleep
        }

        fn lock(&self) -> std::sync::MutexGuard<'_, State> {
            self.state.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    impl Clock for ManualClock {
        fn unix_millis(&self) -> u64 {
            let state = self.lock();
            let elapsed = u64::try_from(state.elapsed.as_millis()).unwrap_or(u64::MAX);
            state.start_millis.saturating_add(elapsed)
        }

        fn monotonic(&self) -> Duration {
            self.lock().elapsed
        }

        fn sleep(&self, duration: Duration) -> Sleep {
            let until = {
                let mut state = self.lock();
                state.asleep += 1;
                state.elapsed.saturating_add(duration)
            };
            Box::pin(Asleep {
                clock: self.clone(),
                until,
            })
        }
    }

    struct Asleep {
        clock: ManualClock,
        until: Duration,
    }

    impl Future for Asleep {
        type Output = ();

        fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
            let mut state = self.clock.lock();
            if state.elapsed >= self.until {
                return Poll::Ready(());
            }
            if !state
                .sleepers
                .iter()
                .any(|waker| waker.will_wake(context.waker()))
            {
                state.sleepers.push(context.waker().clone());
            }
            Poll::Pending
        }
    }

    impl Drop for Asleep {
        fn drop(&mut self) {
            let mut state = self.clock.lock();
            state.asleep = state.asleep.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn the_system_clock_reads_after_this_was_written_and_never_runs_backwards() {
        let clock = SystemClock::new();
        assert!(clock.unix_millis() > 1_700_000_000_000);
        let before = clock.monotonic();
        assert!(clock.monotonic() >= before);
    }

    #[test]
    fn a_manual_clock_ends_a_wait_when_it_has_moved_far_enough() {
        let clock = ManualClock::starting_at(10);
        let mut sleep = clock.sleep(Duration::from_secs(5));
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(sleep.as_mut().poll(&mut context), Poll::Pending);
        assert_eq!(clock.sleepers(), 1);
        clock.advance(Duration::from_millis(4_999));
        assert_eq!(sleep.as_mut().poll(&mut context), Poll::Pending);
        clock.advance(Duration::from_millis(1));
        assert_eq!(sleep.as_mut().poll(&mut context), Poll::Ready(()));
        drop(sleep);
        assert_eq!((clock.sleepers(), clock.unix_millis()), (0, 15_000));
    }
}
