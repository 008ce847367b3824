//! The last changes of one organisation, encoded once, for all its streams.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use sernixa_engine::Change;
use tokio::sync::watch;

use super::encode;

/// How many changes are kept.
const MOST: usize = 8_192;

/// How many bytes of them are kept.
const MOST_BYTES: usize = 8 << 20;

/// A change as streams tell it.
#[derive(Clone)]
pub(super) struct Told {
    pub(super) seq: u64,
    /// The key that asked: it sees this change without seeing all.
    pub(super) key: Arc<str>,
    pub(super) frame: Bytes,
}

impl Told {
    pub(super) fn new(change: &Change) -> Self {
        Self {
            seq: change.seq(),
            key: change.key().into(),
            frame: encode::event(change.seq(), &change.json()),
        }
    }
}

/// See the [module](self).
pub(super) struct Trail {
    recent: RwLock<Recent>,
    /// Up to which audit event the chain was followed.
    reached: watch::Sender<u64>,
}

struct Recent {
    told: VecDeque<Told>,
    bytes: usize,
    /// Whatever was told after this number is here.
    from: u64,
    reached: u64,
}

/// What a trail has after a number.
pub(super) enum Page {
    /// It does not reach back so far: the store does.
    Behind,
    /// These, which is all up to `reaches`.
    Told { told: Vec<Told>, reaches: u64 },
}

impl Trail {
    /// A trail that begins after an audit event.
    pub(super) fn beginning(after: u64) -> Self {
        Self {
            recent: RwLock::new(Recent {
                told: VecDeque::new(),
                bytes: 0,
                from: after,
                reached: after,
            }),
            reached: watch::Sender::new(after),
        }
    }

    /// Up to which audit event the chain was followed.
    pub(super) fn reached(&self) -> u64 {
        *self.reached.borrow()
    }

    /// Learns of each step forward.
    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.reached.subscribe()
    }

    /// Whether anybody learns of it.
    pub(super) fn has_readers(&self) -> bool {
        self.reached.receiver_count() > 0
    }

    /// Adds what the chain holds up to `reaches`, in its order.
    pub(super) fn advance(&self, told: impl IntoIterator<Item = Told>, reaches: u64) {
        {
            let mut recent = self.recent.write().unwrap_or_else(PoisonError::into_inner);
            for one in told {
                recent.bytes += one.frame.len();
                recent.told.push_back(one);
            }
            while recent.told.len() > MOST || recent.bytes > MOST_BYTES {
                let Some(dropped) = recent.told.pop_front() else {
                    break;
                };
                recent.bytes -= dropped.frame.len();
                recent.from = dropped.seq;
            }
            recent.reached = reaches;
        }
        self.reached.send_replace(reaches);
    }

    /// Moves on to `reaches` without keeping what lies between: nobody reads, or it is not all
    /// there any more, and readers find that out from the store.
    pub(super) fn pass(&self, reaches: u64) {
        let mut recent = self.recent.write().unwrap_or_else(PoisonError::into_inner);
        *recent = Recent {
            told: VecDeque::new(),
            bytes: 0,
            from: reaches,
            reached: reaches,
        };
        drop(recent);
        self.reached.send_replace(reaches);
    }

    /// What comes after `cursor`, at most `limit`.
    pub(super) fn after(&self, cursor: u64, limit: usize) -> Page {
        let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner);
        if cursor < recent.from {
            return Page::Behind;
        }
        let begin = recent.told.partition_point(|one| one.seq <= cursor);
        let told: Vec<_> = recent
            .told
            .iter()
            .skip(begin)
            .take(limit)
            .cloned()
            .collect();
        let cut = begin + told.len() < recent.told.len();
        let reaches = match told.last() {
            Some(last) if cut => last.seq,
            // A reader may stand further on than the follower: its snapshot was newer.
            _ => recent.reached.max(cursor),
        };
        Page::Told { told, reaches }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(seq: u64) -> Told {
        Told {
            seq,
            key: "key".into(),
            frame: Bytes::from(vec![0; 100]),
        }
    }

    fn seqs(trail: &Trail, after: u64, limit: usize) -> Option<(Vec<u64>, u64)> {
        match trail.after(after, limit) {
            Page::Behind => None,
            Page::Told { told, reaches } => {
                Some((told.iter().map(|one| one.seq).collect(), reaches))
            }
        }
    }

    #[test]
    fn a_reader_gets_what_comes_after_its_place_and_no_more() {
        let trail = Trail::beginning(10);
        trail.advance([told(12), told(15)], 20);
        assert_eq!(seqs(&trail, 9, 9), None);
        assert_eq!(seqs(&trail, 10, 9), Some((vec![12, 15], 20)));
        assert_eq!(seqs(&trail, 12, 9), Some((vec![15], 20)));
        assert_eq!(seqs(&trail, 10, 1), Some((vec![12], 12)));
        assert_eq!(seqs(&trail, 17, 9), Some((vec![], 20)));
        // Its snapshot was newer than what the follower has seen.
        assert_eq!(seqs(&trail, 25, 9), Some((vec![], 25)));
    }

    #[test]
    fn what_is_dropped_sends_its_readers_to_the_store() {
        let trail = Trail::beginning(0);
        trail.advance([told(1)], 3);
        trail.pass(4);
        assert_eq!(seqs(&trail, 3, 1), None);
        assert_eq!(seqs(&trail, 4, 1), Some((vec![], 4)));
        let trail = Trail::beginning(0);
        let last = MOST as u64 + 5;
        trail.advance((1..=last).map(told), last);
        assert_eq!(seqs(&trail, 4, 1), None);
        assert_eq!(seqs(&trail, 5, 1), Some((vec![6], 6)));
        let heavy = Told {
            frame: Bytes::from(vec![0; MOST_BYTES]),
            ..told(last + 1)
        };
        trail.advance([heavy], last + 1);
        assert_eq!(seqs(&trail, last - 1, 1), None);
        assert_eq!(seqs(&trail, last, 9), Some((vec![last + 1], last + 1)));
    }
}
