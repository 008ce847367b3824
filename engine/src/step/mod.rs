//! The one place where anything changes: [`step`] takes the state, a command and the time, and
//! does all of it or nothing.
//!
//! It runs inside a store's transaction, so everything that depends on stored state is read here:
//! chain head, nonces, memory, claims. It reads no clock, draws no randomness of its own and
//! calls nobody.

mod block;
mod chain;
mod checkpoint;
mod claim;
mod decide;
mod delegate;
mod keys;
mod memory;
mod outcome;
mod read;
mod retry;
mod signature;
mod submit;
mod sweep;
mod withdraw;

use std::sync::Arc;

use crate::answer::Reply;
use crate::api_key::ApiKey;
use crate::approval::{Approval, ApprovalId};
use crate::audit::{AuditKey, Entry, EventKind, Receipt};
use crate::change::{Change, ChangeKind};
use crate::delegation::{TokenAsk, TokenId};
use crate::digest::Digest;
use crate::keyring::Keyring;
use crate::moment::{Entropy, Timestamp};
use crate::policy::Verdict;
use crate::principal::Principal;
use crate::refusal::{Refusal, Word};
use crate::settings::Settings;
use crate::store::{SecretKey, State, StoreError};

pub(crate) use chain::Delegation;
pub(crate) use claim::ClaimAsk;
pub(crate) use decide::DecideAsk;
pub(crate) use outcome::{OutcomeReport, Proof, Reported};
pub(crate) use read::Reader;
pub(crate) use submit::{Found, Submission};
pub(crate) use withdraw::WithdrawAsk;

/// What a step may use besides the state.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) claim_key: &'a SecretKey,
    /// The secrets that delegated requests are signed with.
    pub(crate) keyring: &'a Keyring,
    /// The policy set in force.
    pub(crate) policy: Digest,
    pub(crate) now: Timestamp,
    pub(crate) entropy: &'a Entropy,
    /// What signs the audit chain, where something does.
    pub(crate) audit_key: Option<&'a AuditKey>,
}

