//! A store in memory: everything is gone with the process, but the audit's head can be kept
//! elsewhere.
//!
//! What it costs: a call of 650 bytes takes 2.6 KB, whether it runs at once or waits. Of these the
//! audit event is 0.8 KB and is kept for ever, unless [`Keep::audit_events`] bounds it; then the
//! oldest are dropped, and the chain is verified from the first one kept. The approval is 1.4 KB; of
//! those that have ended, the last [`Keep::ended_approvals`] stay readable. The nonce is 0.4 KB, for
//! ten minutes.

mod transaction;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::api_key::ApiKey;
use crate::approval::{Approval, ApprovalId, Resume, Status};
use crate::audit::{Event, EventFilter, Head, genesis};
use crate::delegation::{DelegationToken, TokenId};
use crate::digest::Digest;
use crate::memory::Memory;
use crate::moment::{Entropy, Timestamp};
use crate::store::{Answered, NonceKey, SecretKey, State, Store, StoreError};

use transaction::Transaction;

/// How much of what is over a [`MemoryStore`] keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// How many audit events of each organisation; the default is all of them.
    pub audit_events: usize,
    /// How many approvals that nothing will change any more; 10,000 by default.
    pub ended_approvals: usize,
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            audit_events: usize::MAX,
            ended_approvals: 10_000,
        }
    }
}

/// A store that lives and ends with the process.
#[derive(Default)]
pub struct MemoryStore {
    data: Mutex<Data>,
    claim_key: OnceLock<SecretKey>,
    keep: Keep,
}

/// How much it holds; nothing of what.
impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("approvals", &self.data().approvals.len())
            .field("keep", &self.keep)
            .finish_non_exhaustive()
    }
}

impl MemoryStore {
    /// An empty store. Its claim key is drawn at first use.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty store that keeps no more than `keep` of what is over.
    pub fn keeping(keep: Keep) -> Self {
        Self {
            keep,
            ..Self::default()
        }
    }

    /// The same with a claim key of the caller's: 32 random bytes.
    #[must_use]
    pub fn with_claim_key(mut self, key: SecretKey) -> Self {
        self.claim_key = OnceLock::from(key);
        self
    }

    /// A transaction that panicked was rolled back on its way out, so the data is whole.
    fn data(&self) -> MutexGuard<'_, Data> {
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn transact(
        &self,
        work: &mut dyn FnMut(&mut dyn State) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut data = self.data();
        let mut transaction = Transaction::new(&mut data);
        work(&mut transaction)?;
        transaction.commit();
        data.forget(self.keep);
        Ok(())
    }

    fn claim_key(&self, entropy: &mut Entropy) -> Result<SecretKey, StoreError> {
        Ok(self
            .claim_key
            .get_or_init(|| SecretKey::new(entropy.draw_secret()))
            .clone())
    }

    fn events(
        &self,
        organisation: &str,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError> {
        let data = self.data();
        let Some(chain) = data.chains.get(organisation) else {
            return Ok(Vec::new());
        };
        // Numbers are without gaps, so the place of an event follows from its number.
        let skip = after.saturating_sub(chain.anchor.seq);
        let skip = usize::try_from(skip).unwrap_or(usize::MAX);
        Ok(chain
            .events
            .iter()
            .skip(skip)
            .take(limit)
            .cloned()
            .collect())
    }

    fn find_events(
        &self,
        organisation: &str,
        filter: &EventFilter<'_>,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError> {
        let data = self.data();
        let chain = data.chains.get(organisation);
        let events = chain
            .into_iter()
            .flat_map(|chain| chain.events.iter().rev());
        Ok(events
            .filter(|event| filter.fits(event))
            .take(limit)
            .cloned()
            .collect())
    }

    fn approvals(
        &self,
        after: Option<ApprovalId>,
        limit: usize,
    ) -> Result<Vec<Approval>, StoreError> {
        let data = self.data();
        let mut ids: Vec<_> = data.approvals.keys().copied().collect();
        ids.retain(|id| after.is_none_or(|after| *id > after));
        ids.sort_unstable();
        let kept = ids
            .iter()
            .take(limit)
            .filter_map(|id| data.approvals.get(id));
        Ok(kept.map(|approval| Approval::clone(approval)).collect())
    }

    fn organisations(&self) -> Result<Vec<Arc<str>>, StoreError> {
        let mut names: Vec<_> = self.data().chains.keys().cloned().collect();
        names.sort();
        Ok(names)
    }

    fn api_key(&self, hash: &Digest) -> Result<Option<ApiKey>, StoreError> {
        let data = self.data();
        Ok(data.api_keys.iter().find(|key| key.hash == *hash).cloned())
    }

    fn first_anchor(&self, organisation: &str) -> Result<Head, StoreError> {
        let data = self.data();
        let chain = data.chains.get(organisation);
        Ok(chain.map_or_else(|| genesis(organisation), |chain| chain.anchor))
    }
}

/// One organisation's audit chain.
#[derive(Debug)]
struct Chain {
    /// What comes before the first event that is kept.
    anchor: Head,
    events: VecDeque<Event>,
}

impl Chain {
    fn new(organisation: &str) -> Self {
        Self {
            anchor: genesis(organisation),
            events: VecDeque::new(),
        }
    }

