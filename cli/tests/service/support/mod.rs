//! What the tests stand on: a house with a running service in it, a plain HTTP client, a reviewer,
//! and the Python environments.

use std::time::{Duration, Instant};

pub mod asked;
pub mod client;
pub mod house;
pub mod http;
pub mod listening;
pub mod mcp;
pub mod proxy;
pub mod python;
pub mod receiver;
pub mod reviewer;
pub mod sdk;
pub mod serve;
pub mod worker;

/// `long` where `SERNIXA_TEST_LONG=1` asks for what the promises say in full, else `short`.
pub fn rounds(short: usize, long: usize) -> usize {
    if flag("SERNIXA_TEST_LONG") {
        long
    } else {
        short
    }
}

/// Whether an environment variable is `1`.
pub fn flag(name: &str) -> bool {
    std::env::var(name).is_ok_and(|value| value == "1")
}

/// Asks again until there is an answer.
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(Instant::now() < end, "never came true: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
