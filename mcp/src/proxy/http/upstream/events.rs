//! Reading what an upstream sends: bodies and streams of events, of bounded size.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _};
use reqwest::Response;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use sse_stream::{Sse, SseByteStream};

use crate::message::LONGEST;

/// What may stand around the data of one event.
const AROUND: usize = 64 << 10;

/// Whether there is one `Content-Type`, the wanted one, and no encoding: none was asked for.
pub(super) fn is(headers: &HeaderMap, wanted: &str) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(only), None) = (types.next(), types.next()) else {
        return false;
    };
    let essence = only.as_bytes().split(|byte| *byte == b';').next();
    let essence = essence.unwrap_or_default().trim_ascii();
    essence.eq_ignore_ascii_case(wanted.as_bytes())
        && headers
            .get_all(CONTENT_ENCODING)
            .iter()
            .all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// Reads a body of at most [`LONGEST`] bytes, whatever its length was said to be.
///
/// # Errors
/// When it is longer, or breaks off.
pub(super) async fn body(response: &mut Response) -> Result<Bytes, &'static str> {
    let mut whole = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| "its answer broke off")? {
        if chunk.len() > LONGEST - whole.len() {
            return Err("its answer is too long");
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.freeze())
}

/// The events of a stream.
pub(super) struct Events {
    inner: SseByteStream<Bounded>,
    pending: Arc<AtomicUsize>,
}

impl Events {
    pub(super) fn of(response: Response) -> Self {
        let pending = Arc::new(AtomicUsize::new(0));
        let bounded = Bounded {
            inner: Box::pin(response.bytes_stream()),
            pending: Arc::clone(&pending),
        };
        Self {
            inner: SseByteStream::new(bounded),
            pending,
        }
    }

    /// The next event; `None` when the stream ends, breaks off, or says something too long.
    pub(super) async fn next(&mut self) -> Option<Sse> {
        let event = self.inner.next().await;
        self.pending.store(0, Ordering::Relaxed);
        match event? {
            Ok(event) => Some(event),
            Err(error) => {
                tracing::debug!(%error, "a stream of the upstream broke off");
                None
            }
        }
    }
}

/// The bytes of a stream, which breaks off when no event ends for too long.
struct Bounded {
    inner: Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>,
    /// How many bytes came since the last event ended.
    pending: Arc<AtomicUsize>,
}

impl Stream for Bounded {
    type Item = Result<Bytes, Broken>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.inner.as_mut().poll_next(context).map(|chunk| {
            Some(match chunk? {
                Ok(chunk) => {
                    let before = self.pending.fetch_add(chunk.len(), Ordering::Relaxed);
                    if before > LONGEST + AROUND {
                        Err(Broken::TooLong)
                    } else {
                        Ok(chunk)
                    }
                }
                Err(error) => Err(Broken::Off(error.without_url())),
            })
        })
    }
}

/// Why a stream ended.
#[derive(Debug)]
enum Broken {
    TooLong,
    Off(reqwest::Error),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("an event is too long"),
            Self::Off(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Broken {}
