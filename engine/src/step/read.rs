//! Reading records and what waits.

use crate::answer::Reply;
use crate::approval::{Approval, ApprovalId, ClientKind, Execution, Status};
use crate::audit::{Entry, EventKind};
use crate::change::ChangeKind;
use crate::principal::Principal;
use crate::refusal::Refusal;
use crate::step::{Step, is_own, refuse};
use crate::store::StoreError;

/// How many approvals time may end before a list is made; more of them shorten that list.
const SWEPT_BEFORE_LISTING: usize = 1_024;

impl Step<'_> {
    /// One record, to whoever may see it.
    pub(super) fn read(&mut self, caller: &Principal, id: ApprovalId) -> Result<Reply, StoreError> {
        let Some(mut approval) = self.visible(caller, id)? else {
            return Ok(refuse(Refusal::not_found()));
        };
        if self.starts_by_reading(caller, &approval)? {
            approval.execution = Execution::Delivered;
            let entry = Entry::about(EventKind::Delivered, self.now(), &approval).by(caller);
            self.change(&mut approval, ChangeKind::Delivered, entry)?;
        }
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
        // Those that nobody decided in time take no place in the list.
        self.sweep(SWEPT_BEFORE_LISTING)?;
        let key = (!caller.sees_all()).then_some(&**caller.key());
        let waiting = self.state.pending(caller.organisation(), key, limit)?;
        let mut records = Vec::with_capacity(waiting.len());
        for approval in waiting {
            let approval = self.touch(approval)?;
            if approval.status == Status::PendingReview {
                records.push(approval);
            }
        }
        Ok(Reply::Records(records))
    }
}
