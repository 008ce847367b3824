//! Streamable HTTP, both sides: the endpoint that hosts call, and the way to an upstream server.

mod headers;
mod host;
mod params;
mod upstream;

#[cfg(test)]
mod tests;

pub(crate) use host::{Access, Options, serve};
pub(crate) use upstream::{Farewells, Upstream, UpstreamOptions};

/// The media types of answers.
const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";

/// The version with which requests carry their own metadata, and the ones before it that an HTTP
/// host may name.
const SESSION_VERSIONS: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
