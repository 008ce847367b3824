//! Reading records and what waits.

use std::time::Duration;

use crate::answer::Reply;
use crate::approval::{Approval, ApprovalId, ClientKind, Execution, Status};
use crate::audit::{Entry, EventKind};
use crate::change::ChangeKind;
use crate::moment::Timestamp;
use crate::policy::Verdict;
use crate::principal::Principal;
use crate::refusal::{Refusal, Word};
use crate::step::claim::NOT_PERMITTED;
use crate::step::{Halt, Step, is_own, refuse};
use crate::store::StoreError;

/// How many approvals time may end before a list is made; more of them shorten that list.
const SWEPT_BEFORE_LISTING: usize = 1_024;

/// A look of a waiter is written down only so long after the one before it: waiters may look every
/// two seconds, and each writing goes to the disk.
const SEEN_EVERY: Duration = Duration::from_secs(20);

/// Who reads a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// One that may act on it, and says nothing more.
    Anyone,
    /// The client that waits for the decision, as it says.
    Waiter,
}

impl Step<'_> {
    /// One record, to whoever may see it.
    pub(super) fn read(
        &mut self,
        caller: &Principal,
        id: ApprovalId,
        reader: Reader,
        verdict: Option<&Verdict>,
    ) -> Result<Reply, Halt> {
        let Some(mut approval) = self.visible(caller, id)? else {
            return Ok(refuse(Refusal::not_found()));
        };
        if reader == Reader::Waiter && is_own(caller, &approval) {
            self.notice_waiter(&mut approval)?;
        }
        if self.starts_by_reading(caller, &approval)? {
            if let Err(broken) = self.still_delegated(&approval)? {
                let word = Word::DelegationEnded(broken);
                return Ok(self.block_unstarted(caller, approval, word, broken.reason())?);
            }
            let permitted = self.recheck_policy(caller, &mut approval, verdict)?;
            if permitted.is_err() {
                let word = Word::PolicyChanged;
                return Ok(self.block_unstarted(caller, approval, word, NOT_PERMITTED)?);
            }
            approval.execution = Execution::Delivered;
            let entry = Entry::about(EventKind::Delivered, self.now(), &approval).by(caller);
            self.change(&mut approval, ChangeKind::Delivered, entry)?;
        }
        Ok(Reply::Record(approval))
    }

    /// Notes that somebody waits, for approvals that outlive their waiters. That is no event: it
    /// changes nothing for anyone but who reads the record.
    fn notice_waiter(&mut self, approval: &mut Approval) -> Result<(), StoreError> {
        let now = self.now();
        let lately = approval
            .waiter_seen_at
            .is_some_and(|seen| now < seen.plus(SEEN_EVERY));
        if approval.status != Status::PendingReview || !approval.outlives_waiter() || lately {
            return Ok(());
        }
        approval.waiter_seen_at = Some(now);
        self.state.put_approval(approval)
    }

    /// One record, to whoever may see it. It starts nothing, whoever looks.
    pub(super) fn look(&mut self, caller: &Principal, id: ApprovalId) -> Result<Reply, StoreError> {
        Ok(self
            .visible(caller, id)?
            .map_or_else(|| refuse(Refusal::not_found()), Reply::Record))
    }

    /// What was approved, but rests on a delegation that has ended since, or is forbidden by a
    /// policy of a later day, does not start: a claim is refused, and a client that never claims
    /// finds it blocked. The decision stays in the record.
    fn block_unstarted(
        &mut self,
        caller: &Principal,
        mut approval: Approval,
        word: Word,
        reason: &'static str,
    ) -> Result<Reply, StoreError> {
        approval.status = Status::Blocked;
        approval.reason = reason.into();
        let entry = Entry::about(EventKind::Blocked, self.now(), &approval)
            .by(caller)
            .with(|object| {
                object
                    .string("decision", word.as_str())
                    .string("reason", reason)
            });
        self.change(&mut approval, ChangeKind::Blocked, entry)?;
        Ok(Reply::Record(approval))
    }

    /// Whether this read is what lets the action run: the plain clients (both Python SDKs) start
    /// as soon as they read `approved`, and never claim. From then on nobody else may.
    ///
    /// A key that has claimed before claims again, and so does a client that said in its
    /// submission that it claims; without that word the very first approval of a claiming client
    /// would be used up by its own look at the record.
    fn starts_by_reading(
        &mut self,
        caller: &Principal,
        approval: &Approval,
    ) -> Result<bool, StoreError> {
        Ok(approval.status == Status::Approved
            && approval.execution == Execution::None
            && is_own(caller, approval)
            && approval.subject.client == ClientKind::Unknown
            && !self
                .state
                .has_claimed(caller.organisation(), caller.key())?)
    }

    /// What waits for review: all of the organisation for those who may see it, else the caller's.
    pub(super) fn pending(
        &mut self,
        caller: &Principal,
        limit: usize,
    ) -> Result<Reply, StoreError> {
        self.waiting(caller, limit).map(Reply::Records)
    }

    /// What waits, and what was decided at or after `since`, as of the chain's head.
    pub(super) fn snapshot(
        &mut self,
        caller: &Principal,
        since: Timestamp,
        limit: usize,
    ) -> Result<Reply, StoreError> {
        let pending = self.waiting(caller, limit)?;
        let (organisation, key) = (caller.organisation(), seen_key(caller));
        let decided = self.state.recent(organisation, key, since, limit)?;
        // Last: time may just have ended some of them, which is in the chain.
        let reaches = self.state.head(organisation)?.seq;
        Ok(Reply::Snapshot {
            reaches,
            pending,
            decided,
        })
    }

    fn waiting(&mut self, caller: &Principal, limit: usize) -> Result<Vec<Approval>, StoreError> {
        // Those that nobody decided in time take no place in the list.
        self.sweep(SWEPT_BEFORE_LISTING)?;
        let organisation = caller.organisation();
        let waiting = self.state.pending(organisation, seen_key(caller), limit)?;
        let mut standing = Vec::with_capacity(waiting.len());
        for approval in waiting {
            let approval = self.touch(approval)?;
            if approval.status == Status::PendingReview {
                standing.push(approval);
            }
        }
        Ok(standing)
    }
}

/// The one key whose approvals the caller sees; `None`: those of every key of its organisation.
fn seen_key(caller: &Principal) -> Option<&str> {
    (!caller.sees_all()).then_some(&**caller.key())
}