/// What is to be done, and for whom.
#[derive(Clone, Copy)]
pub(crate) enum Command<'a> {
    Submit(&'a Principal, &'a Submission),
    /// One record, for one who may act on it; with what the policy in force says of it, where it
    /// was asked.
    Read(&'a Principal, ApprovalId, Reader, Option<&'a Verdict>),
    Pending(&'a Principal, usize),
    /// What waits and what was decided since then, at most so many of each.
    Snapshot(&'a Principal, Timestamp, usize),
    Decide(&'a Principal, ApprovalId, &'a DecideAsk),
    Claim(&'a Principal, ApprovalId, &'a ClaimAsk),
    Withdraw(&'a Principal, ApprovalId, &'a WithdrawAsk),
    Report(&'a Principal, &'a [OutcomeReport]),
    Sweep(usize),
    /// Signs an organisation's audit chain.
    Checkpoint(&'a Arc<str>),
    /// One record, as someone sees it who is not going to act on it.
    Look(&'a Principal, ApprovalId),
    Delegate(&'a Principal, &'a TokenAsk),
    Delegations(&'a Principal, usize),
    RevokeDelegation(&'a Principal, TokenId),
    Memories(&'a Principal),
    Forget(&'a Principal, &'a Digest),
    CreateKey(&'a Principal, &'a ApiKey),
    Keys(&'a Principal),
    RevokeKey(&'a Principal, &'a str),
    /// Records that the engine failed.
    Failed(&'a Principal, &'a str),
}

/// What came of a command.
pub(crate) struct Outcome {
    pub(crate) reply: Reply,
    pub(crate) changes: Vec<Change>,
}

/// Why a command ended without an outcome. Nothing of it is kept.
#[derive(Debug)]
pub(crate) enum Halt {
    /// The store failed.
    Store(StoreError),
    /// The policy in force must be asked about this approval first, outside of the transaction.
    Judge(Box<Approval>),
    /// The verdict is of another policy set or another delegation: it must be asked again.
    Stale,
    /// The submission rests on this delegation, and its subject does not say so yet.
    Delegated(Box<Delegation>),
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Does `command`, at the time of `context`.
pub(crate) fn step(
    state: &mut dyn State,
    context: &Context<'_>,
    command: Command<'_>,
) -> Result<Outcome, Halt> {
    let mut step = Step {
        state,
        context,
        changes: Vec::new(),
    };
    let reply = match command {
        Command::Submit(caller, submission) => step.submit(caller, submission)?,
        Command::Read(caller, id, reader, verdict) => step.read(caller, id, reader, verdict)?,
        Command::Pending(caller, limit) => step.pending(caller, limit)?,
        Command::Snapshot(caller, since, limit) => step.snapshot(caller, since, limit)?,
        Command::Decide(caller, id, ask) => step.decide(caller, id, ask)?,
        Command::Claim(caller, id, ask) => step.claim(caller, id, ask)?,
        Command::Withdraw(caller, id, ask) => step.withdraw(caller, id, ask)?,
        Command::Report(caller, reports) => step.report(caller, reports)?,
        Command::Sweep(limit) => step.sweep(limit)?,
        Command::Checkpoint(organisation) => step.checkpoint(organisation)?,
        Command::Look(caller, id) => step.look(caller, id)?,
        Command::Delegate(caller, ask) => step.delegate(caller, ask)?,
        Command::Delegations(caller, limit) => step.delegations(caller, limit)?,
        Command::RevokeDelegation(caller, id) => step.revoke_delegation(caller, id)?,
        Command::Memories(caller) => step.memories(caller)?,
        Command::Forget(caller, fingerprint) => step.forget(caller, fingerprint)?,
        Command::CreateKey(caller, key) => step.create_key(caller, key)?,
        Command::Keys(caller) => step.keys(caller)?,
        Command::RevokeKey(caller, id) => step.revoke_key(caller, id)?,
        Command::Failed(caller, what) => step.failed(caller, what)?,
    };
    Ok(Outcome {
        reply,
        changes: step.changes,
    })
}

/// A command in the middle of being done.
struct Step<'a> {
    state: &'a mut dyn State,
    context: &'a Context<'a>,
    changes: Vec<Change>,
}

impl Step<'_> {
    fn now(&self) -> Timestamp {
        self.context.now
    }

    /// Appends an event to an organisation's chain; a checkpoint follows where one is due.
    fn append(&mut self, organisation: &Arc<str>, entry: Entry) -> Result<Receipt, StoreError> {
        let event = entry.seal(&self.state.head(organisation)?);
        let receipt = event.receipt();
        self.state.append(organisation, event)?;
        self.sign_when_due(organisation, receipt)?;
        Ok(receipt)
    }

    /// Keeps the next state of an approval, which the event of `receipt` recorded; the listeners
    /// hear of it once it is committed.
    fn keep(
        &mut self,
        approval: &mut Approval,
        receipt: Receipt,
        change: Option<ChangeKind>,
    ) -> Result<(), StoreError> {
        approval.seq = receipt.seq;
        approval.due = approval.due_at(self.context.settings.outcome_within);
        self.state.put_approval(approval)?;
        self.changes
            .extend(change.map(|kind| Change::new(kind, approval)));
        Ok(())
    }

    /// Appends the event of a change, and keeps the approval as it is after it.
    fn change(
        &mut self,
        approval: &mut Approval,
        kind: ChangeKind,
        entry: Entry,
    ) -> Result<Receipt, StoreError> {
        let receipt = self.append(&approval.subject.organisation, entry)?;
        self.keep(approval, receipt, Some(kind))?;
        Ok(receipt)
    }

    /// The approval as it stands now, if the caller may see it.
    fn visible(
        &mut self,
        caller: &Principal,
        id: ApprovalId,
    ) -> Result<Option<Approval>, StoreError> {
        let Some(approval) = self.state.approval(id)? else {
            return Ok(None);
        };
        let subject = &approval.subject;
        // Another organisation's approval does not exist for this caller.
        let sees = subject.organisation == *caller.organisation()
            && (caller.sees_all() || subject.key == *caller.key());
        if sees {
            self.touch(approval).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Records that the engine failed while it served `caller`.
    fn failed(&mut self, caller: &Principal, what: &str) -> Result<Reply, StoreError> {
        let entry = Entry::new(EventKind::EngineError, self.now())
            .by(caller)
            .with(|object| object.string("decision", "blocked").string("reason", what));
        self.append(caller.organisation(), entry)?;
        Ok(Reply::Done)
    }
}

/// Whether the approval was asked by this very key.
fn is_own(caller: &Principal, approval: &Approval) -> bool {
    approval.subject.organisation == *caller.organisation() && approval.subject.key == *caller.key()
}

/// A refusal as a reply.
fn refuse(refusal: Refusal) -> Reply {
    Reply::Refused(refusal)
}

/// A refusal for lack of a role.
fn lacks(role: &'static str) -> Reply {
    refuse(Refusal::new(Word::Forbidden, role))
}
