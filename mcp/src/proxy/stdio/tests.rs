//! Tests of both sides on pipes and with child processes.
