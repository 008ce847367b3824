//! The engine: it holds the store, the policy and the listeners, and runs [`step`] inside the
//! store's transaction.

mod bundle;
mod checkpoint;
mod evidence;
mod failures;
mod feed;
mod follow;
mod keys;
mod submit;
mod typed;
mod verify;
mod wire;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, RwLock};

use crate::answer::Reply;
use crate::approval::Subject;
use crate::audit::AuditKey;
use crate::change::{Change, Listeners, Subscription};
use crate::digest::Digest;
use crate::keyring::Keyring;
use crate::memory_store::MemoryStore;
use crate::moment::{Entropy, Moment, Timestamp};
use crate::policy::{BuiltInPolicy, Policy, ProceedVerdict, Question, RequestVerdict, Verdict};
use crate::settings::{Settings, SettingsError};
use crate::step::{Command, Context, Halt, Outcome, step};
use crate::store::{SecretKey, State, Store, StoreError};

pub use failures::Failures;
pub use feed::{Feed, Snapshot};
pub use follow::Follower;
pub use keys::{ApiSecret, NewKey};
pub use typed::Swept;

/// The engine. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<dyn Store>,
    policy: RwLock<Arc<dyn Policy>>,
    settings: Settings,
    keyring: Keyring,
    audit_key: Option<AuditKey>,
    listeners: Arc<Listeners>,
    failed: failures::Failed,
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
    keyring: Keyring,
    audit_key: Option<AuditKey>,
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

    /// The secrets that delegated requests are signed with. Default: none, so that every delegated
    /// request is refused.
    #[must_use]
    pub fn keyring(mut self, keyring: Keyring) -> Self {
        self.keyring = keyring;
        self
    }

    /// What signs the audit chain and evidence bundles. Default: nothing does.
    #[must_use]
    pub fn audit_key(mut self, key: AuditKey) -> Self {
        self.audit_key = Some(key);
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
                keyring: self.keyring,
                audit_key: self.audit_key,
                listeners: Arc::default(),
                failed: failures::Failed::default(),
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
            keyring: Keyring::new(),
            audit_key: None,
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

    /// The digest of the policy set in force.
    pub fn policy_digest(&self) -> Digest {
        self.policy().digest()
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

    fn claim_key(&self, moment: &Moment) -> Result<SecretKey, StoreError> {
        self.inner.store.claim_key(&mut moment.entropy.clone())
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
            grounds: None,
        })
    }

    /// Runs a command that asks no policy.
    fn run(&self, command: Command<'_>, moment: &Moment) -> Result<Reply, StoreError> {
        let claim_key = self.claim_key(moment)?;
        self.transact(command, moment, &claim_key)
            .map_err(|halt| match halt {
                Halt::Store(error) => error,
                Halt::Judge(_) | Halt::Stale | Halt::Delegated(_) => {
                    StoreError::new("a command asked for a verdict")
                }
            })
    }

    /// Runs a command in one transaction, and tells the listeners once it is committed.
    fn transact(
        &self,
        command: Command<'_>,
        moment: &Moment,
        claim_key: &SecretKey,
    ) -> Result<Reply, Halt> {
        self.commit(moment, claim_key, |state, context| {
            step(state, context, command)
        })
    }

    /// Runs a command, and in the same transaction before it another one, on which it does not
    /// depend: one that fails is left out.
    fn transact_after(
        &self,
        before: Command<'_>,
        command: Command<'_>,
        moment: &Moment,
        claim_key: &SecretKey,
    ) -> Result<(Option<Reply>, Reply), Halt> {
        let (mut first, mut spoilt) = (None, false);
        let reply = self.commit(moment, claim_key, |state, context| {
            first = None;
            let earlier = catch_unwind(AssertUnwindSafe(|| step(state, context, before)));
            let Ok(Ok(earlier)) = earlier else {
                spoilt = true;
                return Err(StoreError::new("the command before this one failed").into());
            };
            let mut outcome = step(state, context, command)?;
            first = Some(earlier.reply);
            // In the order in which they came about.
            let later = std::mem::replace(&mut outcome.changes, earlier.changes);
            outcome.changes.extend(later);
            Ok(outcome)
        });
        // Only then: what else is wrong with the store is not waited for twice.
        if spoilt {
            let reply = self.transact(command, moment, claim_key)?;
            return Ok((None, reply));
        }
        Ok((first, reply?))
    }

    /// Runs steps in one transaction, and tells the listeners once it is committed.
    fn commit(
        &self,
        moment: &Moment,
        claim_key: &SecretKey,
        mut steps: impl FnMut(&mut dyn State, &Context<'_>) -> Result<Outcome, Halt>,
    ) -> Result<Reply, Halt> {
        let mut done = None;
        let committed = self.inner.store.transact(&mut |state| {
            let context = Context {
                settings: &self.inner.settings,
                claim_key,
                keyring: &self.inner.keyring,
                policy: self.policy().digest(),
                now: moment.now,
                entropy: &moment.entropy,
                audit_key: self.inner.audit_key.as_ref(),
            };
            let outcome = steps(state, &context);
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
}
