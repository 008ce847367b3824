//! A store that fails never yields an allow and leaves no half state.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use sernixa_engine::audit::{Event, EventFilter, EventKind, Head};
use sernixa_engine::{
    Answered, ApiKey, Approval, ApprovalId, DelegationToken, Digest, Engine, Entropy, Memory,
    MemoryStore, NonceKey, Principal, Request, Role, SecretKey, Settings, State, Store, StoreError,
    Timestamp, TokenId,
};

use crate::support::{Bench, CLAIM, Draft, agent, reviewer};

/// A memory store of which the n-th access from now fails, and all after it or none; or which panics
/// then.
pub(crate) struct Failing {
    inner: MemoryStore,
    /// How many accesses still succeed.
    left: AtomicUsize,
    panics: AtomicBool,
    /// It recovers at once.
    once: AtomicBool,
    transactions: AtomicUsize,
}

impl Failing {
    pub(crate) fn new() -> Self {
        Self {
            inner: MemoryStore::new(),
            left: AtomicUsize::new(usize::MAX),
            panics: AtomicBool::new(false),
            once: AtomicBool::new(false),
            transactions: AtomicUsize::new(0),
        }
    }

    pub(crate) fn fail_once_after(&self, accesses: usize, panics: bool) {
        self.once.store(true, Ordering::Relaxed);
        self.fail_after(accesses, panics);
    }

    /// Whether it has failed since it was told when to, and recovered.
    pub(crate) fn has_failed(&self) -> bool {
        self.left.load(Ordering::Relaxed) == usize::MAX
    }

    /// How many transactions were begun.
    pub(crate) fn transactions(&self) -> usize {
        self.transactions.load(Ordering::Relaxed)
    }

    pub(crate) fn fail_after(&self, accesses: usize, panics: bool) {
        self.left.store(accesses, Ordering::Relaxed);
        self.panics.store(panics, Ordering::Relaxed);
    }

    fn access(&self) -> Result<(), StoreError> {
        let left = self.left.load(Ordering::Relaxed);
        if left == 0 {
            if self.once.load(Ordering::Relaxed) {
                self.left.store(usize::MAX, Ordering::Relaxed);
            }
            if self.panics.load(Ordering::Relaxed) {
                std::panic::resume_unwind(Box::new("a bug in the store"));
            }
            return Err(StoreError::new("the disk is gone"));
        }
        if left != usize::MAX {
            self.left.store(left - 1, Ordering::Relaxed);
        }
        Ok(())
    }
}

impl Store for Failing {
    fn transact(
        &self,
        work: &mut dyn FnMut(&mut dyn State) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.access()?;
        self.transactions.fetch_add(1, Ordering::Relaxed);
        self.inner.transact(&mut |state| {
            work(&mut Watched { store: self, state })?;
            // The commit may fail, too.
            self.access()
        })
    }

    fn claim_key(&self, entropy: &mut Entropy) -> Result<SecretKey, StoreError> {
        self.access()?;
        self.inner.claim_key(entropy)
    }

    fn events(&self, name: &str, after: u64, limit: usize) -> Result<Vec<Event>, StoreError> {
        self.access()?;
        self.inner.events(name, after, limit)
    }

    fn find_events(
        &self,
        name: &str,
        filter: &EventFilter<'_>,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError> {
        self.access()?;
        self.inner.find_events(name, filter, limit)
    }

    fn approvals(
        &self,
        after: Option<ApprovalId>,
        limit: usize,
    ) -> Result<Vec<Approval>, StoreError> {
        self.access()?;
        self.inner.approvals(after, limit)
    }

    fn organisations(&self) -> Result<Vec<Arc<str>>, StoreError> {
        self.access()?;
        self.inner.organisations()
    }

    fn api_key(&self, hash: &Digest) -> Result<Option<ApiKey>, StoreError> {
        self.access()?;
        self.inner.api_key(hash)
    }

    fn first_anchor(&self, name: &str) -> Result<Head, StoreError> {
        self.access()?;
        self.inner.first_anchor(name)
    }
}

struct Watched<'a> {
    store: &'a Failing,
    state: &'a mut dyn State,
}

macro_rules! watched {
    ($(fn $name:ident(&mut self $(, $argument:ident: $type:ty)*) -> $result:ty;)+) => {
        impl State for Watched<'_> {
            $(fn $name(&mut self $(, $argument: $type)*) -> Result<$result, StoreError> {
                self.store.access()?;
                self.state.$name($($argument),*)
            })+
        }
    };
}

