//! The proxy put together: gate, relay and the transports of both sides.

use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use sernixa::Client;
use tokio::net::TcpListener;
use url::Url;

use super::config::Rules;
use super::gate::{Settings as GateSettings, ToolGate};
use super::http::{self, Farewells, Upstream, UpstreamOptions};
use super::relay::{MessageRelay, Settings, Sharing};
use super::seam::{Connect, Generation, Host, Later, Relay, Server};
use super::state::State;
pub use super::stdio::Ended;
use super::stdio::{self, Patience, Program, Programs};

/// What a proxy is made of.
#[derive(Debug)]
pub struct Options {
    /// What the operator calls the server: [`is_server_name`](super::config::is_server_name).
    pub server: String,
    /// Who is asked.
    pub client: Client,
    /// What `sernixa.toml` says of this server.
    pub rules: Rules,
    /// Pins, spent states, the proxy's own key.
    pub state: State,
    /// How long a call is held at most: from one second on (less counts as one), or zero. Then it is
    /// answered at once, unless an approval that was given before lets it run.
    pub hold: Duration,
    /// Where people decide, for hosts that can open it.
    pub console: Option<Url>,
    /// What a person types to decide, without the approval's id: `sernixa approvals approve`.
    pub decide: String,
    /// What to do when whoever decides is out of reach, in a sentence that hosts are told; empty for
    /// nothing.
    pub way_out: String,
    /// Methods outside the specification that may pass.
    pub allow_methods: Vec<String>,
}

/// Where the server is.
#[derive(Debug)]
pub enum To {
    /// A program that is started, once for each connection.
    Command {
        /// What is run, found as the system finds programs.
        program: OsString,
        /// Its arguments.
        arguments: Vec<OsString>,
    },
    /// An MCP endpoint over streamable HTTP.
    Url {
        /// The endpoint.
        url: Url,
        /// Sent as `Authorization: Bearer …`.
        token: Option<SecretString>,
        /// More that every request carries: names and values.
        headers: Vec<(String, SecretString)>,
        /// Whether plain http may leave this machine.
        allow_insecure: bool,
    },
}

/// Where hosts come in over HTTP.
#[derive(Debug)]
pub struct Listen {
    /// Port 0 takes any free one.
    pub address: SocketAddr,
    /// Names that the endpoint answers to besides those of loopback: `HOST` or `HOST:PORT`.
    pub hosts: Vec<String>,
    /// Pages that may call: `https://HOST[:PORT]`.
    pub origins: Vec<String>,
    /// What every request must bring as `Authorization: Bearer …`; required beyond loopback.
    pub token: Option<SecretString>,
}

/// The proxy cannot go on, and why: in lower case, without a full stop.
#[derive(Debug)]
pub struct ProxyError(String);

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ProxyError {}

/// A proxy in front of one server.
pub struct Proxy {
    way: Way,
    client: Client,
}

#[derive(Clone)]
enum Way {
    Programs(Arc<Programs>),
    Http(Arc<Http>),
}

impl Way {
    fn connect(&self) -> Arc<dyn Connect> {
        match self {
            Self::Programs(programs) => Arc::<Programs>::clone(programs),
            Self::Http(http) => Arc::<Http>::clone(http),
        }
    }

    /// Done when nothing that was started runs any more.
    async fn all_ended(&self) {
        match self {
            Self::Programs(programs) => programs.all_ended().await,
            Self::Http(http) => http.farewells.all_said().await,
        }
    }
}

impl Proxy {
    /// Nothing is started or reached yet.
    ///
    /// # Errors
    /// What is wrong with the server's address.
    pub fn new(options: Options, to: To) -> Result<Self, ProxyError> {
        let client = options.client.clone();
        let gate = ToolGate::new(GateSettings {
            server: options.server,
            client: options.client,
            rules: options.rules,
            state: options.state,
            hold: options.hold,
            console: options.console,
            decide: options.decide,
            way_out: options.way_out,
        });
        let relays = Settings::new(Arc::new(gate), &options.allow_methods);
        let way = match to {
            To::Command { program, arguments } => {
                let program = Program { program, arguments };
                Way::Programs(Arc::new(Programs::new(
                    program,
                    relays,
                    Patience::default(),
                )))
            }
            To::Url {
                url,
                token,
                headers,
                allow_insecure,
            } => {
                let options = UpstreamOptions {
                    url,
                    token,
                    headers,
                    allow_insecure,
                };
                // Once here, so that a wrong address is told at the start.
                let farewells = Farewells::default();
                Upstream::new(&options, &farewells).map_err(ProxyError)?;
                Way::Http(Arc::new(Http {
                    options,
                    relays,
                    farewells,
                }))
            }
        };
        Ok(Self { way, client })
    }

    /// Serves the host that started this process, on stdin and stdout, until it closes them, the server
    /// ends or `stop` does. Then outcomes are delivered, and the server has ended.
    ///
    /// # Errors
    /// When the server cannot be started.
    pub async fn stdio(self, stop: impl Future<Output = ()> + Send) -> Result<Ended, ProxyError> {
        let connect = self.way.connect();
        let ended = stdio::serve(
            stdio::input(),
            stdio::output(),
            &*connect,
            stop,
            self.way.all_ended(),
        )
        .await;
        self.client.close().await;
        ended.map_err(ProxyError)
    }

    /// Serves hosts over streamable HTTP until `stop` ends; `bound` is told where.
    ///
    /// # Errors
    /// When it cannot or must not listen there.
    pub async fn http(
        self,
        listen: Listen,
        bound: impl FnOnce(SocketAddr),
        stop: impl Future<Output = ()> + Send,
    ) -> Result<(), ProxyError> {
        let wrong = |error: std::io::Error| {
            ProxyError(format!("cannot listen at {}: {error}", listen.address))
        };
        let options = http::Options {
            access: http::Access {
                hosts: listen.hosts,
                origins: listen.origins,
                token: listen.token,
            },
            ..http::Options::default()
        };
        options.access.check(listen.address).map_err(ProxyError)?;
        let listener = TcpListener::bind(listen.address).await.map_err(wrong)?;
        bound(listener.local_addr().map_err(wrong)?);
        let served = http::serve(listener, options, self.way.connect(), stop).await;
        self.way.all_ended().await;
        self.client.close().await;
        served.map_err(|error| ProxyError(error.to_string()))
    }
}

/// Reaches an upstream over HTTP: for each connection a session of its own.
struct Http {
    options: UpstreamOptions,
    relays: Settings,
    farewells: Farewells,
}

impl Connect for Http {
    fn connect(
        &self,
        generation: Generation,
        standing: Arc<dyn Host>,
    ) -> Later<'_, Result<Arc<dyn Relay>, String>> {
        Box::pin(async move {
            let upstream = Upstream::new(&self.options, &self.farewells)?;
            let sharing = Sharing::of(generation);
            let way: Arc<dyn Server> = Arc::<Upstream>::clone(&upstream);
            let relay: Arc<dyn Relay> = Arc::new(MessageRelay::new(
                self.relays.clone(),
                sharing,
                way,
                standing,
            ));
            upstream.attach(Arc::downgrade(&relay));
            Ok(relay)
        })
    }
}
