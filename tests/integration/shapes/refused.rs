//! Functions that return no `Result`, or one that a refusal has no way into: `refused = path`.

use std::future::Future;
use std::num::ParseIntError;

use sernixa::testing::TestGate;
use sernixa::{Error, intercept};

use super::{INTENT, REASON, began, proves, proves_async};

const NOTHING: &str = "refused: not today";

fn as_text(_: Error) -> String {
    NOTHING.to_owned()
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"], refused = as_text)]
fn text(n: u8) -> String {
    began();
    n.to_string()
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"], refused = as_text)]
async fn async_text(n: u8) -> String {
    began();
    n.to_string()
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"], refused = as_text)]
fn future_of_text(n: u8) -> impl Future<Output = String> {
    began();
    async move { n.to_string() }
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"], refused = drop)]
fn nothing(n: u8) {
    began();
    let _ = n;
}

mod elsewhere {
    pub fn not_a_number(_: sernixa::Error) -> Result<u8, std::num::ParseIntError> {
        "refused: not today".parse()
    }

    pub struct Map;

    impl Map {
        pub fn none<T>(_: sernixa::Error) -> Option<T> {
            None
        }
    }
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"], refused = elsewhere::not_a_number)]
fn foreign_error(text: &str) -> Result<u8, ParseIntError> {
    began();
    text.parse()
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"], refused = elsewhere::Map::none::<u8>)]
fn option(n: u8) -> Option<u8> {
    began();
    Some(n)
}

fn opaque_refusal(_: Error) -> std::vec::IntoIter<u8> {
    vec![].into_iter()
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"], refused = opaque_refusal)]
fn opaque(n: u8) -> impl Iterator<Item = u8> {
    began();
    vec![n].into_iter()
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"], refused = opaque_refusal)]
#[track_caller]
fn opaque_in_place(n: u8) -> impl Iterator<Item = u8> {
    began();
    vec![n].into_iter()
}

/// A text is a refusal when it says so.
fn spoken(text: String) -> Result<String, String> {
    if text == NOTHING { Err(text) } else { Ok(text) }
}

#[test]
fn a_refusal_becomes_what_the_function_returns() {
    assert_eq!(proves(|| spoken(text(7))), "7");
    assert_eq!(proves(|| option(7).ok_or(REASON)), 7);
    assert_eq!(proves(|| opaque(7).next().ok_or(REASON)), 7);
    assert_eq!(proves(|| opaque_in_place(7).next().ok_or(REASON)), 7);
    let gate = TestGate::new().refuse(INTENT, REASON);
    assert!(gate.scope(|| foreign_error("7")).is_err());
    let gate = TestGate::new().approve(INTENT);
    assert_eq!(gate.scope(|| foreign_error("7")), Ok(7));
    assert!(gate.scope(|| foreign_error("x")).is_err());
}

#[tokio::test]
async fn so_it_does_when_it_is_awaited() {
    assert_eq!(
        proves_async(async || spoken(async_text(7).await)).await,
        "7"
    );
    assert_eq!(
        proves_async(async || spoken(future_of_text(7).await)).await,
        "7"
    );
}

#[test]
fn a_function_that_returns_nothing_does_nothing() {
    super::BEGAN.set(0);
    TestGate::new().refuse(INTENT, REASON).scope(|| nothing(1));
    assert_eq!(super::BEGAN.get(), 0);
    TestGate::new().approve(INTENT).scope(|| nothing(1));
    assert_eq!(super::BEGAN.get(), 1);
}
