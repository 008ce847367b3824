//! What a store must do: keep the engine's state, and run one command on it, all or nothing.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::api_key::ApiKey;
use crate::approval::{Approval, ApprovalId};
use crate::audit::{Event, EventFilter, EventKind, Head, Receipt};
use crate::delegation::{DelegationToken, TokenId};
use crate::digest::Digest;
use crate::memory::Memory;
use crate::moment::{Entropy, Timestamp};

/// A durable or in-memory home of approvals, memory, nonces and audit.
///
/// [`conformance`](crate::conformance) is the suite that every store passes.
pub trait Store: Send + Sync {
    /// Runs `work` on the state, alone: no other transaction sees or changes anything in between,
    /// in this process or another.
    ///
    /// When `work` returns `Ok`, all that it wrote is kept (on disk, for a durable store) before
    /// `transact` returns. When it returns an error or panics, nothing is. It may be run again
    /// from the start if the first attempt could not be kept.
    ///
    /// # Errors
    /// The error of `work`, or [`StoreError`] when the store could not do its part.
    fn transact(
        &self,
        work: &mut dyn FnMut(&mut dyn State) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;

    /// The key that claim tokens are made with: the same for every process on this store, made
    /// out of `entropy` at first use if there is none yet.
    ///
    /// # Errors
    /// [`StoreError`] when it can neither be read nor made.
    fn claim_key(&self, entropy: &mut Entropy) -> Result<SecretKey, StoreError>;

    /// The key that clients in this process digest arguments with, if it is as durable as the
    /// store; `None` where nothing outlives the process.
    ///
    /// # Errors
    /// [`StoreError`] when it can neither be read nor made.
    fn binding_key(&self, entropy: &mut Entropy) -> Result<Option<SecretKey>, StoreError> {
        let _ = entropy;
        Ok(None)
    }

    /// The audit events of an organisation with a number above `after`, in order, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be read.
    fn events(
        &self,
        organisation: &str,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError>;

    /// The events of an organisation that `filter` lets through, the newest first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be read.
    fn find_events(
        &self,
        organisation: &str,
        filter: &EventFilter<'_>,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError>;

    /// The approvals that are kept, of all organisations, in the order of their ids, after `after`,
    /// at most `limit`: for comparing them with the audit. Read outside of all transactions.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be read.
    fn approvals(
        &self,
        after: Option<ApprovalId>,
        limit: usize,
    ) -> Result<Vec<Approval>, StoreError>;

    /// Every organisation that has an audit chain.
    ///
    /// # Errors
    /// [`StoreError`] when they cannot be read.
    fn organisations(&self) -> Result<Vec<Arc<str>>, StoreError>;

    /// The API key with this hash, revoked ones included. Read outside of all transactions, since
    /// every request asks it; it shows what was committed before the call, also by others.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    fn api_key(&self, hash: &Digest) -> Result<Option<ApiKey>, StoreError>;

    /// A number that is another one once *another process* has changed something. Cheap enough to
    /// ask some twenty times a second. Always 0 where no other process can change anything, and
    /// never 0 where one can.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    fn version(&self) -> Result<u64, StoreError> {
        Ok(0)
    }

    /// The trusted point before the first event that is still kept: the genesis, unless old events
    /// were dropped.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    fn first_anchor(&self, organisation: &str) -> Result<Head, StoreError>;
}

/// The state as one transaction sees it: its own writes included, nobody else's.
///
/// # Errors
/// Every method: [`StoreError`] when the store cannot do it. The transaction is then given up.
#[allow(clippy::missing_errors_doc, reason = "said once, for all of them")]
pub trait State {
    /// The approval of that name.
    fn approval(&mut self, id: ApprovalId) -> Result<Option<Approval>, StoreError>;

    /// Keeps an approval: a new one, or the next state of one that is kept.
    fn put_approval(&mut self, approval: &Approval) -> Result<(), StoreError>;

    /// The newest approval that was made with this resume key.
    fn resumable(&mut self, key: &Digest) -> Result<Option<ApprovalId>, StoreError>;

    /// What waits for review in an organisation, oldest first, at most `limit`; of one key only,
    /// where `key` says so.
    fn pending(
        &mut self,
        organisation: &str,
        key: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Approval>, StoreError>;

    /// What was decided by a person at or after `since`, in the order of decision: the last `limit`
    /// of it; of one key only, where `key` says so.
    fn recent(
        &mut self,
        organisation: &str,
        key: Option<&str>,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<Approval>, StoreError>;

    /// Approvals whose [`due`](Approval::due) is at or before `now`, at most `limit`.
    fn due(&mut self, now: Timestamp, limit: usize) -> Result<Vec<ApprovalId>, StoreError>;

    /// The earliest [`due`](Approval::due) of all approvals.
    fn next_due(&mut self) -> Result<Option<Timestamp>, StoreError>;

    /// What is remembered under a fingerprint.
    fn memory(&mut self, fingerprint: &Digest) -> Result<Option<Memory>, StoreError>;

    /// Everything that is remembered in an organisation.
    fn memories(&mut self, organisation: &str) -> Result<Vec<Memory>, StoreError>;

    /// Keeps a memory, replacing the one with its fingerprint.
    fn put_memory(&mut self, memory: &Memory) -> Result<(), StoreError>;

    /// Forgets what is remembered under a fingerprint.
    fn remove_memory(&mut self, fingerprint: &Digest) -> Result<(), StoreError>;

    /// What was answered to the request with this nonce, unless it expired before `now`.
    fn nonce(&mut self, key: &NonceKey, now: Timestamp) -> Result<Option<Answered>, StoreError>;

    /// Keeps what was answered, replacing what was kept under this nonce. A store may forget it
    /// once [`Answered::until`] is past.
    fn put_nonce(&mut self, key: &NonceKey, answered: &Answered) -> Result<(), StoreError>;

    /// Whether a key has ever claimed an approval.
    fn has_claimed(&mut self, organisation: &str, key: &str) -> Result<bool, StoreError>;

    /// Notes that a key claims.
    fn mark_claimed(&mut self, organisation: &Arc<str>, key: &Arc<str>) -> Result<(), StoreError>;

    /// The delegation token of that name.
    fn token(&mut self, id: TokenId) -> Result<Option<DelegationToken>, StoreError>;

    /// Keeps a delegation token: a new one, or one that was revoked.
    fn put_token(&mut self, token: &DelegationToken) -> Result<(), StoreError>;

    /// The delegation tokens of an organisation, the newest first, at most `limit`.
    fn tokens(
        &mut self,
        organisation: &str,
        limit: usize,
    ) -> Result<Vec<DelegationToken>, StoreError>;

    /// Keeps an API key: a new one, or one that was revoked. Its id tells it from others.
    fn put_api_key(&mut self, key: &ApiKey) -> Result<(), StoreError>;

    /// The API keys of an organisation, in the order in which they were made.
    fn api_keys(&mut self, organisation: &str) -> Result<Vec<ApiKey>, StoreError>;

    /// The last event of one kind in an organisation's chain.
    fn last_event(
        &mut self,
        organisation: &str,
        kind: EventKind,
    ) -> Result<Option<Event>, StoreError>;

    /// The end of an organisation's audit chain.
    fn head(&mut self, organisation: &str) -> Result<Head, StoreError>;

    /// Appends the next event of an organisation's chain. An event that is not the next one is an
    /// error.
    fn append(&mut self, organisation: &Arc<str>, event: Event) -> Result<(), StoreError>;
}

/// Where a nonce is unique: an organisation and the key that signed or, without a signature, the
/// API key that sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NonceKey {
    /// The organisation.
    pub organisation: Arc<str>,
    /// The signing key's id, or the API key's; told apart by a prefix.
    pub signer: Arc<str>,
    /// The nonce itself.
    pub nonce: [u8; 16],
}

/// What was answered to a request, so that its retry gets the same again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// SHA-256 of the request's raw body.
    pub request: Digest,
    /// The API key that sent it.
    pub key: Arc<str>,
    /// The answer.
    pub answer: StoredAnswer,
    /// Until when it is kept.
    pub until: Timestamp,
}

/// An answer without its secrets: a claim token is derived again, never stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredAnswer {
    /// 200: it ran at once, by leave of this policy set.
    Allowed {
        /// The approval that records it.
        approval_id: ApprovalId,
        /// The audit event that holds it.
        receipt: Receipt,
        /// The policy set that was in force.
        policy: Digest,
    },
    /// 202: it waits.
    Pending {
        /// The approval it waits for.
        approval_id: ApprovalId,
        /// Which of its clients this one is.
        attachment: u32,
        /// When the approval ends undecided.
        expires_at: Timestamp,
        /// The audit event that holds it.
        receipt: Receipt,
    },
    /// A signed claim, withdrawal or report of a delegated approval: doing it again changes
    /// nothing, so there is no answer to keep, only that the nonce was used for it.
    Step,
    /// Refused, with this status and body.
    Refused {
        /// The HTTP status.
        status: u16,
        /// The body.
        body: Box<str>,
    },
}

/// 32 secret bytes. Wiped when dropped; shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey(Zeroizing<[u8; 32]>);

impl SecretKey {
    /// From 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes, for the one who uses or keeps them.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

/// A store could not do its part.
#[derive(Debug)]
pub struct StoreError {
    message: &'static str,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl StoreError {
    /// With what could not be done, as a sentence without a full stop.
    pub const fn new(message: &'static str) -> Self {
        Self {
            message,
            source: None,
        }
    }

    /// The same with what caused it.
    #[must_use]
    pub fn caused_by(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message)
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source
            .as_ref()
            .map(|source| &**source as &(dyn std::error::Error + 'static))
    }
}