    fn head(&self) -> Head {
        self.events.back().map_or(self.anchor, Event::receipt)
    }
}

/// Everything, with its indexes.
#[derive(Debug, Default)]
struct Data {
    // Boxed, as the nonces are: a table keeps up to half of its places empty.
    approvals: HashMap<ApprovalId, Box<Approval>>,
    by_resume: HashMap<Digest, ApprovalId>,
    /// In order of creation.
    waiting: BTreeSet<(Timestamp, ApprovalId)>,
    due: BTreeSet<(Timestamp, ApprovalId)>,
    /// Approvals that nothing changes by itself, in the order in which they came to that.
    ended: VecDeque<ApprovalId>,
    memories: BTreeMap<Digest, Memory>,
    nonces: HashMap<NonceKey, Box<Answered>>,
    /// When each nonce may be forgotten, in the order in which they came. That is the order of
    /// expiry, unless the clock was set back; then some are forgotten late.
    nonce_order: VecDeque<(Timestamp, NonceKey)>,
    claimers: HashSet<(Arc<str>, Arc<str>)>,
    tokens: HashMap<TokenId, DelegationToken>,
    /// In the order in which they were made. They are few.
    api_keys: Vec<ApiKey>,
    /// In order of decision.
    decided: BTreeSet<(Timestamp, ApprovalId)>,
    chains: HashMap<Arc<str>, Chain>,
}

impl Data {
    /// Puts an approval where it belongs in every index; returns the one it replaces. `None` takes
    /// it out.
    fn place(&mut self, id: ApprovalId, next: Option<Box<Approval>>) -> Option<Box<Approval>> {
        if let Some(next) = &next {
            if next.status == Status::PendingReview {
                self.waiting.insert((next.subject.created_at, id));
            } else {
                self.waiting.remove(&(next.subject.created_at, id));
            }
        }
        let decided_at = |approval: &Approval| approval.decided.as_ref().map(|decided| decided.at);
        let now_decided = next.as_deref().and_then(decided_at);
        let new_due = next.as_ref().and_then(|next| next.due);
        let was = match next {
            Some(next) => self.approvals.insert(id, next),
            None => self.approvals.remove(&id),
        };
        if let Some(was) = &was {
            if !self.approvals.contains_key(&id) {
                self.waiting.remove(&(was.subject.created_at, id));
            }
            if let Some(at) = decided_at(was).filter(|_| decided_at(was) != now_decided) {
                self.decided.remove(&(at, id));
            }
            if let Some(due) = was.due.filter(|_| was.due != new_due) {
                self.due.remove(&(due, id));
            }
        }
        self.decided.extend(now_decided.map(|at| (at, id)));
        if let Some(due) = new_due {
            self.due.insert((due, id));
        }
        was
    }

    /// Drops what is over and no longer kept.
    fn forget(&mut self, keep: Keep) {
        while self.ended.len() > keep.ended_approvals {
            let Some(id) = self.ended.pop_front() else {
                break;
            };
            let Some(approval) = self.place(id, None) else {
                continue;
            };
            if let Resume::By(key) = approval.subject.resume
                && self.by_resume.get(&key) == Some(&id)
            {
                self.by_resume.remove(&key);
            }
        }
        if keep.audit_events < usize::MAX {
            for chain in self.chains.values_mut() {
                while chain.events.len() > keep.audit_events {
                    let Some(event) = chain.events.pop_front() else {
                        break;
                    };
                    chain.anchor = event.receipt();
                }
            }
        }
    }

    /// Drops nonces that no fresh request can use any more: a few at a time, so that no call
    /// pays for all.
    fn forget_nonces(&mut self, now: Timestamp) {
        const AT_ONCE: usize = 8;
        for _ in 0..AT_ONCE {
            if self
                .nonce_order
                .front()
                .is_none_or(|(until, _)| now < *until)
            {
                return;
            }
            let Some((_, key)) = self.nonce_order.pop_front() else {
                return;
            };
            // It may have been answered anew since.
            if self
                .nonces
                .get(&key)
                .is_some_and(|answered| answered.until <= now)
            {
                self.nonces.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[test]
    fn the_memory_store_keeps_every_promise_of_a_store() {
        conformance::check(&|| Arc::new(MemoryStore::new())).unwrap();
    }
}