watched! {
    fn approval(&mut self, id: ApprovalId) -> Option<Approval>;
    fn put_approval(&mut self, approval: &Approval) -> ();
    fn resumable(&mut self, key: &Digest) -> Option<ApprovalId>;
    fn pending(&mut self, name: &str, key: Option<&str>, limit: usize) -> Vec<Approval>;
    fn recent(
        &mut self,
        name: &str,
        key: Option<&str>,
        since: Timestamp,
        limit: usize
    ) -> Vec<Approval>;
    fn due(&mut self, now: Timestamp, limit: usize) -> Vec<ApprovalId>;
    fn next_due(&mut self) -> Option<Timestamp>;
    fn memory(&mut self, fingerprint: &Digest) -> Option<Memory>;
    fn memories(&mut self, name: &str) -> Vec<Memory>;
    fn put_memory(&mut self, memory: &Memory) -> ();
    fn remove_memory(&mut self, fingerprint: &Digest) -> ();
    fn nonce(&mut self, key: &NonceKey, now: Timestamp) -> Option<Answered>;
    fn put_nonce(&mut self, key: &NonceKey, answered: &Answered) -> ();
    fn has_claimed(&mut self, name: &str, key: &str) -> bool;
    fn mark_claimed(&mut self, name: &Arc<str>, key: &Arc<str>) -> ();
    fn token(&mut self, id: TokenId) -> Option<DelegationToken>;
    fn put_token(&mut self, token: &DelegationToken) -> ();
    fn tokens(&mut self, name: &str, limit: usize) -> Vec<DelegationToken>;
    fn put_api_key(&mut self, key: &ApiKey) -> ();
    fn api_keys(&mut self, name: &str) -> Vec<ApiKey>;
    fn last_event(&mut self, name: &str, kind: EventKind) -> Option<Event>;
    fn head(&mut self, name: &str) -> Head;
    fn append(&mut self, name: &Arc<str>, event: Event) -> ();
}

/// A bench on a store that can be made to fail.
pub(crate) fn bench() -> (Bench, Arc<Failing>) {
    let store = Arc::new(Failing::new());
    let engine = Engine::builder()
        .shared_store(Arc::clone(&store) as Arc<dyn Store>)
        .settings(Settings::default())
        .build()
        .unwrap();
    (Bench::new(engine), store)
}

/// Everything that can be seen of an approval and the log.
fn picture(bench: &Bench, id: Option<&str>) -> String {
    let auditor = Principal::new("acme", "a").with(Role::Auditor);
    let record = id.map(|id| {
        bench
            .handle(&auditor, Request::Record { approval_id: id })
            .body
    });
    let pending = bench
        .engine
        .pending(&auditor, 100, &bench.moment())
        .unwrap();
    let remembered = bench.engine.remembered(&auditor, &bench.moment()).unwrap();
    // Engine errors are noted where the store can; they are no half state.
    let mut events = bench.events();
    events.retain(|event| event["event_type"] != "engine_error");
    format!("{record:?} {pending:?} {remembered:?} {events:?}")
}

#[test]
fn a_failure_at_any_access_of_a_submission_is_a_no_and_leaves_nothing() {
    for draft in [
        Draft::read().nonce(1),
        Draft::medium().digest(1).nonce(1),
        Draft::high().nonce(1),
    ] {
        for panics in [false, true] {
            let mut failures = 0;
            for accesses in 0.. {
                let (bench, store) = bench();
                let before = picture(&bench, None);
                store.fail_after(accesses, panics);
                let answer = bench.submit(&agent(), &draft.body());
                store.fail_after(usize::MAX, false);
                if matches!(answer.status, 200 | 202) {
                    break;
                }
                failures += 1;
                answer.is(403, "blocked");
                assert_eq!(answer.reason(), "engine_error");
                assert_eq!(picture(&bench, None), before, "after {accesses} accesses");
                // The nonce was not used up: the retry is judged.
                assert!(matches!(
                    bench.submit(&agent(), &draft.body()).status,
                    200 | 202
                ));
            }
            assert!(failures > 5, "the store was asked {failures} times only");
        }
    }
}

