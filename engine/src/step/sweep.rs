//! What time does: requests end undecided, approvals end unclaimed, claims end unknown.

use crate::answer::Reply;
use crate::approval::{Approval, Execution, ExecutionOutcome, Expiry, Status};
use crate::audit::{Entry, EventKind};
use crate::change::ChangeKind;
use crate::step::Step;
use crate::store::StoreError;

impl Step<'_> {
    /// The approval as it stands at this time. Whatever time has done to it is recorded first.
    pub(super) fn touch(&mut self, mut approval: Approval) -> Result<Approval, StoreError> {
        let now = self.now();
        if approval.due.is_none_or(|due| now < due) {
            return Ok(approval);
        }
        let (change, kind) = match (approval.status, approval.execution) {
            // Nobody decided within the TTL.
            (Status::PendingReview, _) => {
                approval.status = Status::Expired;
                approval.expiry = Some(Expiry::Undecided);
                (ChangeKind::Expired, EventKind::Expired)
            }
            // Nobody claimed in time. The decision stays in the record.
            (Status::Approved, Execution::None) => {
                approval.status = Status::Expired;
                approval.expiry = Some(Expiry::Unclaimed);
                (ChangeKind::Expired, EventKind::Expired)
            }
            // Nobody said how it ended. A later report still replaces this.
            (Status::Approved, Execution::Claimed) => {
                approval.execution = Execution::Ended(ExecutionOutcome::Unknown);
                (ChangeKind::Outcome, EventKind::OutcomeUnknown)
            }
            // Nothing else is ever due.
            _ => return Ok(approval),
        };
        let entry = Entry::about(kind, now, &approval)
            .with(|object| object.present("reason", approval.expiry.map(Expiry::as_str)));
        self.change(&mut approval, change, entry)?;
        Ok(approval)
    }

    /// Lets time act on at most `limit` approvals.
    pub(super) fn sweep(&mut self, limit: usize) -> Result<Reply, StoreError> {
        let mut changed = 0;
        for id in self.state.due(self.now(), limit)? {
            if let Some(approval) = self.state.approval(id)? {
                let before = self.changes.len();
                self.touch(approval)?;
                changed += self.changes.len() - before;
            }
        }
        Ok(Reply::Swept {
            changed,
            next: self.state.next_due()?,
        })
    }
}
