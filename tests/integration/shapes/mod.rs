//! Shapes of function: each runs its body once when it is approved, and does not begin it when it
//! is refused. Compiled by edition 2024 here and by edition 2021 in `tests/edition2021`.

mod arguments;
mod asynchronous;
mod boxed;
mod company;
mod free;
mod hygiene;
mod methods;
mod prove;
mod refused;
mod registry;
mod toolsets;
mod traits;

use prove::{BEGAN, INTENT, REASON, began, proves, proves_async};
