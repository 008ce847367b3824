//! What the engine promises, shown through its public door.

mod audit;
mod claims;
mod decisions;
mod failing_store;
mod hard_rules;
mod life_cycle;
mod memory;
mod outcomes;
mod policies;
mod replay;
mod speed;
mod submissions;
mod support;
mod waiting;
