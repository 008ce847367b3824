//! Typed doors for callers in the process: reviewers, examples, tests, and the service's own pages.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::answer::Reply;
use crate::approval::{ApprovalId, Decision};
use crate::audit::{self, Event, Receipt, Report};
use crate::digest::Digest;
use crate::engine::Engine;
use crate::memory::Memory;
use crate::moment::{Moment, Timestamp};
use crate::principal::Principal;
use crate::record::Record;
use crate::refusal::{Refusal, Word};
use crate::step::{Command, DecideAsk, Reader};
use crate::store::StoreError;

impl Engine {
    /// What waits for review, oldest first: all of the organisation for those who may see it, else
    /// the caller's own.
    ///
    /// # Errors
    /// [`Word::Unavailable`] when the store fails.
    pub fn pending(
        &self,
        caller: &Principal,
        limit: usize,
        moment: &Moment,
    ) -> Result<Vec<Record>, Refusal> {
        match self.typed(Command::Pending(caller, limit), moment)? {
            Reply::Records(approvals) => Ok(approvals.into_iter().map(Record::new).collect()),
            other => Err(unexpected(other)),
        }
    }

    /// One record, if the caller may see it.
    ///
    /// # Errors
    /// [`Word::NotFound`], [`Word::Unavailable`].
    pub fn record(
        &self,
        caller: &Principal,
        id: ApprovalId,
        moment: &Moment,
    ) -> Result<Record, Refusal> {
        match self.guarded(|| self.read(caller, id, Reader::Anyone, moment))? {
            Reply::Record(approval) => Ok(Record::new(approval)),
            other => Err(unexpected(other)),
        }
    }

    /// Records a person's decision, with a reason of 3 to 500 characters.
    ///
    /// The same decision again changes nothing.
    ///
    /// # Errors
    /// [`Word::Forbidden`] without the reviewer role, [`Word::SelfDecision`] where two owners are
    /// needed, [`Word::Invalid`] for the reason, [`Word::NotFound`], [`Word::Standing`] when it has
    /// ended otherwise, [`Word::Unavailable`].
    pub fn decide(
        &self,
        caller: &Principal,
        id: ApprovalId,
        decision: Decision,
        reason: &str,
        moment: &Moment,
    ) -> Result<Record, Refusal> {
        let ask = DecideAsk::new(decision, reason)?;
        match self.typed(Command::Decide(caller, id, &ask), moment)? {
            Reply::Decided(approval, _) => Ok(Record::new(approval)),
            other => Err(unexpected(other)),
        }
    }

    /// Everything that is remembered in the caller's organisation.
    ///
    /// # Errors
    /// [`Word::Forbidden`], [`Word::Unavailable`].
    pub fn remembered(&self, caller: &Principal, moment: &Moment) -> Result<Vec<Memory>, Refusal> {
        match self.typed(Command::Memories(caller), moment)? {
            Reply::Memories(memories) => Ok(memories),
            other => Err(unexpected(other)),
        }
    }

    /// Forgets one remembered call: the next one waits for a person.
    ///
    /// # Errors
    /// [`Word::Forbidden`], [`Word::NotFound`], [`Word::Unavailable`].
    pub fn forget(
        &self,
        caller: &Principal,
        fingerprint: &Digest,
        moment: &Moment,
    ) -> Result<(), Refusal> {
        self.typed(Command::Forget(caller, fingerprint), moment)
            .map(|_| ())
    }

    /// Lets time act: requests end undecided, approvals unclaimed, claims unknown. Whatever is read
    /// or claimed is brought up to date by itself; this is for the rest, and for those who wait.
    ///
    /// # Errors
    /// [`Word::Unavailable`] when the store fails.
    pub fn sweep(&self, moment: &Moment) -> Result<Swept, Refusal> {
        const AT_ONCE: usize = 256;
        let mut total = 0;
        loop {
            match self.typed(Command::Sweep(AT_ONCE), moment)? {
                Reply::Swept { changed, next } => {
                    total += changed;
                    if changed == 0 || next.is_none_or(|next| next > moment.now) {
                        return Ok(Swept {
                            changed: total,
                            next_due: next,
                        });
                    }
                }
                other => return Err(unexpected(other)),
            }
        }
    }

    /// The caller's organisation's audit events with a number above `after`, at most `limit`.
    ///
    /// # Errors
    /// [`Word::Forbidden`] for a key that may see its own records only, [`Word::Unavailable`].
    pub fn audit(
        &self,
        caller: &Principal,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Event>, Refusal> {
        may_audit(caller)?;
        self.inner
            .store
            .events(caller.organisation(), after, limit)
            .map_err(|_| unavailable())
    }

    /// Checks the caller's organisation's audit chain from its first kept event, and that it holds
    /// every `expected` receipt.
    ///
    /// # Errors
    /// [`Word::Forbidden`] for a key that may see its own records only, [`Word::Unavailable`].
    pub fn verify_audit(
        &self,
        caller: &Principal,
        expected: &[Receipt],
    ) -> Result<Report, Refusal> {
        may_audit(caller)?;
        let (store, organisation) = (&*self.inner.store, caller.organisation());
        audit::verify_chain(store, organisation, expected, &[]).map_err(|_| unavailable())
    }

    pub(super) fn typed(&self, command: Command<'_>, moment: &Moment) -> Result<Reply, Refusal> {
        self.guarded(|| self.run(command, moment))
    }

    fn guarded(&self, run: impl FnOnce() -> Result<Reply, StoreError>) -> Result<Reply, Refusal> {
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(Ok(Reply::Refused(refusal))) => Err(refusal),
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(error)) => {
                self.inner.failed.note(&error.to_string());
                Err(unavailable())
            }
            Err(_) => {
                self.inner.failed.note("the engine panicked");
                Err(unavailable())
            }
        }
    }
}

/// What a [`Engine::sweep`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swept {
    /// How many approvals changed.
    pub changed: usize,
    /// When the next one changes by itself, if any does.
    pub next_due: Option<Timestamp>,
}

pub(super) fn may_audit(caller: &Principal) -> Result<(), Refusal> {
    if caller.sees_all() {
        Ok(())
    } else {
        let reason = "reading the audit needs the reviewer, auditor or admin role";
        Err(Refusal::new(Word::Forbidden, reason))
    }
}

pub(super) fn unavailable() -> Refusal {
    Refusal::new(Word::Unavailable, "engine_error")
}

/// A command was answered with another command's reply.
pub(super) fn unexpected(reply: Reply) -> Refusal {
    drop(reply);
    unavailable()
}
