//! The lane of the looks at pending approvals: apart from the submissions, and no wider than the
//! service's pace asks for.
//!
//! On a quick service one look at a time serves ten thousand waiters, and a call that comes between
//! them finds at most one before it. A slow service is asked several things at a time.

use std::cell::Cell;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

/// The most looks under way at a time, however slow the service.
const WIDEST: usize = 32;

/// One more look at a time for each of these that a look takes.
const PACE: Duration = Duration::from_millis(1);

/// See the [module](self).
pub(super) struct Lane {
    places: Semaphore,
    width: Cell<usize>,
}

impl Lane {
    pub(super) fn new() -> Self {
        Self {
            places: Semaphore::new(1),
            width: Cell::new(1),
        }
    }

    /// A place for one look. `None` never comes: the lane is not closed.
    pub(super) async fn enter(&self) -> Option<SemaphorePermit<'_>> {
        self.places.acquire().await.ok()
    }

    /// Ends a look that took this long, and widens or narrows the lane by one.
    pub(super) fn leave(&self, place: SemaphorePermit<'_>, took: Duration) {
        let width = self.width.get();
        let paces = took.as_nanos() / PACE.as_nanos();
        let wanted = usize::try_from(paces).map_or(WIDEST, |paces| paces.clamp(1, WIDEST));
        if wanted > width {
            self.places.add_permits(1);
            self.width.set(width + 1);
        } else if wanted < width {
            place.forget();
            self.width.set(width - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(lane: &Lane, took: Duration) {
        let place = lane.places.try_acquire().expect("a place");
        lane.leave(place, took);
    }

    #[test]
    fn the_lane_is_as_wide_as_the_service_is_slow_and_never_wider_than_thirty_two() {
        let lane = Lane::new();
        for _ in 0..10 {
            look(&lane, Duration::from_micros(80));
        }
        assert_eq!((lane.width.get(), lane.places.available_permits()), (1, 1));
        for _ in 0..100 {
            look(&lane, Duration::from_secs(9));
        }
        assert_eq!(
            (lane.width.get(), lane.places.available_permits()),
            (32, 32)
        );
        for _ in 0..100 {
            look(&lane, Duration::from_millis(5));
        }
        assert_eq!((lane.width.get(), lane.places.available_permits()), (5, 5));
        for _ in 0..100 {
            look(&lane, Duration::ZERO);
        }
        assert_eq!((lane.width.get(), lane.places.available_permits()), (1, 1));
    }
}
