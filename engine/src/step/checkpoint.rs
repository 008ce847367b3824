//! Signing the audit chain as far as it goes.

use std::sync::Arc;

use crate::answer::Reply;
use crate::audit::{self, CHECKPOINT_EVERY, EventKind, Head, genesis};
use crate::step::Step;
use crate::store::StoreError;

impl Step<'_> {
    /// Signs an organisation's chain, if it grew since it was signed last and there is a key.
    pub(super) fn checkpoint(&mut self, organisation: &Arc<str>) -> Result<Reply, StoreError> {
        let head = self.state.head(organisation)?;
        Ok(Reply::Checkpointed(self.sign(organisation, head)?))
    }

    /// Signs the chain where its number says so: every [`CHECKPOINT_EVERY`] events, in the
    /// transaction that appended the last of them.
    pub(super) fn sign_when_due(
        &mut self,
        organisation: &Arc<str>,
        head: Head,
    ) -> Result<(), StoreError> {
        if head.seq.is_multiple_of(CHECKPOINT_EVERY) {
            self.sign(organisation, head)?;
        }
        Ok(())
    }

    fn sign(&mut self, organisation: &Arc<str>, head: Head) -> Result<bool, StoreError> {
        let Some(key) = self.context.audit_key else {
            return Ok(false);
        };
        let last = self
            .state
            .last_event(organisation, EventKind::Checkpoint)?
            .map(|event| event.receipt());
        // Nothing to sign: no event yet, or none since.
        if head.seq == last.map_or(0, |last| last.seq) {
            return Ok(false);
        }
        let previous = last.unwrap_or_else(|| genesis(organisation));
        let entry = audit::checkpoint(organisation, head, previous, key, self.now());
        self.state.append(organisation, entry.seal(&head))?;
        Ok(true)
    }
}
