//! What the service takes, and how long it waits.

use std::time::Duration;

/// What the service takes, and how long it waits.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The most bytes of a request's body. Default 1 MiB.
    pub body_bytes: usize,
    /// How long a body may take to come. Default 30 s.
    pub body_timeout: Duration,
    /// How long a head may take to come, and a connection may idle between two. Default 30 s.
    pub head_timeout: Duration,
    /// How many connections are open at once. Default 1,024.
    pub connections: u32,
    /// How many engine calls run at once. Default 128.
    pub engine_calls: u32,
    /// How long a request waits for a place among them. Default 2 s.
    pub engine_patience: Duration,
    /// How long the service finishes what is in flight when it is told to end. Default 10 s.
    pub shutdown: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 1 << 20,
            body_timeout: Duration::from_secs(30),
            head_timeout: Duration::from_secs(30),
            connections: 1_024,
            engine_calls: 128,
            engine_patience: Duration::from_secs(2),
            shutdown: Duration::from_secs(10),
        }
    }
}
