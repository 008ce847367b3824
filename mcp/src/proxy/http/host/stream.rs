//! One stream of messages to a host: the answer to a POST, or what a GET reads. It keeps what it
//! told for a while, so that a host can take up a stream that broke off.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream::unfold;
use sse_stream::{KeepAlive, Sse, SseBody, Timer};
use tokio::sync::Notify;
use tokio::time::{Instant, Sleep, sleep};

use super::super::super::seam::{Gone, Host};
use crate::message::LONGEST;

/// What a stream keeps at most, of what was read and what was not. An answer always finds room.
const MOST_EVENTS: usize = 1024;
const MOST_BYTES: usize = 2 * LONGEST;

/// How long a host waits before it takes up a stream that broke off, in ms.
const RETRY: u64 = 1_000;

/// So often a quiet stream gives a sign of life.
const QUIET: Duration = Duration::from_secs(15);

/// See the [module](self).
pub(super) struct Stream {
    /// Names it in event ids, within its session; without one there is no taking up.
    number: Option<u64>,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    kept: VecDeque<Bytes>,
    bytes: usize,
    /// How many events were forgotten: the place of the first one that is kept, where the first of
    /// all has the place 0.
    forgotten: u64,
    /// How many events some reader has taken.
    taken: u64,
    /// Nothing follows.
    ended: bool,
    /// Whose turn it is to read: a new reader takes the stream from the one before.
    turn: u64,
    is_read: bool,
}

impl State {
    fn told(&self) -> u64 {
        self.forgotten + self.kept.len() as u64
    }

    /// Makes room by forgetting what was read; what was not stays.
    fn make_room(&mut self, bytes: usize) -> bool {
        let is_full =
            |state: &Self| state.kept.len() >= MOST_EVENTS || state.bytes + bytes > MOST_BYTES;
        while is_full(self) && self.forgotten < self.taken {
            let Some(oldest) = self.kept.pop_front() else {
                break;
            };
            self.bytes -= oldest.len();
            self.forgotten += 1;
        }
        !is_full(self)
    }

    fn push(&mut self, message: Bytes) {
        self.bytes += message.len();
        self.kept.push_back(message);
    }
}

impl Stream {
    pub(super) fn new(number: Option<u64>) -> Arc<Self> {
        Arc::new(Self {
            number,
            state: Mutex::default(),
            changed: Notify::new(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing follows.
    pub(super) fn has_ended(&self) -> bool {
        self.state().ended
    }

    /// Whether somebody reads it.
    pub(super) fn is_read(&self) -> bool {
        self.state().is_read
    }

    /// How many bytes it keeps.
    pub(super) fn weight(&self) -> usize {
        self.state().bytes
    }

    /// Nothing follows.
    pub(super) fn end(&self) {
        self.state().ended = true;
        self.changed.notify_waiters();
    }

    /// Reads what follows the first `place` events. Whoever read it before reads no more.
    pub(super) fn read(self: &Arc<Self>, place: u64) -> Reader {
        let mut state = self.state();
        state.turn += 1;
        state.is_read = true;
        let reader = Reader {
            turn: state.turn,
            // A place that was never reached is not believed.
            place: place.min(state.told()),
            stream: Arc::clone(self),
        };
        drop(state);
        self.changed.notify_waiters();
        reader
    }

    /// Reads what nobody has read yet.
    pub(super) fn read_on(self: &Arc<Self>) -> Reader {
        let taken = self.state().taken;
        self.read(taken)
    }
}

impl Host for Stream {
    fn tell(&self, message: Bytes) -> Result<(), Gone> {
        let mut state = self.state();
        if state.ended || !state.make_room(message.len()) {
            return Err(Gone);
        }
        state.push(message);
        drop(state);
        self.changed.notify_waiters();
        Ok(())
    }

    fn answer(&self, message: Bytes) -> Result<(), Gone> {
        let mut state = self.state();
        if state.ended {
            return Err(Gone);
        }
        state.make_room(message.len());
        state.push(message);
        state.ended = true;
        drop(state);
        self.changed.notify_waiters();
        Ok(())
    }

    fn close(&self) {
        self.end();
    }
}

/// The one who reads a stream.
pub(super) struct Reader {
    stream: Arc<Stream>,
    turn: u64,
    /// How many events lie behind it.
    place: u64,
}

impl Reader {
    /// The next message; `None` at the end, or when somebody else reads now.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        let stream = Arc::clone(&self.stream);
        loop {
            let changed = stream.changed.notified();
            let mut changed = std::pin::pin!(changed);
            changed.as_mut().enable();
            match self.look() {
                Look::Message(message) => return Some(message),
                Look::End => return None,
                Look::Nothing => changed.await,
            }
        }
    }

    fn look(&mut self) -> Look {
        let mut state = self.stream.state();
        if state.turn != self.turn {
            return Look::End;
        }
        // What was forgotten cannot be told again.
        self.place = self.place.max(state.forgotten);
        let at = usize::try_from(self.place - state.forgotten).unwrap_or(usize::MAX);
        if let Some(message) = state.kept.get(at) {
            let message = message.clone();
            self.place += 1;
            state.taken = state.taken.max(self.place);
            return Look::Message(message);
        }
        if state.ended {
            Look::End
        } else {
            Look::Nothing
        }
    }

    /// Whether nothing is left to be read.
    pub(super) fn is_through(&self) -> bool {
        let state = self.stream.state();
        state.ended && self.place >= state.told()
    }

    /// The id of the event that was read last.
    fn id(&self) -> Option<String> {
        Some(format!("{}-{}", self.stream.number?, self.place))
    }
}

enum Look {
    Message(Bytes),
    Nothing,
    End,
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut state = self.stream.state();
        if state.turn == self.turn {
            state.is_read = false;
        }
    }
}

/// What an event id says: the number of a stream, and how many events lie behind it.
pub(super) fn place(id: &str) -> Option<(u64, u64)> {
    let (number, place) = id.split_once('-')?;
    Some((number.parse().ok()?, place.parse().ok()?))
}

/// How a body begins.
pub(super) enum Beginning {
    /// With an event that has an id and no data, so that the host can come back to the stream
    /// (2025-11-25).
    Primed,
    /// With this message, which was read already.
    Message(Bytes),
    /// With what comes.
    Plain,
}

/// The events of a stream as a body. `guard` is dropped with it.
pub(super) fn body<G: Send + 'static>(beginning: Beginning, reader: Reader, guard: G) -> Body {
    let events = unfold((Some(beginning), reader, guard), async |state| {
        let (beginning, mut reader, guard) = state;
        let event = match beginning {
            Some(Beginning::Primed) => Sse {
                data: Some(String::new()),
                retry: Some(RETRY),
                id: reader.id(),
                event: None,
            },
            Some(Beginning::Message(message)) => event(&message, reader.id()),
            Some(Beginning::Plain) | None => {
                let message = reader.next().await?;
                event(&message, reader.id())
            }
        };
        Some((Ok::<_, Infallible>(event), (None, reader, guard)))
    });
    let alive = KeepAlive::new().interval(QUIET);
    Body::new(SseBody::<_, Alarm>::new_keep_alive(Box::pin(events), alive))
}

fn event(message: &[u8], id: Option<String>) -> Sse {
    Sse {
        // It was read as UTF-8 before.
        data: Some(String::from_utf8_lossy(message).into_owned()),
        id,
        event: None,
        retry: None,
    }
}

/// The clock of the signs of life.
struct Alarm(Pin<Box<Sleep>>);

impl Future for Alarm {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(context)
    }
}

