//! Unsafe functions under a gate, in edition 2024: the rest of the house forbids `unsafe`.

#![allow(missing_docs, reason = "tests")]

#[path = "../integration/shapes"]
mod shapes {
    mod prove;
    mod unsafety;
}
