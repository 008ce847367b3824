//! The promises of DESIGN 1, a module each; those that live elsewhere are named.
//!
//! 1. Fail closed: [`fail_closed`].
//! 2. Bound: [`bound`] in the process, [`claims`] over HTTP.
//! 3. Once: [`claims`] over HTTP, [`once`] in the process.
//! 4. Nothing leaves: [`nothing_leaves`].
//! 5. A person decides what is grave: [`grave`].
//! 6. Nothing is lost: with the durable stores; `engine/tests` has the life cycle.
//! 7. Waiting is free: [`waiting_is_free`].
//! 8. What happened can be proved: the audit chain, in `engine/tests`.
//!
//! [`fail_closed`] and [`claims`] explore: [`documents`] and [`values`] generate answers, [`shot`]
//! puts one on the wire, [`rig`] runs the real client against them, and [`predicate`], which shares
//! no code with the client, says what must come of it. `SERNIXA_TEST_CASES=20000` runs longer,
//! `SERNIXA_TEST_SEED` repeats a run that failed.

mod case;
mod documents;
mod explore;
mod predicate;
mod rig;
mod shot;
mod values;

mod bound;
mod claims;
mod fail_closed;
mod grave;
mod nothing_leaves;
mod once;
mod waiting_is_free;
