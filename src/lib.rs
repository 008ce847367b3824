#![doc = include_str!("../README.md")]

#[doc(hidden)]
pub use sernixa_runtime::support as __private;

#[cfg(feature = "macros")]
pub use sernixa_macros::{intercept, toolset, ungoverned};

pub use sernixa_runtime::{Action, Client, ClientBuilder, Submission};
pub use sernixa_runtime::{Callsite, callsites};
pub use sernixa_runtime::{Clock, Sleep};
pub use sernixa_runtime::{Continuation, Pending, Permit, Submitted};
pub use sernixa_runtime::{DataSensitivity, DecisionStatus, OperationClass, RiskLevel};
pub use sernixa_runtime::{Error, Refusal};
pub use sernixa_runtime::{boundary, delegation, dlp, gateway, logging, protocol};
pub use sernixa_runtime::{client, close, close_blocking, install};

#[cfg(feature = "embedded")]
pub use sernixa_runtime::embedded;
#[cfg(feature = "testing")]
pub use sernixa_runtime::testing;
