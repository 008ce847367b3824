//! A person's decision.

use std::borrow::Cow;
use std::sync::Arc;

use crate::answer::Reply;
use crate::approval::{Approval, ApprovalId, Decided, Decision, Status};
use crate::audit::{Entry, EventKind};
use crate::change::ChangeKind;
use crate::memory::Memory;
use crate::principal::{Principal, Role};
use crate::refusal::{Refusal, Word};
use crate::settings::SelfDecision;
use crate::step::{Step, lacks, refuse};
use crate::store::StoreError;

/// A decision that someone asks to be recorded. Its reason keeps the rule.
#[derive(Clone, Debug)]
pub(crate) struct DecideAsk {
    decision: Decision,
    reason: Box<str>,
}

impl DecideAsk {
    /// With a reason of 3 to 500 characters after trimming (PROTOCOL 3.4).
    pub(crate) fn new(decision: Decision, reason: &str) -> Result<Self, Refusal> {
        let reason = reason.trim();
        let characters = reason.chars().take(501).count();
        if (3..=500).contains(&characters) {
            Ok(Self {
                decision,
                reason: reason.into(),
            })
        } else {
            let rule = "`reason` must have 3 to 500 characters after trimming";
            Err(Refusal::new(Word::Invalid, rule))
        }
    }
}

impl Step<'_> {
    pub(super) fn decide(
        &mut self,
        caller: &Principal,
        id: ApprovalId,
        ask: &DecideAsk,
    ) -> Result<Reply, StoreError> {
        if !caller.has(Role::Reviewer) {
            return Ok(lacks("deciding needs the reviewer role"));
        }
        let Some(mut approval) = self.visible(caller, id)? else {
            return Ok(refuse(Refusal::not_found()));
        };
        // Whoever delegated has asked, too.
        let subject = &approval.subject;
        let self_decided = subject.owner == *caller.owner()
            || subject
                .delegator_owners
                .iter()
                .any(|owner| **owner == **caller.owner());
        if self_decided && self.context.settings.self_decision == SelfDecision::Refused {
            let reason = "a request is decided by another owner than those who asked or delegated";
            return Ok(refuse(Refusal::new(Word::SelfDecision, reason)));
        }
        match (approval.status, approval.decided.as_deref()) {
            // Undecided and in time.
            (Status::PendingReview, None) => {
                self.take_decision(caller, &mut approval, ask, self_decided)?;
                Ok(Reply::Decided(approval, ask.decision))
            }
            // The same again, from a retry or a second reviewer: nothing changes.
            (_, Some(decided)) if decided.decision == ask.decision => {
                Ok(Reply::Decided(approval, ask.decision))
            }
            // Decided otherwise, expired, withdrawn, or never in need of a decision.
            (status, _) => {
                let reason: Cow<'static, str> =
                    format!("the approval is {} already", status.as_str()).into();
                Ok(refuse(Refusal::new(Word::Standing(status), reason)))
            }
        }
    }

    fn take_decision(
        &mut self,
        caller: &Principal,
        approval: &mut Approval,
        ask: &DecideAsk,
        self_decided: bool,
    ) -> Result<(), StoreError> {
        let now = self.now();
        approval.decided = Some(Arc::new(Decided {
            decision: ask.decision,
            reason: ask.reason.clone(),
            by: Arc::clone(caller.owner()),
            at: now,
            self_decided,
        }));
        let kind = match ask.decision {
            Decision::Approve => {
                approval.status = Status::Approved;
                approval.claim_by = Some(now.plus(self.context.settings.claim_within));
                EventKind::Approved
            }
            Decision::Reject => {
                approval.status = Status::Rejected;
                EventKind::Rejected
            }
        };
        let entry = Entry::about(kind, now, approval).by(caller).with(|object| {
            object
                .string("decision", ask.decision.as_str())
                .string("reason", &ask.reason)
                .flag("self_decided", self_decided)
                .optional_time("claim_by", approval.claim_by)
        });
        self.change(approval, ChangeKind::Decided, entry)?;
        self.remember(approval, ask.decision)
    }

    /// Memory counts a person's yes, and forgets at a no.
    fn remember(&mut self, approval: &Approval, decision: Decision) -> Result<(), StoreError> {
        let Some(fingerprint) = approval.subject.fingerprint else {
            return Ok(());
        };
        match decision {
            Decision::Approve => {
                let mut memory = self
                    .state
                    .memory(&fingerprint)?
                    .unwrap_or_else(|| Memory::of(&approval.subject, fingerprint));
                memory.add(self.now(), &self.context.settings.memory);
                self.state.put_memory(&memory)
            }
            Decision::Reject => self.state.remove_memory(&fingerprint),
        }
    }
}
