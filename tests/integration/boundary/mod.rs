//! The gates where agents call tools: `McpToolBoundary`, `mcp_call_gate` and `Guard`.

mod call_gate;
mod guard;
mod mcp;

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use sernixa::{Client, Error};

/// The cases of a vector file, of which there must be so many.
fn vectors(text: &str, count: usize) -> Vec<Value> {
    let cases: Vec<Value> = serde_json::from_str(text).unwrap();
    assert_eq!(cases.len(), count);
    cases
}

/// Whether the tool ran exactly where it was let, through a blocking and an async door that must
/// say the same.
fn both(
    blocking: impl FnOnce(&dyn Fn() -> Result<(), Error>) -> Result<(), Error>,
    asynchronous: impl AsyncFnOnce(&(dyn Fn() -> Result<(), Error> + Sync)) -> Result<(), Error>,
) -> Result<(), Error> {
    let ran = Cell::new(0);
    let one = blocking(&|| {
        ran.set(ran.get() + 1);
        Ok(())
    });
    assert_eq!(ran.get(), i32::from(one.is_ok()), "blocking");
    let ran = AtomicBool::new(false);
    let other = pollster::block_on(asynchronous(&|| {
        assert!(!ran.swap(true, Ordering::Relaxed), "it runs once");
        Ok(())
    }));
    assert_eq!(ran.into_inner(), other.is_ok(), "async");
    match (&one, &other) {
        (Ok(()), Ok(())) => {}
        (Err(one), Err(other)) => {
            assert_eq!(
                std::mem::discriminant(one),
                std::mem::discriminant(other),
                "{one}, {other}"
            );
        }
        _ => panic!("the doors differ"),
    }
    one
}

/// A client of the service at this URL that waits little.
fn client(url: &str) -> Client {
    Client::builder()
        .environment(|_| None)
        .base_url(url)
        .poll_interval(std::time::Duration::from_millis(50))
        .max_retries(0)
        .build()
        .unwrap()
}
