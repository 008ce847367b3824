//! Threads that may block: the engine waits for its store, the store for its disk.

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::reply::{Word, refuse_for};

/// Runs what blocks, at most so much at once. What finds no place in time is refused: never let run.
pub(crate) struct Pool {
    places: Arc<Semaphore>,
    size: u32,
    patience: Duration,
}

/// It could not be run to its end. That is an answer of its own, and never leave to run anything.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Busy {
    /// No place came free in time.
    Full,
    /// It panicked.
    Panicked,
}

impl Pool {
    pub(crate) fn new(size: u32, patience: Duration) -> Self {
        Self {
            places: Arc::new(Semaphore::new(size as usize)),
            size,
            patience,
        }
    }

    /// Runs `work`. It runs to its end, also when nobody waits for its result any more.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let place = Arc::clone(&self.places).acquire_owned();
        let Ok(Ok(place)) = timeout(self.patience, place).await else {
            return Err(Busy::Full);
        };
        let running = tokio::task::spawn_blocking(move || {
            let _place = place;
            work()
        });
        running.await.map_err(|_| Busy::Panicked)
    }

    /// How many are at work.
    pub(crate) fn at_work(&self) -> u32 {
        let free = u32::try_from(self.places.available_permits()).unwrap_or(u32::MAX);
        self.size.saturating_sub(free)
    }

    /// Waits until nothing is at work any more, and lets nothing new begin.
    pub(crate) async fn drain(&self) {
        let _ = self.places.acquire_many(self.size).await;
        self.places.close();
    }
}

impl From<Busy> for Response {
    fn from(busy: Busy) -> Self {
        match busy {
            Busy::Full => refuse_for(
                Word::Busy,
                "the service has more to do than it can; try again",
                Duration::from_secs(1),
            ),
            Busy::Panicked => crate::reply::refuse(Word::Internal, "the service failed inside"),
        }
    }
}
