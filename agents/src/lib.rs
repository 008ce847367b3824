//! Sernixa in front of the tools of Rust agent frameworks, each adapter behind a feature.
