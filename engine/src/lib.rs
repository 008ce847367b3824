//! The deciding half of Sernixa.
//!
//! [`Engine::handle`] takes a request of the wire, by an authenticated [`Principal`], at a
//! [`Moment`], and gives the answer that the wire carries: an HTTP status and a JSON text. A client
//! in the same process and a server share it, so there is one decision and one text.
//!
//! Everything that changes, changes in one pure function inside the transaction of a [`Store`].
//! The engine does no I/O, reads no clock and draws no randomness: time and chance are arguments.
//!
//! ```
//! use sernixa_engine::{Decision, Engine, Moment, Principal, Request, Timestamp};
//!
//! let engine = Engine::in_memory();
//! let me = Principal::local();
//! let moment = |millis| Moment::new(Timestamp::from_millis(millis), [7; 32]);
//!
//! let body = r#"{"intent_id":"invoices","action_id":"pay","metadata":{"risk_level":"high",
//!     "operation_class":"financial","data_sensitivity":"financial","systems_touched":["bank"]}}"#;
//! let answer = engine.handle(&me, Request::Submit { body }, &moment(1_000));
//! assert_eq!(answer.status, 202);
//!
//! let waiting = engine.pending(&me, 10, &moment(2_000))?;
//! let id = waiting[0].approval_id();
//! let record = engine.decide(&me, id, Decision::Approve, "seen and fine", &moment(3_000))?;
//! assert_eq!(record.status().as_str(), "approved");
//! # Ok::<(), sernixa_engine::Refusal>(())
//! ```

pub mod audit;
#[cfg(feature = "cedar")]
pub mod cedar;
#[doc(hidden)]
pub mod conformance;

mod answer;
mod api_key;
mod approval;
mod call_tool;
mod change;
mod delegation;
mod digest;
mod engine;
mod grant;
mod keyring;
mod memory;
mod memory_store;
mod moment;
mod policy;
mod principal;
mod receive;
mod record;
mod refusal;
mod request;
mod settings;
mod step;
mod store;
mod text;
mod token;

pub use answer::Answer;
pub use api_key::ApiKey;
pub use approval::{
    Approval, ApprovalId, Claim, ClientKind, Decided, Decision, Execution, ExecutionOutcome,
    Expiry, Resume, Status, Subject,
};
pub use change::{Change, ChangeKind, Listener, Subscription};
pub use delegation::{BrokenLink, DelegationToken, TokenId};
pub use digest::Digest;
pub use engine::{
    ApiSecret, Engine, EngineBuilder, Failures, Feed, Follower, NewKey, Snapshot, Swept,
};
pub use grant::{AutoApproved, LowOrMedium};
pub use keyring::{Keyring, KeyringError, SecretRule, SigningKey};
pub use memory::Memory;
pub use memory_store::{Keep, MemoryStore};
pub use moment::{Entropy, Moment, Timestamp};
pub use policy::{
    Because, BuiltInPolicy, Grounds, Policy, ProceedVerdict, Question, RequestVerdict, Tool,
    Verdict,
};
pub use principal::{Agents, Principal, Role};
pub use record::{Detail, Record};
pub use refusal::{Refusal, Word};
pub use request::{AuditQuery, Request};
pub use settings::{Events, MemoryRule, SelfDecision, Settings, SettingsError, Unbound};
pub use store::{Answered, NonceKey, SecretKey, State, Store, StoreError, StoredAnswer};
