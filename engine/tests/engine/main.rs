//! What the engine promises, shown through its public door.

mod claims;
mod support;
