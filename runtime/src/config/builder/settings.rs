//! From what was said to what is so: every value is checked here, when the client is built.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use sernixa_protocol::dlp::Mode;

use super::{ClientBuilder, Lookup, SHORTEST_POLL};
use crate::clock::SystemClock;
use crate::config::base_url::Insecure;
use crate::config::read::{self, Environment, Name, more_than_zero, wrong};
use crate::config::{Base, DEFAULT_KEY_ID, InProcess, Settings, Signing};
use crate::digest::BindingKey;
use crate::error::Error;
use crate::logging::Verbosity;

impl ClientBuilder {
    /// Everything but who answers.
    pub(crate) fn settings(mut self, in_process: bool) -> Result<Settings, Error> {
        let lookup = self.environment.take();
        let lookup: Lookup = lookup.unwrap_or_else(|| Box::new(|name| std::env::var_os(name)));
        let environment = Environment(&lookup);
        let base = self.base(&environment, in_process)?;
        let log = self.verbosity(&environment)?;
        if base.is_insecure() {
            crate::logging::event!(
                log,
                WARN,
                "plain http to another machine: others can read and change what is sent"
            );
        }
        Ok(Settings {
            base,
            log,
            credential: self.credential(&environment)?,
            poll_interval: either(self.poll_interval, || {
                environment.parsed("SERNIXA_POLL_INTERVAL_SECONDS", read::seconds)
            })?
            .map_or(Duration::from_secs(2), read::bounded)
            .max(SHORTEST_POLL),
            poll_timeout: either(self.poll_timeout, || {
                environment.parsed("SERNIXA_POLL_TIMEOUT_SECONDS", read::seconds)
            })?
            .map_or(Duration::from_mins(10), read::bounded),
            timeout: self.request_timeout(&environment)?,
            max_retries: self.retries(&environment)?,
            max_async_in_flight: self.in_flight(&environment)?,
            capture_arguments: either(self.capture_arguments, || {
                environment.parsed("SERNIXA_CAPTURE_ARGUMENTS", read::truth)
            })?
            .unwrap_or(false),
            dlp_mode: either(self.dlp_mode, || {
                environment.parsed("SERNIXA_SDK_DLP_MODE", read::dlp_mode)
            })?
            .unwrap_or(Mode::Mask),
            signing: self.signing(&environment)?,
            binding: self.binding(&environment)?,
            detectors: self.detectors.unwrap_or_default(),
            require_claim: self.require_claim,
            require_delegation: self.require_delegation,
            accept_immediate_high_risk: self.accept_immediate_high_risk,
            block_in_place: !self.no_block_in_place,
            clock: self.clock.unwrap_or_else(|| Arc::new(SystemClock::new())),
        })
    }

    fn base(&self, environment: &Environment<'_>, in_process: bool) -> Result<Base, Error> {
        if in_process {
            return Ok(Base::InProcess(InProcess::Engine));
        }
        let insecure = either(self.allow_insecure_http, || {
            environment.parsed("SERNIXA_ALLOW_INSECURE_HTTP", read::truth)
        })?;
        let insecure = match insecure {
            Some(true) => Insecure::Allowed,
            Some(false) | None => Insecure::Refused,
        };
        match &self.base_url {
            Some(url) => Base::parse("ClientBuilder::base_url", url, insecure),
            None => environment
                .parsed("SERNIXA_BASE_URL", |name, text| {
                    Base::parse(name, text, insecure)
                })?
                .map_or_else(Base::default_service, Ok),
        }
    }

    fn verbosity(&self, environment: &Environment<'_>) -> Result<Verbosity, Error> {
        if let Some(verbosity) = self.log {
            return Ok(verbosity);
        }
        let debug = environment.parsed("SERNIXA_DEBUG", read::truth)?;
        let level = environment.parsed("SERNIXA_LOG_LEVEL", read::verbosity)?;
        let level = level.unwrap_or_default();
        Ok(match debug {
            Some(true) => level.max(Verbosity::Debug),
            Some(false) | None => level,
        })
    }

