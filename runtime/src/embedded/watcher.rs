//! Hearing of decisions that other processes take on the same file, and letting time act on it.
//!
//! One thread per client, and only while somebody waits: it asks whether another process has
//! written, which costs microseconds.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sernixa_engine::{Engine, Follower, StoreError, Timestamp};

use super::moments::Moments;
use super::transport::pass_on;
use crate::logging::{Verbosity, event};
use crate::transport::Wake;

/// How often another process's writing is looked for.
const PAUSE: Duration = Duration::from_millis(25);

/// So long the thread stays when nobody waits: the next call may come at once.
const LINGER: u32 = 40;

/// At least so often it is looked what is due: another process may have made it due earlier.
const SWEEP_EVERY: Duration = Duration::from_secs(30);

/// Watches a store that other processes may change; one that is this process's alone it leaves be.
pub(super) struct Watcher {
    shared: Option<Arc<Shared>>,
}

struct Shared {
    engine: Engine,
    moments: Arc<Moments>,
    log: Verbosity,
    state: Mutex<State>,
    /// Rung when the thread shall end.
    over: Condvar,
}

#[derive(Default)]
struct State {
    wake: Option<Wake>,
    awaited: bool,
    running: bool,
}

/// Dropped when the driver ends: then nobody is woken any more, and the thread ends.
struct Reports(Arc<Shared>);

impl Drop for Reports {
    fn drop(&mut self) {
        self.0.state().wake = None;
        self.0.over.notify_all();
    }
}

impl Watcher {
    pub(super) fn new(engine: Engine, moments: Arc<Moments>, log: Verbosity) -> Self {
        // Where the store cannot say, there may be others.
        let is_shared = engine.version().map_or(true, |version| version != 0);
        let shared = is_shared.then(|| {
            Arc::new(Shared {
                engine,
                moments,
                log,
                state: Mutex::default(),
                over: Condvar::new(),
            })
        });
        Self { shared }
    }

    /// Whether other processes may change, and decide, what is kept in the store.
    pub(super) const fn is_shared(&self) -> bool {
        self.shared.is_some()
    }

    /// Wakes by `wake` from now on, until the returned value is dropped.
    pub(super) fn report_to(&self, wake: Wake) -> Option<Box<dyn Any + Send>> {
        let shared = self.shared.as_ref()?;
        shared.state().wake = Some(wake);
        Some(Box::new(Reports(Arc::clone(shared))))
    }

    /// Whether somebody waits.
    pub(super) fn awaited(&self, awaited: bool) {
        let Some(shared) = &self.shared else {
            return;
        };
        let mut state = shared.state();
        state.awaited = awaited;
        if !awaited || state.running {
            return;
        }
        // Here and not on the thread: who waits looks at the record next, and what changes after
        // that look must be news.
        let started = shared.engine.follow().and_then(|follower| {
            let watching = Arc::clone(shared);
            std::thread::Builder::new()
                .name("sernixa-watcher".to_owned())
                .spawn(move || watching.watch(follower))
                .map_err(|error| StoreError::new("the system gives no thread").caused_by(error))
        });
        match started {
            Ok(_) => state.running = true,
            // Waiters look by themselves now and then.
            Err(error) => event!(
                shared.log,
                WARN,
                %error,
                "decisions of other processes are noticed late"
            ),
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread: until nobody has waited for a while, or the driver has ended.
    fn watch(&self, mut follower: Follower) {
        let mut sweep_at = Timestamp::default();
        let mut idle = 0;
        loop {
            let (wake, awaited) = {
                let state = self.state();
                let (mut state, _) = self
                    .over
                    .wait_timeout_while(state, PAUSE, |state| state.wake.is_some())
                    .unwrap_or_else(PoisonError::into_inner);
                idle = if state.awaited { 0 } else { idle + 1 };
                match &state.wake {
                    Some(wake) if idle < LINGER => (Arc::clone(wake), state.awaited),
                    _ => {
                        state.running = false;
                        return;
                    }
                }
            };
            // A store, a clock or a policy of the user's may panic; the next round tries again.
            let round = catch_unwind(AssertUnwindSafe(|| {
                self.tell_news(&mut follower, &wake);
                if awaited {
                    self.sweep(&mut sweep_at);
                }
            }));
            if round.is_err() {
                event!(self.log, ERROR, "something panicked around the store");
            }
        }
    }

    fn tell_news(&self, follower: &mut Follower, wake: &Wake) {
        match follower.news() {
            Ok(changes) => {
                for change in &changes {
                    pass_on(change, wake);
                }
            }
            // Nothing is skipped: the next round asks again.
            Err(error) => event!(self.log, DEBUG, %error, "the store could not be read"),
        }
    }

    /// Ends what is over. Those of this process hear of it as of every change, the others as of
    /// another process's.
    fn sweep(&self, at: &mut Timestamp) {
        let moment = self.moments.now();
        if moment.now < *at {
            return;
        }
        let next = moment.now.plus(SWEEP_EVERY);
        *at = match self.engine.sweep(&moment) {
            Ok(swept) => swept.next_due.map_or(next, |due| due.min(next)),
            // Locked for long, or broken: waiting calls say so themselves.
            Err(_) => next,
        };
    }
}
