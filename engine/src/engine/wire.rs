//! The wire's requests and answers: what a transport in the process and a server share.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::answer::{self, Answer, Asked, Reply};
use crate::approval::ApprovalId;
use crate::digest::Digest;
use crate::engine::Engine;
use crate::moment::{Moment, Timestamp};
use crate::principal::{Principal, Role};
use crate::receive::{self, Nonce, Received};
use crate::refusal::{Refusal, Word};
use crate::request::{self, Request};
use crate::step::{ClaimAsk, Command, Found, Halt, Submission};
use crate::store::StoreError;

/// How often a verdict is computed anew because the policy set changed meanwhile, before the
/// engine gives up and refuses.
const VERDICT_TRIES: usize = 4;

/// Why a request ends without a command's reply.
pub(super) enum Stop {
    /// It is refused before it reaches the state.
    Refused(Refusal),
    /// The store failed.
    Broken(StoreError),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Broken(error)
    }
}

impl Engine {
    /// The answer to a request by an authenticated caller. It is total: whatever fails inside is
    /// answered, and never with leave to run.
    pub fn handle(&self, caller: &Principal, request: Request<'_>, moment: &Moment) -> Answer {
        let answered = catch_unwind(AssertUnwindSafe(|| self.answer(caller, request, moment)));
        let failure = match answered {
            Ok(Ok(answer)) => return answer,
            Ok(Err(Stop::Refused(refusal))) => return (&refusal).into(),
            Ok(Err(Stop::Broken(error))) => error.to_string().into(),
            Err(_) => Cow::Borrowed("the engine panicked"),
        };
        self.note_failure(caller, &failure, moment);
        match request {
            // A no, so that nobody takes it for "try again and again".
            Request::Submit { .. } => answer::engine_error(),
            _ => answer::unavailable(),
        }
    }

    fn answer(
        &self,
        caller: &Principal,
        request: Request<'_>,
        moment: &Moment,
    ) -> Result<Answer, Stop> {
        // The role counts before the body is read: others learn nothing about it.
        let reply = match request {
            Request::Submit { body } => {
                must_be_agent(caller)?;
                return self.submit(caller, body, moment);
            }
            Request::Record { approval_id } => {
                self.run(Command::Read(caller, known(approval_id)?), moment)?
            }
            Request::Pending { limit } => {
                self.run(Command::Pending(caller, limit.clamp(1, 100)), moment)?
            }
            Request::Decide { approval_id, body } => {
                must_be_reviewer(caller)?;
                let (id, ask) = (known(approval_id)?, request::decision(body)?);
                self.run(Command::Decide(caller, id, &ask), moment)?
            }
            Request::Claim { approval_id, body } => {
                must_be_agent(caller)?;
                self.claim(caller, known(approval_id)?, request::claim(body)?, moment)?
            }
            Request::Withdraw { approval_id, body } => {
                must_be_agent(caller)?;
                let (id, token) = (known(approval_id)?, request::withdrawal(body)?);
                self.run(Command::Withdraw(caller, id, &token), moment)?
            }
            Request::Outcomes { body } => {
                must_be_agent(caller)?;
                self.run(Command::Report(caller, &request::outcomes(body)?), moment)?
            }
            Request::Memories => self.run(Command::Memories(caller), moment)?,
            Request::Forget { fingerprint } => {
                // What cannot be a fingerprint names nothing, but the role counts first.
                let fingerprint = Digest::parse(fingerprint).unwrap_or(Digest([0; 32]));
                self.run(Command::Forget(caller, &fingerprint), moment)?
            }
            Request::AuditEvents(_)
            | Request::AuditHead
            | Request::AuditVerify { .. }
            | Request::EvidenceApproval { .. }
            | Request::EvidenceRange { .. }
            | Request::EvidenceOrganisation { .. }
            | Request::VerifyEvidence { .. } => return self.evidence(caller, request, moment),
            Request::Delegate { .. }
            | Request::Delegations { .. }
            | Request::RevokeDelegation { .. } => {
                must_be_agent(caller)?;
                let reason = "this engine does not issue delegation tokens";
                return Err(Refusal::new(Word::NotOffered, reason).into());
            }
        };
        Ok(answer::to_other(&reply))
    }

