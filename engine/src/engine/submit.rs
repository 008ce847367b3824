//! Submissions: what is known of one before its transaction, and the transaction itself.

use std::cell::RefCell;
use std::sync::Arc;

use crate::answer::{self, Answer, Asked, Reply};
use crate::approval::ClientKind;
use crate::call_tool;
use crate::digest::Digest;
use crate::engine::Engine;
use crate::engine::wire::{Stop, VERDICT_TRIES, restless};
use crate::keyring::Keyring;
use crate::moment::{Moment, Timestamp};
use crate::principal::{Principal, Role};
use crate::receive::{self, Nonce, Received};
use crate::refusal::Word;
use crate::request::{self, Request};
use crate::step::{Command, Found, Halt, OutcomeReport, Submission};
use crate::store::SecretKey;

/// Why a key that submits delegated requests only is refused another one.
const UNDELEGATED: (Word, &str) = (
    Word::Forbidden,
    "this key submits delegated requests only; send it with a delegation token, and signed",
);

/// Reports of outcomes that a submission's transaction takes along.
pub(super) struct Along<'a> {
    reports: &'a [OutcomeReport],
    /// What became of them, once that is committed.
    reply: RefCell<Option<Reply>>,
}

impl<'a> Along<'a> {
    const fn of(reports: &'a [OutcomeReport]) -> Self {
        Self {
            reports,
            reply: RefCell::new(None),
        }
    }

    pub(super) const fn nothing() -> Self {
        Self::of(&[])
    }

    fn into_reply(self) -> Option<Reply> {
        self.reply.into_inner()
    }
}

impl Engine {
    /// The answers to a submission, and to a report of outcomes (the body of [`Request::Outcomes`])
    /// that was made before it: as [`handle`](Self::handle) gives them to one after the other, but
    /// both in one transaction where there is one, so that a store on disk commits once.
    pub fn handle_with_outcomes(
        &self,
        caller: &Principal,
        request: Request<'_>,
        outcomes: &str,
        moment: &Moment,
    ) -> (Answer, Answer) {
        // What cannot be read, or may not be reported, is refused below.
        let reports = match request::outcomes(outcomes) {
            Ok(reports) if caller.has(Role::Agent) => reports,
            _ => Vec::new(),
        };
        let along = Along::of(&reports);
        let answer = self.handle_along(caller, request, &along, moment);
        let reported = match along.into_reply() {
            Some(reply) => answer::to_other(&reply),
            // The submission came to no transaction.
            None => self.handle(caller, Request::Outcomes { body: outcomes }, moment),
        };
        (answer, reported)
    }

    pub(super) fn submit(
        &self,
        caller: &Principal,
        body: &str,
        along: &Along<'_>,
        moment: &Moment,
    ) -> Result<Answer, Stop> {
        let settings = &self.inner.settings;
        let keyring = &self.inner.keyring;
        let received = receive::receive(body, caller, settings, keyring, moment.now)?;
        self.submit_received(caller, received, along, moment)
    }

    /// A tool call, as the submission that it stands for.
    pub(super) fn call_tool(
        &self,
        caller: &Principal,
        body: &str,
        along: &Along<'_>,
        moment: &Moment,
    ) -> Result<Answer, Stop> {
        let settings = &self.inner.settings;
        let call = call_tool::read(body)?;
        // Without the keyring: a call of the gate carries no envelope.
        let none = Keyring::new();
        let mut received = receive::receive(&call.submission, caller, settings, &none, moment.now)?;
        // A retry has the bytes that came, not those that were made of them.
        received.request = Digest::of(body.as_bytes());
        if call.claims {
            received.subject.client = ClientKind::Claims;
        }
        if call.is_bound {
            receive::bind(&mut received, caller, settings);
        }
        let answer = self.submit_received(caller, received, along, moment)?;
        Ok(call_tool::answer(answer))
    }

    fn submit_received(
        &self,
        caller: &Principal,
        received: Received,
        along: &Along<'_>,
        moment: &Moment,
    ) -> Result<Answer, Stop> {
        let settings = &self.inner.settings;
        let claim_key = self.claim_key(moment)?;
        let mut submission = self.examine(caller, received, moment.now);
        let sent = Arc::clone(&submission.subject);
        for _ in 0..VERDICT_TRIES {
            let command = Command::Submit(caller, &submission);
            match self.transact_along(caller, along, command, moment, &claim_key) {
                Ok(reply) => {
                    let asked = Asked::of(&submission.subject);
                    return Ok(answer::to_submission(&reply, asked, settings, &claim_key));
                }
                Err(Halt::Store(error)) => return Err(error.into()),
                // The policy set changed in between.
                Err(Halt::Stale | Halt::Judge(_)) => {
                    submission.found = Found::Judged(self.verdict(&submission.subject, moment.now));
                }
                // The first look at a delegation: now it is known whom the policy is asked about.
                Err(Halt::Delegated(delegation)) => {
                    submission.subject = Arc::new(delegation.of(&sent));
                    if !matches!(submission.found, Found::Secret(_)) {
                        let verdict = self.verdict(&submission.subject, moment.now);
                        submission.found = Found::Judged(verdict);
                    }
                }
            }
        }
        Err(restless().into())
    }

    /// Runs a command, together with the reports that came along if they are still to be taken.
    fn transact_along(
        &self,
        caller: &Principal,
        along: &Along<'_>,
        command: Command<'_>,
        moment: &Moment,
        claim_key: &SecretKey,
    ) -> Result<Reply, Halt> {
        if along.reports.is_empty() {
            return self.transact(command, moment, claim_key);
        }
        let reports = Command::Report(caller, along.reports);
        let (reported, reply) = self.transact_after(reports, command, moment, claim_key)?;
        along.reply.replace(reported);
        Ok(reply)
    }

    /// What can be said of a submission before its transaction, in the order of precedence.
    fn examine(&self, caller: &Principal, received: Received, now: Timestamp) -> Submission {
        let subject = Arc::new(received.subject);
        let (signed, refused) = match received.delegated {
            Some(Ok(signed)) => (Some(signed), None),
            Some(Err(refused)) => (None, Some(refused)),
            None if caller.is_delegated_only() => (None, Some(UNDELEGATED)),
            None => (None, None),
        };
        let found = match (refused, received.nonce, received.secret) {
            (Some((word, reason)), _, _) => Found::Envelope(word, reason),
            (None, Nonce::Malformed, _) => {
                Found::Envelope(Word::InvalidNonce, "nonce must be 32 lower-case hex digits")
            }
            (None, _, Some(kind)) => Found::Secret(kind),
            // How deep a delegation is, and whose, stands in the state.
            (None, _, None) if signed.is_some() => Found::Unjudged,
            (None, _, None) => Found::Judged(self.verdict(&subject, now)),
        };
        let nonce = match received.nonce {
            Nonce::Given(nonce) => Some(nonce),
            Nonce::Absent | Nonce::Malformed => None,
        };
        Submission {
            subject,
            request: received.request,
            nonce,
            signed,
            found,
        }
    }
}
