//! The lane of the looks at pending approvals: apart from the submissions, and out of their way.
//!
//! One look goes at a time while the service answers quickly: ten thousand waiters are served so,
//! and a call that comes between them finds at most one look before it. A look that takes its time
//! lets the next one go, so that a slow service is asked several things at once, and one answer
//! that never comes holds up nobody.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use super::race::{Either, race};
use crate::clock::Clock;
use crate::transport::{Answer, Fault, Sending};

/// The most looks under way at a time, however slow the service.
const WIDEST: usize = 32;

/// After this time a look lets the next one go.
const PATIENCE: Duration = Duration::from_millis(2);

/// See the [module](self).
pub(super) struct Lane {
    places: Semaphore,
    gate: Semaphore,
}

/// A place in the lane, and the right to be the next.
pub(super) struct Place<'a> {
    _place: SemaphorePermit<'a>,
    gate: SemaphorePermit<'a>,
}

impl Lane {
    pub(super) fn new() -> Self {
        Self {
            places: Semaphore::new(WIDEST),
            gate: Semaphore::new(1),
        }
    }

    /// Waits for a place. `None` never comes: the lane is not closed.
    pub(super) async fn enter(&self) -> Option<Place<'_>> {
        let place = self.places.acquire().await.ok()?;
        let gate = self.gate.acquire().await.ok()?;
        Some(Place {
            _place: place,
            gate,
        })
    }
}

impl Place<'_> {
    /// Awaits the answer of one look in this place.
    pub(super) async fn await_answer(
        self,
        mut sending: Sending<'_>,
        clock: &dyn Clock,
    ) -> Result<Answer, Fault> {
        match race(sending.as_mut(), clock.sleep(PATIENCE).as_mut()).await {
            Either::First(result) => result,
            Either::Second(()) => {
                drop(self.gate);
                sending.await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::clock::ManualClock;

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    fn silent() -> Sending<'static> {
        Box::pin(std::future::pending())
    }

    #[test]
    fn a_second_look_goes_when_the_first_has_ended_or_takes_its_time() {
        let clock = ManualClock::starting_at(0);
        let lane = Lane::new();
        let look = |sending| async {
            let place = lane.enter().await.expect("a place");
            place.await_answer(sending, &clock).await
        };
        let mut hung = pin!(look(silent()));
        assert!(poll(hung.as_mut()).is_pending());
        let mut quick = pin!(look(Box::pin(async { Ok(Answer::json(200, "{}")) })));
        assert!(poll(quick.as_mut()).is_pending());
        clock.advance(PATIENCE);
        assert!(poll(hung.as_mut()).is_pending());
        assert!(matches!(poll(quick), Poll::Ready(Ok(_))));
        // What ended, or was dropped, has left its place and the gate.
        drop(look(silent()));
        assert_eq!(
            (
                lane.places.available_permits(),
                lane.gate.available_permits()
            ),
            (31, 1)
        );
    }
}
