//! The waiting half of Sernixa: submits a call, waits for its decision, and lets the body run or
//! not. Users depend on the facade `sernixa`, which re-exports what is public here.

mod action;
mod callsite;
mod capture;
mod client;
mod clock;
mod display;
mod error;
mod name;
mod permit;
mod returns;
#[doc(hidden)]
pub mod support;
mod transport;

pub use callsite::{Callsite, callsites};
pub use client::Client;
pub use clock::Clock;
pub use error::{Error, Refusal};
pub use permit::Permit;
