//! What a store in a file promises beyond the suite that every store passes.

mod conformance;
