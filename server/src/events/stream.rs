//! One client's stream: where it begins, what it may see, when it ends.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{Stream, unfold};
use sernixa_engine::{Moment, Principal, Record, StoreError};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::encode;
use super::hub::{Hub, Inner};
use super::places::Place;
use super::trail::{Page, Told, Trail};

/// How far back a snapshot tells decisions (DESIGN 7).
const LATELY: Duration = Duration::from_mins(15);

/// How many changes a stream takes at once.
const PAGE: usize = 256;

/// Where a client wants to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    /// At the present: a snapshot, then what changes.
    Now,
    /// After this audit event.
    After(u64),
    /// After something that is no number of ours.
    Odd,
}

impl Position {
    /// Reads a `Last-Event-ID`, if there is one. An empty one is what a browser sends that has seen
    /// no id.
    pub(crate) fn parse(last_event_id: Option<&[u8]>) -> Self {
        match last_event_id {
            None | Some(b"") => Self::Now,
            Some(text) => {
                let digits = text.iter().all(u8::is_ascii_digit);
                let text = std::str::from_utf8(text).ok().filter(|_| digits);
                let number = text.and_then(|text| text.parse().ok());
                number.map_or(Self::Odd, Self::After)
            }
        }
    }
}

/// Whether the key that opened a stream is still good. Reads the store.
pub(crate) type Still = Arc<dyn Fn() -> bool + Send + Sync>;

/// Why there is no stream.
#[derive(Debug)]
pub(crate) enum OpenError {
    /// There are as many as there may be, in all or of this key.
    TooMany,
    /// The store cannot be read.
    Store(StoreError),
    /// The service closes.
    Closing,
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Says that all streams end.
pub(super) struct Ended(watch::Sender<bool>);

impl Default for Ended {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Ended {
    pub(super) fn say(&self) {
        self.0.send_replace(true);
    }

