//! Against the real service, started as a person would.
