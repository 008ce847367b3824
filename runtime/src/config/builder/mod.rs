//! [`ClientBuilder`]: what a program says itself, before environment and defaults are asked.

mod settings;

use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use sernixa_protocol::dlp::{Detectors, Mode};

#[cfg(feature = "embedded")]
use super::{Base, read::wrong};
use crate::client::Client;
use crate::clock::Clock;
use crate::error::Error;
use crate::logging::Verbosity;

/// What reads a variable.
type Lookup = Box<dyn Fn(&str) -> Option<OsString> + Send + Sync>;

/// Below this a poll would only load the service.
const SHORTEST_POLL: Duration = Duration::from_millis(50);

/// Builds a [`Client`]: what is set here beats the environment, which beats the defaults.
///
/// Everything is checked by [`build`](Self::build); a value that breaks its rule is
/// [`Error::Configuration`] and names the setting, never the value.
///
/// ```
/// # fn main() -> Result<(), sernixa_runtime::Error> {
/// let client = sernixa_runtime::Client::builder()
///     .base_url("https://approvals.example.com")
///     .access_token("srnx_live_0123456789abcdef")
///     .poll_timeout(std::time::Duration::from_secs(3600))
///     .build()?;
/// # client.close_blocking();
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own, off by default"
)]
#[must_use = "a builder does nothing until `build`"]
pub struct ClientBuilder {
    environment: Option<Lookup>,
    base_url: Option<String>,
    access_token: Option<SecretString>,
    api_key: Option<SecretString>,
    allow_insecure_http: Option<bool>,
    poll_interval: Option<Duration>,
    poll_timeout: Option<Duration>,
    timeout: Option<Duration>,
    max_retries: Option<u32>,
    max_async_in_flight: Option<usize>,
    dlp_mode: Option<Mode>,
    detectors: Option<Detectors>,
    capture_arguments: Option<bool>,
    signing_secret: Option<SecretString>,
    signing_key_id: Option<String>,
    binding_key: Option<SecretString>,
    log: Option<Verbosity>,
    require_claim: bool,
    require_delegation: bool,
    accept_immediate_high_risk: bool,
    no_block_in_place: bool,
    clock: Option<Arc<dyn Clock>>,
    #[cfg(feature = "embedded")]
    engine: Option<crate::embedded::Engine>,
    #[cfg(feature = "embedded")]
    reviewer: Option<Arc<dyn crate::embedded::Reviewer>>,
}

impl ClientBuilder {
    /// A builder that says nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads `SERNIXA_…` variables through `lookup` instead of the process's environment: for
    /// programs that keep their settings elsewhere, and for tests.
    pub fn environment(
        mut self,
        lookup: impl Fn(&str) -> Option<OsString> + Send + Sync + 'static,
    ) -> Self {
        self.environment = Some(Box::new(lookup));
        self
    }

    /// Who is asked: `http(s)://HOST`, with a path prefix if need be and without userinfo, or
    /// `embedded:` (feature `embedded`), or `embedded:FILE` (feature `sqlite`; the path as it is).
    /// Beats `SERNIXA_BASE_URL`.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// The bearer credential, before [`api_key`](Self::api_key). Beats `SERNIXA_ACCESS_TOKEN` and
    /// `SERNIXA_API_KEY`.
    pub fn access_token(mut self, token: impl Into<SecretString>) -> Self {
        self.access_token = Some(token.into());
        self
    }

    /// The bearer credential, if there is no access token. Beats both variables.
    pub fn api_key(mut self, key: impl Into<SecretString>) -> Self {
        self.api_key = Some(key.into());
        self
    }

    /// Whether plain `http://` may leave this machine. Beats `SERNIXA_ALLOW_INSECURE_HTTP`.
    pub fn allow_insecure_http(mut self, allow: bool) -> Self {
        self.allow_insecure_http = Some(allow);
        self
    }

