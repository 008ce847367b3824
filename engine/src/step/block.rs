//! Refusing a submission.

use std::borrow::Cow;

use sernixa_protocol::secrets::SecretKind;

use crate::answer::Reply;
use crate::audit::{Entry, EventKind};
use crate::policy::Because;
use crate::principal::Principal;
use crate::refusal::{Refusal, Word, receipt_json};
use crate::step::{Step, Submission, refuse};
use crate::store::{StoreError, StoredAnswer};
use crate::text::Object;

/// Why a submission is blocked.
pub(super) enum Cause {
    /// It still holds a secret.
    Floor(SecretKind),
    /// The policy says that it may not be asked.
    Denied(Cow<'static, str>),
    /// The policy could not tell.
    PolicyError,
    /// A metadata member that policies read is of another type: its name, and the type wanted.
    MetadataType(Box<str>, &'static str),
    /// The policy broke down.
    EngineError,
}

impl Cause {
    /// Which rule refused.
    const fn rule(&self) -> &'static str {
        match self {
            Self::Floor(_) => "dlp_floor",
            Self::Denied(_) => "policy",
            Self::PolicyError => "policy_error",
            Self::MetadataType(..) => "metadata_type",
            Self::EngineError => "engine_error",
        }
    }

    /// What the caller reads.
    fn reason(&self) -> &str {
        match self {
            Self::Denied(reason) => reason,
            Self::Floor(_) | Self::PolicyError | Self::MetadataType(..) | Self::EngineError => {
                self.rule()
            }
        }
    }

    /// What kind of secret was found; never the secret.
    const fn found(&self) -> Option<&'static str> {
        match self {
            Self::Floor(kind) => Some(kind.describe()),
            Self::Denied(_) | Self::PolicyError | Self::MetadataType(..) | Self::EngineError => {
                None
            }
        }
    }

    /// What the caller can mend: which member, and what it should be.
    fn explained(&self, object: Object) -> Object {
        match self {
            Self::MetadataType(key, wanted) => object
                .string("metadata_key", key)
                .string("metadata_wants", wanted),
            _ => object,
        }
    }
}

impl Step<'_> {
    /// A refusal by a rule. It is recorded, and a retry gets it again.
    pub(super) fn block(
        &mut self,
        caller: &Principal,
        submission: &Submission,
        cause: &Cause,
        because: Option<&Because>,
    ) -> Result<Reply, StoreError> {
        let subject = &submission.subject;
        let mut entry = Entry::new(EventKind::Refused, self.now()).by(caller);
        // Under the DLP floor nothing of the text is written down: it may be the secret.
        if !matches!(cause, Cause::Floor(_)) {
            entry = entry.asked(subject).with(|object| {
                object
                    .string("action_id", &subject.action_id)
                    .present("request_id", subject.request_id.as_deref())
                    .digest("policy_digest", &self.context.policy)
            });
        }
        let entry = entry.because(because).with(|object| {
            cause.explained(
                object
                    .digest("body_hash", &subject.body_hash)
                    .string("decision", "blocked")
                    .string("reason", cause.reason())
                    .present("found", cause.found()),
            )
        });
        let receipt = self.append(&subject.organisation, entry)?;
        let evidence = cause
            .explained(Object::new().string("rule", cause.rule()))
            .because(because)
            .present("found", cause.found())
            .present("request_id", subject.request_id.as_deref())
            .digest("body_hash", &subject.body_hash)
            .digest("policy_digest", &self.context.policy)
            .json("receipt", &receipt_json(receipt));
        let refusal =
            Refusal::new(Word::Blocked, cause.reason().to_owned()).with_evidence(evidence);
        // An engine error is not an answer to keep: a retry may find the engine well.
        if !matches!(cause, Cause::EngineError) {
            let (status, body) = (refusal.word().http(), refusal.body().into_boxed_str());
            self.keep_answer(caller, submission, StoredAnswer::Refused { status, body })?;
        }
        Ok(refuse(refusal))
    }

    /// A refusal of the envelope: recorded, but not kept for retries, since the nonce is not one
    /// that this request owns.
    pub(super) fn refuse_unkept(
        &mut self,
        caller: &Principal,
        submission: &Submission,
        word: Word,
        reason: &'static str,
    ) -> Result<Reply, StoreError> {
        let refusal = self.note_refusal(caller, submission, Refusal::new(word, reason))?;
        Ok(refuse(refusal))
    }

    /// A refusal of the delegation: the envelope was verified, so the nonce is this request's, and
    /// a retry gets the refusal again.
    pub(super) fn refuse_delegation(
        &mut self,
        caller: &Principal,
        submission: &Submission,
        refusal: &Refusal,
    ) -> Result<Reply, StoreError> {
        let refusal = self.note_refusal(caller, submission, refusal.clone())?;
        let (status, body) = (refusal.word().http(), refusal.body().into_boxed_str());
        self.keep_answer(caller, submission, StoredAnswer::Refused { status, body })?;
        Ok(refuse(refusal))
    }

    /// Records a refusal of the envelope or the delegation, and adds what supports it. What an
    /// envelope claims is noted only once its signature was verified.
    fn note_refusal(
        &mut self,
        caller: &Principal,
        submission: &Submission,
        refusal: Refusal,
    ) -> Result<Refusal, StoreError> {
        let subject = &submission.subject;
        let token = submission.signed.as_ref().and_then(|signed| signed.token);
        let token = token.map(|id| id.to_string());
        let named = |object: Object| match &submission.signed {
            Some(signed) => object
                .string("signing_key_id", &signed.key)
                .present("delegation_token_id", token.as_deref())
                .string("agent_id", shortened(&signed.agent)),
            None => object,
        };
        let entry = Entry::new(EventKind::Refused, self.now())
            .by(caller)
            .with(|object| {
                named(object)
                    .present("request_id", subject.request_id.as_deref())
                    .digest("body_hash", &subject.body_hash)
                    .string("decision", refusal.word().as_str())
                    .string("reason", refusal.reason())
            });
        let receipt = self.append(&subject.organisation, entry)?;
        let evidence = named(Object::new())
            .present("request_id", subject.request_id.as_deref())
            .digest("body_hash", &subject.body_hash)
            .json("receipt", &receipt_json(receipt));
        Ok(refusal.with_evidence(evidence))
    }
}

/// The beginning of a text whose length nobody has bounded.
fn shortened(text: &str) -> &str {
    const MOST: usize = 256;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => text.get(..end).unwrap_or_default(),
        None => text,
    }
}
