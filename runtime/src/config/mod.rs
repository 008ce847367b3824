//! Configuration (DESIGN 12): builder, then environment, then default, all checked when the client
//! is built. What is built from is [`Settings`], which cannot be wrong.

mod base_url;
mod builder;
mod read;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use sernixa_protocol::dlp::{Detectors, Mode};

pub(crate) use base_url::{Base, InProcess, is_loopback};
pub use builder::ClientBuilder;
pub(crate) use read::secret_of_use;

use crate::clock::Clock;
use crate::digest::BindingKey;
use crate::logging::Verbosity;

/// The key id that is sent when none is configured (PROTOCOL 16).
pub(crate) const DEFAULT_KEY_ID: &str = "local-request-key-v1";

/// The fewest bytes of a configured secret or key.
pub(crate) const SECRET_MIN: usize = 16;

/// Everything a client was told, checked.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own in the table of DESIGN 12"
)]
pub(crate) struct Settings {
    /// Who is asked.
    pub(crate) base: Base,
    /// What stands behind `Bearer`: visible ASCII.
    pub(crate) credential: Option<SecretString>,
    /// Between two looks at a pending approval, at least 50 ms.
    pub(crate) poll_interval: Duration,
    /// How long a decision is waited for; zero: one look.
    pub(crate) poll_timeout: Duration,
    /// For one request, never zero.
    pub(crate) timeout: Duration,
    /// Attempts after the first, at most 10.
    pub(crate) max_retries: u32,
    /// Concurrent submissions, at least one.
    pub(crate) max_async_in_flight: usize,
    /// A service that does not offer claims is refused.
    pub(crate) require_claim: bool,
    /// Outside a delegation scope nothing is sent.
    pub(crate) require_delegation: bool,
    /// An immediate allow counts for high and critical risk, too.
    pub(crate) accept_immediate_high_risk: bool,
    /// The sync door may use `block_in_place` on a multi-thread tokio worker.
    pub(crate) block_in_place: bool,
    /// Send argument values, where the call site does not say.
    pub(crate) capture_arguments: bool,
    /// What happens to secrets in metadata.
    pub(crate) dlp_mode: Mode,
    /// What counts as a secret in metadata.
    pub(crate) detectors: Detectors,
    /// How delegated requests are signed.
    pub(crate) signing: Signing,
    /// What argument digests are keyed with.
    pub(crate) binding: BindingKey,
    /// How much is logged.
    pub(crate) log: Verbosity,
    /// Where the time is read.
    pub(crate) clock: Arc<dyn Clock>,
}

/// How delegated requests are signed, unless the delegation says otherwise.
pub(crate) struct Signing {
    /// At least 16 bytes.
    pub(crate) secret: Option<SecretString>,
    /// Never empty.
    pub(crate) key_id: Box<str>,
}

/// Neither credential nor secrets, only whether they are there.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("base", &self.base)
            .field("credential", &self.credential.is_some())
            .field("poll_interval", &self.poll_interval)
            .field("poll_timeout", &self.poll_timeout)
            .field("timeout", &self.timeout)
            .field("max_retries", &self.max_retries)
            .field("max_async_in_flight", &self.max_async_in_flight)
            .field("require_claim", &self.require_claim)
            .field("require_delegation", &self.require_delegation)
            .field(
                "accept_immediate_high_risk",
                &self.accept_immediate_high_risk,
            )
            .field("block_in_place", &self.block_in_place)
            .field("capture_arguments", &self.capture_arguments)
            .field("dlp_mode", &self.dlp_mode)
            .field("signing_secret", &self.signing.secret.is_some())
            .field("signing_key_id", &self.signing.key_id)
            .field("log", &self.log)
            .finish_non_exhaustive()
    }
}

/// The bytes of a secret, for the moment in which they are used.
pub(crate) fn bytes_of(secret: &SecretString) -> &[u8] {
    secret.expose_secret().as_bytes()
}
