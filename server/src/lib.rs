//! The approval service of Sernixa: HTTP in front of the engine and its store.
//!
//! It has no rules of its own. A route reads a request, finds out who asks, and hands both to
//! [`Engine::handle`](sernixa_engine::Engine::handle), which the command line shares; what is here
//! is keys and limits, events and notifications, start and end.
//!
//! ```no_run
//! # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
//! let server = sernixa_server::Server::bind(sernixa_server::Config::local_demo()).await?;
//! println!("listening on http://{}", server.local_addr());
//! server.run(async { tokio::signal::ctrl_c().await.unwrap_or_default() }).await;
//! # Ok(())
//! # }
//! ```

mod app;
mod background;
mod banner;
mod body;
mod closing;
mod config;
mod connections;
mod door;
mod events;
mod health;
mod local;
mod metrics;
mod moments;
mod openapi;
mod outer;
pub mod policies;
mod pool;
mod rates;
mod reply;
mod routes;
mod schema;
mod server;
mod stall;
mod start;
mod webhook;

pub use config::{Config, ConfigError, DEFAULT_STORE, Flags, Limits, Mode, StoreAt};
pub use local::Local;
pub use server::Server;
pub use start::StartError;
pub use webhook::{Reach, Webhook, WebhookError};
