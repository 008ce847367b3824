//! Listing and revoking what is remembered.

use crate::answer::Reply;
use crate::audit::{Entry, EventKind};
use crate::digest::Digest;
use crate::principal::{Principal, Role};
use crate::refusal::{Refusal, Word};
use crate::step::{Step, lacks, refuse};
use crate::store::StoreError;

impl Step<'_> {
    pub(super) fn memories(&mut self, caller: &Principal) -> Result<Reply, StoreError> {
        if !caller.sees_all() {
            return Ok(lacks(
                "reading memory needs the reviewer, auditor or admin role",
            ));
        }
        Ok(Reply::Memories(self.state.memories(caller.organisation())?))
    }

    /// Forgetting makes the next call wait for a person again, so a reviewer may do it.
    pub(super) fn forget(
        &mut self,
        caller: &Principal,
        fingerprint: &Digest,
    ) -> Result<Reply, StoreError> {
        if !caller.has(Role::Reviewer) && !caller.has(Role::Admin) {
            return Ok(lacks("forgetting needs the reviewer or admin role"));
        }
        let memory = self.state.memory(fingerprint)?;
        let Some(memory) = memory.filter(|memory| memory.organisation == *caller.organisation())
        else {
            return Ok(refuse(Refusal::new(
                Word::NotFound,
                "nothing is remembered under that",
            )));
        };
        self.state.remove_memory(fingerprint)?;
        let entry = Entry::new(EventKind::MemoryForgotten, self.now())
            .by(caller)
            .with(|object| {
                object
                    .digest("fingerprint", fingerprint)
                    .string("intent_id", &memory.intent_id)
                    .string("action_id", &memory.action_id)
                    .string("requester", &memory.key)
            });
        self.append(caller.organisation(), entry)?;
        Ok(Reply::Done)
    }
}
