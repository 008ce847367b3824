//! What a gate sees of a call: arguments, metadata, summary; and that the arguments are dropped as
//! in a plain function.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};

use serde_json::{Value, json};
use sernixa::testing::{Recorded, TestGate};
use sernixa::{Client, Error, intercept};

use super::{INTENT, REASON};

/// The submission of an approved call, with capture on.
fn captured<T>(call: impl FnOnce() -> T) -> Recorded {
    let gate = TestGate::configured(|| Client::builder().capture_arguments(true)).approve(INTENT);
    gate.scope(call);
    gate.submissions().remove(0)
}

/// The submission of an approved call, with capture off.
fn submitted<T>(call: impl FnOnce() -> T) -> Recorded {
    let gate = TestGate::new().approve(INTENT);
    gate.scope(call);
    gate.submissions().remove(0)
}

fn digest<T>(call: impl FnOnce() -> T) -> Value {
    submitted(call).metadata()["arguments_digest"].clone()
}

struct OnlyName;

#[derive(Debug)]
struct OnlyDebug;

#[derive(serde::Serialize)]
struct Point {
    x: i32,
    y: i32,
}

struct Json<T>(T);

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn kinds(
    n: u8,
    text: &str,
    debug: &OnlyDebug,
    name: OnlyName,
    map: &mut HashMap<u8, u8>,
) -> Result<(), Error> {
    let _ = (n, text, debug, name, map);
    Ok(())
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn patterns(
    (a, b): (u8, u8),
    Json(inner): Json<Vec<u8>>,
    Point { x, .. }: Point,
    whole @ Point { .. }: Point,
    _: u8,
    mut r#type: u8,
) -> Result<u8, Error> {
    r#type += 1;
    Ok(a + b
        + r#type
        + u8::try_from(inner.len() + x.unsigned_abs() as usize).unwrap_or(0)
        + u8::try_from(whole.y).unwrap_or(0))
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn generic<T: std::fmt::Debug, U>(
    debug: T,
    name: U,
    both: impl serde::Serialize,
) -> Result<(), Error> {
    let _ = (debug, name, both);
    Ok(())
}

#[test]
fn an_argument_is_json_else_debug_else_its_type() {
    let recorded = captured(|| kinds(1, "two", &OnlyDebug, OnlyName, &mut HashMap::from([(1, 2)])));
    let name = format!("<non-serializable: {}>", std::any::type_name::<OnlyName>());
    assert_eq!(
        recorded.metadata()["args"],
        json!([1, "two", "OnlyDebug", name, {"1": 2}])
    );
    assert_eq!(recorded.metadata()["args_count"], 5);
    assert_eq!(
        recorded.metadata()["arguments_unbound"],
        json!(["debug", "name"])
    );
}

#[test]
fn in_a_generic_function_only_declared_bounds_count() {
    let recorded = captured(|| generic(1, 2, 3));
    assert_eq!(
        recorded.metadata()["args"],
        json!(["1", "<non-serializable: i32>", 3])
    );
}

#[test]
fn a_pattern_is_seen_by_what_it_binds_and_what_binds_nothing_is_seen_whole() {
    let point = |x, y| Point { x, y };
    let call = |byte| patterns((1, 2), Json(vec![3]), point(4, 0), point(5, 6), byte, 8);
    let recorded = captured(|| call(7));
    let expected = json!([[1, 2], [3], 4, {"x": 5, "y": 6}, 7, 8]);
    assert_eq!(recorded.metadata()["args"], expected);
    assert_eq!(recorded.metadata()["args_count"], 6);
    assert_eq!(recorded.metadata().get("arguments_unbound"), None);
    assert_eq!(digest(|| call(7)), digest(|| call(7)));
    assert_ne!(
        digest(|| call(7)),
        digest(|| call(8)),
        "an unnamed argument is bound, too"
    );
}

mod other {
    pub(super) struct Point;
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn of_type<T, const N: usize>() -> Result<(), Error> {
    Ok(())
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
async fn of_type_later<T>() -> Result<(), Error> {
    Ok(())
}

impl<T> Json<T> {
    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    fn of_impl() -> Result<(), Error> {
        Ok(())
    }
}

trait One {
    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    fn by_default() -> Result<(), Error> {
        Ok(())
    }

    fn run() -> Result<(), Error>;
}

trait Other {
    fn run() -> Result<(), Error>;
}

impl One for Point {
    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    fn run() -> Result<(), Error> {
        Ok(())
    }
}

impl One for other::Point {
    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    fn run() -> Result<(), Error> {
        Ok(())
    }
}

impl Other for Point {
    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    fn run() -> Result<(), Error> {
        Ok(())
    }
}

#[test]
fn functions_that_are_submitted_under_one_name_are_told_apart_by_the_digest() {
    // The gate answers at once, so one poll is enough.
    fn later(call: impl Future<Output = Result<(), Error>>) {
        let mut context = Context::from_waker(Waker::noop());
        assert!(std::pin::pin!(call).poll(&mut context).is_ready());
    }
    let pairs = [
        (digest(of_type::<u8, 1>), digest(of_type::<u16, 1>)),
        (digest(of_type::<u8, 1>), digest(of_type::<u8, 2>)),
        (
            digest(|| later(of_type_later::<u8>())),
            digest(|| later(of_type_later::<u16>())),
        ),
        (digest(Json::<u8>::of_impl), digest(Json::<u16>::of_impl)),
        (
            digest(<Point as One>::by_default),
            digest(<other::Point as One>::by_default),
        ),
        (
            digest(<Point as One>::run),
            digest(<other::Point as One>::run),
        ),
        (digest(<Point as One>::run), digest(<Point as Other>::run)),
    ];
    for (one, other) in pairs {
        assert!(one.is_string());
        assert_ne!(one, other);
    }
    assert_eq!(digest(of_type::<u8, 1>), digest(of_type::<u8, 1>));
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"], skip = [password], handles = [pool, inner])]
fn left_out(
    password: &str,
    pool: &OnlyName,
    Json(inner): Json<OnlyName>,
    n: u8,
) -> Result<(), Error> {
    let _ = (password, pool, inner, n);
    Ok(())
}

#[test]
fn a_skipped_argument_keeps_its_place_and_a_handle_leaves_nothing_out() {
    let recorded = captured(|| left_out("hunter2", &OnlyName, Json(OnlyName), 7));
    let args = recorded.metadata()["args"].as_array().unwrap();
    assert_eq!(args.first(), Some(&json!("<skipped>")));
    assert_eq!(args.last(), Some(&json!(7)));
    assert_eq!(recorded.metadata()["args_count"], 4);
    assert_eq!(
        recorded.metadata()["arguments_unbound"],
        json!(["password"])
    );
    assert!(!recorded.body().contains("hunter2"));
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"], capture_arguments = true)]
fn always_captured(n: u8) -> Result<(), Error> {
    let _ = n;
    Ok(())
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"], capture_arguments = false)]
fn never_captured(n: u8) -> Result<(), Error> {
    let _ = n;
    Ok(())
}

#[test]
fn the_attribute_decides_on_capture_before_the_client() {
    assert_eq!(
        submitted(|| always_captured(7)).metadata()["args"],
        json!([7])
    );
    assert_eq!(captured(|| never_captured(7)).metadata().get("args"), None);
}

struct Desk {
    name: String,
    parts: [u8; 2],
}

const DESK: &str = "desk";

impl Desk {
    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"], metadata = {
            name: self.name,
            "other-key": self.parts[1],
            r#type: DESK,
            length: note.len(),
            note: note,
            sum: a + b,
            nested: { let doubled = [a, b].map(|n| n * 2); doubled },
            fallible: [a, b].iter().map(|n| n.checked_add(1)?.checked_sub(1)).collect::<Vec<_>>(),
        },
        summary = "{note} of {a:>2} and {b} at {DESK} {{}}")]
    fn described(&self, note: String, (a, b): (u8, u8)) -> Result<String, Error> {
        let _ = (a, b);
        Ok(note + &self.name)
    }

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"], summary = "a plain line", metadata = { })]
    async fn plain(self) -> Result<usize, Error> {
        Ok(self.name.len())
    }
}

#[test]
fn metadata_borrows_what_it_names() {
    let desk = Desk {
        name: "oak".to_owned(),
        parts: [1, 2],
    };
    let recorded = submitted(|| {
        assert_eq!(
            desk.described("sale".to_owned(), (3, 4)).unwrap(),
            "saleoak"
        );
    });
    let metadata = recorded.metadata();
    assert_eq!(metadata["name"], "oak");
    assert_eq!(metadata["other-key"], 2);
    assert_eq!(metadata["type"], "desk");
    assert_eq!(metadata["length"], 4);
    assert_eq!(metadata["note"], "sale");
    assert_eq!(metadata["sum"], 7);
    assert_eq!(metadata["nested"], json!([6, 8]));
    assert_eq!(metadata["fallible"], json!([3, 4]));
    assert_eq!(recorded.summary(), Some("sale of  3 and 4 at desk {}"));
}

#[tokio::test]
async fn a_summary_may_name_nothing() {
    let gate = TestGate::new().approve(INTENT);
    let desk = Desk {
        name: "oak".to_owned(),
        parts: [1, 2],
    };
    assert_eq!(gate.run(desk.plain()).await.unwrap(), 3);
    assert_eq!(gate.submissions()[0].summary(), Some("a plain line"));
}

thread_local! {
    static EVALUATED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

fn evaluated(name: &'static str) -> u8 {
    EVALUATED.with_borrow_mut(|names| names.push(name));
    1
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"], metadata = { first: evaluated("first"), second: evaluated("second") })]
fn evaluating() -> Result<(), Error> {
    EVALUATED.with_borrow_mut(|names| names.push("body"));
    Ok(())
}

#[test]
fn metadata_is_evaluated_once_per_call_in_order_before_the_body() {
    submitted(evaluating).body();
    assert_eq!(EVALUATED.take(), ["first", "second", "body"]);
    TestGate::new()
        .refuse(INTENT, REASON)
        .scope(evaluating)
        .unwrap_err();
    assert_eq!(EVALUATED.take(), ["first", "second"]);
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"], client = &holder.client, handles = [holder])]
fn through_a_client_of_its_own(holder: &Holder, n: u8) -> Result<u8, Error> {
    let _ = holder;
    Ok(n)
}

struct Holder {
    client: Client,
}

#[test]
fn a_client_of_its_own_comes_after_the_test_gate() {
    let asked = TestGate::new().approve(INTENT);
    let holder = Holder {
        client: asked.client().unwrap(),
    };
    assert_eq!(through_a_client_of_its_own(&holder, 7).unwrap(), 7);
    assert_eq!(asked.submissions().len(), 1);
    let scoped = TestGate::new().refuse(INTENT, REASON);
    scoped
        .scope(|| through_a_client_of_its_own(&holder, 7))
        .unwrap_err();
    assert_eq!(
        (asked.submissions().len(), scoped.submissions().len()),
        (1, 1)
    );
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"], resume_key = order, metadata = { order: order })]
fn resumable(order: &str) -> Result<usize, Error> {
    Ok(order.len())
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"], resume_key = format_args!("{order}-{part}"))]
async fn resumable_by_parts(order: String, part: u8) -> Result<usize, Error> {
    Ok(order.len() + usize::from(part))
}

#[test]
fn a_resume_key_is_sent_as_a_hash() {
    let recorded = submitted(|| resumable("order-1"));
    let key = recorded.metadata()["resume_key"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(key.len() >= 64 && !key.contains("order"), "{key}");
}

#[tokio::test]
async fn a_resume_key_may_be_computed() {
    let gate = TestGate::new().approve(INTENT);
    assert_eq!(
        gate.run(resumable_by_parts("ab".to_owned(), 1))
            .await
            .unwrap(),
        3
    );
    assert!(gate.submissions()[0].metadata().contains_key("resume_key"));
}

// Drop order.

thread_local! {
    static DROPPED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

struct Noisy(&'static str);

impl Drop for Noisy {
    fn drop(&mut self) {
        DROPPED.with_borrow_mut(|names| names.push(self.0));
    }
}

/// The same function with a gate and without one.
macro_rules! twice {
    ($(#[$gate:meta])* fn $plain:ident, $governed:ident($($arguments:tt)*) $body:block) => {
        fn $plain($($arguments)*) -> Result<(), Error> $body
        $(#[$gate])*
        fn $governed($($arguments)*) -> Result<(), Error> $body
    };
    ($(#[$gate:meta])* async fn $plain:ident, $governed:ident($($arguments:tt)*) $body:block) => {
        async fn $plain($($arguments)*) -> Result<(), Error> $body
        $(#[$gate])*
        async fn $governed($($arguments)*) -> Result<(), Error> $body
    };
}

twice! {
    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    fn plain_order, governed_order(a: Noisy, _: Noisy, _unused: Noisy, (b, c): (Noisy, Noisy), d: Noisy) {
        let _local = Noisy("local");
        drop(c);
        let _ = (&d, &a, &b);
        Ok(())
    }
}

twice! {
    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    async fn plain_async_order, governed_async_order(a: Noisy, _: Noisy, _unused: Noisy, (b, c): (Noisy, Noisy), d: Noisy) {
        let _local = Noisy("local");
        drop(c);
        tokio::task::yield_now().await;
        let _ = (&d, &a, &b);
        Ok(())
    }
}

impl Noisy {
    fn plain_self(self, a: Self, b: Self) -> Result<(), Error> {
        let _ = (&a, &b);
        Ok(())
    }

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    fn governed_self(self, a: Self, b: Self) -> Result<(), Error> {
        let _ = (&a, &b);
        Ok(())
    }

    fn plain_future(self, a: Self, b: Self) -> Pin<Box<dyn Future<Output = Result<(), Error>>>> {
        Box::pin(async move {
            let _ = (&self, &a);
            drop(b);
            Ok(())
        })
    }

    #[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
    fn governed_future(self, a: Self, b: Self) -> Pin<Box<dyn Future<Output = Result<(), Error>>>> {
        Box::pin(async move {
            let _ = (&self, &a);
            drop(b);
            Ok(())
        })
    }
}

fn order(run: impl FnOnce() -> Result<(), Error>) -> Vec<&'static str> {
    DROPPED.take();
    TestGate::new().approve(INTENT).scope(run).unwrap();
    DROPPED.take()
}

async fn async_order(run: impl Future<Output = Result<(), Error>>) -> Vec<&'static str> {
    DROPPED.take();
    TestGate::new().approve(INTENT).run(run).await.unwrap();
    DROPPED.take()
}

fn noisy() -> (Noisy, Noisy, Noisy, (Noisy, Noisy), Noisy) {
    (
        Noisy("a"),
        Noisy("_"),
        Noisy("_unused"),
        (Noisy("b"), Noisy("c")),
        Noisy("d"),
    )
}

#[test]
fn arguments_are_dropped_as_in_a_plain_function() {
    let (a, b, c, d, e) = noisy();
    let plain = order(|| plain_order(a, b, c, d, e));
    let (a, b, c, d, e) = noisy();
    assert_eq!(order(|| governed_order(a, b, c, d, e)), plain);
    assert_eq!(plain, ["c", "local", "d", "b", "_unused", "_", "a"]);
    let plain = order(|| Noisy("self").plain_self(Noisy("a"), Noisy("b")));
    assert_eq!(
        order(|| Noisy("self").governed_self(Noisy("a"), Noisy("b"))),
        plain
    );
}

#[tokio::test]
async fn arguments_are_dropped_as_in_a_plain_async_function() {
    let (a, b, c, d, e) = noisy();
    let plain = async_order(plain_async_order(a, b, c, d, e)).await;
    let (a, b, c, d, e) = noisy();
    assert_eq!(
        async_order(governed_async_order(a, b, c, d, e)).await,
        plain
    );
    let plain = async_order(Noisy("self").plain_future(Noisy("a"), Noisy("b"))).await;
    let governed = async_order(Noisy("self").governed_future(Noisy("a"), Noisy("b"))).await;
    assert_eq!(governed, plain);
}

#[test]
fn a_refused_call_drops_its_arguments() {
    DROPPED.take();
    let (a, b, c, d, e) = noisy();
    let gate = TestGate::new().refuse(INTENT, REASON);
    gate.scope(|| governed_order(a, b, c, d, e)).unwrap_err();
    assert_eq!(DROPPED.take().len(), 6);
}
