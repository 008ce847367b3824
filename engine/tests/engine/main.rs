//! What the engine promises, shown through its public door.

mod claims;
mod speed;
mod support;
mod tmp_parts;
