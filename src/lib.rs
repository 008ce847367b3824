#![doc = include_str!("../README.md")]

#[doc(hidden)]
pub use sernixa_runtime::support as __private;

pub use sernixa_runtime::{Callsite, Client, Error, Permit, Refusal, callsites};

#[cfg(feature = "macros")]
pub use sernixa_macros::{intercept, toolset, ungoverned};
