//! The gate with a real engine, a server that only lists its tools, and a host that only calls.

mod asking;
mod held;
mod names;
mod refused;
mod reports;
mod rig;
mod rounds;
mod shown;
