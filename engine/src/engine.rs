//! The engine: commands in, answers out. It holds the store, the policy and the listeners, and
//! runs [`step`] inside the store's transaction.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, RwLock};

use crate::answer::{self, Answer, Asked, Reply};
use crate::approval::{ApprovalId, Decision, Subject};
use crate::audit::{self, Anchor, Event, Head, Receipt, Report};
use crate::change::{Change, Listeners, Subscription};
use crate::digest::Digest;
use crate::memory::Memory;
use crate::memory_store::MemoryStore;
use crate::moment::{Entropy, Moment, Timestamp};
use crate::policy::{BuiltInPolicy, Policy, ProceedVerdict, Question, RequestVerdict, Verdict};
use crate::principal::{Principal, Role};
use crate::receive::{self, Nonce, Received};
use crate::record::Record;
use crate::refusal::{Refusal, Word};
use crate::request::{self, Request};
use crate::settings::{Settings, SettingsError};
use crate::step::{Command, Context, DecideAsk, Found, Halt, Outcome, Submission, step};
use crate::store::{SecretKey, Store, StoreError};

/// How often a verdict is computed anew because the policy set changed meanwhile, before the
/// engine gives up and refuses.
const VERDICT_TRIES: usize = 4;

/// The engine. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<dyn Store>,
    policy: RwLock<Arc<dyn Policy>>,
    settings: Settings,
    listeners: Arc<Listeners>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("settings", &self.inner.settings)
            .finish_non_exhaustive()
    }
}

/// Makes an [`Engine`].
pub struct EngineBuilder {
    store: Option<Arc<dyn Store>>,
    policy: Option<Arc<dyn Policy>>,
    settings: Settings,
}

impl EngineBuilder {
    /// Where state is kept. Default: a new [`MemoryStore`].
    #[must_use]
    pub fn store(mut self, store: impl Store + 'static) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Where state is kept, shared with others.
    #[must_use]
    pub fn shared_store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(store);
        self
    }

    /// What decides. Default: [`BuiltInPolicy`].
    #[must_use]
    pub fn policy(mut self, policy: Arc<dyn Policy>) -> Self {
        self.policy = Some(policy);
        self
    }

    /// The settings. Default: [`Settings::default`], those of a service.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// The engine.
    ///
    /// # Errors
    /// [`SettingsError`] when a setting is out of bounds.
    pub fn build(self) -> Result<Engine, SettingsError> {
        self.settings.check()?;
        Ok(self.unchecked())
    }

    fn unchecked(self) -> Engine {
        Engine {
            inner: Arc::new(Inner {
                store: self.store.unwrap_or_else(|| Arc::new(MemoryStore::new())),
                policy: RwLock::new(self.policy.unwrap_or_else(|| Arc::new(BuiltInPolicy))),
                settings: self.settings,
                listeners: Arc::default(),
            }),
        }
    }
}

