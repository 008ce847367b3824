//! Messages on their way out of the proxy, a line each.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::io::{AsyncWrite, AsyncWriteExt as _, BufWriter};
use tokio::sync::{Notify, mpsc, watch};

use super::ends::{AtOnce, Output};
use crate::message::LONGEST;
use crate::proxy::seam::{Gone, Host, Later};

/// From so many bytes on, whoever can wait does.
const FULL: usize = 2 * LONGEST;

/// With so many bytes waiting, whoever should read them has given up reading.
const TOO_MUCH: usize = 8 * LONGEST;

/// What is longer is left to the task: a pipe has no more room than that.
const SHORT: usize = 64 << 10;

/// The queue in front of a pipe. While nothing waits in it, what comes is written by whoever brings it:
/// a message that its task has to be woken for takes twice as long on its way through the proxy.
pub(super) struct Outlet {
    queue: mpsc::UnboundedSender<Option<Bytes>>,
    shared: Arc<Shared>,
    ended: watch::Receiver<bool>,
}

struct Shared {
    /// Bytes that wait to be written.
    waiting: AtomicUsize,
    less: Notify,
    /// Nothing is taken any more.
    shut: AtomicBool,
    line: Mutex<Line>,
}

/// Who may write.
struct Line {
    /// Messages that the task has taken over, and that are not written yet.
    queued: usize,
    /// Gone with the pipe.
    at_once: Option<AtOnce>,
}

impl Shared {
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outlet {
    /// Writes to `output` in a task of its own, until [`finish`](Self::finish) or a failure; then
    /// `output` is dropped.
    pub(super) fn start(output: Output) -> Arc<Self> {
        let (queue, messages) = mpsc::unbounded_channel();
        let (ending, ended) = watch::channel(false);
        let shared = Arc::new(Shared {
            waiting: AtomicUsize::new(0),
            less: Notify::new(),
            shut: AtomicBool::new(false),
            line: Mutex::new(Line {
                queued: 0,
                at_once: output.at_once,
            }),
        });
        let output = output.to;
        let writer = Arc::clone(&shared);
        tokio::spawn(async move {
            if write(output, messages, &writer).await.is_err() {
                tracing::debug!("nobody reads the pipe any more");
            }
            writer.shut.store(true, Ordering::Release);
            writer.line().at_once = None;
            writer.less.notify_waiters();
            // Nobody may be listening.
            let _ = ending.send(true);
        });
        Arc::new(Self {
            queue,
            shared,
            ended,
        })
    }

    /// Queues a message.
    pub(super) fn push(&self, message: Bytes) -> Result<(), Gone> {
        let shared = &self.shared;
        if shared.shut.load(Ordering::Acquire) {
            return Err(Gone);
        }
        let mut line = shared.line();
        let Some(message) = line.write(message) else {
            return Ok(());
        };
        line.queued += 1;
        let length = message.len();
        if shared.waiting.fetch_add(length, Ordering::AcqRel) > TOO_MUCH {
            // Held back by nobody, since everybody who can wait does: the memory is worth more.
            tracing::error!("a pipe is not read; the connection is given up");
            drop(line);
            self.finish();
            return Err(Gone);
        }
        self.queue.send(Some(message)).map_err(|_| Gone)
    }

    /// Done when there is room for more, or nothing is taken any more.
    pub(super) async fn wait_for_room(&self) {
        let shared = &self.shared;
        loop {
            let less = shared.less.notified();
            tokio::pin!(less);
            // Before looking, so that what happens in between is not missed.
            less.as_mut().enable();
            if shared.waiting.load(Ordering::Acquire) < FULL || shared.shut.load(Ordering::Acquire)
            {
                return;
            }
            less.await;
        }
    }

    /// Takes nothing more; what is queued is written.
    pub(super) fn finish(&self) {
        self.shared.shut.store(true, Ordering::Release);
        self.shared.less.notify_waiters();
        let _ = self.queue.send(None);
    }

    /// Done when everything is written, or nothing more can be.
    pub(super) async fn ended(&self) {
        let mut ended = self.ended.clone();
        // The writer's end of it goes with the writer.
        let _ = ended.wait_for(|ended| *ended).await;
    }
}

impl Line {
    /// Writes a message and its line break, if nothing waits before it. What is left of it, to which the
    /// line break is still to be added.
    fn write(&self, message: Bytes) -> Option<Bytes> {
        let at_once = self.at_once.as_ref();
        let Some(at_once) = at_once.filter(|_| self.queued == 0 && message.len() < SHORT) else {
            return Some(message);
        };
        let mut text = Vec::with_capacity(message.len() + 1);
        text.extend_from_slice(&message);
        text.push(b'\n');
        // What is wrong with the pipe the task finds out.
        let written = at_once(&text).unwrap_or_default();
        (written < text.len()).then(|| message.slice(written..))
    }
}

async fn write(
    output: impl AsyncWrite + Unpin,
    mut messages: mpsc::UnboundedReceiver<Option<Bytes>>,
    shared: &Shared,
) -> std::io::Result<()> {
    let mut output = BufWriter::with_capacity(64 << 10, output);
    let mut taken = 0;
    let mut next = messages.recv().await;
    while let Some(Some(message)) = next {
        output.write_all(&message).await?;
        output.write_all(b"\n").await?;
        shared.waiting.fetch_sub(message.len(), Ordering::AcqRel);
        shared.less.notify_waiters();
        taken += 1;
        next = if let Ok(next) = messages.try_recv() {
            Some(next)
        } else {
            output.flush().await?;
            shared.line().queued -= std::mem::take(&mut taken);
            messages.recv().await
        };
    }
    output.flush().await?;
    output.shutdown().await
}

impl Host for Outlet {
    fn tell(&self, message: Bytes) -> Result<(), Gone> {
        self.push(message)
    }

    fn room(&self) -> Later<'_, ()> {
        Box::pin(self.wait_for_room())
    }

    fn close(&self) {
        self.finish();
    }
}
