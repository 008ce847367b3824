//! `sernixa mcp proxy`: the gate between an MCP host and an MCP server.
//!
//! stdout is the protocol's; whatever is said to people goes to stderr.

mod client;
mod name;
mod server;

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::time::Duration;

use sernixa::Client;
use sernixa_mcp::proxy::config::{self, Config, HOLD_DEFAULT, HOLD_MAX};
use sernixa_mcp::proxy::state::State;
use sernixa_mcp::proxy::{Ended, Listen, Options, Proxy};
use sernixa_protocol::duration;
use tracing_subscriber::filter::LevelFilter;
use url::Url;

use crate::backend::Target;
use crate::output::one_line;
use crate::{Exit, Failure, Global, output};
use client::Decider;

const EXAMPLES: &str = "\
Examples:
  sernixa mcp proxy --store agents.db -- npx -y @modelcontextprotocol/server-filesystem ~/notes
      what a host starts instead of the server; approvals live in one file, without a service
  sernixa approvals watch --store agents.db
      and where a person decides
  sernixa mcp proxy --server github --hold 2m --upstream https://mcp.example/mcp
      a server over HTTP; SERNIXA_UPSTREAM_TOKEN holds its bearer token; the service decides
  sernixa mcp proxy --listen 127.0.0.1:9000 -- uvx mcp-server-git
      hosts over HTTP at http://127.0.0.1:9000/mcp, with a server process for each session
  sernixa mcp wrap claude-desktop
      the same for all servers of a host, in its own configuration

In the file of --config, beside what decides (`policies`, `ttl`, `[memory]`; for --store alone):

  [mcp]
  hold = \"45s\"
  [mcp.servers.files]
  trust_annotations = true              # read-only tools, by the server's word, are low risk
  [mcp.servers.files.tools.write_file]
  risk_level = \"high\"

Without `trust_annotations` and `risk_level` each call is medium or graver, and a person is asked. Who decides \
sees the names of a call's arguments, and their values with SERNIXA_CAPTURE_ARGUMENTS=true.

A call that waits longer than --hold is answered with `pending_review`; the same call again takes \
the approval up. More: docs/mcp-proxy.md.";

const USAGE: &str = "sernixa mcp proxy [OPTIONS] -- COMMAND [ARGS]...
       sernixa mcp proxy [OPTIONS] --upstream URL";

/// Options of `sernixa mcp proxy`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, override_usage = USAGE)]
pub(crate) struct Command {
    /// What the server is called in policies, approvals and settings [default: from its command or URL]
    #[arg(long, value_name = "NAME", value_parser = server_name)]
    server: Option<String>,

    /// How long a call waits for its decision before the host is answered, 0s to 1h [default: 45s]
    #[arg(long, value_name = "DURATION", value_parser = hold)]
    hold: Option<Duration>,

    /// Where people decide: hosts that can open a URL are sent there
    #[arg(long, value_name = "URL", value_parser = console)]
    console: Option<Url>,

    /// The settings: `[mcp]`, and with --store what decides
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Serve hosts over streamable HTTP here, instead of the one on stdin and stdout
    #[arg(long, value_name = "ADDR:PORT", value_parser = listen)]
    listen: Option<SocketAddr>,

    #[arg(
        long,
        help = "A name that --listen answers to, besides localhost; needs SERNIXA_LISTEN_TOKEN beyond \
                this machine",
        value_name = "HOST[:PORT]",
        requires = "listen"
    )]
    allow_host: Vec<String>,

    #[arg(
        long,
        help = "A web page that may call --listen: https://HOST",
        value_name = "ORIGIN",
        requires = "listen"
    )]
    allow_origin: Vec<String>,

    /// The server's MCP endpoint, or env:NAME for a variable that holds it
    #[arg(long, value_name = "URL", conflicts_with = "words")]
    upstream: Option<String>,

    /// A header of every request to --upstream, its value from a variable
    #[arg(long, value_name = "NAME=env:VARIABLE", requires = "upstream")]
    header: Vec<String>,

    /// Let a method pass that MCP does not know
    #[arg(long = "allow-method", value_name = "METHOD")]
    allow_methods: Vec<String>,

    /// How much to log, on stderr: off, error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL", default_value = "warn")]
    log_level: LevelFilter,

    /// What `sernixa mcp wrap` found, for `unwrap`
    #[arg(long, value_name = "WORDS", hide = true)]
    wrapped: Option<String>,

    /// The server's command, after `--`
    #[arg(last = true, value_name = "COMMAND")]
    words: Vec<OsString>,
}

fn server_name(text: &str) -> Result<String, &'static str> {
    if config::is_server_name(text) {
        Ok(text.to_owned())
    } else {
        Err(config::SERVER_NAME)
    }
}

fn hold(text: &str) -> Result<Duration, &'static str> {
    duration::parse(text)
        .filter(|hold| *hold <= HOLD_MAX)
        .ok_or("expected a duration from 0s to 1h, such as 45s or 2m")
}

fn listen(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse()
        .map_err(|_| "expected an address and a port, such as 127.0.0.1:9000")
}

fn console(text: &str) -> Result<Url, &'static str> {
    config::console(text).ok_or(
        "expected an http(s) URL without user name, query and fragment, and https:// beyond this \
         machine",
    )
}

