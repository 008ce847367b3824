//! The `sernixa` command.

fn main() {}