    fn submit(&self, caller: &Principal, body: &str, moment: &Moment) -> Result<Answer, Stop> {
        let settings = &self.inner.settings;
        let received = receive::receive(body, caller, settings, moment.now)?;
        let claim_key = self.claim_key(moment)?;
        let mut submission = self.examine(received, moment.now);
        for _ in 0..VERDICT_TRIES {
            match self.transact(Command::Submit(caller, &submission), moment, &claim_key) {
                Ok(reply) => {
                    let asked = Asked::of(&submission.subject);
                    return Ok(answer::to_submission(&reply, asked, settings, &claim_key));
                }
                Err(Halt::Store(error)) => return Err(error.into()),
                // The policy set changed in between.
                Err(Halt::Stale | Halt::Judge(_)) => {
                    submission.found = Found::Judged(self.verdict(&submission.subject, moment.now));
                }
            }
        }
        Err(restless().into())
    }

    /// What can be said of a submission before its transaction, in the order of precedence.
    fn examine(&self, received: Received, now: Timestamp) -> Submission {
        let subject = Arc::new(received.subject);
        let found = match (received.delegated, received.nonce, received.secret) {
            // Here the envelope will be verified (DESIGN 9); until then none is believed.
            (true, _, _) => Found::Envelope(
                Word::InvalidSignature,
                "delegated requests cannot be verified by this engine",
            ),
            (false, Nonce::Malformed, _) => {
                Found::Envelope(Word::InvalidNonce, "nonce must be 32 lower-case hex digits")
            }
            (false, _, Some(kind)) => Found::Secret(kind),
            (false, _, None) => Found::Judged(self.verdict(&subject, now)),
        };
        let nonce = match received.nonce {
            Nonce::Given(nonce) => Some(nonce),
            Nonce::Absent | Nonce::Malformed => None,
        };
        Submission {
            subject,
            request: received.request,
            nonce,
            found,
        }
    }

    fn claim(
        &self,
        caller: &Principal,
        id: ApprovalId,
        mut ask: ClaimAsk,
        moment: &Moment,
    ) -> Result<Reply, Stop> {
        let claim_key = self.claim_key(moment)?;
        for _ in 0..VERDICT_TRIES {
            match self.transact(Command::Claim(caller, id, &ask), moment, &claim_key) {
                Ok(reply) => return Ok(reply),
                Err(Halt::Store(error)) => return Err(error.into()),
                // The policy set is not the one that the approval was judged by.
                Err(Halt::Judge(approval)) => {
                    ask.verdict = Some(self.verdict(&approval.subject, moment.now));
                }
                Err(Halt::Stale) => ask.verdict = None,
            }
        }
        Err(restless().into())
    }

    /// Records that the engine failed, if the store can.
    fn note_failure(&self, caller: &Principal, what: &str, moment: &Moment) {
        let _ = catch_unwind(AssertUnwindSafe(|| {
            self.run(Command::Failed(caller, what), moment)
        }));
    }
}

fn must_be_agent(caller: &Principal) -> Result<(), Refusal> {
    if caller.has(Role::Agent) {
        Ok(())
    } else {
        Err(Refusal::new(Word::Forbidden, "this needs the agent role"))
    }
}

fn must_be_reviewer(caller: &Principal) -> Result<(), Refusal> {
    if caller.has(Role::Reviewer) {
        Ok(())
    } else {
        Err(Refusal::new(
            Word::Forbidden,
            "deciding needs the reviewer role",
        ))
    }
}

/// The approval of a path. What cannot be a name of ours names nothing.
pub(super) fn known(approval_id: &str) -> Result<ApprovalId, Refusal> {
    ApprovalId::parse(approval_id).ok_or_else(Refusal::not_found)
}

fn restless() -> StoreError {
    StoreError::new("the policy set changes faster than it can be asked")
}