pub(crate) fn run(command: Command, global: &Global) -> Result<Exit, Failure> {
    log(command.log_level);
    let target = global.target()?;
    let server = server::of(&command)?;
    let config = match &command.config {
        Some(file) => Config::read(file).map_err(cannot_start)?,
        None => Config::default(),
    };
    if command.listen.is_none() && std::io::stdin().is_terminal() {
        return Err(Failure::new(
            "stdin is a terminal, and an MCP host was expected there: let a host start this command \
             (sernixa mcp wrap HOST), or serve hosts over HTTP with --listen 127.0.0.1:9000",
        ));
    }
    if let Some(others) = config.others(&server.name) {
        say(format_args!(
            "warning: the settings say nothing of the server `{}`, only of {others}; name it with \
             --server",
            server.name,
        ));
    }
    let hold = command.hold.or(config.hold).unwrap_or(HOLD_DEFAULT);
    let store = match &target {
        Target::File(file) => Some(file.as_path()),
        Target::Service(_) => None,
    };
    let state = State::open(store).map_err(cannot_start)?;
    let decider = Decider::open(&target, command.config.as_deref(), hold, &state, global)?;
    let mut allow_methods = config.allow_methods.clone();
    allow_methods.extend(command.allow_methods);
    let options = Options {
        rules: config.server(&server.name),
        server: server.name.clone(),
        client: decider.client.clone(),
        state,
        hold,
        console: command.console.or(config.console),
        decide: decider.command("approve"),
        way_out: decider.way_out(),
        allow_methods,
    };
    say(format_args!(
        "sernixa asks before the tools of `{}` ({}) are called. {}; {}.",
        server.name,
        one_line(&server.shown),
        decider.who(),
        show(hold),
    ));
    say(format_args!("Decide with: {}", decider.command("watch")));
    let proxy = Proxy::new(options, server.to).map_err(cannot_start)?;
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if command.listen.is_none() {
        // One host's messages follow each other: a second thread would only be woken to find nothing to
        // do. Decisions are taken beside it.
        runtime.worker_threads(1);
    }
    let runtime = runtime.enable_all().build().map_err(cannot_start)?;
    let listen = command.listen.map(|address| {
        Ok::<_, Failure>(Listen {
            address,
            hosts: command.allow_host,
            origins: command.allow_origin,
            token: server::secret("SERNIXA_LISTEN_TOKEN")?,
        })
    });
    let listen = listen.transpose()?;
    let done = runtime.block_on(serve(proxy, listen, &decider));
    // A read of stdin cannot be taken back: nobody waits for its thread.
    runtime.shutdown_background();
    done
}

async fn serve(proxy: Proxy, listen: Option<Listen>, decider: &Decider) -> Result<Exit, Failure> {
    let stop = stop()?;
    decider.watch();
    if decider.is_service() {
        tokio::spawn(look_at_service(decider.client.clone(), decider.who()));
    }
    let Some(listen) = listen else {
        // On a worker: from here, which is none, every message would go from thread to thread.
        let served = tokio::spawn(async move { proxy.stdio(stop).await });
        // It is never aborted, so all that can be wrong with the task is a panic.
        let served = served
            .await
            .unwrap_or_else(|panicked| resume_unwind(panicked.into_panic()));
        return match served.map_err(cannot_start)? {
            Ended::ByHost => Ok(Exit::Yes),
            Ended::ByServer => {
                say("The MCP server has ended.");
                Ok(Exit::No)
            }
        };
    };
    let bound = |address| say(format_args!("Hosts connect to http://{address}/mcp"));
    proxy
        .http(listen, bound, stop)
        .await
        .map_err(cannot_start)?;
    Ok(Exit::Yes)
}

/// Says at the start what a service cannot do, or that it cannot be reached.
async fn look_at_service(client: Client, who: String) {
    match client.offers("resume").await {
        Ok(Some(true)) => {}
        Ok(_) => say(
            "warning: this service does not say that it resumes approvals: a call that nobody decides \
             in time is refused as `expired`, and has to be asked again; raise --hold",
        ),
        // The client's own words are for programs that have an engine in them.
        Err(_) => say(format_args!(
            "warning: {who}, but it does not answer. Until it does, every call is refused. Start one \
             (sernixa serve), name another (--base-url), or work on a file (--store agents.db)",
        )),
    }
}

/// Ends when the proxy is told to end: SIGTERM, Ctrl-C, or a terminal that closes.
fn stop() -> Result<impl Future<Output = ()> + Send, Failure> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate()).map_err(cannot_start)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot_start)?;
    let mut hang_up = signal(SignalKind::hangup()).map_err(cannot_start)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hang_up.recv() => {}
        }
    })
}

fn cannot_start(error: impl std::error::Error + Send + Sync + 'static) -> Failure {
    Failure::new("the proxy cannot go on").caused_by(error)
}

/// A line for people. Nobody may be there to read it, which is no reason to stop.
fn say(text: impl std::fmt::Display) {
    let _ = output::note(text);
}

/// No shorter time is counted than a second.
fn show(hold: Duration) -> String {
    if hold.is_zero() {
        return "no call is held".to_owned();
    }
    let hold = hold.max(Duration::from_secs(1));
    match (hold.as_secs(), hold.subsec_millis()) {
        (seconds, 0) if seconds % 60 == 0 => format!("a call waits {} min at most", seconds / 60),
        (seconds, 0) => format!("a call waits {seconds} s at most"),
        _ => format!("a call waits {} s at most", hold.as_secs_f64()),
    }
}

fn log(level: LevelFilter) {
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_a_call_is_held_is_said_as_it_is() {
        for (hold, said) in [
            (0, "no call is held"),
            (1, "a call waits 1 s at most"),
            (1_500, "a call waits 1.5 s at most"),
            (45_000, "a call waits 45 s at most"),
            (90_000, "a call waits 90 s at most"),
            (120_000, "a call waits 2 min at most"),
        ] {
            assert_eq!(show(Duration::from_millis(hold)), said);
        }
    }
}
