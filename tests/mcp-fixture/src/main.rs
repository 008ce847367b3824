//! The fixture server as a program.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser as _;
use sernixa_mcp_fixture::{Failure, Fixture, Options, serve_http, serve_stdio};

/// An MCP server for tests.
#[derive(clap::Parser)]
#[command(group = clap::ArgGroup::new("transport").required(true))]
struct Arguments {
    /// Serve streamable HTTP at this address, path /mcp; port 0 takes a free one. The URL is printed.
    #[arg(long, value_name = "ADDR", group = "transport")]
    listen: Option<SocketAddr>,

    /// Serve one client on standard input and output.
    #[arg(long, group = "transport")]
    stdio: bool,

    /// Append a line for each tools/call that arrives, before the tool runs.
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,

    /// Describe the tool `changing` so from the start.
    #[arg(long, value_name = "TEXT")]
    changing: Option<String>,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let fixture = Fixture::new(Options {
        journal: arguments.journal,
        changing: arguments.changing,
    })?;
    match arguments.listen {
        Some(address) => {
            let listener = tokio::net::TcpListener::bind(address).await?;
            println!("http://{}/mcp", listener.local_addr()?);
            serve_http(fixture, listener).await
        }
        None => serve_stdio(fixture).await,
    }
}
