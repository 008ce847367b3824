//! What a started call reports when it ends (DESIGN 7, `outcome`): entries, which wait for
//! [company](crate::company).

use std::time::Duration;

use secrecy::ExposeSecret as _;
use serde_json::{Map, Value};

use crate::delegation::Signer;
use crate::judge::ClaimToken;
use crate::steps::About;
use crate::transport::ApprovalId;

/// How a body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It returned `Ok`.
    Succeeded,
    /// It returned an error; the name of the error's type, if known.
    Failed(Option<&'static str>),
    /// It panicked.
    Panicked,
    /// Its future was dropped.
    Cancelled,
    /// It returned, and its value does not say how it went.
    Returned,
    /// It asked for something before it goes on, in a call of its own.
    Continued,
    /// It never began.
    NotStarted,
    /// Nobody said: a `Permit` was dropped.
    Unknown,
}

impl Outcome {
    /// The word on the wire.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed(_) => "failed",
            Self::Panicked => "panicked",
            Self::Cancelled => "cancelled",
            Self::Returned => "returned",
            Self::Continued => "continued",
            Self::NotStarted => "not_started",
            Self::Unknown => "outcome_unknown",
        }
    }

    fn error(self) -> Option<&'static str> {
        match self {
            Self::Failed(error) => error,
            _ => None,
        }
    }
}

/// Where the outcome of one call goes. Only made where the service takes outcomes.
pub(crate) struct ReportTo {
    pub(crate) approval_id: ApprovalId,
    pub(crate) proof: Proof,
    pub(crate) body_hash: Box<str>,
    /// Signs the report of a delegated call.
    pub(crate) signer: Option<Signer>,
}

impl ReportTo {
    /// What every report says.
    fn entry(&self, outcome: Outcome) -> Map<String, Value> {
        let mut entry = Map::new();
        entry.insert("approval_id".into(), self.approval_id.as_str().into());
        match &self.proof {
            Proof::ClaimToken(token) => {
                entry.insert("claim_token".into(), token.expose_secret().into())
            }
            Proof::RequestId(id) => entry.insert("request_id".into(), (**id).into()),
        };
        entry.insert("outcome".into(), outcome.as_str().into());
        entry
    }

    fn about(&self, now: u64) -> About<'_> {
        About {
            approval_id: &self.approval_id,
            body_hash: &self.body_hash,
            signer: self.signer.as_ref(),
            now,
        }
    }
}

/// What shows that the report comes from whoever asked.
#[derive(Clone)]
pub(crate) enum Proof {
    /// Of a call that waited.
    ClaimToken(ClaimToken),
    /// Of a call that was allowed at once.
    RequestId(Box<str>),
}

/// One outcome.
pub(crate) struct Entry {
    pub(crate) to: ReportTo,
    pub(crate) outcome: Outcome,
    /// From the permit to the end of the body.
    pub(crate) duration: Duration,
    /// What the body's error says, as it may leave; only where arguments are captured.
    pub(crate) error_text: Option<Box<str>>,
}

impl Entry {
    fn json(&self, now: u64) -> Value {
        let mut entry = self.to.entry(self.outcome);
        let millis = u64::try_from(self.duration.as_millis()).unwrap_or(u64::MAX);
        entry.insert("duration_ms".into(), millis.into());
        if let Some(error) = self.outcome.error() {
            let error = match &self.error_text {
                Some(text) => format!("{error}: {text}"),
                None => error.to_owned(),
            };
            entry.insert("error".into(), error.into());
        }
        self.to.about(now).sign(&mut entry, "outcome", None);
        Value::Object(entry)
    }
}

/// The most entries of one report.
pub(crate) const BATCH: usize = 256;

/// The longest that an entry waits for company.
pub(crate) const BATCH_PAUSE: Duration = Duration::from_millis(100);

/// The body of one report, sent `now` (Unix seconds).
pub(crate) fn body(entries: &[Entry], now: u64) -> bytes::Bytes {
    let entries: Vec<Value> = entries.iter().map(|entry| entry.json(now)).collect();
    written(&entries)
}

/// The body of a report that a start goes on, and what it is told, sent `now` (Unix seconds).
pub(crate) fn round(to: &ReportTo, input_digest: &str, now: u64) -> bytes::Bytes {
    let mut entry = to.entry(Outcome::Continued);
    entry.insert("input_digest".into(), input_digest.into());
    to.about(now).sign(&mut entry, "outcome", None);
    written(&[Value::Object(entry)])
}

fn written(entries: &[Value]) -> bytes::Bytes {
    // An entry takes about 200 bytes; growing step by step would cost more than the writing.
    let mut body = Vec::with_capacity(32 + 256 * entries.len());
    body.extend_from_slice(b"{\"outcomes\":");
    // Writing a `Value` to memory cannot fail.
    let _ = serde_json::to_writer(&mut body, entries);
    body.push(b'}');
    body.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_says_which_approval_how_it_ended_and_how_long_it_took() {
        let to = |proof| ReportTo {
            approval_id: ApprovalId::new("apr_1").unwrap(),
            proof,
            body_hash: "00".into(),
            signer: None,
        };
        let entries = [
            Entry {
                to: to(Proof::ClaimToken("tok".to_owned().into())),
                outcome: Outcome::Failed(Some("my::Error")),
                duration: Duration::from_micros(1_999),
                error_text: Some("no such card".into()),
            },
            Entry {
                to: to(Proof::RequestId("req".into())),
                outcome: Outcome::Succeeded,
                duration: Duration::ZERO,
                error_text: None,
            },
        ];
        let sent: Value = serde_json::from_slice(&body(&entries, 0)).unwrap();
        assert_eq!(
            sent,
            serde_json::json!({"outcomes": [
                {"approval_id": "apr_1", "claim_token": "tok", "outcome": "failed",
                 "duration_ms": 1, "error": "my::Error: no such card"},
                {"approval_id": "apr_1", "request_id": "req", "outcome": "succeeded",
                 "duration_ms": 0},
            ]})
        );
    }
}
