//! Submissions (PROTOCOL 2, 18; DESIGN 5): a client builds and seals them, a service receives them.
//!
//! A [`Template`] holds what all calls of one function share, a [`Draft`] what differs from call to
//! call. [`Template::build`] makes the metadata, runs DLP over what is the user's, and computes the
//! hashes; [`Built::seal`] writes the body that is sent. [`Received::parse`] reads it back.

mod build;
mod error;
mod members;
mod received;
mod seal;
mod template;
#[cfg(test)]
mod tests;

pub use build::Draft;
pub use error::{BuildError, ReceiveError};
pub use received::{Delegated, Received};
pub use seal::{Built, Signing, Stamp};
pub use template::{Fields, Template};

/// The deepest metadata that is built or received, in levels; the metadata object is the first.
pub const MAX_LEVELS: usize = 64;

/// The longest metadata text that is built or received, in bytes.
pub const MAX_BYTES: usize = 256 * 1024;
