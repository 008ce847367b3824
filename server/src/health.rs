//! Whether the service can do its part: what `/ready` tells (PROTOCOL 6). It names no file, no
//! organisation and no secret: it answers without a key.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use sernixa_engine::Failures;
use sernixa_protocol::display::one_line;
use tokio::time::Instant;

use crate::app::Shared;
use crate::config::Mode;

/// How long an engine that failed counts as not ready.
const AILING: Duration = Duration::from_secs(30);
/// How long what was found out stands: `/ready` may be asked by everybody.
const FRESH: Duration = Duration::from_secs(1);

/// What is known of the service's state.
#[derive(Default)]
pub(crate) struct Health {
    state: Mutex<State>,
    /// Held by the one who looks: the others wait for what it finds.
    looking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    /// How many failures of the engine are known.
    failures: u64,
    ailing_until: Option<Instant>,
    found: Option<(Instant, Found)>,
}

/// What looking at the parts came to.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// Whether the service can do its part.
    pub(crate) is_ready: bool,
    /// The document.
    pub(crate) document: Value,
}

impl Health {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of what the engine could not do since the start.
    pub(crate) fn note(&self, failures: &Failures) {
        let mut state = self.state();
        if failures.count > state.failures {
            let what = failures.last.as_deref().unwrap_or_default();
            tracing::error!(
                count = failures.count,
                what = %one_line(what),
                "the engine could not do its part"
            );
            state.failures = failures.count;
            state.ailing_until = Some(Instant::now() + AILING);
            state.found = None;
        }
    }

    /// What was found out lately.
    fn known(&self) -> Option<Found> {
        let (at, found) = self.state().found.clone()?;
        (at.elapsed() < FRESH).then_some(found)
    }

    fn is_ailing(&self) -> bool {
        self.state()
            .ailing_until
            .is_some_and(|until| Instant::now() < until)
    }
}

impl Shared {
    /// The readiness document, of at most a second ago.
    pub(crate) async fn health(&self) -> Found {
        self.health.note(&self.engine.failures());
        if let Some(found) = self.health.known() {
            return found;
        }
        let _looking = self.health.looking.lock().await;
        if let Some(found) = self.health.known() {
            return found;
        }
        let found = self.look().await;
        self.health.state().found = Some((Instant::now(), found.clone()));
        found
    }

    async fn look(&self) -> Found {
        let engine = self.engine.clone();
        let organisation = self.config.organisation.clone();
        let probe = self.pool.run(move || engine.head(&organisation).is_ok());
        let store = matches!(probe.await, Ok(true));
        let engine = !self.health.is_ailing();
        let closing = self.closing.is_said();
        let is_ready = store && engine && !closing;
        let mode = match self.config.mode {
            Mode::LocalDemo => "local_demo",
            Mode::Production => "production_like",
        };
        let flight_recorder = json!({"status": "skipped", "enabled": false});
        let document = json!({
            "status": if is_ready { "ready" } else { "not_ready" },
            "runtime_mode": mode,
            "capabilities": self.capabilities(),
            "checks": {
                "configuration": {
                    "status": "ok",
                    "snapshot": {"runtime_mode": mode, "flight_recorder": {"enabled": false}},
                },
                "flight_recorder": flight_recorder,
                "store": part(store, "the store cannot be read"),
                "engine": part(engine, "the engine could not decide lately; see the log"),
                "policy": self.policy_part(),
                "audit": {
                    "status": if self.engine.audit_public_key().is_some() { "ok" } else { "unsigned" },
                },
                "service": part(!closing, "the service is closing"),
            },
        });
        Found { is_ready, document }
    }

    /// What answers to submissions offer, said before there is one.
    fn capabilities(&self) -> Value {
        serde_json::from_str(self.engine.settings().capabilities()).unwrap_or_default()
    }

    /// A folder that cannot be loaded leaves the set before it in force, so it is told, and the
    /// service is ready all the same. What is wrong with it stands in the log.
    fn policy_part(&self) -> Value {
        let Some(policies) = &self.policies else {
            return json!({"status": "ok", "source": "default"});
        };
        let status = policies.status();
        match status.failure {
            None => {
                json!({"status": "ok", "source": "folder", "digest": status.digest.to_string()})
            }
            Some(failure) => json!({
                "status": "stale",
                "source": "folder",
                "digest": status.digest.to_string(),
                "error": "the policies have changed and cannot be loaded; those before are in force",
                "since": failure.since.to_string(),
            }),
        }
    }
}

fn part(is_well: bool, error: &str) -> Value {
    if is_well {
        json!({"status": "ok"})
    } else {
        json!({"status": "failed", "error": error})
    }
}
