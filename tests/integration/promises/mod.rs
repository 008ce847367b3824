//! One module per promise of DESIGN 1.

mod documents;
mod predicate;
mod rig;
mod shot;
mod values;

/// Promise 1, fail closed: the body begins only after an answer on the allow-list.
mod fail_closed;

/// Promises 2 and 3, bound and once: no run without this call's own claim, where claims are offered.
mod claims;

/// Promise 3, once: one human approval starts one execution.
mod once;

/// Promise 5, a person decides what is grave: no policy, no memory, no immediate allow does.
mod grave;

/// Promise 7, waiting is free: pending calls delay nobody.
mod waiting_is_free;
