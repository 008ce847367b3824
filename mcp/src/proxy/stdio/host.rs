//! The host that started the proxy.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncRead;
use tokio::sync::Notify;

use super::ends::Output;
use super::lines::Lines;
use super::outlet::Outlet;
use crate::message::{Direction, Generation};
use crate::proxy::seam::{Connect, Gone, Host, Later};

/// How long the last answers may take to be written once nothing more comes.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How long the host's last requests are still read and answered once the server is gone: what it
/// sent before it could know.
const LAST_REQUESTS: Duration = Duration::from_millis(200);

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
    output: Output,
    connect: &dyn Connect,
    stop: impl Future<Output = ()>,
    server_ended: impl Future<Output = ()>,
) -> Result<Ended, String> {
    let pipe = Outlet::start(output);
    let host: Arc<dyn Host> = Arc::<Outlet>::clone(&pipe);
    let standing = Arc::new(Standing {
        pipe: Arc::clone(&pipe),
        server_gone: Notify::new(),
    });
    // One host, whatever generation it speaks: ids pass as they are.
    let relay = connect
        .connect(Generation::Sessions, Arc::<Standing>::clone(&standing))
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
    tokio::pin!(messages);
    let ended = tokio::select! {
        () = &mut messages => Ended::ByHost,
        () = stop => Ended::ByHost,
        () = standing.server_gone.notified() => Ended::ByServer,
        // It breaks when the host is gone.
        () = pipe.ended() => Ended::ByHost,
    };
    if ended == Ended::ByServer {
        let _ = tokio::time::timeout(LAST_REQUESTS, messages).await;
    }
    relay.host_gone();
    server_ended.await;
    pipe.finish();
    let _ = tokio::time::timeout(LAST_WORDS, pipe.ended()).await;
    Ok(ended)
}

/// The host's pipe, as the relay has it: when the server is gone, the host's last requests are still
/// answered before the pipe is closed.
struct Standing {
    pipe: Arc<Outlet>,
    server_gone: Notify,
}

impl Host for Standing {
    fn tell(&self, message: Bytes) -> Result<(), Gone> {
        self.pipe.push(message)
    }

    fn room(&self) -> Later<'_, ()> {
        Box::pin(self.pipe.wait_for_room())
    }

    fn close(&self) {
        self.server_gone.notify_one();
    }
}
