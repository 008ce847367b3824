//! What is proved of each shape.

use std::cell::Cell;
use std::fmt::Debug;

use sernixa::testing::TestGate;

/// The intent of every shape.
pub(crate) const INTENT: &str = "shape";

/// What a refused call must say.
pub(crate) const REASON: &str = "not today";

thread_local! {
    pub(crate) static BEGAN: Cell<u32> = const { Cell::new(0) };
}

/// The first thing in every body.
pub(crate) fn began() {
    BEGAN.set(BEGAN.get() + 1);
}

/// What the body gave. Proves that it ran once when approved, and did not begin when refused.
pub(crate) fn proves<T, E: Debug>(mut call: impl FnMut() -> Result<T, E>) -> T {
    BEGAN.set(0);
    let gate = TestGate::new().refuse(INTENT, REASON);
    refused(gate.scope(&mut call), &gate);
    let gate = TestGate::new().approve(INTENT);
    let value = gate.scope(&mut call).expect("approved");
    assert_eq!(BEGAN.get(), 1, "an approved body runs once");
    value
}

/// The same for what has to be awaited.
pub(crate) async fn proves_async<T, E: Debug>(mut call: impl AsyncFnMut() -> Result<T, E>) -> T {
    BEGAN.set(0);
    let gate = TestGate::new().refuse(INTENT, REASON);
    refused(gate.run(call()).await, &gate);
    let gate = TestGate::new().approve(INTENT);
    let value = gate.run(call()).await.expect("approved");
    assert_eq!(BEGAN.get(), 1, "an approved body runs once");
    value
}

fn refused<T, E: Debug>(outcome: Result<T, E>, gate: &TestGate) {
    let error = outcome.err().expect("a refused call is an error");
    let text = format!("{error:?}");
    assert!(text.contains(REASON), "the refusal itself arrives: {text}");
    assert_eq!(BEGAN.get(), 0, "a refused body does not begin");
    assert_eq!(gate.submissions().len(), 1, "one call asks once");
}