    fn credential(&self, environment: &Environment<'_>) -> Result<Option<SecretString>, Error> {
        let given: [(Name, &Option<SecretString>); 2] = [
            ("ClientBuilder::access_token", &self.access_token),
            ("ClientBuilder::api_key", &self.api_key),
        ];
        for (name, secret) in given {
            if let Some(secret) = secret {
                let credential = read::credential(name, secret)?;
                // In code, an empty credential is a mistake; in the environment it is "unset".
                let rule = "expected the credential, or leave it out";
                return credential
                    .map(Some)
                    .ok_or_else(|| wrong(name, "is blank", rule));
            }
        }
        for name in ["SERNIXA_ACCESS_TOKEN", "SERNIXA_API_KEY"] {
            let Some(secret) = environment.secret(name)? else {
                continue;
            };
            if let Some(credential) = read::credential(name, &secret)? {
                return Ok(Some(credential));
            }
        }
        Ok(None)
    }

    fn request_timeout(&self, environment: &Environment<'_>) -> Result<Duration, Error> {
        match self.timeout {
            Some(timeout) => more_than_zero("ClientBuilder::timeout", timeout),
            None => environment
                .parsed("SERNIXA_TIMEOUT_SECONDS", |name, text| {
                    more_than_zero(name, read::seconds(name, text)?)
                })
                .map(|timeout| timeout.unwrap_or(Duration::from_secs(10))),
        }
    }

    fn retries(&self, environment: &Environment<'_>) -> Result<u32, Error> {
        match self.max_retries {
            Some(retries) if retries > 10 => Err(wrong(
                "ClientBuilder::max_retries",
                "is more than 10",
                "expected 0 to 10",
            )),
            Some(retries) => Ok(retries),
            None => environment
                .parsed("SERNIXA_MAX_RETRIES", read::retries)
                .map(|retries| retries.unwrap_or(2)),
        }
    }

    fn in_flight(&self, environment: &Environment<'_>) -> Result<usize, Error> {
        match self.max_async_in_flight {
            Some(0) => Err(wrong(
                "ClientBuilder::max_async_in_flight",
                "is zero",
                "expected at least 1",
            )),
            Some(count) => Ok(count),
            None => environment
                .parsed("SERNIXA_MAX_ASYNC_IN_FLIGHT", read::in_flight)
                .map(|count| count.unwrap_or(20)),
        }
    }

    fn signing(&mut self, environment: &Environment<'_>) -> Result<Signing, Error> {
        let (name, secret) = if let Some(secret) = self.signing_secret.take() {
            ("ClientBuilder::request_signing_secret", Some(secret))
        } else {
            let name = "SERNIXA_REQUEST_SIGNING_SECRET";
            (name, environment.secret(name)?)
        };
        let secret = secret
            .map(|secret| read::secret_of_use(name, secret))
            .transpose()?;
        let key_id = match self.signing_key_id.take() {
            Some(given) if given.trim().is_empty() => {
                let name = "ClientBuilder::request_signing_key_id";
                return Err(wrong(name, "is blank", "expected the id, or leave it out"));
            }
            Some(given) => given,
            None => match environment.text("SERNIXA_REQUEST_SIGNING_KEY_ID")? {
                Some(id) => id,
                None => environment
                    .text("SERNIXA_REQUEST_KMS_KEY_ID")?
                    .unwrap_or_else(|| DEFAULT_KEY_ID.to_owned()),
            },
        };
        Ok(Signing {
            secret,
            key_id: key_id.into(),
        })
    }

    fn binding(&mut self, environment: &Environment<'_>) -> Result<BindingKey, Error> {
        if let Some(key) = self.binding_key.take() {
            let key = read::secret_of_use("ClientBuilder::binding_key", key)?;
            return Ok(BindingKey::given(&key));
        }
        let name = "SERNIXA_BINDING_KEY";
        match environment.secret(name)? {
            Some(key) => Ok(BindingKey::given(&read::secret_of_use(name, key)?)),
            None => BindingKey::of_this_process(),
        }
    }
}

/// What the program said, else what the environment says.
fn either<T>(
    given: Option<T>,
    environment: impl FnOnce() -> Result<Option<T>, Error>,
) -> Result<Option<T>, Error> {
    match given {
        Some(value) => Ok(Some(value)),
        None => environment(),
    }
}
