//! Server-sent events: every change of an approval, to those who may see it (DESIGN 7).
//!
//! ```text
//! hub: one thread follows the audit chains ─► trail: the last changes of one organisation, encoded once
//!                                              ▲  ▲  ▲
//!                                         streams, each with a place of its own on the trail
//! ```
//!
//! A stream is a reader, not a queue: it holds the number up to which it has read, takes what comes
//! after it from the trail, and from the store where the trail does not reach back so far. So
//! nothing is missed and nothing is told twice, wherever it begins; a client that reads slowly falls
//! behind alone; and one that reads nothing holds a connection until that is cut, and no memory.

mod encode;
mod hub;
mod places;
mod stream;
mod trail;

pub(crate) use hub::{Hub, Limits, Watcher};
pub(crate) use stream::{OpenError, Position, Still};

#[cfg(test)]
mod tests;