    /// Between two looks at a pending approval; less than 50 ms means 50 ms. Beats
    /// `SERNIXA_POLL_INTERVAL_SECONDS`.
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.poll_interval = Some(interval);
        self
    }

    /// How long a decision is waited for; zero: one look, no waiting. Beats
    /// `SERNIXA_POLL_TIMEOUT_SECONDS`.
    pub fn poll_timeout(mut self, timeout: Duration) -> Self {
        self.poll_timeout = Some(timeout);
        self
    }

    /// How long one request may take; more than zero. Beats `SERNIXA_TIMEOUT_SECONDS`.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Attempts after the first, 0 to 10. Beats `SERNIXA_MAX_RETRIES`.
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.max_retries = Some(retries);
        self
    }

    /// Concurrent submissions, at least 1; waiting for a decision does not count. Beats
    /// `SERNIXA_MAX_ASYNC_IN_FLIGHT`.
    pub fn max_async_in_flight(mut self, count: usize) -> Self {
        self.max_async_in_flight = Some(count);
        self
    }

    /// What happens to secrets in metadata. Beats `SERNIXA_SDK_DLP_MODE`.
    pub fn dlp_mode(mut self, mode: Mode) -> Self {
        self.dlp_mode = Some(mode);
        self
    }

    /// What counts as a secret in metadata.
    pub fn detectors(mut self, detectors: Detectors) -> Self {
        self.detectors = Some(detectors);
        self
    }

    /// Whether argument values are sent where the call site does not say. Beats
    /// `SERNIXA_CAPTURE_ARGUMENTS`.
    ///
    /// The `idempotency_key` sent with captured arguments is a plain SHA-256 over what they were
    /// before masking (PROTOCOL 19), so whoever sees it can check guesses at a short masked value.
    ///
    /// With it the outcome of a body that failed also carries what its error says, after DLP and cut
    /// to 500 characters; otherwise only the name of the error's type.
    pub fn capture_arguments(mut self, capture: bool) -> Self {
        self.capture_arguments = Some(capture);
        self
    }

    /// Signs delegated requests, unless the delegation brings its own; at least 16 bytes. Beats
    /// `SERNIXA_REQUEST_SIGNING_SECRET`.
    pub fn request_signing_secret(mut self, secret: impl Into<SecretString>) -> Self {
        self.signing_secret = Some(secret.into());
        self
    }

    /// Names the signing secret to the service. Beats `SERNIXA_REQUEST_SIGNING_KEY_ID` and
    /// `SERNIXA_REQUEST_KMS_KEY_ID`.
    pub fn request_signing_key_id(mut self, key_id: impl Into<String>) -> Self {
        self.signing_key_id = Some(key_id.into());
        self
    }

    /// Keys the digests of arguments, so that they compare across processes; at least 16 bytes.
    /// Beats `SERNIXA_BINDING_KEY`; else random per process.
    pub fn binding_key(mut self, key: impl Into<SecretString>) -> Self {
        self.binding_key = Some(key.into());
        self
    }

    /// How much is logged. Beats `SERNIXA_LOG_LEVEL` and `SERNIXA_DEBUG`.
    pub fn log(mut self, verbosity: Verbosity) -> Self {
        self.log = Some(verbosity);
        self
    }

    /// Refuse a service that does not offer claims, and with them *once* (DESIGN promise 3).
    /// Without claims, if it answers two identical submissions with one approval id, both start.
    pub fn require_claim(mut self, require: bool) -> Self {
        self.require_claim = require;
        self
    }

    /// Outside a [`Delegation`](crate::delegation::Delegation) scope every call is
    /// [`Error::Configuration`] and nothing is sent: a plain `spawn` loses the scope.
    pub fn require_delegation(mut self, require: bool) -> Self {
        self.require_delegation = require;
        self
    }

    /// Take a service's immediate allow for high and critical risk, too. Off, since nobody can
    /// have looked at such an answer; a service without approvals needs it.
    pub fn accept_immediate_high_risk(mut self, accept: bool) -> Self {
        self.accept_immediate_high_risk = accept;
        self
    }

    /// Whether the sync door may call `tokio::task::block_in_place` on a multi-thread worker; on.
    /// In a `LocalSet` on such a worker that call panics; the door catches it and waits without,
    /// but the panic hook has spoken. `false` avoids that and stalls the worker instead.
    pub fn block_in_place(mut self, allow: bool) -> Self {
        self.no_block_in_place = !allow;
        self
    }

    /// Where client and driver read the time: for tests.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Decide in `engine`, inside the process. Beats the base URL of the environment.
    ///
    /// The [`reviewer`](Self::reviewer) decides as the same principal that asks, which
    /// [`Engine::in_memory`](crate::embedded::Engine::in_memory) allows. An engine built with the
    /// settings of a service refuses that: build it with `Settings::local()`, or decide through the
    /// engine as somebody else. Delegated calls are verified with the keys of
    /// `Engine::builder().keyring(…)`; without any, each is refused.
    #[cfg(feature = "embedded")]
    pub fn engine(mut self, engine: crate::embedded::Engine) -> Self {
        self.engine = Some(engine);
        self
    }

    /// Who decides what the embedded engine leaves to a person. Default: the terminal, if stdin
    /// and stderr are one; else, on a file, whoever decides in another process; else nobody, and
    /// such a call is rejected with a reason that says so.
    #[cfg(feature = "embedded")]
    pub fn reviewer(mut self, reviewer: impl crate::embedded::Reviewer) -> Self {
        self.reviewer = Some(Arc::new(reviewer));
        self
    }

    /// Checks everything and makes the client.
    ///
    /// # Errors
    /// [`Error::Configuration`], naming the setting, its fault and the rule.
    #[cfg(feature = "embedded")]
    pub fn build(mut self) -> Result<Client, Error> {
        let engine = self.engine.take();
        let reviewer = self.reviewer.take();
        if engine.is_some() && self.base_url.is_some() {
            return Err(wrong(
                "ClientBuilder::engine",
                "is given together with a base URL",
                "expected one of the two",
            ));
        }
        let has_engine = engine.is_some();
        let settings = self.settings(has_engine)?;
        if matches!(settings.base, Base::InProcess(_)) {
            return crate::embedded::client(settings, engine, reviewer);
        }
        if reviewer.is_some() {
            return Err(wrong(
                "ClientBuilder::reviewer",
                "is given, but a service decides",
                "set the base URL `embedded:`, or leave the reviewer out",
            ));
        }
        Client::from_settings(settings)
    }

    /// Checks everything and makes the client.
    ///
    /// # Errors
    /// [`Error::Configuration`], naming the setting, its fault and the rule.
    #[cfg(not(feature = "embedded"))]
    pub fn build(self) -> Result<Client, Error> {
        Client::from_settings(self.settings(false)?)
    }
}

