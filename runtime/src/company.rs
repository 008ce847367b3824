//! The outcomes of a client that nobody waits for: each waits a moment for others, since in one report
//! they cost what one of them costs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::outcome::{BATCH, BATCH_PAUSE, Entry};

/// What waits, put in from any thread; the driver watches the time.
#[derive(Default)]
pub(crate) struct Company {
    state: Mutex<State>,
    /// Whether there is any, as far as is known without the lock.
    some: AtomicBool,
}

#[derive(Default)]
struct State {
    entries: Vec<Entry>,
    /// When they are sent, on the client's monotonic clock.
    due: Duration,
    /// The driver sees to it.
    watched: bool,
    /// Nobody sees to it any more.
    over: bool,
}

/// What has to be done about one more that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// Nothing: it goes with the others.
    Nothing,
    /// Somebody has to watch the time from now on.
    Watch,
    /// They fill a report.
    Send,
}

impl Company {
    /// Puts one in, at this time.
    ///
    /// # Errors
    /// It comes back once the company is [over](Self::end).
    pub(crate) fn join(&self, entry: Entry, now: Duration) -> Result<Then, Box<Entry>> {
        let mut state = self.state();
        if state.over {
            return Err(Box::new(entry));
        }
        if state.entries.is_empty() {
            state.due = now + BATCH_PAUSE;
        }
        state.entries.push(entry);
        self.some.store(true, Ordering::Relaxed);
        Ok(if state.entries.len() >= BATCH {
            Then::Send
        } else if std::mem::replace(&mut state.watched, true) {
            Then::Nothing
        } else {
            Then::Watch
        })
    }

    /// Whether any wait, as far as is known.
    pub(crate) fn any(&self) -> bool {
        self.some.load(Ordering::Relaxed)
    }

    /// Takes out those that wait longest, at most so many.
    pub(crate) fn take(&self, most: usize) -> Vec<Entry> {
        let mut state = self.state();
        let most = most.min(state.entries.len());
        let taken = state.entries.drain(..most).collect();
        self.some
            .store(!state.entries.is_empty(), Ordering::Relaxed);
        taken
    }

    /// For how long to go on watching; `None` where nothing waits, and it ends. Zero: it is time.
    pub(crate) fn watch(&self, now: Duration) -> Option<Duration> {
        let mut state = self.state();
        state.watched = !state.entries.is_empty();
        state.watched.then(|| state.due.saturating_sub(now))
    }

    /// From now on nobody sees to what waits.
    pub(crate) fn end(&self) {
        self.state().over = true;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{Outcome, Proof, ReportTo};
    use crate::transport::ApprovalId;

    const NOW: Duration = Duration::from_secs(1);

    fn entry(n: usize) -> Entry {
        Entry {
            to: ReportTo {
                approval_id: ApprovalId::new(&format!("apr-{n}")).unwrap(),
                proof: Proof::RequestId("req".into()),
                body_hash: "00".into(),
                signer: None,
            },
            outcome: Outcome::Succeeded,
            duration: Duration::ZERO,
            error_text: None,
        }
    }

    fn ids(entries: &[Entry]) -> Vec<&str> {
        let ids = entries.iter().map(|entry| entry.to.approval_id.as_str());
        ids.collect()
    }

    #[test]
    fn the_first_has_somebody_watch_the_time_until_none_waits() {
        let company = Company::default();
        assert!(!company.any());
        assert_eq!(company.join(entry(1), NOW).ok(), Some(Then::Watch));
        let later = NOW + BATCH_PAUSE / 2;
        assert_eq!(company.join(entry(2), later).ok(), Some(Then::Nothing));
        assert!(company.any());
        assert_eq!(company.watch(later), Some(BATCH_PAUSE / 2));
        assert_eq!(company.watch(NOW + 2 * BATCH_PAUSE), Some(Duration::ZERO));
        // Whoever submits takes the first along; the other one is not forgotten.
        assert_eq!(ids(&company.take(1)), ["apr-1"]);
        assert_eq!(company.watch(NOW + BATCH_PAUSE), Some(Duration::ZERO));
        assert_eq!(ids(&company.take(BATCH)), ["apr-2"]);
        assert!(!company.any());
        // The next one has its own time, with the same watch.
        let next = NOW + BATCH_PAUSE;
        assert_eq!(company.join(entry(3), next).ok(), Some(Then::Nothing));
        assert_eq!(company.watch(next), Some(BATCH_PAUSE));
        assert_eq!(ids(&company.take(BATCH)), ["apr-3"]);
        assert_eq!(company.watch(next), None);
        assert_eq!(company.join(entry(4), next).ok(), Some(Then::Watch));
    }

    #[test]
    fn a_full_report_is_sent_at_once_and_after_the_end_everything_comes_back() {
        let company = Company::default();
        for n in 1..BATCH {
            assert!(matches!(company.join(entry(n), NOW), Ok(then) if then != Then::Send));
        }
        assert_eq!(company.join(entry(BATCH), NOW).ok(), Some(Then::Send));
        company.end();
        let back = company.join(entry(0), NOW).unwrap_err();
        assert_eq!(back.to.approval_id.as_str(), "apr-0");
        assert_eq!(company.take(usize::MAX).len(), BATCH);
    }
}