    fn is_said(&self) -> bool {
        *self.0.borrow()
    }
}

/// A stream that is about to begin.
pub(crate) struct EventStream {
    inner: Arc<Inner>,
    viewer: Principal,
    still: Still,
    /// When the key was last looked at.
    checked: Instant,
    beats: Instant,
    trail: Arc<Trail>,
    steps: watch::Receiver<u64>,
    ended: watch::Receiver<bool>,
    /// Everything up to this audit event was told, or was not for this client.
    cursor: u64,
    /// The last number that the client knows of.
    told: u64,
    ready: VecDeque<Bytes>,
    _place: Place,
}

impl Hub {
    /// Opens a stream for `viewer`. Reads the store: to be called where that may take its time.
    ///
    /// # Errors
    /// [`OpenError`].
    pub(crate) fn open(
        &self,
        viewer: Principal,
        position: Position,
        still: Still,
        moment: &Moment,
    ) -> Result<EventStream, OpenError> {
        let inner = &self.inner;
        if inner.ended.is_said() {
            return Err(OpenError::Closing);
        }
        let limits = inner.limits;
        let place = inner
            .places
            .take(&viewer, limits.streams, limits.streams_of_key)
            .ok_or(OpenError::TooMany)?;
        let organisation = viewer.organisation();
        let (trail, steps) = inner.trail(organisation)?;
        let begin = match position {
            Position::After(seq) if inner.engine.tells_from(organisation, seq)? => {
                let remark = format!("what happened after event {seq}");
                Begin {
                    cursor: seq,
                    ready: [encode::greeting(&remark)].into(),
                }
            }
            Position::Now => snapshot(inner, &viewer, "how things stand", moment)?,
            Position::After(_) | Position::Odd => {
                let remark = "no event of that id can be told from here on: how things stand";
                snapshot(inner, &viewer, remark, moment)?
            }
        };
        Ok(EventStream {
            inner: Arc::clone(inner),
            viewer,
            still,
            checked: Instant::now(),
            beats: Instant::now() + limits.heartbeat,
            trail,
            steps,
            ended: inner.ended.0.subscribe(),
            cursor: begin.cursor,
            told: begin.cursor,
            ready: begin.ready,
            _place: place,
        })
    }
}

/// Where a stream begins, and what it says first.
struct Begin {
    cursor: u64,
    ready: VecDeque<Bytes>,
}

/// How things stand, as of one audit event: everything after it is told as it happens.
fn snapshot(
    inner: &Inner,
    viewer: &Principal,
    remark: &str,
    moment: &Moment,
) -> Result<Begin, OpenError> {
    let since = moment.now.minus(LATELY);
    let most = inner.limits.snapshot;
    let snapshot = inner.engine.snapshot(viewer, since, most, moment)?;
    let (seq, pending, decided) = (snapshot.reaches, &snapshot.pending, &snapshot.decided);
    let whole = pending.len() < most && decided.len() < most;
    let remark = format!(
        "{remark} at event {seq}: {} waiting, {} decided lately{}",
        pending.len(),
        decided.len(),
        if whole { "" } else { "; there are more" },
    );
    let frame = |record: &Record| encode::event(seq, &record.json(sernixa_engine::Detail::Listed));
    let mut ready = VecDeque::with_capacity(2 + pending.len() + decided.len());
    ready.push_back(encode::greeting(&remark));
    ready.extend(pending.iter().chain(decided).map(frame));
    // Also where nothing was to be told: from here on the client can come back.
    ready.push_back(encode::heartbeat(Some(seq)));
    Ok(Begin { cursor: seq, ready })
}

impl EventStream {
    /// The frames, to the end of the stream. It ends when the key is no longer good, when the store
    /// fails, and when the service closes; the client comes back with the last id it saw.
    pub(crate) fn frames(self) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
        unfold(self, |mut stream| async move {
            let frame = stream.next().await?;
            Some((Ok(frame), stream))
        })
    }

    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if !self.is_good().await {
                return None;
            }
            if let Some(frame) = self.ready.pop_front() {
                self.beats = Instant::now() + self.inner.limits.heartbeat;
                return Some(frame);
            }
            self.read_on().await?;
            if !self.ready.is_empty() {
                continue;
            }
            if Instant::now() >= self.beats {
                let moved = (self.cursor > self.told).then_some(self.cursor);
                self.told = self.cursor;
                self.ready.push_back(encode::heartbeat(moved));
                continue;
            }
            let pause = self.beats.min(self.checked + self.inner.limits.key_check);
            tokio::select! {
                // Its sender lives in the trail, which is ours.
                _ = self.steps.changed() => {}
                _ = self.ended.wait_for(|ended| *ended) => return None,
                () = sleep_until(pause) => {}
            }
        }
    }

    /// Whether the stream may go on.
    async fn is_good(&mut self) -> bool {
        if *self.ended.borrow() {
            return false;
        }
        // Also before what lay ready while the client read nothing.
        if self.checked.elapsed() >= self.inner.limits.key_check {
            self.checked = Instant::now();
            let still = Arc::clone(&self.still);
            return tokio::task::spawn_blocking(move || still())
                .await
                .unwrap_or(false);
        }
        true
    }

    /// Takes what comes next, if anything does. `None`: the store failed.
    async fn read_on(&mut self) -> Option<()> {
        self.steps.borrow_and_update();
        let (told, reaches) = match self.trail.after(self.cursor, PAGE) {
            Page::Told { told, reaches } => (told, reaches),
            Page::Behind => self.read_store().await?,
        };
        self.cursor = reaches;
        for one in told {
            if self.viewer.sees_all() || one.key == *self.viewer.key() {
                self.told = one.seq;
                self.ready.push_back(one.frame);
            }
        }
        Some(())
    }

    /// What the trail does not hold any more. Read at the client's own pace: nothing is read ahead.
    async fn read_store(&self) -> Option<(Vec<Told>, u64)> {
        let (engine, cursor) = (self.inner.engine.clone(), self.cursor);
        let organisation = Arc::clone(self.viewer.organisation());
        let read = move || {
            let feed = engine.changes(&organisation, cursor, PAGE)?;
            // Asked after it was read: what was dropped before then is missing from it.
            let is_whole = engine.kept_from(&organisation)? <= cursor;
            Ok::<_, StoreError>((feed, is_whole))
        };
        match tokio::task::spawn_blocking(read).await {
            Ok(Ok((feed, true))) if feed.reaches > cursor => {
                Some((feed.changes.iter().map(Told::new).collect(), feed.reaches))
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "an event stream ends: the audit log cannot be read");
                None
            }
            // The chain went on, but what comes next is gone: coming back gets how things stand. Or
            // the read panicked.
            Ok(Ok(_)) | Err(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_number_is_a_position() {
        for (text, position) in [
            (None, Position::Now),
            (Some(""), Position::Now),
            (Some("0"), Position::After(0)),
            (Some("18446744073709551615"), Position::After(u64::MAX)),
            (Some("18446744073709551616"), Position::Odd),
            (Some("-1"), Position::Odd),
            (Some("+1"), Position::Odd),
            (Some(" 1"), Position::Odd),
            (Some("seven"), Position::Odd),
        ] {
            assert_eq!(Position::parse(text.map(str::as_bytes)), position);
        }
    }
}
