//! A server that the proxy starts: a child process for each connection.
//!
//! It ends as the specification says (stdio, shutdown): its stdin is closed, then it is waited for, then
//! told to end, then killed. It leads a process group of its own, so that what it started ends with it
//! (`npx` starts a shell, which starts the server). Should the proxy itself be killed, its end of the
//! pipe is closed, and the child reads the end of its input.

use std::ffi::OsString;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use super::ends::Output;
use super::lines::Lines;
use super::outlet::Outlet;
use crate::message::{Direction, Generation, Id, Message, Seems};
use crate::proxy::relay::{MessageRelay, Settings, Sharing};
use crate::proxy::seam::{Connect, Gone, Host, Later, Relay, Server};

/// Variables with secrets of the proxy's own. A server that had them could ask, sign or even decide in
/// the proxy's name.
const SECRETS: [&str; 7] = [
    "SERNIXA_ACCESS_TOKEN",
    "SERNIXA_API_KEY",
    "SERNIXA_BINDING_KEY",
    "SERNIXA_LISTEN_TOKEN",
    "SERNIXA_REQUEST_SIGNING_SECRET",
    "SERNIXA_SIGNING_KEYS",
    "SERNIXA_UPSTREAM_TOKEN",
];

/// What is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) program: OsString,
    pub(crate) arguments: Vec<OsString>,
}

/// How long a child is given to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Patience {
    /// After its stdin was closed.
    pub(crate) to_end: Duration,
    /// After it was told to end, before it is killed.
    pub(crate) to_obey: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            to_end: Duration::from_secs(5),
            to_obey: Duration::from_secs(2),
        }
    }
}

/// How long the last lines of a child that ended are read, and the end of one that closed its stdout
/// awaited.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Starts a child for each connection.
pub(crate) struct Programs {
    program: Program,
    relays: Settings,
    patience: Patience,
    running: watch::Sender<usize>,
}

impl Programs {
    pub(crate) fn new(program: Program, relays: Settings, patience: Patience) -> Self {
        Self {
            program,
            relays,
            patience,
            running: watch::Sender::new(0),
        }
    }

    /// Done when no child runs any more.
    pub(crate) async fn all_ended(&self) {
        let mut running = self.running.subscribe();
        // `self` holds the other end.
        let _ = running.wait_for(|running| *running == 0).await;
    }

    fn start(&self) -> Result<(Child, tokio::process::ChildStdin, ChildStdout), String> {
        let mut command = Command::new(&self.program.program);
        command
            .args(&self.program.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true);
        for secret in SECRETS {
            command.env_remove(secret);
        }
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command
            .spawn()
            .map_err(|error| format!("the MCP server could not be started: {error}"))?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(input), Some(output)) => Ok((child, input, output)),
            _ => Err("the MCP server was started without pipes".to_owned()),
        }
    }
}

impl Connect for Programs {
    fn connect(
        &self,
        generation: Generation,
        standing: Arc<dyn Host>,
    ) -> Later<'_, Result<Arc<dyn Relay>, String>> {
        Box::pin(async move {
            let (child, input, output) = self.start()?;
            let sharing = Sharing::of(generation);
            let server = Arc::new(ChildServer {
                input: Outlet::start(Output::at_once(input)),
                closing: Notify::new(),
            });
            let way: Arc<dyn Server> = Arc::<ChildServer>::clone(&server);
            let relay = MessageRelay::new(self.relays.clone(), sharing, way, standing);
            let kept = Kept::new(&self.running);
            let keeper = Keeper {
                #[cfg(unix)]
                group: child.id(),
                child,
                server,
                relay: relay.clone(),
                patience: self.patience,
            };
            tokio::spawn(async move {
                keeper.keep(output).await;
                drop(kept);
            });
            let relay: Arc<dyn Relay> = Arc::new(relay);
            Ok(relay)
        })
    }
}

/// Counts a child as running.
struct Kept(watch::Sender<usize>);

impl Kept {
    fn new(running: &watch::Sender<usize>) -> Self {
        running.send_modify(|running| *running += 1);
        Self(running.clone())
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.0
            .send_modify(|running| *running = running.saturating_sub(1));
    }
}

