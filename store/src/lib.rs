//! Durable homes of the engine's state.
