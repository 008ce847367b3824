//! Nothing: the tests of this package are `shapes.rs`.