/// The way to a child.
struct ChildServer {
    input: Arc<Outlet>,
    closing: Notify,
}

impl Server for ChildServer {
    fn send(&self, message: Message) -> Later<'_, Result<(), Gone>> {
        Box::pin(async move {
            self.input.wait_for_room().await;
            self.input.push(message.bytes().clone())
        })
    }

    fn forget(&self, _request: &Id) {}

    fn close(&self) {
        self.closing.notify_one();
    }
}

/// Reads a child, and sees it to its end.
struct Keeper {
    child: Child,
    #[cfg(unix)]
    group: Option<u32>,
    server: Arc<ChildServer>,
    relay: MessageRelay,
    patience: Patience,
}

impl Keeper {
    async fn keep(mut self, output: ChildStdout) {
        let reading = read(output, self.relay.clone(), Arc::clone(&self.server));
        let mut reading = tokio::spawn(reading);
        let server = Arc::clone(&self.server);
        let reason = tokio::select! {
            status = self.child.wait() => ended(status.ok()),
            _ = &mut reading => match timeout(LAST_LINES, self.child.wait()).await {
                Ok(status) => ended(status.ok()),
                Err(_) => "the MCP server closed its output".to_owned(),
            },
            () = server.closing.notified() => {
                self.end().await;
                "the connection was closed".to_owned()
            }
        };
        if !reading.is_finished() && timeout(LAST_LINES, &mut reading).await.is_err() {
            // Something that it started holds its stdout open.
            reading.abort();
        }
        self.signal(Signal::Kill);
        self.server.input.finish();
        self.relay.server_gone(&reason);
        // Not a zombie, and not alive when it did not end by itself.
        let _ = self.child.kill().await;
    }

    /// Ends the child in order.
    async fn end(&mut self) {
        self.server.input.finish();
        if timeout(self.patience.to_end, self.child.wait())
            .await
            .is_ok()
        {
            return;
        }
        tracing::warn!("the MCP server did not end when its input ended; it is told to");
        self.signal(Signal::Terminate);
        let _ = timeout(self.patience.to_obey, self.child.wait()).await;
    }

    /// Signals the child and all that it started in its group.
    #[cfg(unix)]
    fn signal(&self, signal: Signal) {
        use rustix::process::{Pid, kill_process_group};

        let group = self
            .group
            .and_then(|group| i32::try_from(group).ok())
            .and_then(Pid::from_raw);
        if let Some(group) = group {
            let signal = match signal {
                Signal::Terminate => rustix::process::Signal::TERM,
                Signal::Kill => rustix::process::Signal::KILL,
            };
            // Gone already, in most cases.
            let _ = kill_process_group(group, signal);
        }
    }

    /// Elsewhere there is only the child itself, which `kill` ends.
    #[cfg(not(unix))]
    fn signal(&self, _signal: Signal) {}
}

#[derive(Clone, Copy)]
enum Signal {
    Terminate,
    Kill,
}

/// Takes what the server says to the relay, until it says no more.
async fn read(output: ChildStdout, relay: MessageRelay, server: Arc<ChildServer>) {
    let mut lines = Lines::new(output, Direction::ToHost);
    while let Some(line) = lines.next().await {
        let refused = match line {
            Ok(message) => {
                relay.from_server(message, None).await;
                continue;
            }
            Err(refused) => refused,
        };
        tracing::warn!(reason = %refused.reason, "refused a message of the server's");
        match (refused.seems, &refused.id) {
            (Seems::Answer, Some(id)) => {
                let reason = format!(
                    "the MCP server's answer was refused by the proxy: {}",
                    refused.reason
                );
                relay.lost(id, &reason);
            }
            (Seems::Request, Some(_)) => {
                // It waits for an answer. Whoever closed its input does not.
                let _ = server.input.push(Bytes::from(refused.to_message()));
            }
            _ => {}
        }
    }
}

fn ended(status: Option<ExitStatus>) -> String {
    status.map_or_else(
        || "the MCP server ended".to_owned(),
        |status| format!("the MCP server ended ({status})"),
    )
}
