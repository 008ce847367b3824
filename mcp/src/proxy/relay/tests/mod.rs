//! Tests of the relay: a host, a server and a gate that do what the test says.

mod answers;
mod calls;
mod ends;
mod order;
mod rig;
mod shared;
