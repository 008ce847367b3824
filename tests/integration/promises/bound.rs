//! Promise 2, as far as it applies inside one process: an approval lets exactly the call run that
//! was reviewed.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

use serde_json::json;
use sernixa::embedded::engine::{
    ApprovalId, ChangeKind, Decision as Ruling, Moment, Principal, Timestamp,
};
use sernixa::embedded::{Decision, Engine, Record};
use sernixa::{Action, Client, DataSensitivity, Error, OperationClass, RiskLevel};

const KEY: &str = "a binding key for these tests";

#[sernixa::intercept(
    intent_id = "bound-pay",
    risk_level = "medium",
    operation_class = "financial",
    data_sensitivity = "financial",
    systems_touched = ["bank"],
    client = client,
    handles = [client],
)]
fn pay(client: &Client, to: &str, cents: i64) -> Result<String, Error> {
    let _ = client;
    Ok(format!("{to}: {cents}"))
}

/// A person who decides in the test, through the engine.
struct Person {
    engine: Engine,
    client: Client,
    asked: Receiver<ApprovalId>,
    _subscription: sernixa::embedded::engine::Subscription,
}

impl Person {
    fn new() -> Self {
        let engine = Engine::in_memory();
        let (asks, asked) = channel();
        let asks = Mutex::new(asks);
        let subscription = engine.subscribe(Box::new(move |change| {
            if matches!(change.kind(), ChangeKind::Asked | ChangeKind::Resumed) {
                asks.lock().unwrap().send(change.approval_id()).unwrap();
            }
        }));
        let client = Client::builder()
            .environment(|_| None)
            .binding_key(KEY)
            .engine(engine.clone())
            .reviewer(|_: &Record| Decision::leave())
            .build()
            .unwrap();
        Self {
            engine,
            client,
            asked,
            _subscription: subscription,
        }
    }

    /// The next request for review.
    fn asked(&self) -> ApprovalId {
        self.asked.recv().unwrap()
    }

    fn decide(&self, id: ApprovalId, ruling: Ruling) {
        self.engine
            .decide(
                &Principal::local(),
                id,
                ruling,
                "decided in the test",
                &now(),
            )
            .unwrap();
    }

    fn record(&self, id: ApprovalId) -> Record {
        let reviewer =
            Principal::new("local", "watcher").with(sernixa::embedded::engine::Role::Reviewer);
        self.engine.record(&reviewer, id, &now()).unwrap()
    }
}

fn now() -> Moment {
    let millis = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap()
        .as_millis();
    let seed = std::array::from_fn(|_| rand_byte());
    Moment::new(Timestamp::from_millis(u64::try_from(millis).unwrap()), seed)
}

/// Randomness from the standard library's hasher keys: enough for a test's seed.
fn rand_byte() -> u8 {
    use std::hash::{BuildHasher as _, Hasher as _};
    std::collections::hash_map::RandomState::new()
        .build_hasher()
        .finish()
        .to_be_bytes()[0]
}

fn action(cents: i64) -> Action {
    Action::new("bound-adjust")
        .risk(RiskLevel::High)
        .class(OperationClass::Financial)
        .sensitivity(DataSensitivity::Financial)
        .systems(["bank"])
        .arguments(vec![("cents".into(), json!(cents))])
}

#[test]
fn approving_b_never_runs_a() {
    let person = Person::new();
    let ran = Arc::new(Mutex::new(Vec::new()));
    let call = |name: &'static str, cents: i64| {
        let (client, ran) = (person.client.clone(), ran.clone());
        let call = std::thread::spawn(move || {
            client.run(&action(cents), || {
                ran.lock().unwrap().push(name);
                Ok::<_, Error>(())
            })
        });
        (call, person.asked())
    };
    let (a, a_id) = call("a", 1);
    let (b, b_id) = call("b", 2);
    assert_ne!(
        person.record(a_id).body_hash(),
        person.record(b_id).body_hash()
    );
    person.decide(b_id, Ruling::Approve);
    b.join().unwrap().unwrap();
    assert_eq!(*ran.lock().unwrap(), ["b"]);
    assert!(!a.is_finished());
    person.decide(a_id, Ruling::Reject);
    assert!(matches!(a.join().unwrap(), Err(Error::Rejected(_))));
    assert_eq!(*ran.lock().unwrap(), ["b"]);
    person.client.close_blocking();
}

