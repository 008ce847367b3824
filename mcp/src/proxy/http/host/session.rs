//! Sessions, up to 2025-11-25: each has a relay and a server of its own, and streams that a host can
//! take up again.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::super::super::seam::{Connect, Generation, Gone, Host, Relay};
use super::Limits;
use super::stream::Stream;

/// The requests of one session that may wait for their answers at once.
const MOST_WAITING: usize = 2048;
/// How many answered streams are kept for hosts that come back, and how much of them in bytes.
const MOST_KEPT: usize = 32;
const MOST_KEPT_BYTES: usize = 16 << 20;

/// The number of the stream of what belongs to no request.
const STANDING: u64 = 0;

/// The streams of one session. What the server sends on its own account goes to the newest request
/// whose stream is read, else to the standing stream, which GET reads.
pub(super) struct Streams(Mutex<Table>);

struct Table {
    standing: Arc<Stream>,
    asked: BTreeMap<u64, Arc<Stream>>,
    next: u64,
    is_over: bool,
}

impl Streams {
    fn new() -> Self {
        Self(Mutex::new(Table {
            standing: Stream::new(Some(STANDING)),
            asked: BTreeMap::new(),
            next: STANDING + 1,
            is_over: false,
        }))
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A stream for one more request; `None` when too many wait.
    pub(super) fn open(&self) -> Option<Arc<Stream>> {
        let mut table = self.table();
        if table.is_over {
            return None;
        }
        table.forget_answered();
        let waiting = table.asked.values().filter(|stream| !stream.has_ended());
        if waiting.count() >= MOST_WAITING {
            return None;
        }
        let number = table.next;
        table.next += 1;
        let stream = Stream::new(Some(number));
        table.asked.insert(number, Arc::clone(&stream));
        Some(stream)
    }

    pub(super) fn standing(&self) -> Arc<Stream> {
        Arc::clone(&self.table().standing)
    }

    /// The stream that an event id names.
    pub(super) fn find(&self, number: u64) -> Option<Arc<Stream>> {
        let table = self.table();
        if number == STANDING {
            return Some(Arc::clone(&table.standing));
        }
        table.asked.get(&number).cloned()
    }

    /// Whether nobody reads. (What still waits for an answer then waits for a host that may never come
    /// back.)
    fn is_idle(&self) -> bool {
        let table = self.table();
        let mut all = table.asked.values().chain([&table.standing]);
        all.all(|stream| !stream.is_read())
    }

    fn is_over(&self) -> bool {
        self.table().is_over
    }
}

impl Table {
    /// Forgets the oldest streams that were answered, but for those that a host may come back to.
    fn forget_answered(&mut self) {
        let mut kept = 0;
        let mut bytes = 0;
        let mut forgotten = Vec::new();
        for (number, stream) in self.asked.iter().rev() {
            if stream.has_ended() && !stream.is_read() {
                kept += 1;
                bytes += stream.weight();
                if kept > MOST_KEPT || bytes > MOST_KEPT_BYTES {
                    forgotten.push(*number);
                }
            }
        }
        for number in forgotten {
            self.asked.remove(&number);
        }
    }
}

impl Host for Streams {
    fn tell(&self, message: Bytes) -> Result<(), Gone> {
        let table = self.table();
        let open = |stream: &&Arc<Stream>| stream.is_read() && !stream.has_ended();
        let newest = table.asked.values().rev().find(open);
        newest.unwrap_or(&table.standing).tell(message)
    }

    fn close(&self) {
        let mut table = self.table();
        table.is_over = true;
        table.standing.end();
        for stream in table.asked.values() {
            stream.end();
        }
    }
}

/// One session.
pub(super) struct Session {
    pub(super) relay: Arc<dyn Relay>,
    pub(super) streams: Arc<Streams>,
    seen: Mutex<Instant>,
    _place: OwnedSemaphorePermit,
}

impl Session {
    pub(super) fn has_ended(&self) -> bool {
        self.relay.has_ended() || self.streams.is_over()
    }

    fn seen(&self) -> MutexGuard<'_, Instant> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self) {
        self.relay.host_gone();
        self.streams.close();
    }
}

/// However it goes: nothing of a session outlives it.
impl Drop for Session {
    fn drop(&mut self) {
        self.end();
    }
}

/// Why there is no new session.
pub(super) enum NoSession {
    /// There are too many.
    Full,
    /// The server did not start; what to tell the host.
    Failed(String),
}

/// All sessions.
pub(super) struct Sessions {
    connect: Arc<dyn Connect>,
    limits: Limits,
    places: Arc<Semaphore>,
    open: Mutex<HashMap<String, Arc<Session>>>,
}

impl Sessions {
    pub(super) fn new(connect: Arc<dyn Connect>, limits: Limits) -> Self {
        Self {
            connect,
            limits,
            places: Arc::new(Semaphore::new(limits.sessions)),
            open: Mutex::default(),
        }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<String, Arc<Session>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a session, with a server of its own.
    pub(super) async fn begin(&self) -> Result<(String, Arc<Session>), NoSession> {
        self.sweep();
        let place = Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_| NoSession::Full)?;
        let mut random = [0; 16];
        getrandom::fill(&mut random)
            .map_err(|_| NoSession::Failed("the system gives no random numbers".to_owned()))?;
        let id = format!("{:032x}", u128::from_be_bytes(random));
        let streams = Arc::new(Streams::new());
        let standing = Arc::clone(&streams);
        let relay = self
            .connect
            .connect(Generation::Sessions, standing)
            .await
            .map_err(NoSession::Failed)?;
        let session = Arc::new(Session {
            relay,
            streams,
            seen: Mutex::new(Instant::now()),
            _place: place,
        });
        self.open().insert(id.clone(), Arc::clone(&session));
        Ok((id, session))
    }

    /// The session of that id, unless it has ended.
    pub(super) fn find(&self, id: &str) -> Option<Arc<Session>> {
        let session = self.open().get(id).cloned()?;
        if session.has_ended() {
            self.end(id);
            return None;
        }
        *session.seen() = Instant::now();
        Some(session)
    }

    /// Ends a session; whether there was one.
    pub(super) fn end(&self, id: &str) -> bool {
        let ended = self.open().remove(id);
        if let Some(session) = &ended {
            session.end();
        }
        ended.is_some()
    }

    /// Ends sessions that nobody has used for long.
    pub(super) fn sweep(&self) {
        let is_dead = |session: &Session| {
            session.has_ended()
                || (session.streams.is_idle() && session.seen().elapsed() > self.limits.idle)
        };
        let dead: Vec<_> = {
            let mut open = self.open();
            let ids: Vec<_> = open
                .iter()
                .filter(|(_, session)| is_dead(session))
                .map(|(id, _)| id.clone())
                .collect();
            ids.iter().filter_map(|id| open.remove(id)).collect()
        };
        for session in dead {
            session.end();
        }
    }

    /// Ends them all.
    pub(super) fn close(&self) {
        let all = std::mem::take(&mut *self.open());
        for session in all.values() {
            session.end();
        }
    }
}
