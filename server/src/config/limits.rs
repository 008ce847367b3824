//! What the service takes, and how long it waits.

use std::time::Duration;

/// What the service takes, and how long it waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of a request's body: 1 KiB to 1 MiB. Default 1 MiB.
    pub body_bytes: usize,
    /// The most bytes of an evidence bundle to verify: 1 to 64 MiB. Default 64 MiB.
    pub bundle_bytes: usize,
    /// The most bytes of a request's head: 1 to 64 KiB. Default 16 KiB.
    pub head_bytes: usize,
    /// The most headers of a request. 64.
    pub head_count: usize,
    /// How many connections are open at once. Default 1,024; a stream of events needs one each.
    pub connections: u32,
    /// How many engine calls run at once: 1 to 400. Default 128.
    pub engine_calls: u32,
    /// How long a request waits for a place among them. 2 s.
    pub engine_patience: Duration,
    /// How many requests a key may make each second, twice as many in a burst. Default 2,000.
    pub requests_per_second: u32,
    /// The same for the reads of those who wait: one record, and the stream. Default 5,000.
    pub reads_per_second: u32,
    /// How many requests without a good key one address may make each minute. Default 60.
    pub attempts_per_minute: u32,
    /// How long a request may take in all, streams apart. Default 30 s.
    pub request_timeout: Duration,
    /// How long a head may take to come, and a connection may idle between two. Default 30 s.
    pub head_timeout: Duration,
    /// How long a body may take to come. Default 15 s.
    pub body_timeout: Duration,
    /// How long a client may take nothing of what is written to it. Default 30 s.
    pub write_timeout: Duration,
    /// How long the service finishes what is in flight when it is told to end. Default 10 s.
    pub shutdown: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 1 << 20,
            bundle_bytes: 64 << 20,
            head_bytes: 16 << 10,
            head_count: 64,
            connections: 1_024,
            engine_calls: 128,
            engine_patience: Duration::from_secs(2),
            requests_per_second: 2_000,
            reads_per_second: 5_000,
            attempts_per_minute: 60,
            request_timeout: Duration::from_secs(30),
            head_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(15),
            write_timeout: Duration::from_secs(30),
            shutdown: Duration::from_secs(10),
        }
    }
}
