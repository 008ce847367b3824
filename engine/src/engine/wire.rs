//! The wire's requests and answers: what a transport in the process and a server share.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::answer::{self, Answer, Reply};
use crate::approval::ApprovalId;
use crate::delegation::{TokenAsk, TokenId};
use crate::digest::Digest;
use crate::engine::Engine;
use crate::engine::submit::Along;
use crate::moment::Moment;
use crate::policy::Tool;
use crate::principal::{Principal, Role};
use crate::refusal::{Refusal, Word};
use crate::request::{self, AskedTool, Request};
use crate::step::{ClaimAsk, Command, Halt, Reader};
use crate::store::StoreError;

/// How often a verdict is computed anew because the policy set changed meanwhile, before the
/// engine gives up and refuses.
pub(super) const VERDICT_TRIES: usize = 5;

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
        self.handle_along(caller, request, &Along::nothing(), moment)
    }

    pub(super) fn handle_along(
        &self,
        caller: &Principal,
        request: Request<'_>,
        along: &Along<'_>,
        moment: &Moment,
    ) -> Answer {
        let answered = catch_unwind(AssertUnwindSafe(|| {
            self.answer(caller, request, along, moment)
        }));
        let failure = match answered {
            Ok(Ok(answer)) => return answer,
            Ok(Err(Stop::Refused(refusal))) => return (&refusal).into(),
            Ok(Err(Stop::Broken(error))) => error.to_string().into(),
            Err(_) => Cow::Borrowed("the engine panicked"),
        };
        self.note_failure(caller, &failure, moment);
        match request {
            // A no, so that nobody takes it for "try again and again".
            Request::Submit { .. } | Request::CallTool { .. } => answer::engine_error(),
            _ => answer::unavailable(),
        }
    }

    fn answer(
        &self,
        caller: &Principal,
        request: Request<'_>,
        along: &Along<'_>,
        moment: &Moment,
    ) -> Result<Answer, Stop> {
        // The role counts before the body is read: others learn nothing about it.
        let reply = match request {
            Request::CallTool { body } => {
                must_be_agent(caller)?;
                return self.call_tool(caller, body, along, moment);
            }
            Request::Submit { body } => {
                must_be_agent(caller)?;
                return self.submit(caller, body, along, moment);
            }
            Request::VisibleTools { body } => {
                must_be_agent(caller)?;
                return Ok(self.visible_tools(caller, &request::tools(body)?));
            }
            Request::Record { approval_id } => {
                self.read(caller, known(approval_id)?, Reader::Anyone, moment)?
            }
            Request::Await { approval_id } => {
                self.read(caller, known(approval_id)?, Reader::Waiter, moment)?
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
            Request::Delegate { body } => {
                must_be_agent_or_admin(caller)?;
                let ask = TokenAsk::read(body)?;
                self.run(Command::Delegate(caller, &ask), moment)?
            }
            Request::Delegations { limit } => {
                self.run(Command::Delegations(caller, limit.clamp(1, 1_000)), moment)?
            }
            Request::RevokeDelegation { token_id } => {
                let id = TokenId::parse(token_id).ok_or_else(no_such_token)?;
                self.run(Command::RevokeDelegation(caller, id), moment)?
            }
        };
        Ok(answer::to_other(&reply))
    }

    /// Which tools need not be shown: the policy set in force refuses each call of them.
    fn visible_tools(&self, caller: &Principal, tools: &[AskedTool]) -> Answer {
        let policy = self.policy();
        // Whom a delegated call acts as is known when it is made.
        let is_known = !caller.is_delegated_only();
        let visible = tools.iter().map(|asked| {
            let tool = Tool {
                owner: caller.owner(),
                action_id: &asked.action_id,
                intent_id: &asked.intent_id,
            };
            !is_known || policy.permits_some(&tool)
        });
        answer::visible_tools(visible, &policy.digest())
    }

    /// One record, for one who may act on it: for some clients, reading is starting.
    pub(super) fn read(
        &self,
        caller: &Principal,
        id: ApprovalId,
        reader: Reader,
        moment: &Moment,
    ) -> Result<Reply, StoreError> {
        let claim_key = self.claim_key(moment)?;
        let mut verdict = None;
        for _ in 0..VERDICT_TRIES {
            let command = Command::Read(caller, id, reader, verdict.as_ref());
            match self.transact(command, moment, &claim_key) {
                Ok(reply) => return Ok(reply),
                Err(Halt::Store(error)) => return Err(error),
                // The policy set is not the one that the approval was judged by.
                Err(Halt::Judge(approval)) => {
                    verdict = Some(self.verdict(&approval.subject, moment.now));
                }
                Err(Halt::Stale | Halt::Delegated(_)) => verdict = None,
            }
        }
        Err(restless())
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
                Err(Halt::Stale | Halt::Delegated(_)) => ask.verdict = None,
            }
        }
        Err(restless().into())
    }

    /// Records that the engine failed, if the store can.
    fn note_failure(&self, caller: &Principal, what: &str, moment: &Moment) {
        self.inner.failed.note(what);
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

/// A root token needs the admin role, narrowing one the agent role; which it is, the body says.
fn must_be_agent_or_admin(caller: &Principal) -> Result<(), Refusal> {
    if caller.has(Role::Agent) || caller.has(Role::Admin) {
        Ok(())
    } else {
        let reason = "delegating needs the admin role, or the agent role to narrow a token";
        Err(Refusal::new(Word::Forbidden, reason))
    }
}

fn no_such_token() -> Refusal {
    Refusal::new(Word::NotFound, "there is no such delegation token")
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

pub(super) fn restless() -> StoreError {
    StoreError::new("the policy set changes faster than it can be asked")
}
