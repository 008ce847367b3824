//! One transaction on the memory store: it writes at once and can undo what it wrote.

use std::sync::Arc;

use crate::api_key::ApiKey;
use crate::approval::{Approval, ApprovalId, Resume, Status};
use crate::audit::{Event, EventKind, Head, genesis};
use crate::delegation::{DelegationToken, TokenId};
use crate::digest::Digest;
use crate::memory::Memory;
use crate::memory_store::{Chain, Data};
use crate::moment::Timestamp;
use crate::store::{Answered, NonceKey, State, StoreError};

/// A transaction. Dropped without [`Transaction::commit`], by an error or a panic, it undoes
/// everything.
pub(super) struct Transaction<'a> {
    data: &'a mut Data,
    undo: Vec<Undo>,
}

/// How to take one write back.
enum Undo {
    Approval(ApprovalId, Option<Box<Approval>>),
    Ended,
    Resume(Digest, Option<ApprovalId>),
    Memory(Digest, Option<Memory>),
    Nonce(NonceKey, Option<Box<Answered>>),
    Claimer(Arc<str>, Arc<str>),
    Token(TokenId, Option<Box<DelegationToken>>),
    ApiKey(Arc<str>, Option<Box<ApiKey>>),
    Event(Arc<str>),
}

impl<'a> Transaction<'a> {
    pub(super) fn new(data: &'a mut Data) -> Self {
        Self {
            data,
            undo: Vec::with_capacity(6),
        }
    }

    pub(super) fn commit(mut self) {
        self.undo.clear();
    }

    fn take_back(&mut self, undo: Undo) {
        match undo {
            Undo::Approval(id, before) => {
                self.data.place(id, before);
            }
            Undo::Ended => {
                self.data.ended.pop_back();
            }
            Undo::Resume(key, before) => match before {
                Some(id) => {
                    self.data.by_resume.insert(key, id);
                }
                None => {
                    self.data.by_resume.remove(&key);
                }
            },
            Undo::Memory(key, before) => match before {
                Some(memory) => {
                    self.data.memories.insert(key, memory);
                }
                None => {
                    self.data.memories.remove(&key);
                }
            },
            Undo::Nonce(key, before) => {
                self.data.nonce_order.pop_back();
                match before {
                    Some(answered) => {
                        self.data.nonces.insert(key, answered);
                    }
                    None => {
                        self.data.nonces.remove(&key);
                    }
                }
            }
            Undo::Claimer(organisation, key) => {
                self.data.claimers.remove(&(organisation, key));
            }
            Undo::Token(id, before) => match before {
                Some(token) => {
                    self.data.tokens.insert(id, *token);
                }
                None => {
                    self.data.tokens.remove(&id);
                }
            },
            Undo::ApiKey(id, before) => {
                let place = self.data.api_keys.iter().position(|key| key.id == id);
                match (place.and_then(|at| self.data.api_keys.get_mut(at)), before) {
                    (Some(key), Some(before)) => *key = *before,
                    // A new one stands last.
                    _ => drop(self.data.api_keys.pop()),
                }
            }
            Undo::Event(organisation) => {
                if let Some(chain) = self.data.chains.get_mut(&organisation) {
                    chain.events.pop_back();
                }
            }
        }
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        while let Some(undo) = self.undo.pop() {
            self.take_back(undo);
        }
    }
}

