//! The host that started the proxy.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};

use super::lines::Lines;
use super::outlet::Outlet;
use crate::message::{Direction, Generation};
use crate::proxy::seam::{Connect, Host};

/// How long the last answers may take to be written once nothing more comes.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The host closed it, or the proxy was told to end.
    ByHost,
    /// The server is gone.
    ByServer,
}

/// Serves one host until it, its server or `stop` ends; then waits for `server_ended`, and for the
/// host to read what was left.
///
/// # Errors
/// When the server cannot be started or reached.
pub(crate) async fn serve(
    input: impl AsyncRead + Send + Unpin,
    output: impl AsyncWrite + Send + Unpin + 'static,
    connect: &dyn Connect,
    stop: impl Future<Output = ()>,
    server_ended: impl Future<Output = ()>,
) -> Result<Ended, String> {
    let pipe = Outlet::start(output);
    let host: Arc<dyn Host> = Arc::<Outlet>::clone(&pipe);
    // One host, whatever generation it speaks: ids pass as they are.
    let relay = connect
        .connect(Generation::Sessions, Arc::clone(&host))
        .await?;
    let messages = async {
        let mut lines = Lines::new(input, Direction::ToServer);
        while let Some(line) = lines.next().await {
            match line {
                Ok(message) => relay.from_host(message, Arc::clone(&host)).await,
                Err(refused) => {
                    tracing::warn!(reason = %refused.reason, "refused a message of the host's");
                    if refused.is_answered() {
                        let _ = pipe.push(Bytes::from(refused.to_message()));
                    }
                }
            }
            // A host that reads no answers is not read.
            pipe.wait_for_room().await;
        }
    };
    let ended = tokio::select! {
        () = messages => Ended::ByHost,
        () = stop => Ended::ByHost,
        // The relay closes the pipe when the server is gone; it breaks when the host is.
        () = pipe.ended() => if relay.has_ended() { Ended::ByServer } else { Ended::ByHost },
    };
    relay.host_gone();
    server_ended.await;
    pipe.finish();
    let _ = tokio::time::timeout(LAST_WORDS, pipe.ended()).await;
    Ok(ended)
}
