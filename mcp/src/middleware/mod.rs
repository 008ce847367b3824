//! Middleware for servers made with rmcp: every `tools/call` goes through the gate first.