impl Timer for Alarm {
    fn reset(mut self: Pin<&mut Self>, at: std::time::Instant) {
        self.0.as_mut().reset(Instant::from_std(at));
    }

    fn from_duration(after: Duration) -> Self {
        Self(Box::pin(sleep(after)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use futures_util::FutureExt as _;

    /// What can be read now: a message, or a word on why there is none.
    fn next(reader: &mut Reader) -> Result<Bytes, &'static str> {
        match reader.next().now_or_never() {
            Some(message) => message.ok_or("the end"),
            None => Err("nothing yet"),
        }
    }

    #[test]
    fn a_host_that_does_not_read_fills_no_memory_and_still_gets_its_answer() {
        let stream = Stream::new(Some(1));
        let mut reader = stream.read(0);
        for _ in 0..MOST_EVENTS {
            stream.tell(Bytes::from_static(b"{}")).unwrap();
        }
        assert_eq!(stream.tell(Bytes::from_static(b"{}")), Err(Gone));
        // What was read makes room.
        next(&mut reader).unwrap();
        stream.tell(Bytes::from_static(b"{}")).unwrap();
        assert_eq!(stream.tell(Bytes::from_static(b"{}")), Err(Gone));
        stream.answer(Bytes::from_static(b"last")).unwrap();
        assert_eq!(stream.answer(Bytes::from_static(b"{}")), Err(Gone));
        let mut told = Vec::new();
        while let Ok(message) = next(&mut reader) {
            told.push(message);
        }
        assert_eq!(next(&mut reader), Err("the end"));
        assert_eq!(told.len(), MOST_EVENTS + 1);
        assert_eq!(told.last().unwrap(), "last");
        assert!(reader.is_through());
    }

    #[test]
    fn large_messages_are_bounded_by_their_bytes() {
        let stream = Stream::new(None);
        let large = Bytes::from(vec![b' '; LONGEST]);
        stream.tell(large.clone()).unwrap();
        stream.tell(large.clone()).unwrap();
        assert_eq!(stream.tell(large.clone()), Err(Gone));
        stream.answer(large).unwrap();
        assert!(stream.weight() <= MOST_BYTES + LONGEST);
    }

    #[test]
    fn what_was_forgotten_is_not_told_again_and_no_place_is_made_up() {
        let stream = Stream::new(Some(1));
        let mut reader = stream.read(0);
        for nth in 0..=MOST_EVENTS {
            stream.tell(Bytes::from(nth.to_string())).unwrap();
            next(&mut reader).unwrap();
        }
        let mut again = stream.read(0);
        assert_eq!(next(&mut again).unwrap(), "1");
        assert_eq!(next(&mut reader), Err("the end"), "its turn is over");
        let mut beyond = stream.read(u64::MAX);
        assert_eq!(next(&mut beyond), Err("nothing yet"));
        stream.tell(Bytes::from_static(b"new")).unwrap();
        assert_eq!(next(&mut beyond).unwrap(), "new");
    }

    #[test]
    fn places_are_read_from_event_ids_alone() {
        assert_eq!(place("3-14"), Some((3, 14)));
        for bad in ["", "-", "3", "3-", "-14", "3-x", "+3--1", "3-14-15"] {
            assert_eq!(place(bad), None, "{bad}");
        }
    }
}