impl State for Transaction<'_> {
    fn approval(&mut self, id: ApprovalId) -> Result<Option<Approval>, StoreError> {
        Ok(self
            .data
            .approvals
            .get(&id)
            .map(|approval| Approval::clone(approval)))
    }

    fn put_approval(&mut self, approval: &Approval) -> Result<(), StoreError> {
        let id = approval.id;
        let before = self.data.place(id, Some(Box::new(approval.clone())));
        // Nothing changes it by itself from now on.
        let has_ended =
            approval.due.is_none() && before.as_ref().is_none_or(|before| before.due.is_some());
        let is_new = before.is_none();
        self.undo.push(Undo::Approval(id, before));
        if has_ended {
            self.data.ended.push_back(id);
            self.undo.push(Undo::Ended);
        }
        if is_new && let Resume::By(key) = approval.subject.resume {
            let before = self.data.by_resume.insert(key, id);
            self.undo.push(Undo::Resume(key, before));
        }
        Ok(())
    }

    fn resumable(&mut self, key: &Digest) -> Result<Option<ApprovalId>, StoreError> {
        Ok(self.data.by_resume.get(key).copied())
    }

    fn pending(
        &mut self,
        organisation: &str,
        key: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Approval>, StoreError> {
        let data = &*self.data;
        let waiting = data
            .waiting
            .iter()
            .filter_map(|(_, id)| data.approvals.get(id));
        let asked = waiting.filter(|approval| {
            approval.status == Status::PendingReview
                && &*approval.subject.organisation == organisation
                && key.is_none_or(|key| &*approval.subject.key == key)
        });
        Ok(asked
            .take(limit)
            .map(|approval| Approval::clone(approval))
            .collect())
    }

    fn recent(
        &mut self,
        organisation: &str,
        key: Option<&str>,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<Approval>, StoreError> {
        let data = &*self.data;
        let decided = data.decided.range((since, ApprovalId([0; 16]))..);
        let visible = decided
            .filter_map(|(_, id)| data.approvals.get(id))
            .filter(|approval| {
                &*approval.subject.organisation == organisation
                    && key.is_none_or(|key| &*approval.subject.key == key)
            });
        let mut last: Vec<_> = visible
            .rev()
            .take(limit)
            .map(|approval| Approval::clone(approval))
            .collect();
        last.reverse();
        Ok(last)
    }

    fn due(&mut self, now: Timestamp, limit: usize) -> Result<Vec<ApprovalId>, StoreError> {
        let due = self.data.due.iter().take_while(|(due, _)| *due <= now);
        Ok(due.take(limit).map(|(_, id)| *id).collect())
    }

    fn next_due(&mut self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.data.due.first().map(|(due, _)| *due))
    }

    fn memory(&mut self, fingerprint: &Digest) -> Result<Option<Memory>, StoreError> {
        Ok(self.data.memories.get(fingerprint).cloned())
    }

    fn memories(&mut self, organisation: &str) -> Result<Vec<Memory>, StoreError> {
        let memories = self.data.memories.values();
        Ok(memories
            .filter(|memory| &*memory.organisation == organisation)
            .cloned()
            .collect())
    }

    fn put_memory(&mut self, memory: &Memory) -> Result<(), StoreError> {
        let before = self
            .data
            .memories
            .insert(memory.fingerprint, memory.clone());
        self.undo.push(Undo::Memory(memory.fingerprint, before));
        Ok(())
    }

    fn remove_memory(&mut self, fingerprint: &Digest) -> Result<(), StoreError> {
        let before = self.data.memories.remove(fingerprint);
        self.undo.push(Undo::Memory(*fingerprint, before));
        Ok(())
    }

    fn nonce(&mut self, key: &NonceKey, now: Timestamp) -> Result<Option<Answered>, StoreError> {
        self.data.forget_nonces(now);
        Ok(self
            .data
            .nonces
            .get(key)
            .filter(|answered| now < answered.until)
            .map(|answered| Answered::clone(answered)))
    }

    fn put_nonce(&mut self, key: &NonceKey, answered: &Answered) -> Result<(), StoreError> {
        let before = self
            .data
            .nonces
            .insert(key.clone(), Box::new(answered.clone()));
        self.data
            .nonce_order
            .push_back((answered.until, key.clone()));
        self.undo.push(Undo::Nonce(key.clone(), before));
        Ok(())
    }

    fn has_claimed(&mut self, organisation: &str, key: &str) -> Result<bool, StoreError> {
        let claimer = (Arc::from(organisation), Arc::from(key));
        Ok(self.data.claimers.contains(&claimer))
    }

    fn mark_claimed(&mut self, organisation: &Arc<str>, key: &Arc<str>) -> Result<(), StoreError> {
        let claimer = (Arc::clone(organisation), Arc::clone(key));
        if self.data.claimers.insert(claimer) {
            self.undo
                .push(Undo::Claimer(Arc::clone(organisation), Arc::clone(key)));
        }
        Ok(())
    }

    fn token(&mut self, id: TokenId) -> Result<Option<DelegationToken>, StoreError> {
        Ok(self.data.tokens.get(&id).cloned())
    }

    fn put_token(&mut self, token: &DelegationToken) -> Result<(), StoreError> {
        let before = self.data.tokens.insert(token.id, token.clone());
        self.undo.push(Undo::Token(token.id, before.map(Box::new)));
        Ok(())
    }

    fn tokens(
        &mut self,
        organisation: &str,
        limit: usize,
    ) -> Result<Vec<DelegationToken>, StoreError> {
        let tokens = self.data.tokens.values();
        let mut own: Vec<_> = tokens
            .filter(|token| &*token.organisation == organisation)
            .cloned()
            .collect();
        own.sort_by_key(|token| std::cmp::Reverse((token.issued_at, token.id)));
        own.truncate(limit);
        Ok(own)
    }

    fn put_api_key(&mut self, key: &ApiKey) -> Result<(), StoreError> {
        let place = self
            .data
            .api_keys
            .iter_mut()
            .find(|known| known.id == key.id);
        let before = place.map(|known| Box::new(std::mem::replace(known, key.clone())));
        if before.is_none() {
            self.data.api_keys.push(key.clone());
        }
        self.undo.push(Undo::ApiKey(Arc::clone(&key.id), before));
        Ok(())
    }

    fn api_keys(&mut self, organisation: &str) -> Result<Vec<ApiKey>, StoreError> {
        let keys = self.data.api_keys.iter();
        Ok(keys
            .filter(|key| &*key.organisation == organisation)
            .cloned()
            .collect())
    }

    fn last_event(
        &mut self,
        organisation: &str,
        kind: EventKind,
    ) -> Result<Option<Event>, StoreError> {
        let chain = self.data.chains.get(organisation);
        Ok(chain.and_then(|chain| {
            let mut events = chain.events.iter().rev();
            events.find(|event| event.kind == kind).cloned()
        }))
    }

    fn head(&mut self, organisation: &str) -> Result<Head, StoreError> {
        let chain = self.data.chains.get(organisation);
        Ok(chain.map_or_else(|| genesis(organisation), Chain::head))
    }

    fn append(&mut self, organisation: &Arc<str>, event: Event) -> Result<(), StoreError> {
        if !self.data.chains.contains_key(organisation) {
            self.data
                .chains
                .insert(Arc::clone(organisation), Chain::new(organisation));
        }
        let Some(chain) = self.data.chains.get_mut(organisation) else {
            return Err(StoreError::new("the audit chain is gone"));
        };
        if chain.head().seq.checked_add(1) != Some(event.seq) {
            return Err(StoreError::new(
                "the audit event is not the next one of its chain",
            ));
        }
        chain.events.push_back(event);
        self.undo.push(Undo::Event(Arc::clone(organisation)));
        Ok(())
    }
}
