//! The proxy over real HTTP on loopback, with hosts and upstreams that do what no library would.

mod access;
mod peers;
mod rig;
mod sessions;
mod stateless;
mod upstream;
