//! The golden vectors of the reference SDK, as this crate builds by default.
//!
//! `tests/features` runs the same suite with `serde_json`'s `preserve_order` and
//! `arbitrary_precision`, which other crates in a user's build may switch on.

#[cfg(test)]
mod suite;
