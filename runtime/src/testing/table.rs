//! What a gate has decided, what it holds, and what it was sent.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::recorded::Recorded;
use crate::transport::{ApprovalId, Push, Wake};

/// A decision on an intent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ruling {
    Approve,
    Refuse(String),
    Hold,
}

/// One approval that was handed out, and whose rule it follows.
struct Pending {
    rule: u64,
    body_hash: String,
    /// `None` while it is held.
    ruling: Option<Ruling>,
}

#[derive(Default)]
struct State {
    /// By intent: the rule's number and what it says.
    rules: HashMap<String, (u64, Ruling)>,
    next_rule: u64,
    pending: HashMap<String, Pending>,
    submissions: Vec<Recorded>,
    wakes: Vec<(u64, Wake)>,
    next_wake: u64,
}

/// The gate's state.
#[derive(Default)]
pub(super) struct Table {
    state: Mutex<State>,
    changed: Condvar,
}

/// What a submission is answered with.
pub(super) enum Verdict {
    Approve,
    Refuse(String),
    /// Held under this approval id.
    Pending(String),
    /// The test said nothing about this intent.
    Unknown,
}

/// How a held approval stands: its body hash, and its decision if there is one.
pub(super) struct Standing {
    pub(super) body_hash: String,
    pub(super) ruling: Option<Ruling>,
}

impl Table {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn approve(&self, intent_id: &str) {
        self.rule(intent_id, Ruling::Approve);
    }

    pub(super) fn refuse(&self, intent_id: &str, reason: &str) {
        self.rule(intent_id, Ruling::Refuse(reason.to_owned()));
    }

    pub(super) fn hold(&self, intent_id: &str) -> u64 {
        self.rule(intent_id, Ruling::Hold)
    }

    fn rule(&self, intent_id: &str, ruling: Ruling) -> u64 {
        let mut state = self.lock();
        let number = state.next_rule;
        state.next_rule += 1;
        state.rules.insert(intent_id.to_owned(), (number, ruling));
        number
    }

    /// Records a submission and answers it.
    pub(super) fn submitted(&self, recorded: Recorded) -> Verdict {
        let mut state = self.lock();
        let rule = state.rules.get(recorded.intent_id()).cloned();
        let body_hash = recorded.body_hash().to_owned();
        state.submissions.push(recorded);
        match rule {
            None => Verdict::Unknown,
            Some((_, Ruling::Approve)) => Verdict::Approve,
            Some((_, Ruling::Refuse(reason))) => Verdict::Refuse(reason),
            Some((rule, Ruling::Hold)) => {
                let id = format!("test-{}", state.submissions.len());
                let pending = Pending {
                    rule,
                    body_hash,
                    ruling: None,
                };
                state.pending.insert(id.clone(), pending);
                drop(state);
                self.changed.notify_all();
                Verdict::Pending(id)
            }
        }
    }

    /// Decides what a hold holds, and what comes under it later.
    pub(super) fn decide(&self, intent_id: &str, rule: u64, ruling: &Ruling) {
        let (ids, wakes) = {
            let mut state = self.lock();
            match state.rules.get_mut(intent_id) {
                Some((number, current)) if *number == rule && *current == Ruling::Hold => {
                    *current = ruling.clone();
                }
                // Another rule holds by now, for what comes later.
                _ => {}
            }
            let mut ids = Vec::new();
            for (id, pending) in &mut state.pending {
                if pending.rule == rule && pending.ruling.is_none() {
                    pending.ruling = Some(ruling.clone());
                    ids.extend(ApprovalId::new(id));
                }
            }
            let wakes: Vec<Wake> = state.wakes.iter().map(|(_, wake)| wake.clone()).collect();
            (ids, wakes)
        };
        // Outside of the lock: whoever wakes may look at once.
        for id in &ids {
            for wake in &wakes {
                wake(id, Push::Changed);
            }
        }
    }

    pub(super) fn standing(&self, id: &str) -> Option<Standing> {
        let state = self.lock();
        state.pending.get(id).map(|pending| Standing {
            body_hash: pending.body_hash.clone(),
            ruling: pending.ruling.clone(),
        })
    }

    /// Nobody waits for this one any more.
    pub(super) fn withdrawn(&self, id: &str) -> bool {
        let withdrawn = self.lock().pending.remove(id).is_some();
        self.changed.notify_all();
        withdrawn
    }

    pub(super) fn waiting(&self, rule: u64) -> usize {
        count(&self.lock(), rule)
    }

    pub(super) fn wait_for(&self, rule: u64, calls: usize) {
        let state = self.lock();
        let waited = self
            .changed
            .wait_while(state, |state| count(state, rule) < calls);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn submissions(&self) -> Vec<Recorded> {
        self.lock().submissions.clone()
    }

    pub(super) fn subscribe(&self, wake: Wake) -> u64 {
        let mut state = self.lock();
        let number = state.next_wake;
        state.next_wake += 1;
        state.wakes.push((number, wake));
        number
    }

    pub(super) fn unsubscribe(&self, number: u64) {
        self.lock().wakes.retain(|(other, _)| *other != number);
    }
}

fn count(state: &State, rule: u64) -> usize {
    let held = |pending: &&Pending| pending.rule == rule && pending.ruling.is_none();
    state.pending.values().filter(held).count()
}
