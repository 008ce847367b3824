//! Unsafe functions under a gate, in edition 2024: the rest of the house forbids `unsafe`.

#![allow(missing_docs, reason = "tests")]

mod shapes {
    #[path = "../../integration/shapes/prove.rs"]
    mod prove;
    #[path = "../../integration/shapes/unsafety.rs"]
    mod unsafety;
}