/// Says which settings were given, never a value: the base URL may hold what its check refuses.
impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let given = [
            ("environment", self.environment.is_some()),
            ("base_url", self.base_url.is_some()),
            ("access_token", self.access_token.is_some()),
            ("api_key", self.api_key.is_some()),
            ("allow_insecure_http", self.allow_insecure_http.is_some()),
            ("poll_interval", self.poll_interval.is_some()),
            ("poll_timeout", self.poll_timeout.is_some()),
            ("timeout", self.timeout.is_some()),
            ("max_retries", self.max_retries.is_some()),
            ("max_async_in_flight", self.max_async_in_flight.is_some()),
            ("dlp_mode", self.dlp_mode.is_some()),
            ("detectors", self.detectors.is_some()),
            ("capture_arguments", self.capture_arguments.is_some()),
            ("request_signing_secret", self.signing_secret.is_some()),
            ("request_signing_key_id", self.signing_key_id.is_some()),
            ("binding_key", self.binding_key.is_some()),
            ("log", self.log.is_some()),
            ("require_claim", self.require_claim),
            ("require_delegation", self.require_delegation),
            (
                "accept_immediate_high_risk",
                self.accept_immediate_high_risk,
            ),
            ("clock", self.clock.is_some()),
        ];
        let names = given
            .into_iter()
            .filter_map(|(name, set)| set.then_some(name));
        f.write_str("ClientBuilder ")?;
        f.debug_set()
            .entries(names.map(|name| format_args!("{name}").to_string()))
            .finish()
    }
}
