//! Durable homes of the engine's state.
//!
//! [`SqliteStore`] keeps everything in one SQLite file, which several processes on one machine may
//! share. An answer is given only after the transaction that made it is on disk.
//!
//! ```
//! use sernixa_engine::{Engine, Settings};
//! use sernixa_store::SqliteStore;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("approvals.db");
//! let engine = Engine::builder()
//!     .store(SqliteStore::open(path)?)
//!     .settings(Settings::local())
//!     .build()?;
//! # drop(engine);
//! # Ok(())
//! # }
//! ```
//!
//! # What lies beside the file
//!
//! | file | what it is | in a backup |
//! |---|---|---|
//! | `FILE-wal`, `FILE-shm` | SQLite's: what was committed lately, some 32 MiB as a rule | copy with SQLite's own tools, or with every process stopped |
//! | `FILE.claim-key` | what claim tokens are derived with | yes: without it, calls that wait cannot claim |
//! | `FILE.binding-key` | what embedded clients digest arguments with | yes: without it, nothing is resumed or remembered |
//!
//! All are made for their owner alone (0600). Claim tokens and API keys are never written: tokens
//! are derived again, and of keys there is a hash. The file must lie on a local disk: SQLite's locks
//! do not hold on network file systems.

mod api_key;
mod approval;
mod error;
mod events;
mod group;
mod key_file;
mod open;
mod query;
mod readers;
mod schema;
mod sqlite;
mod state;
mod value;

pub use sqlite::SqliteStore;
