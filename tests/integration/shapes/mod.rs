//! Shapes of function: each runs its body once when it is approved, and does not begin it when it
//! is refused. Compiled by edition 2024 here and by edition 2021 in `tests/edition2021`.

#![allow(
    dead_code,
    clippy::all,
    clippy::pedantic,
    reason = "these are shapes as users write them; lints are tested in tests/ui/pass"
)]

mod arguments;
mod asynchronous;
mod boxed;
mod company;
mod free;
mod hygiene;
mod methods;
pub(crate) mod prove;
mod refused;
mod registry;
mod toolsets;
mod traits;

use prove::{BEGAN, INTENT, REASON, began, proves, proves_async};
