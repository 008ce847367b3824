//! Webhooks: a signed POST to the operator's own addresses when something waits for review.
//!
//! Best effort, and said so: what is asked while the service is down, or while a receiver is away
//! for longer than the retries last, is not told later. The list of what waits and the event stream
//! are the truth. A webhook never delays a decision: what finds its queue full is dropped, counted
//! and logged.

mod address;
mod deliver;
mod hook;
mod resolve;
mod sign;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use sernixa_engine::{Change, ChangeKind, Detail, Status};
use tokio::sync::mpsc;

use crate::closing::Closing;
use crate::events::Watcher;

pub use hook::{Reach, Webhook, WebhookError};

/// How many notices wait for one receiver.
const QUEUE: usize = 1_024;

/// What is told, in the form in which it is sent.
#[derive(Clone)]
struct Notice {
    /// The same for every attempt: receivers tell copies by it.
    id: Arc<str>,
    body: Arc<str>,
}

impl Notice {
    /// A change that a reviewer should hear of: something waits.
    fn of(change: &Change) -> Option<Self> {
        // It may have ended since it was asked.
        if change.kind() != ChangeKind::Asked || change.status() != Status::PendingReview {
            return None;
        }
        let organisation = serde_json::Value::from(change.organisation());
        let (seq, record) = (change.seq(), change.record().json(Detail::Listed));
        let body = format!(
            r#"{{"type":"approval.waiting","organisation":{organisation},"seq":{seq},"approval":{record}}}"#
        );
        Some(Self {
            id: format!("{}.{seq}", change.approval_id()).into(),
            body: body.into(),
        })
    }
}

/// What became of notices, for the metrics.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    /// Taken by a receiver.
    delivered: Counter,
    /// Given up after the last attempt, or refused.
    failed: Counter,
    /// Not sent: the queue was full.
    dropped: Counter,
}

impl Counts {
    /// Shows them among the metrics.
    pub(crate) fn register(&self, registry: &mut Registry) {
        for (name, help, counter) in [
            ("delivered", "taken by a receiver", &self.delivered),
            (
                "failed",
                "refused, or given up after the last attempt",
                &self.failed,
            ),
            (
                "dropped",
                "not sent, because the receiver did not keep up",
                &self.dropped,
            ),
        ] {
            let (name, help) = (
                format!("webhook_notices_{name}"),
                format!("Notices of webhooks: {help}"),
            );
            registry.register(name, help, counter.clone());
        }
    }
}

/// Starts a task for each webhook, and gives what the hub tells changes to; `None` without any.
///
/// # Errors
/// When the HTTP client cannot be set up.
pub(crate) fn start(
    hooks: &[Webhook],
    counts: &Counts,
    closing: &Closing,
) -> Result<Option<Watcher>, reqwest::Error> {
    let mut queues = Vec::with_capacity(hooks.len());
    for hook in hooks {
        let (queue, notices) = mpsc::channel(QUEUE);
        let courier = deliver::Courier::new(hook, counts.clone())?;
        tokio::spawn(courier.run(notices, closing.clone()));
        queues.push((hook.host(), queue));
    }
    if queues.is_empty() {
        return Ok(None);
    }
    let counts = counts.clone();
    Ok(Some(Box::new(move |change| {
        let Some(notice) = Notice::of(change) else {
            return;
        };
        for (host, queue) in &queues {
            // Never waited for: decisions come first.
            if queue.try_send(notice.clone()).is_err() {
                let before = counts.dropped.inc();
                if before.is_multiple_of(1_000) {
                    tracing::warn!(%host, "a webhook does not keep up; notices are dropped");
                }
            }
        }
    })))
}