impl fmt::Debug for EngineBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineBuilder")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine of its own.
    pub fn builder() -> EngineBuilder {
        EngineBuilder {
            store: None,
            policy: None,
            settings: Settings::default(),
        }
    }

    /// An engine inside one person's process: everything in memory, the built-in policy, and that
    /// person may decide ([`Settings::local`]).
    pub fn in_memory() -> Self {
        Self::builder().settings(Settings::local()).unchecked()
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Puts another policy in force, at once and for everything not yet decided.
    pub fn replace_policy(&self, policy: Arc<dyn Policy>) {
        *self
            .inner
            .policy
            .write()
            .unwrap_or_else(PoisonError::into_inner) = policy;
    }

    /// Calls `listener` with every change of an approval that waits or waited, after it is
    /// committed, on the thread that made it and outside of all locks. Dropping the subscription
    /// ends it.
    pub fn subscribe(&self, listener: Box<dyn Fn(&Change) + Send + Sync>) -> Subscription {
        self.inner.listeners.add(Arc::from(listener))
    }

    /// The key that clients in this process digest arguments with; `None` where nothing outlives
    /// the process.
    ///
    /// # Errors
    /// [`StoreError`] when the store can neither read nor make it.
    pub fn binding_key(&self, entropy: &mut Entropy) -> Result<Option<SecretKey>, StoreError> {
        self.inner.store.binding_key(entropy)
    }

    /// The answer to a request by an authenticated caller. It is total: whatever fails inside is
    /// answered, and never with leave to run.
    pub fn handle(&self, caller: &Principal, request: Request<'_>, moment: &Moment) -> Answer {
        let answered = catch_unwind(AssertUnwindSafe(|| self.answer(caller, request, moment)));
        let failure = match answered {
            Ok(Ok(answer)) => return answer,
            Ok(Err(_)) => "the store failed",
            Err(_) => "the engine panicked",
        };
        self.note_failure(caller, failure, moment);
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
    ) -> Result<Answer, StoreError> {
        let needs_agent = match request {
            Request::Submit { .. }
            | Request::Claim { .. }
            | Request::Withdraw { .. }
            | Request::Outcomes { .. }
            | Request::Delegate { .. } => true,
            Request::Record { .. } | Request::Pending { .. } | Request::Decide { .. } => false,
        };
        if needs_agent && !caller.has(Role::Agent) {
            let refusal = Refusal::new(Word::Forbidden, "this needs the agent role");
            return Ok((&refusal).into());
        }
        if let Request::Submit { body } = request {
            return self.submit(caller, body, moment);
        }
        let reply = match self.read(caller, request, moment)? {
            Ok(reply) => reply,
            Err(refusal) => Reply::Refused(refusal),
        };
        Ok(answer::to_other(&reply))
    }

    /// Everything but a submission.
    fn read(
        &self,
        caller: &Principal,
        request: Request<'_>,
        moment: &Moment,
    ) -> Result<Result<Reply, Refusal>, StoreError> {
        macro_rules! known {
            ($result:expr) => {
                match $result {
                    Ok(value) => value,
                    Err(refusal) => return Ok(Err(refusal)),
                }
            };
        }
        let id = |text| ApprovalId::parse(text).ok_or_else(Refusal::not_found);
        match request {
            Request::Record { approval_id } => {
                self.run(Command::Read(caller, known!(id(approval_id))), moment)
            }
            Request::Pending { limit } => {
                self.run(Command::Pending(caller, limit.clamp(1, 100)), moment)
            }
            Request::Decide { approval_id, body } => {
                let (id, ask) = (known!(id(approval_id)), known!(request::decision(body)));
                self.run(Command::Decide(caller, id, &ask), moment)
            }
            Request::Claim { approval_id, body } => {
                let (id, ask) = (known!(id(approval_id)), known!(request::claim(body)));
                return self.claim(caller, id, ask, moment).map(Ok);
            }
            Request::Withdraw { approval_id, body } => {
                let (id, token) = (known!(id(approval_id)), known!(request::withdrawal(body)));
                self.run(Command::Withdraw(caller, id, &token), moment)
            }
            Request::Outcomes { body } => {
                let reports = known!(request::outcomes(body));
                self.run(Command::Report(caller, &reports), moment)
            }
            Request::Delegate { .. } => {
                let reason = "this engine does not issue delegation tokens";
                return Ok(Err(Refusal::new(Word::NotOffered, reason)));
            }
            // Answered before.
            Request::Submit { .. } => {
                return Ok(Err(Refusal::new(Word::Unavailable, "engine_error")));
            }
        }
        .map(Ok)
    }

    fn submit(
        &self,
        caller: &Principal,
        body: &str,
        moment: &Moment,
    ) -> Result<Answer, StoreError> {
        let received = match receive::receive(body, caller, &self.inner.settings, moment.now) {
            Ok(received) => received,
            Err(refusal) => return Ok((&refusal).into()),
        };
        let claim_key = self.inner.store.claim_key(&mut moment.entropy.clone())?;
        let mut submission = self.judged(received, moment.now);
        for _ in 0..VERDICT_TRIES {
            match self.transact(Command::Submit(caller, &submission), moment, &claim_key) {
                Ok(reply) => {
                    let subject = &submission.subject;
                    let asked = Asked {
                        request_id: subject.request_id.as_deref(),
                        body_hash: &subject.body_hash,
                    };
                    let settings = &self.inner.settings;
                    return Ok(answer::to_submission(&reply, asked, settings, &claim_key));
                }
                Err(Halt::Store(error)) => return Err(error),
                // The policy set changed in between.
                Err(Halt::Stale | Halt::Judge(_)) => {
                    submission.found = Found::Judged(self.verdict(&submission.subject, moment.now));
                }
            }
        }
        Err(StoreError::new(
            "the policy set changes faster than it can be asked",
        ))
    }

    /// What is found out about a submission before its transaction, in the order of precedence.
    fn judged(&self, received: Received, now: Timestamp) -> Submission {
        let Received {
            subject,
            request,
            nonce,
            delegated,
            secret,
        } = received;
        let nonce_given = match nonce {
            Nonce::Given(nonce) => Some(nonce),
            Nonce::Absent | Nonce::Malformed => None,
        };
        let found = match (delegated, nonce, secret) {
            (true, _, _) => Found::Envelope(
                Word::InvalidSignature,
                "delegated requests cannot be verified by this engine",
            ),
            (false, Nonce::Malformed, _) => Found::Envelope(
                Word::InvalidNonce,
                "`nonce` must be 32 lower-case hex digits",
            ),
            (false, _, Some(kind)) => Found::Secret(kind),
            (false, _, None) => Found::Judged(self.verdict(&subject, now)),
        };
        Submission {
            subject: Arc::new(subject),
            request,
            nonce: nonce_given,
            found,
        }
    }

    fn claim(
        &self,
        caller: &Principal,
        id: ApprovalId,
        mut ask: crate::step::ClaimAsk,
        moment: &Moment,
    ) -> Result<Reply, StoreError> {
        let claim_key = self.inner.store.claim_key(&mut moment.entropy.clone())?;
        for _ in 0..VERDICT_TRIES {
            match self.transact(Command::Claim(caller, id, &ask), moment, &claim_key) {
                Ok(reply) => return Ok(reply),
                Err(Halt::Store(error)) => return Err(error),
                Err(Halt::Judge(approval)) => {
                    ask.verdict = Some(self.verdict(&approval.subject, moment.now));
                }
                Err(Halt::Stale) => ask.verdict = None,
            }
        }
        Err(StoreError::new(
            "the policy set changes faster than it can be asked",
        ))
    }

    fn policy(&self) -> Arc<dyn Policy> {
        Arc::clone(
            &self
                .inner
                .policy
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Asks the policy in force. One that panics is broken: that counts as no.
    fn verdict(&self, subject: &Subject, now: Timestamp) -> Verdict {
        let policy = self.policy();
        let question = Question { subject, now };
        let asked = catch_unwind(AssertUnwindSafe(|| policy.verdict(&question)));
        asked.unwrap_or_else(|_| Verdict {
            request: RequestVerdict::Broken,
            proceed: ProceedVerdict::Error,
            digest: policy.digest(),
            delegation_depth: subject.delegation_depth,
        })
    }

    /// Runs a command that asks no policy.
    fn run(&self, command: Command<'_>, moment: &Moment) -> Result<Reply, StoreError> {
        let claim_key = self.inner.store.claim_key(&mut moment.entropy.clone())?;
        self.transact(command, moment, &claim_key)
            .map_err(|halt| match halt {
                Halt::Store(error) => error,
                Halt::Judge(_) | Halt::Stale => StoreError::new("a command asked for a verdict"),
            })
    }

    /// Runs a command in one transaction, and tells the listeners once it is committed.
    fn transact(
        &self,
        command: Command<'_>,
        moment: &Moment,
        claim_key: &SecretKey,
    ) -> Result<Reply, Halt> {
        let mut done = None;
        let committed = self.inner.store.transact(&mut |state| {
            let context = Context {
                settings: &self.inner.settings,
                claim_key,
                policy: self.policy().digest(),
                now: moment.now,
                entropy: &moment.entropy,
            };
            let outcome = step(state, &context, command);
            let kept = match &outcome {
                Ok(_) => Ok(()),
                // Nothing of it is kept; the caller tries again or fails.
                Err(_) => Err(StoreError::new("the command was given up")),
            };
            done = Some(outcome);
            kept
        });
        match (committed, done) {
            (Ok(()), Some(Ok(Outcome { reply, changes }))) => {
                self.inner.listeners.tell(&changes);
                Ok(reply)
            }
            (Err(_), Some(Err(halt))) => Err(halt),
            // Decided, but not kept: as if it had not been.
            (Err(error), _) => Err(Halt::Store(error)),
            (Ok(()), _) => Err(Halt::Store(StoreError::new(
                "the store did not run the command",
            ))),
        }
    }

    /// Records that the engine failed, if the store can.
    fn note_failure(&self, caller: &Principal, what: &str, moment: &Moment) {
        let _ = catch_unwind(AssertUnwindSafe(|| {
            self.run(Command::Failed(caller, what), moment)
        }));
    }

    /// What waits for review, oldest first: all of the organisation for those who may see it, else
    /// the caller's own.
    ///
    /// # Errors
    /// [`Word::Unavailable`] when the store fails.
    pub fn pending(
        &self,
        caller: &Principal,
        limit: usize,
        moment: &Moment,
    ) -> Result<Vec<Record>, Refusal> {
        match self.typed(Command::Pending(caller, limit), moment)? {
            Reply::Records(approvals) => Ok(approvals.into_iter().map(Record::new).collect()),
            other => Err(unexpected(other)),
        }
    }

    /// One record, if the caller may see it.
    ///
    /// # Errors
    /// [`Word::NotFound`], [`Word::Unavailable`].
    pub fn record(
        &self,
        caller: &Principal,
        id: ApprovalId,
        moment: &Moment,
    ) -> Result<Record, Refusal> {
        match self.typed(Command::Read(caller, id), moment)? {
            Reply::Record(approval) => Ok(Record::new(approval)),
            other => Err(unexpected(other)),
        }
    }

    /// Records a person's decision, with a reason of 3 to 500 characters.
    ///
    /// The same decision again changes nothing.
    ///
    /// # Errors
    /// [`Word::Forbidden`] without the reviewer role, [`Word::SelfDecision`] where two owners are
    /// needed, [`Word::Invalid`] for the reason, [`Word::NotFound`], [`Word::Standing`] when it has
    /// ended otherwise, [`Word::Unavailable`].
    pub fn decide(
        &self,
        caller: &Principal,
        id: ApprovalId,
        decision: Decision,
        reason: &str,
        moment: &Moment,
    ) -> Result<Record, Refusal> {
        let ask = DecideAsk::new(decision, reason)?;
        match self.typed(Command::Decide(caller, id, &ask), moment)? {
            Reply::Decided(approval, _) => Ok(Record::new(approval)),
            other => Err(unexpected(other)),
        }
    }

    /// Everything that is remembered in the caller's organisation.
    ///
    /// # Errors
    /// [`Word::Forbidden`], [`Word::Unavailable`].
    pub fn remembered(&self, caller: &Principal, moment: &Moment) -> Result<Vec<Memory>, Refusal> {
        match self.typed(Command::Memories(caller), moment)? {
            Reply::Memories(memories) => Ok(memories),
            other => Err(unexpected(other)),
        }
    }

    /// Forgets one remembered call: the next one waits for a person.
    ///
    /// # Errors
    /// [`Word::Forbidden`], [`Word::NotFound`], [`Word::Unavailable`].
    pub fn forget(
        &self,
        caller: &Principal,
        fingerprint: &Digest,
        moment: &Moment,
    ) -> Result<(), Refusal> {
        self.typed(Command::Forget(caller, fingerprint), moment)
            .map(|_| ())
    }

    /// Lets time act: requests end undecided, approvals unclaimed, claims unknown. Whatever is read
    /// or claimed is brought up to date by itself; this is for the rest, and for those who wait.
    ///
    /// # Errors
    /// [`Word::Unavailable`] when the store fails.
    pub fn sweep(&self, moment: &Moment) -> Result<Swept, Refusal> {
        const AT_ONCE: usize = 256;
        let mut total = 0;
        loop {
            match self.typed(Command::Sweep(AT_ONCE), moment)? {
                Reply::Swept { changed, next } => {
                    total += changed;
                    if changed == 0 || next.is_none_or(|next| next > moment.now) {
                        return Ok(Swept {
                            changed: total,
                            next_due: next,
                        });
                    }
                }
                other => return Err(unexpected(other)),
            }
        }
    }

    /// The caller's organisation's audit events with a number above `after`, at most `limit`.
    ///
    /// # Errors
    /// [`Word::Forbidden`] for a key that may see its own records only, [`Word::Unavailable`].
    pub fn audit(
        &self,
        caller: &Principal,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Event>, Refusal> {
        may_audit(caller)?;
        self.inner
            .store
            .events(caller.organisation(), after, limit)
            .map_err(|_| unavailable())
    }

    /// Checks the caller's organisation's audit chain from its first kept event, and that it holds
    /// every `expected` receipt.
    ///
    /// # Errors
    /// [`Word::Forbidden`] for a key that may see its own records only, [`Word::Unavailable`].
    pub fn verify_audit(
        &self,
        caller: &Principal,
        expected: &[Receipt],
    ) -> Result<Report, Refusal> {
        const AT_ONCE: usize = 1024;
        may_audit(caller)?;
        let (store, organisation) = (&self.inner.store, caller.organisation());
        let anchor: Head = store
            .first_anchor(organisation)
            .map_err(|_| unavailable())?;
        let mut failed = false;
        let mut after = anchor.seq;
        let pages = std::iter::from_fn(|| {
            let page = store.events(organisation, after, AT_ONCE);
            failed |= page.is_err();
            let page = page.unwrap_or_default();
            after = page.last()?.seq;
            Some(page)
        });
        let report = audit::verify(Anchor::After(anchor), pages.flatten(), expected);
        if failed {
            Err(unavailable())
        } else {
            Ok(report)
        }
    }

    fn typed(&self, command: Command<'_>, moment: &Moment) -> Result<Reply, Refusal> {
        let ran = catch_unwind(AssertUnwindSafe(|| self.run(command, moment)));
        match ran {
            Ok(Ok(Reply::Refused(refusal))) => Err(refusal),
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(_)) | Err(_) => Err(unavailable()),
        }
    }
}

/// What a [`Engine::sweep`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swept {
    /// How many approvals changed.
    pub changed: usize,
    /// When the next one changes by itself, if any does.
    pub next_due: Option<Timestamp>,
}

fn may_audit(caller: &Principal) -> Result<(), Refusal> {
    if caller.sees_all() {
        Ok(())
    } else {
        let reason = "reading the audit needs the reviewer, auditor or admin role";
        Err(Refusal::new(Word::Forbidden, reason))
    }
}

fn unavailable() -> Refusal {
    Refusal::new(Word::Unavailable, "engine_error")
}

/// A command was answered with another command's reply.
fn unexpected(reply: Reply) -> Refusal {
    drop(reply);
    unavailable()
}
