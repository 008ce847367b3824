//! Hearing of changes: the stream of a service, or the version of a file.
//!
//! A signal is a hint to read again, never the news itself: so it does not matter which of them are
//! repeated, and a service that offers no stream is only asked more often.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};
use sernixa_protocol::json::Document;
use sse_stream::SseByteStream;
use tokio::sync::mpsc::Sender;
use tokio::time::sleep;

use super::http::{Events, Service};
use super::{Backend, FileStore, Who};

/// The longest event of a stream.
const LONGEST_EVENT: usize = 4 << 20;

/// Between two looks at a file's version.
const LOOK: Duration = Duration::from_millis(50);

/// Between two attempts to open a stream: at first, and at most.
const AGAIN: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(5)];

/// A hint to read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// From here on every change is signalled; what came before is to be read.
    Following,
    /// Something changed: this approval, if it is known which.
    Changed(Option<String>),
    /// Changes are not signalled any more, or never were: ask from time to time.
    Blind,
}

/// Sends signals for as long as it is polled.
pub(crate) async fn follow(backend: &Backend, signals: Sender<Signal>) -> Infallible {
    match &backend.who {
        Who::Service(service) => follow_service(service, &signals).await,
        Who::File(file) => follow_file(file, &signals).await,
    }
    // Nobody receives them any more.
    std::future::pending().await
}

async fn follow_service(service: &Service, signals: &Sender<Signal>) {
    let mut last = None;
    let [first, most] = AGAIN;
    let mut wait = first;
    loop {
        match service.events(last.as_deref()).await {
            Ok(Events::Open(response)) => {
                wait = first;
                if signals.send(Signal::Following).await.is_err() {
                    return;
                }
                read_stream(response, &mut last, signals).await;
            }
            Ok(Events::NotOffered) => {
                // Whether or not anybody hears it: that was the last word.
                let _ = signals.send(Signal::Blind).await;
                return signals.closed().await;
            }
            Ok(Events::Later) | Err(_) => {}
        }
        if signals.send(Signal::Blind).await.is_err() {
            return;
        }
        sleep(wait).await;
        wait = (wait * 2).min(most);
    }
}

/// Reads a stream to its end.
async fn read_stream(
    response: reqwest::Response,
    last: &mut Option<String>,
    signals: &Sender<Signal>,
) {
    // Bytes since the last event: a service must not fill this process's memory with one.
    let unread = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&unread);
    let bytes = response
        .bytes_stream()
        .map_err(std::io::Error::other)
        .and_then(move |chunk| {
            let total = counted.fetch_add(chunk.len(), Ordering::Relaxed) + chunk.len();
            std::future::ready(if total > LONGEST_EVENT {
                Err(std::io::Error::other("an event is too long"))
            } else {
                Ok(chunk)
            })
        });
    let mut events = pin!(SseByteStream::new(bytes));
    while let Some(Ok(event)) = events.next().await {
        unread.store(0, Ordering::Relaxed);
        if let Some(id) = event.id {
            *last = Some(id).filter(|id| !id.is_empty());
        }
        let Some(data) = event.data else { continue };
        let document = Document::parse_within(&data, 64).ok();
        let id = document
            .as_ref()
            .and_then(|document| document.root().get("approval_id"))
            .and_then(|id| id.as_str().map(std::borrow::Cow::into_owned));
        if signals.send(Signal::Changed(id)).await.is_err() {
            return;
        }
    }
}

async fn follow_file(file: &FileStore, signals: &Sender<Signal>) {
    let mut known = file.engine().version().ok();
    if signals.send(Signal::Following).await.is_err() {
        return;
    }
    while !signals.is_closed() {
        sleep(LOOK).await;
        let version = file.engine().version().ok();
        if version != known {
            known = version;
            if signals.send(Signal::Changed(None)).await.is_err() {
                return;
            }
        }
    }
}
