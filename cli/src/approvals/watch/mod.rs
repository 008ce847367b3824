//! `sernixa approvals watch`: a live table on a terminal, a line for each change elsewhere.

mod board;
mod lines;
mod screen;
mod view;

use std::collections::BTreeSet;
use std::time::Duration;

use sernixa_engine::{Answer, Request};
use tokio::sync::mpsc::Receiver;

use crate::backend::{Backend, Signal, failure};
use crate::record::Record;
use crate::{Exit, Failure, Global};
use board::Board;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
On a terminal: arrows or j/k choose, Enter shows, a approves, r rejects, q ends.
Elsewhere each change is a line; with --json each line is an object {\"change\", \"approval\"}.")]
pub(crate) struct Args {
    /// Seconds between two looks where a service tells no changes
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=60))]
    poll_interval: u8,
}

pub(super) fn run(args: &Args, backend: &Backend, global: &Global) -> Result<Exit, Failure> {
    let watch = Watch::new(backend, Duration::from_secs(args.poll_interval.into()));
    backend.block_on(async {
        // Heard before there is a screen to give back, and at once, whatever is waited for.
        let end = asked_to_end()?;
        let watching = async {
            if !global.json && screen::is_possible() {
                screen::run(watch).await
            } else {
                lines::run(watch, global.json).await
            }
        };
        tokio::select! {
            () = end => Ok(Exit::Yes),
            ended = watching => ended.map(|()| Exit::Yes),
        }
    })
}

/// The most that are watched at once: what one list holds.
const MOST: usize = 100;

/// Between two looks while changes are told: for those that were told to a connection that died.
const SAFETY: Duration = Duration::from_secs(30);

/// After a change is told, so long others are gathered: one look serves them all.
const GATHER: Duration = Duration::from_millis(40);

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
enum News {
    /// It waits for a decision.
    Waiting(Record),
    /// It waits no more.
    Ended(Record),
}

/// What is watched, and how fresh it is.
struct Watch<'a> {
    backend: &'a Backend,
    interval: Duration,
    board: Board,
    /// Whether changes are told.
    told: bool,
    /// Approvals that a signal named since the last look.
    named: BTreeSet<String>,
    /// Why the last look failed, if it did.
    trouble: Option<String>,
}

impl<'a> Watch<'a> {
    fn new(backend: &'a Backend, interval: Duration) -> Self {
        Self {
            backend,
            interval,
            board: Board::new(crate::when::now()),
            told: false,
            named: BTreeSet::new(),
            trouble: None,
        }
    }

    /// How long to wait for a signal before looking anyway.
    fn pause(&self) -> Duration {
        if self.told && self.trouble.is_none() {
            SAFETY
        } else {
            self.interval
        }
    }

    /// Waits for a signal after which to look, or until a look is due.
    async fn due(&mut self, signals: &mut Receiver<Signal>) {
        match tokio::time::timeout(self.pause(), signals.recv()).await {
            Ok(Some(signal)) => {
                self.note(signal);
                tokio::time::sleep(GATHER).await;
                while let Ok(signal) = signals.try_recv() {
                    self.note(signal);
                }
            }
            // Whoever tells never stops.
            Ok(None) => std::future::pending().await,
            Err(_) => {}
        }
    }

    fn note(&mut self, signal: Signal) {
        match signal {
            Signal::Following => self.told = true,
            Signal::Blind => self.told = false,
            Signal::Changed(Some(id)) => {
                self.named.insert(id);
            }
            Signal::Changed(None) => {}
        }
    }

    /// Looks, and says what happened since. Trouble that may pass is noted, and no news.
    ///
    /// # Errors
    /// What no waiting mends, such as a credential that is not accepted.
    async fn look(&mut self) -> Result<Vec<News>, Failure> {
        let pending = Request::Pending { limit: MOST };
        let Some(body) = self.read(pending).await? else {
            return Ok(Vec::new());
        };
        let named = std::mem::take(&mut self.named);
        let update = self.board.update(Record::parse_list(&body)?, named);
        let mut news: Vec<News> = update.waiting.into_iter().map(News::Waiting).collect();
        for id in update.look_at {
            let request = Request::Record { approval_id: &id };
            match self.read(request).await? {
                Some(body) => {
                    let record = Record::parse(&body)?;
                    if self.board.ended(&record) {
                        news.push(News::Ended(record));
                    }
                }
                None if self.trouble.is_none() => self.board.forget(&id),
                // The next look asks again.
                None => {
                    self.named.insert(id);
                }
            }
        }
        Ok(news)
    }

    async fn read(&mut self, request: Request<'_>) -> Result<Option<String>, Failure> {
        match self.backend.call_async(request).await {
            Ok(Answer {
                status: 200..=299,
                body,
            }) => {
                self.trouble = None;
                Ok(Some(body))
            }
            Ok(answer) if matches!(answer.status, 408 | 429 | 500..) => {
                self.trouble = Some(failure(&answer).chain());
                Ok(None)
            }
            // Gone since it was listed, or not ours to see.
            Ok(Answer { status: 404, .. }) if matches!(request, Request::Record { .. }) => {
                self.trouble = None;
                Ok(None)
            }
            Ok(answer) => Err(failure(&answer)),
            Err(failure) => {
                self.trouble = Some(failure.chain());
                Ok(None)
            }
        }
    }
}

/// Ends when the process is asked to end: Ctrl-C, SIGTERM, a terminal that is closed. From the call
/// on, none of them ends it by itself.
#[cfg(unix)]
fn asked_to_end() -> Result<impl Future<Output = ()>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};

    let hear = |kind| {
        signal(kind).map_err(|error| Failure::new("signals cannot be heard").caused_by(error))
    };
    let mut interrupt = hear(SignalKind::interrupt())?;
    let mut terminate = hear(SignalKind::terminate())?;
    let mut hangup = hear(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    })
}

/// Ends when the process is asked to end.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
fn asked_to_end() -> Result<impl Future<Output = ()>, Failure> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}
