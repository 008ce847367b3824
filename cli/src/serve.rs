//! `sernixa serve`: the approval service.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::ValueEnum;
use secrecy::SecretString;
use sernixa_server::{Config, Flags, Mode, Server};
use tracing_subscriber::filter::LevelFilter;

use crate::{Exit, Failure, Global, output};

const MORE: &str = "\
Without options it is a demonstration: on http://127.0.0.1:8000, where every client looks first, \
with the key e2e-admin that may do everything, and its state in ./sernixa.db.

A team's service has a file of settings:

  mode = \"production\"
  organisation = \"acme\"
  store = \"/var/lib/sernixa/sernixa.db\"
  policies = \"/etc/sernixa/policies\"          # a folder of *.cedar files; reloaded when it changes
  zone = \"Europe/Berlin\"                      # for policies that read the time
  signing_keys = \"/etc/sernixa/signing.toml\"  # mode 0600: [[key]] id, secret, owner, agents
  ttl = \"15m\"                                 # how long a request waits for a person
  claim_by = \"10m\"                            # how long an approval may be used after that
  [memory]
  threshold = 3                               # so many approvals by people stand for the next
  window = \"30d\"
  [[webhook]]                                 # who hears of what waits for review
  url = \"https://hooks.example.com/sernixa\"
  secret_file = \"/etc/sernixa/webhook.secret\"

Then: sernixa keys create --config sernixa.toml --role agent --owner payments --agent worker
      sernixa serve --config sernixa.toml

It speaks plain HTTP, so it listens on this machine alone; put a reverse proxy in front for TLS. \
SIGTERM ends it in order; SIGHUP reloads the policies.";

/// The options of `sernixa serve`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = MORE)]
pub(crate) struct Command {
    /// The file of settings; flags overrule it, and paths in it start at its folder
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// How to run (default: a demonstration)
    #[arg(long, value_name = "local_demo|production", value_parser = mode)]
    mode: Option<Mode>,

    /// Where to listen; port 0 takes any free one (default 127.0.0.1:8000)
    #[arg(long, value_name = "ADDR:PORT", value_parser = address)]
    listen: Option<SocketAddr>,

    /// Listen beyond this machine: a reverse proxy in front ends TLS
    #[arg(long)]
    behind_proxy: bool,

    /// The organisation whose actions are decided (default local, in a demonstration)
    #[arg(long, value_name = "NAME")]
    organisation: Option<String>,

    /// The folder of policies (default: low-risk reads proceed, the rest is reviewed)
    #[arg(long, value_name = "DIR")]
    policies: Option<PathBuf>,

    /// How to log, on stderr
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,

    /// How much to log: error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    log_level: LevelFilter,
}

/// How to log.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogFormat {
    /// Lines for people
    Text,
    /// One JSON object a line, for programs
    Json,
}

fn mode(text: &str) -> Result<Mode, &'static str> {
    Mode::parse(text).ok_or("expected local_demo or production")
}

fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse()
        .map_err(|_| "expected an IP address with a port, such as 127.0.0.1:8000 or [::1]:8000")
}

pub(crate) fn run(command: Command, global: &Global) -> Result<Exit, Failure> {
    log(command.log_format, command.log_level);
    let flags = Flags {
        config: command.config,
        mode: command.mode,
        listen: command.listen,
        behind_proxy: command.behind_proxy,
        organisation: command.organisation,
        store: global.store_flag(),
        policies: command.policies,
    };
    let environment = |name: &str| {
        let text = std::env::var(name).ok()?;
        (!text.is_empty()).then(|| SecretString::from(text))
    };
    let config = Config::load(flags, &environment).map_err(cannot_start)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(cannot_start)?;
    runtime.block_on(serve(config))
}

fn cannot_start(error: impl std::error::Error + Send + Sync + 'static) -> Failure {
    Failure::new("the service cannot start").caused_by(error)
}

async fn serve(config: Config) -> Result<Exit, Failure> {
    // Before there is anything to end.
    let stop = stop()?;
    let server = Server::bind(config).await.map_err(cannot_start)?;
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

    let mut terminate = signal(SignalKind::terminate()).map_err(cannot_start)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot_start)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Logs to stderr: stdout is for what was asked for.
fn log(format: LogFormat, level: LevelFilter) {
    let log = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}
