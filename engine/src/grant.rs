//! The hard rule of promise 5, as types: what is grave is approved by a person and by nobody else.
//!
//! The one way to answer "run it now" is an [`AutoApproved`], which is made of a [`LowOrMedium`],
//! which high and critical risk cannot become. No policy, no memory and no replay gets around it,
//! because there is no other constructor.

use sernixa_protocol::RiskLevel;

use crate::approval::ApprovalId;
use crate::audit::Receipt;

/// A risk that policy and memory may judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LowOrMedium(RiskLevel);

impl LowOrMedium {
    /// The level, if a policy may judge it; `None` for high and critical.
    pub const fn new(risk: RiskLevel) -> Option<Self> {
        match risk {
            RiskLevel::Low | RiskLevel::Medium => Some(Self(risk)),
            RiskLevel::High | RiskLevel::Critical => None,
        }
    }

    /// The level.
    pub const fn risk(self) -> RiskLevel {
        self.0
    }
}

/// Leave to run at once: what it was given for, and the audit event that holds it.
///
/// It cannot be made without the receipt, so no allow is answered whose event was not appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AutoApproved {
    risk: LowOrMedium,
    approval_id: ApprovalId,
    receipt: Receipt,
}

impl AutoApproved {
    /// Leave for an action of this risk.
    pub const fn new(risk: LowOrMedium, approval_id: ApprovalId, receipt: Receipt) -> Self {
        Self {
            risk,
            approval_id,
            receipt,
        }
    }

    /// The risk it was given for.
    pub const fn risk(&self) -> LowOrMedium {
        self.risk
    }

    /// The approval that records it.
    pub const fn approval_id(&self) -> ApprovalId {
        self.approval_id
    }

    /// The audit event that holds it.
    pub const fn receipt(&self) -> Receipt {
        self.receipt
    }
}
