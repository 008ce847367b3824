//! `sernixa serve`: the approval service.

use std::net::SocketAddr;

use secrecy::SecretString;
use sernixa_server::{Config, Flags, Server};

use crate::{Exit, Failure, Global, output};

/// The options of `sernixa serve`.
#[derive(Debug, clap::Args)]
pub(crate) struct Command {
    /// Where to listen; port 0 takes any free one (default 127.0.0.1:8000)
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the shape that every family has"
)]
pub(crate) fn run(command: Command, global: &Global) -> Result<Exit, Failure> {
    let flags = Flags {
        listen: command.listen,
        store: global.store_flag(),
        ..Flags::default()
    };
    let environment = |name: &str| {
        let text = std::env::var(name).ok()?;
        (!text.is_empty()).then(|| SecretString::from(text))
    };
    let config = Config::load(flags, &environment)
        .map_err(|error| Failure::new("the service cannot start").caused_by(error))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new("the service's threads cannot start").caused_by(error))?;
    runtime.block_on(serve(config))
}

async fn serve(config: Config) -> Result<Exit, Failure> {
    let stop = stop()?;
    let server = Server::bind(config)
        .await
        .map_err(|error| Failure::new("the service cannot start").caused_by(error))?;
    output::line(format_args!(
        "sernixa listens on http://{}",
        server.local_addr()
    ))?;
    server.run(stop).await;
    Ok(Exit::Yes)
}

/// Ends when the service is told to end: SIGTERM, or Ctrl-C.
fn stop() -> Result<impl Future<Output = ()> + Send, Failure> {
    use tokio::signal::unix::{SignalKind, signal};

    let listen = |kind| {
        signal(kind).map_err(|error| Failure::new("signals cannot be heard").caused_by(error))
    };
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
