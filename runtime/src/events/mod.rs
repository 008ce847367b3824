//! Server-sent events, as a service pushes them (DESIGN 7): what comes is bounded, parsed, and taken
//! for a hint.
//!
//! Nothing here opens anything. An event says which approval to look at or to claim; the record and
//! the claim decide, and both are answers to requests of our own.

mod guard;
mod hint;
mod pace;

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{Stream, StreamExt as _};
use sse_stream::SseByteStream;

use crate::transport::{ApprovalId, Cause, Fault, Push};

pub(crate) use pace::Pace;

/// An event or a part of one that matters, as it was heard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    /// Where to go on from after a break.
    pub(crate) id: Option<Box<str>>,
    /// How long to wait before coming back, if that is said.
    pub(crate) retry: Option<Duration>,
    /// What it is about, if that concerns anybody who waits.
    pub(crate) about: Option<(ApprovalId, Push)>,
}

/// A stream of changes. It ends with the connection; an error says what was wrong with it.
pub(crate) type Hearing = Pin<Box<dyn Stream<Item = Result<Heard, Broken>>>>;

/// There is no stream.
#[derive(Debug)]
pub(crate) enum Unheard {
    /// The service does not stream to us, or something else answers in its place.
    Refused(u16),
    /// Not now.
    Busy(u16, Option<Duration>),
    /// There was no answer.
    Fault(Fault),
}

/// Why a stream cannot be read on.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The connection broke.
    Interrupted(Cause),
    /// Nothing came for too long, not even a sign of life.
    Silent,
    /// A line or an event without end.
    TooLong,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Interrupted(_) => "the connection broke",
            Self::Silent => "nothing was heard for too long",
            Self::TooLong => "a line or an event was too long",
        })
    }
}

impl std::error::Error for Broken {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Interrupted(cause) => Some(&**cause),
            Self::Silent | Self::TooLong => None,
        }
    }
}

/// Reads events out of the body of an answer.
pub(crate) fn hearing(chunks: impl Stream<Item = Result<Bytes, Broken>> + 'static) -> Hearing {
    let events = SseByteStream::new(Box::pin(guard::guarded(chunks)));
    Box::pin(events.map(|event| match event {
        Ok(event) => Ok(hint::heard(event)),
        Err(error) => Err(broken(error)),
    }))
}

fn broken(error: sse_stream::Error) -> Broken {
    match error {
        sse_stream::Error::Body(source) => match source.downcast::<Broken>() {
            Ok(broken) => *broken,
            Err(other) => Broken::Interrupted(other),
        },
        other => Broken::Interrupted(other.into()),
    }
}
