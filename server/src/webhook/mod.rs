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
use std::sync::atomic::{AtomicU64, Ordering};

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
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Taken by a receiver.
    pub(crate) delivered: AtomicU64,
    /// Given up after the last attempt, or refused.
    pub(crate) failed: AtomicU64,
    /// Not sent: the queue was full.
    pub(crate) dropped: AtomicU64,
}

impl Counts {
    fn add(counter: &AtomicU64) -> u64 {
        counter.fetch_add(1, Ordering::Relaxed)
    }
}

/// Starts a task for each webhook, and gives what the hub tells changes to; `None` without any.
///
/// # Errors
/// When the HTTP client cannot be set up.
pub(crate) fn start(
    hooks: &[Webhook],
    counts: &Arc<Counts>,
    closing: &Closing,
) -> Result<Option<Watcher>, reqwest::Error> {
    let mut queues = Vec::with_capacity(hooks.len());
    for hook in hooks {
        let (queue, notices) = mpsc::channel(QUEUE);
        let courier = deliver::Courier::new(hook, Arc::clone(counts))?;
        tokio::spawn(courier.run(notices, closing.clone()));
        queues.push((hook.host(), queue));
    }
    if queues.is_empty() {
        return Ok(None);
    }
    let counts = Arc::clone(counts);
    Ok(Some(Box::new(move |change| {
        let Some(notice) = Notice::of(change) else {
            return;
        };
        for (host, queue) in &queues {
            // Never waited for: decisions come first.
            if queue.try_send(notice.clone()).is_err() && Counts::add(&counts.dropped) % 1_000 == 0
            {
                tracing::warn!(%host, "a webhook does not keep up; notices are dropped");
            }
        }
    })))
}
