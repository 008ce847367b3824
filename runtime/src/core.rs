//! What a client and its driver share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::company::Company;
use crate::config::Settings;
use crate::error::Error;
use crate::grant::Asked;
use crate::judge::{self, Judged, Rules, Terms};
use crate::outcome;
use crate::transport::{Answer, Endpoint, Request, Transport};

/// Settings, the way to whoever decides, and the two facts about a client that change.
pub(crate) struct Core {
    pub(crate) settings: Settings,
    pub(crate) transport: Arc<dyn Transport>,
    /// `claim` was offered once (DESIGN 6: no downgrade).
    claims: AtomicBool,
    closed: AtomicBool,
    /// The outcomes that nobody waits for.
    pub(crate) outcomes: Company,
}

impl Core {
    pub(crate) fn new(settings: Settings, transport: Arc<dyn Transport>) -> Self {
        Self {
            settings,
            transport,
            claims: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            outcomes: Company::default(),
        }
    }

    /// What is known of a call, for the judge.
    pub(crate) fn terms<'a>(&self, asked: &'a Asked) -> Terms<'a> {
        Terms {
            risk: asked.risk,
            request_id: &asked.request_id,
            body_hash: &asked.body_hash,
            rules: Rules {
                accept_immediate_high_risk: self.settings.accept_immediate_high_risk,
                require_claim: self.settings.require_claim,
                claims_before: self.claims.load(Ordering::Acquire),
            },
        }
    }

    /// Judges the answer to a submission, and remembers an offer of claims.
    pub(crate) fn judge(&self, asked: &mut Asked, answer: &Answer) -> Result<Judged, Error> {
        // Of a tool call the service makes the body (PROTOCOL 7), and what it says first of its
        // hash must hold from then on.
        if asked.body_hash.is_empty()
            && let Some(hash) = judge::body_hash(answer)
        {
            asked.body_hash = hash;
        }
        let terms = self.terms(asked);
        let submitted = judge::submission(&terms, answer);
        let offered = match &submitted {
            Ok(submitted) => submitted.offers().claim,
            Err(_) => judge::offers_claims(&terms, answer),
        };
        if offered && !self.claims.load(Ordering::Relaxed) {
            self.claims.store(true, Ordering::Release);
        }
        submitted
    }

    /// The report of those outcomes that wait longest, of so many at most, if any wait.
    pub(crate) fn report_of_outcomes(&self, most: usize) -> Option<Request> {
        let entries = self.outcomes.take(most);
        (!entries.is_empty()).then(|| {
            let body = outcome::body(&entries, self.now());
            Request::post(Endpoint::Outcomes, body)
        })
    }

    /// Unix seconds.
    pub(crate) fn now(&self) -> u64 {
        self.settings.clock.unix_millis() / 1_000
    }

    /// From now on nothing is asked any more.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

/// The error of every call on a client that was closed.
pub(crate) fn closed() -> Error {
    Error::configuration("the client was closed; make a new one to ask again")
}