#[test]
fn a_failure_at_any_access_of_a_step_changes_nothing() {
    let decision = r#"{"decision":"approved","reason":"seen and fine"}"#;
    for step in ["decide", "claim", "withdraw", "outcome", "read", "sweep"] {
        for panics in [false, true] {
            for accesses in 0.. {
                let (bench, store) = bench();
                let waiting = bench
                    .submit(
                        &agent(),
                        &Draft::medium().digest(1).without("policy_surface").body(),
                    )
                    .waiting();
                if matches!(step, "claim" | "outcome" | "read") {
                    bench.approve(&reviewer(), &waiting.id);
                }
                if step == "outcome" {
                    assert_eq!(bench.claim(&agent(), &waiting, CLAIM).status, 200);
                }
                let before = picture(&bench, Some(&waiting.id));
                if step == "sweep" {
                    bench.pass(3_600_000);
                }
                let outcome = serde_json::json!({"outcomes": [{"approval_id": waiting.id,
                    "claim_token": waiting.token, "outcome": "failed"}]})
                .to_string();
                store.fail_after(accesses, panics);
                let status = match step {
                    "decide" => {
                        let request = Request::Decide {
                            approval_id: &waiting.id,
                            body: decision,
                        };
                        bench.handle(&reviewer(), request).status
                    }
                    "claim" => bench.claim(&agent(), &waiting, CLAIM).status,
                    "withdraw" => bench.withdraw(&agent(), &waiting).status,
                    "outcome" => {
                        bench
                            .handle(&agent(), Request::Outcomes { body: &outcome })
                            .status
                    }
                    "read" => {
                        let request = Request::Record {
                            approval_id: &waiting.id,
                        };
                        bench.handle(&agent(), request).status
                    }
                    _ => bench.engine.sweep(&bench.moment()).map_or(503, |_| 200),
                };
                store.fail_after(usize::MAX, false);
                if status == 200 {
                    break;
                }
                assert_eq!(status, 503, "{step} after {accesses} accesses");
                if step == "sweep" {
                    bench.pass(0_u64.wrapping_sub(3_600_000));
                }
                assert_eq!(
                    picture(&bench, Some(&waiting.id)),
                    before,
                    "{step}, {accesses}"
                );
            }
        }
    }
}

#[test]
fn an_engine_error_is_audited_once_the_store_can() {
    let (bench, store) = bench();
    // The first transaction fails at its third access; by then the store has recovered.
    store.fail_after(3, true);
    let answer = bench.submit(&agent(), &Draft::read().body());
    answer.is(403, "blocked");
    store.fail_after(usize::MAX, false);
    assert_eq!(
        bench.event_types(),
        Vec::<String>::new(),
        "the store could not"
    );
    let once = Arc::new(Once {
        inner: Failing::new(),
        failed: AtomicBool::new(false),
    });
    let engine = Engine::builder().shared_store(once).build().unwrap();
    let bench = Bench::new(engine);
    bench
        .submit(&agent(), &Draft::read().body())
        .is(403, "blocked");
    assert_eq!(bench.event_types(), ["engine_error"]);
    assert_eq!(
        bench.events()[0]["reason"],
        "the disk was full for a moment"
    );
    assert_eq!(bench.submit(&agent(), &Draft::read().body()).status, 200);
}

/// A store of which the first transaction fails at its end.
struct Once {
    inner: Failing,
    failed: AtomicBool,
}

impl Store for Once {
    fn transact(
        &self,
        work: &mut dyn FnMut(&mut dyn State) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.inner.transact(&mut |state| {
            work(state)?;
            if self.failed.swap(true, Ordering::Relaxed) {
                Ok(())
            } else {
                Err(StoreError::new("the disk was full for a moment"))
            }
        })
    }

    fn claim_key(&self, entropy: &mut Entropy) -> Result<SecretKey, StoreError> {
        self.inner.claim_key(entropy)
    }

    fn events(&self, name: &str, after: u64, limit: usize) -> Result<Vec<Event>, StoreError> {
        self.inner.events(name, after, limit)
    }

    fn find_events(
        &self,
        name: &str,
        filter: &EventFilter<'_>,
        limit: usize,
    ) -> Result<Vec<Event>, StoreError> {
        self.inner.find_events(name, filter, limit)
    }

    fn approvals(
        &self,
        after: Option<ApprovalId>,
        limit: usize,
    ) -> Result<Vec<Approval>, StoreError> {
        self.inner.approvals(after, limit)
    }

    fn organisations(&self) -> Result<Vec<Arc<str>>, StoreError> {
        self.inner.organisations()
    }

    fn api_key(&self, hash: &Digest) -> Result<Option<ApiKey>, StoreError> {
        self.inner.api_key(hash)
    }

    fn first_anchor(&self, name: &str) -> Result<Head, StoreError> {
        self.inner.first_anchor(name)
    }
}

#[test]
fn listeners_hear_nothing_of_what_was_not_kept() {
    let (bench, store) = bench();
    let heard = Arc::new(AtomicUsize::new(0));
    let into = Arc::clone(&heard);
    let _subscription = bench.engine.subscribe(Box::new(move |_| {
        into.fetch_add(1, Ordering::Relaxed);
    }));
    for accesses in 0.. {
        store.fail_after(accesses, false);
        let status = bench.submit(&agent(), &Draft::high().body()).status;
        store.fail_after(usize::MAX, false);
        if status == 202 {
            break;
        }
        assert_eq!(heard.load(Ordering::Relaxed), 0);
    }
    assert_eq!(heard.load(Ordering::Relaxed), 1);
}
