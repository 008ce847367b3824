//! Calls that are held until the test decides.

use std::sync::Arc;

use super::table::{Ruling, Table};

/// Holds the calls of one intent: they wait, as for a person, until this decides. Dropped without a
/// decision, it refuses them.
#[must_use = "dropped at once it refuses what it would hold"]
pub struct Held {
    table: Arc<Table>,
    intent_id: String,
    /// Which of the intent's rules this is; a later rule replaces it.
    rule: u64,
}

impl Held {
    pub(super) fn new(table: Arc<Table>, intent_id: &str, rule: u64) -> Self {
        Self {
            table,
            intent_id: intent_id.to_owned(),
            rule,
        }
    }

    /// Lets the waiting calls run, and those that come later.
    pub fn approve(self) {
        self.decide(&Ruling::Approve);
    }

    /// The same as [`approve`](Self::approve).
    pub fn release(self) {
        self.approve();
    }

    /// Rejects the waiting calls, and those that come later.
    pub fn refuse(self, reason: &str) {
        self.decide(&Ruling::Refuse(reason.to_owned()));
    }

    /// How many calls wait now.
    pub fn waiting(&self) -> usize {
        self.table.waiting(self.rule)
    }

    /// Blocks this thread until `calls` calls wait: what a test does instead of sleeping. In an
    /// async test, on a thread that does not drive the calls.
    pub fn wait_for(&self, calls: usize) {
        self.table.wait_for(self.rule, calls);
    }

    fn decide(&self, ruling: &Ruling) {
        self.table.decide(&self.intent_id, self.rule, ruling);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // After `approve` or `refuse` nothing of this rule is left to decide.
        let reason = "the test dropped `Held` without a decision";
        self.decide(&Ruling::Refuse(reason.to_owned()));
    }
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held")
            .field("intent_id", &self.intent_id)
            .field("waiting", &self.waiting())
            .finish_non_exhaustive()
    }
}