#[test]
fn every_change_of_a_call_makes_another_request() {
    let person = Person::new();
    let base = action(1)
        .metadata([("case", "c-1")])
        .summary("adjust")
        .action_id("adjust");
    let hash = |action: &Action| {
        person
            .client
            .prepare(action)
            .unwrap()
            .body_hash()
            .to_owned()
    };
    let first = hash(&base);
    assert_eq!(first, hash(&base), "the same call has the same hash");
    for (what, changed) in [
        (
            "an argument",
            base.clone().arguments(vec![("cents".into(), json!(2))]),
        ),
        (
            "its type",
            base.clone().arguments(vec![("cents".into(), json!(1.0))]),
        ),
        (
            "its name",
            base.clone().arguments(vec![("euros".into(), json!(1))]),
        ),
        (
            "one more",
            base.clone()
                .arguments(vec![("cents".into(), json!(1)), ("x".into(), json!(null))]),
        ),
        ("metadata", base.clone().metadata([("more", 1)])),
        ("the summary", base.clone().summary("adjust a little")),
        ("the action", base.clone().action_id("adjust-all")),
        ("the function", base.clone().function("other")),
        ("the risk", base.clone().risk(RiskLevel::Critical)),
        ("the class", base.clone().class(OperationClass::Update)),
        (
            "the sensitivity",
            base.clone().sensitivity(DataSensitivity::Public),
        ),
        ("a system", base.clone().systems(["bank", "ledger"])),
        ("the resume key", base.clone().resume_key("k")),
    ] {
        assert_ne!(first, hash(&changed), "{what}");
    }
    person.client.close_blocking();
}

#[test]
fn what_is_remembered_of_one_call_does_not_open_another() {
    let person = Person::new();
    let run = |to: &'static str, cents: i64| {
        let client = person.client.clone();
        std::thread::spawn(move || pay(&client, to, cents))
    };
    // Three approvals by a person are remembered for this call (DESIGN 10).
    for _ in 0..3 {
        let call = run("bob", 5);
        person.decide(person.asked(), Ruling::Approve);
        call.join().unwrap().unwrap();
    }
    assert_eq!(run("bob", 5).join().unwrap().unwrap(), "bob: 5");
    assert!(person.asked.try_recv().is_err(), "nobody was asked");
    for (to, cents) in [("bob", 6), ("eve", 5)] {
        let call = run(to, cents);
        person.decide(person.asked(), Ruling::Reject);
        assert!(
            matches!(call.join().unwrap(), Err(Error::Rejected(_))),
            "{to} {cents}"
        );
    }
    person.client.close_blocking();
}

#[test]
fn a_resumed_call_takes_up_its_own_approval_and_no_other() {
    let person = Person::new();
    let ask = |cents: i64| {
        let client = person.client.clone();
        std::thread::spawn(move || {
            client.run(&action(cents).resume_key("order-7"), || {
                Ok::<_, Error>(cents)
            })
        })
    };
    let first = ask(1);
    let id = person.asked();
    // The same call again attaches to it, and the older waiter ends.
    let second = ask(1);
    assert_eq!(person.asked(), id);
    // Another argument under the same key is another request.
    let other = ask(2);
    let other_id = person.asked();
    assert_ne!(other_id, id);
    person.decide(id, Ruling::Approve);
    assert_eq!(second.join().unwrap().unwrap(), 1);
    let error = first.join().unwrap().unwrap_err();
    assert!(error.is_replay(), "one approval, one start: {error}");
    assert!(!other.is_finished());
    person.decide(other_id, Ruling::Reject);
    other.join().unwrap().unwrap_err();
    person.client.close_blocking();
}

#[test]
fn an_argument_that_is_not_bound_is_named() {
    struct Opaque;
    #[sernixa::intercept(
        intent_id = "bound-partly",
        risk_level = "low",
        operation_class = "read",
        data_sensitivity = "internal",
        systems_touched = ["db"],
        skip = [password],
    )]
    fn partly(name: &str, password: &str, opaque: &Opaque, ratio: f64) -> Result<(), Error> {
        let _ = (name, password, opaque, ratio);
        Ok(())
    }
    let gate = sernixa::testing::TestGate::new().approve("bound-partly");
    gate.scope(|| partly("n", "p", &Opaque, f64::NAN)).unwrap();
    gate.scope(|| partly("n", "other", &Opaque, f64::INFINITY))
        .unwrap();
    let [one, other] = gate.submissions().try_into().unwrap();
    assert_eq!(
        one.metadata()["arguments_unbound"],
        json!(["password", "opaque", "ratio"])
    );
    assert_eq!(
        one.metadata()["arguments_digest"],
        other.metadata()["arguments_digest"]
    );
}

#[test]
fn a_yes_to_one_generic_function_is_not_remembered_for_another() {
    struct Staging;
    struct Production;
    #[sernixa::intercept(
        intent_id = "bound-purge",
        risk_level = "medium",
        operation_class = "delete",
        data_sensitivity = "internal",
        systems_touched = ["db"],
        client = client,
        handles = [client],
    )]
    fn purge<Where>(client: &Client) -> Result<(), Error> {
        let _ = client;
        Ok(())
    }
    let asked = Arc::new(Mutex::new(0));
    let counted = asked.clone();
    let client = Client::builder()
        .environment(|_| None)
        .engine(Engine::in_memory())
        .reviewer(move |_: &Record| {
            *counted.lock().unwrap() += 1;
            Decision::approve()
        })
        .build()
        .unwrap();
    for _ in 0..4 {
        purge::<Staging>(&client).unwrap();
    }
    assert_eq!(*asked.lock().unwrap(), 3, "the fourth is remembered");
    purge::<Production>(&client).unwrap();
    assert_eq!(*asked.lock().unwrap(), 4);
    client.close_blocking();
}
