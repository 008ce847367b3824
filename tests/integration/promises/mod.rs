//! One module per promise of DESIGN 1.

mod documents;
mod predicate;
mod rig;
mod shot;

/// Promise 1, fail closed: the body begins only after an answer on the allow-list.
mod fail_closed;
