//! The `[mcp]` table of `sernixa.toml`.

/// What `sernixa.toml` says of one server.
#[derive(Clone, Debug, Default)]
pub struct Rules {}
