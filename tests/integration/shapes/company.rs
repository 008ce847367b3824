//! Together with other attributes that rewrite functions, in both orders.

use std::fmt;

use sernixa::testing::TestGate;
use sernixa::{Error, intercept};

use super::{BEGAN, INTENT, began, proves, proves_async};

#[tracing::instrument(skip(secret), ret)]
#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn instrumented_above(n: u8, secret: &str) -> Result<u8, Error> {
    began();
    let _ = secret;
    Ok(n)
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
#[tracing::instrument(skip(secret), err)]
fn instrumented_below(n: u8, secret: &str) -> Result<u8, Error> {
    began();
    let _ = secret;
    Ok(n)
}

#[tracing::instrument(fields(doubled = n * 2))]
#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
async fn async_instrumented_above(n: u8) -> Result<u8, Error> {
    began();
    tokio::task::yield_now().await;
    Ok(n)
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
#[tracing::instrument(fields(doubled = n * 2))]
async fn async_instrumented_below(n: u8) -> Result<u8, Error> {
    began();
    tokio::task::yield_now().await;
    Ok(n)
}

#[test]
fn with_instrument_above_and_below() {
    assert_eq!(proves(|| instrumented_above(7, "x")), 7);
    assert_eq!(proves(|| instrumented_below(7, "x")), 7);
}

#[tokio::test]
async fn with_instrument_above_and_below_of_async() {
    assert_eq!(
        proves_async(async || async_instrumented_above(7).await).await,
        7
    );
    assert_eq!(
        proves_async(async || async_instrumented_below(7).await).await,
        7
    );
}

/// `cached` wants an error that clones.
#[derive(Clone, Debug)]
struct Cloned(String);

impl From<Error> for Cloned {
    fn from(error: Error) -> Self {
        Self(format!("{error:?}"))
    }
}

impl fmt::Display for Cloned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cached::macros::cached]
#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
fn cached_above(n: u8) -> Result<u8, Cloned> {
    began();
    Ok(n)
}

#[intercept(intent_id = "shape", risk_level = "low", operation_class = "read", data_sensitivity = "public", systems_touched = ["test"])]
#[cached::macros::cached]
fn cached_below(n: u8) -> Result<u8, Cloned> {
    began();
    Ok(n)
}

/// Calls with a new argument twice: how often it asked, and how often the body ran.
fn asked_and_ran(call: fn(u8) -> Result<u8, Cloned>, n: u8) -> (usize, u32) {
    BEGAN.set(0);
    let gate = TestGate::new().approve(INTENT);
    for _ in 0..2 {
        assert_eq!(gate.scope(|| call(n)).unwrap(), n);
    }
    (gate.submissions().len(), BEGAN.get())
}

#[test]
fn with_cached_above_and_below_nothing_runs_that_was_refused() {
    assert_eq!(proves(|| cached_above(1)), 1);
    assert_eq!(proves(|| cached_below(1)), 1);
    // `cached` repeats the attributes that stand below it on the function that looks values up and
    // on the one that makes them: a look asks, and so does the making. What stands above it has
    // become part of the function before: only a call that runs asks.
    assert_eq!(asked_and_ran(cached_above, 2), (3, 1));
    assert_eq!(asked_and_ran(cached_below, 2), (1, 1));
}
