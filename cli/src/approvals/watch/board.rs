//! What waits, as it was last read, and what a new list says about it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::record::Record;
use crate::when;

/// What waits.
pub(super) struct Board {
    waiting: BTreeMap<String, Record>,
    /// In the order of the list.
    order: Vec<String>,
    /// These waited, and are not listed any more; what became of them is not known yet.
    gone: BTreeSet<String>,
    /// What ended is told once.
    told: BTreeSet<String>,
    /// What was asked before, and was never seen to wait, is no news.
    since: Timestamp,
}

/// What a new list says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Update {
    /// These wait now, and did not.
    pub(super) waiting: Vec<Record>,
    /// These waited, or were heard of, and are not listed: to be looked at.
    pub(super) look_at: Vec<String>,
}

/// The most ended approvals that are remembered as told.
const REMEMBERED: usize = 10_000;

impl Board {
    /// Nothing yet, at `since`.
    pub(super) fn new(since: Timestamp) -> Self {
        Self {
            waiting: BTreeMap::new(),
            order: Vec::new(),
            gone: BTreeSet::new(),
            told: BTreeSet::new(),
            since,
        }
    }

    /// What waits, in the order of the last list.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Record> {
        self.order.iter().filter_map(|id| self.waiting.get(id))
    }

    /// Takes in a list, and the approvals that something was heard of.
    pub(super) fn update(&mut self, list: Vec<Record>, named: BTreeSet<String>) -> Update {
        let mut update = Update::default();
        let mut before = std::mem::take(&mut self.waiting);
        self.order.clear();
        for record in list {
            let id = record.id().to_owned();
            if id.is_empty() || self.waiting.contains_key(&id) {
                continue;
            }
            let known = before.remove(&id).is_some() | self.gone.remove(&id);
            if !known {
                update.waiting.push(record.clone());
            }
            self.order.push(id.clone());
            self.waiting.insert(id, record);
        }
        self.gone.extend(before.into_keys());
        let unlisted = named.into_iter().chain(self.gone.iter().cloned());
        update.look_at = unlisted
            .filter(|id| !self.waiting.contains_key(id) && !self.told.contains(id))
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        update
    }

    /// Whether it is news that this approval, which is not listed, has ended.
    pub(super) fn ended(&mut self, record: &Record) -> bool {
        if !record.has_ended() {
            return false;
        }
        let waited = self.gone.remove(record.id());
        if self.told.len() >= REMEMBERED {
            self.told.clear();
        }
        let asked = record.created_at.as_deref().and_then(when::parse);
        // What ran unasked never waited, whatever is heard of it later.
        let asked_somebody = record.status() != "auto_approved";
        let is_new = asked_somebody && asked.is_some_and(|asked| asked >= self.since);
        self.told.insert(record.id().to_owned()) && (waited || is_new)
    }

    /// Gives up on an approval that cannot be looked at any more.
    pub(super) fn forget(&mut self, id: &str) {
        self.gone.remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str, status: &str, asked: &str) -> Record {
        Record {
            approval_id: Some(id.to_owned()),
            status: Some(status.to_owned()),
            created_at: Some(asked.to_owned()),
            ..Record::default()
        }
    }

    #[test]
    fn what_ran_unasked_is_no_news() {
        assert!(board().ended(&record("apr_1", "approved", AFTER)));
        assert!(!board().ended(&record("apr_1", "auto_approved", AFTER)));
    }

    const BEFORE: &str = "2026-11-22T11:00:00Z";
    const AFTER: &str = "2026-11-22T13:00:00Z";

    fn board() -> Board {
        Board::new(when::parse("2026-11-22T12:00:00Z").unwrap())
    }

    fn pending(ids: &[&str]) -> Vec<Record> {
        let list = ids.iter().map(|id| record(id, "pending_review", BEFORE));
        list.collect()
    }

    fn named(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    fn ids(records: &[Record]) -> Vec<&str> {
        records.iter().map(Record::id).collect()
    }

    #[test]
    fn what_begins_to_wait_is_told_once() {
        let mut board = board();
        let update = board.update(pending(&["b", "a"]), named(&["a"]));
        assert_eq!(
            (ids(&update.waiting), update.look_at.len()),
            (vec!["b", "a"], 0)
        );
        assert_eq!(
            board.update(pending(&["b", "a"]), named(&["b"])),
            Update::default()
        );
        let update = board.update(pending(&["a", "c", "c", ""]), named(&[]));
        assert_eq!(ids(&update.waiting), ["c"]);
        assert_eq!(update.look_at, ["b"]);
        let shown: Vec<_> = board.waiting().map(Record::id).collect();
        assert_eq!(shown, ["a", "c"]);
    }

    #[test]
    fn what_waited_and_ended_is_told_once() {
        let mut board = board();
        board.update(pending(&["a"]), named(&[]));
        assert_eq!(board.update(vec![], named(&["a"])).look_at, ["a"]);
        // Not decided, only not listed: it is looked at again until it is.
        assert!(!board.ended(&record("a", "pending_review", BEFORE)));
        assert_eq!(board.update(vec![], named(&[])).look_at, ["a"]);
        assert!(board.ended(&record("a", "rejected", BEFORE)));
        assert!(!board.ended(&record("a", "rejected", BEFORE)));
        assert_eq!(board.update(vec![], named(&["a"])), Update::default());
    }

    #[test]
    fn what_comes_back_into_the_list_is_no_news() {
        let mut board = board();
        board.update(pending(&["a"]), named(&[]));
        board.update(vec![], named(&[]));
        assert_eq!(board.update(pending(&["a"]), named(&[])), Update::default());
    }

    #[test]
    fn what_was_asked_and_decided_between_two_looks_is_told_and_the_past_is_not() {
        let mut board = board();
        assert_eq!(
            board.update(vec![], named(&["new", "old"])).look_at,
            ["new", "old"]
        );
        assert!(board.ended(&record("new", "approved", AFTER)));
        assert!(!board.ended(&record("old", "approved", BEFORE)));
        assert!(
            board
                .update(vec![], named(&["new", "old"]))
                .look_at
                .is_empty()
        );
    }
}
