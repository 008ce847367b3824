//! The two transports.

use std::sync::Arc;

use rmcp::ServiceExt as _;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::net::TcpListener;

use crate::{Failure, Fixture};

/// Serves one client on standard input and output, until it leaves.
///
/// # Errors
/// The client did not begin as MCP says, or the process's streams fail.
pub async fn serve_stdio(fixture: Fixture) -> Result<(), Failure> {
    let running = fixture.serve(rmcp::transport::io::stdio_pipes()).await?;
    running.waiting().await?;
    Ok(())
}

/// Serves streamable HTTP at `/mcp`, for ever.
///
/// # Errors
/// The listener fails.
pub async fn serve_http(fixture: Fixture, listener: TcpListener) -> Result<(), Failure> {
    let config = StreamableHttpServerConfig::default();
    let service = StreamableHttpService::new(
        move || Ok(fixture.clone()),
        Arc::new(LocalSessionManager::default()),
        config,
    );
    let app = axum::Router::new().nest_service("/mcp", service);
    axum::serve(listener, app).await?;
    Ok(())
}
