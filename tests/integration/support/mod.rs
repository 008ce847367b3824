//! What the tests stand on: a server that misbehaves on request, and a latch to wait for events.

pub mod gzip;
pub mod latch;
pub mod reply;
pub mod server;
pub mod service;
