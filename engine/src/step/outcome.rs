//! Reports of how executions ended. They never change what was decided.

use sernixa_protocol::ApprovalStep;

use crate::answer::Reply;
use crate::approval::{Approval, ApprovalId, Execution, ExecutionOutcome, Status};
use crate::audit::{Entry, EventKind};
use crate::change::ChangeKind;
use crate::delegation::StepSignature;
use crate::digest::Digest;
use crate::principal::Principal;
use crate::refusal::Word;
use crate::step::signature::SignedAs;
use crate::step::{Step, is_own};
use crate::store::StoreError;

/// One report.
#[derive(Clone, Debug)]
pub(crate) struct OutcomeReport {
    pub(crate) approval_id: ApprovalId,
    pub(crate) proof: Proof,
    pub(crate) outcome: ExecutionOutcome,
    pub(crate) duration_ms: Option<u64>,
    /// The error's type name; its text only where the client was told to send it.
    pub(crate) error: Option<Box<str>>,
    /// Keyed digest of what an action that goes on is told now. Only with [`ExecutionOutcome::Continued`].
    pub(crate) input_digest: Option<Box<str>>,
    pub(crate) signature: Option<StepSignature>,
}

impl OutcomeReport {
    /// What a nonce is bound to beside the signed text, which does not hold it.
    fn says(&self) -> Digest {
        let millis = self.duration_ms.unwrap_or(u64::MAX).to_be_bytes();
        let error = self.error.as_deref().unwrap_or_default();
        let outcome = self.outcome.as_str().as_bytes();
        let mut parts = vec![outcome, &millis, error.as_bytes()];
        parts.extend(self.input_digest.as_deref().map(str::as_bytes));
        Digest::of_parts("sernixa.outcome.v1", &parts)
    }
}

/// What shows that the reporter is the one who was let through.
#[derive(Clone, Debug)]
pub(crate) enum Proof {
    /// The token of an approval that waited.
    ClaimToken(Box<str>),
    /// The request's own id, where it ran at once.
    RequestId(Box<str>),
}

/// What became of one report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reported {
    /// It stands in record and audit.
    Recorded,
    /// There is no such approval, or it is not the caller's.
    NotFound,
    /// The proof is not that of the approval.
    InvalidProof,
    /// Another client has attached since.
    Superseded,
    /// Nothing was started that could have ended so.
    NotClaimed,
    /// Another outcome was reported before, and stands.
    Contradicted,
    /// It is not signed as the delegated request was.
    Unsigned(Word),
}

impl Reported {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::NotFound => "not_found",
            Self::InvalidProof => "invalid_claim_token",
            Self::Superseded => "superseded",
            Self::NotClaimed => "not_claimed",
            Self::Contradicted => "already_reported",
            Self::Unsigned(word) => word.as_str(),
        }
    }
}

/// What a report does to an execution.
enum Effect {
    /// It is recorded.
    Record,
    /// It stands in the audit; the record says so already.
    Note,
    /// It says what was said before.
    Nothing,
    /// It cannot be.
    Refuse(Reported),
}

impl Step<'_> {
    pub(super) fn report(
        &mut self,
        caller: &Principal,
        reports: &[OutcomeReport],
    ) -> Result<Reply, StoreError> {
        let mut results = Vec::with_capacity(reports.len());
        for report in reports {
            results.push((report.approval_id, self.report_one(caller, report)?));
        }
        Ok(Reply::Reported(results))
    }

    fn report_one(
        &mut self,
        caller: &Principal,
        report: &OutcomeReport,
    ) -> Result<Reported, StoreError> {
        let Some(mut approval) = self.visible(caller, report.approval_id)? else {
            return Ok(Reported::NotFound);
        };
        if let Err(refused) = self.check_proof(caller, &approval, &report.proof) {
            return Ok(refused);
        }
        let signed = SignedAs {
            name: ApprovalStep::OUTCOME,
            claim_id: None,
            signature: report.signature.as_ref(),
            says: &report.says().0,
        };
        if let Err(refusal) = self.signed_like_the_submission(caller, &approval, signed)? {
            let entry = Entry::about(EventKind::OutcomeRefused, self.now(), &approval)
                .by(caller)
                .with(|object| object.string("decision", refusal.word().as_str()));
            self.append(&approval.subject.organisation, entry)?;
            return Ok(Reported::Unsigned(refusal.word()));
        }
        let before = approval.execution;
        let effect = effect(&approval, report);
        let (kind, refused) = match effect {
            Effect::Nothing => return Ok(Reported::Recorded),
            Effect::Record | Effect::Note => (EventKind::OutcomeRecorded, None),
            Effect::Refuse(refused) => (EventKind::OutcomeRefused, Some(refused)),
        };
        // Before the event, which says how the record stands with it.
        if matches!(effect, Effect::Record) {
            approval.execution = Execution::Ended(report.outcome);
        }
        let entry = Entry::about(kind, self.now(), &approval)
            .by(caller)
            .with(|object| {
                let object = object
                    .string("outcome", report.outcome.as_str())
                    .string("execution_before", before.as_str())
                    .present("error", report.error.as_deref())
                    .present("input_digest", report.input_digest.as_deref());
                match report.duration_ms {
                    Some(millis) => object.number("duration_ms", millis),
                    None => object,
                }
            });
        if let Some(refused) = refused {
            // A report that fits nothing is evidence, too.
            self.append(&approval.subject.organisation, entry)?;
            return Ok(refused);
        }
        // Also what is only noted: the record names the last event that says how it stands.
        self.change(&mut approval, ChangeKind::Outcome, entry)?;
        Ok(Reported::Recorded)
    }

    fn check_proof(
        &self,
        caller: &Principal,
        approval: &Approval,
        proof: &Proof,
    ) -> Result<(), Reported> {
        match proof {
            Proof::ClaimToken(token) => {
                self.check_token(caller, approval, token)
                    .map_err(|refusal| match refusal.word() {
                        Word::Superseded => Reported::Superseded,
                        _ => Reported::InvalidProof,
                    })
            }
            Proof::RequestId(id) => {
                let known = approval.status == Status::AutoApproved
                    && is_own(caller, approval)
                    && approval.subject.request_id.as_deref() == Some(&**id);
                if known {
                    Ok(())
                } else {
                    Err(Reported::InvalidProof)
                }
            }
        }
    }
}

/// What a report does to an approval as it stands.
fn effect(approval: &Approval, report: &OutcomeReport) -> Effect {
    let outcome = report.outcome;
    match (approval.status, approval.execution) {
        // It was started, or may have been: this is how it ended.
        (_, Execution::Claimed | Execution::Delivered)
        | (Status::AutoApproved, Execution::None) => Effect::Record,
        // "It never began" closes an approval that nobody claimed to every claim.
        (Status::Approved, Execution::None) if outcome == ExecutionOutcome::NotStarted => {
            Effect::Record
        }
        // What it is told now. From a retry it may stand there twice, but never be missing.
        (_, Execution::Ended(before)) if before == outcome && report.input_digest.is_some() => {
            Effect::Note
        }
        // The same report again.
        (_, Execution::Ended(before)) if before == outcome => Effect::Nothing,
        // Better late than never.
        (_, Execution::Ended(before)) if before.is_provisional() => Effect::Record,
        (_, Execution::Ended(_)) => Effect::Refuse(Reported::Contradicted),
        // Nothing was let through that could have ended.
        (_, Execution::None) => Effect::Refuse(Reported::NotClaimed),
    }
}
