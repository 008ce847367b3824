//! `sernixa approvals wait`: until an approval is decided, or the time is up.

use std::pin::pin;
use std::time::{Duration, Instant};

use sernixa_engine::{Answer, Request};
use tokio::sync::mpsc::{Receiver, channel};
use tokio::time::timeout;

use super::resolve::resolve;
use crate::backend::{Backend, Signal, failure, follow};
use crate::output::one_line;
use crate::record::Record;
use crate::{Exit, Failure, Global, output};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The approval, or the beginning of its id
    id: String,

    /// How long to wait, in seconds; 0: one look
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u32).range(0..=86_400))]
    timeout: u32,

    /// Seconds between two looks where a service tells no changes
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=60))]
    poll_interval: u8,
}

/// Between two looks while changes are told: for those that were told to a connection that died.
const SAFETY: Duration = Duration::from_secs(30);

pub(super) fn run(args: &Args, backend: &Backend, global: &Global) -> Result<Exit, Failure> {
    let id = resolve(backend, &args.id)?;
    let started = Instant::now();
    let wait = Waiting {
        backend,
        id: &id,
        deadline: started + Duration::from_secs(args.timeout.into()),
        interval: Duration::from_secs(args.poll_interval.into()),
        silent: global.json,
    };
    let (last, followed) = backend.block_on(wait.until_ended())?;
    let record = Record::parse(&last)?;
    let exit = if record.is_approved() {
        Exit::Yes
    } else {
        Exit::No
    };
    if global.json {
        let elapsed = format!("{:.3}", started.elapsed().as_secs_f64());
        let status = serde_json::to_string(&record.status()).unwrap_or_default();
        let id = serde_json::to_string(&id).unwrap_or_default();
        // The record goes in as it came, so that its numbers stay what they are.
        output::json_text(&format!(
            r#"{{"schema": "sernixa.approval_continuity.v1", "approval_id": {id}, "status": {status}, "terminal": {}, "approved": {}, "event_stream_used": {followed}, "elapsed_seconds": {elapsed}, "approval": {last}}}"#,
            record.has_ended(),
            record.is_approved(),
        ))?;
        return Ok(exit);
    }
    output::line(format_args!(
        "{} · approval {}",
        one_line(&record.status().to_uppercase()),
        one_line(&id)
    ))?;
    if let Some(reason) = &record.decision_reason {
        output::line(format_args!("Reason: {}", one_line(reason)))?;
    }
    if !record.has_ended() {
        output::note("It was not decided in time; it may still be (--timeout).")?;
    }
    Ok(exit)
}

struct Waiting<'a> {
    backend: &'a Backend,
    id: &'a str,
    deadline: Instant,
    interval: Duration,
    /// Nobody wants to read that it waits.
    silent: bool,
}

impl Waiting<'_> {
    /// The last record that was read, and whether changes were told.
    ///
    /// # Errors
    /// When the first look fails, or a later one in a way that no waiting mends.
    async fn until_ended(&self) -> Result<(String, bool), Failure> {
        let mut last = self.first_look().await?;
        let mut followed = false;
        if self.is_over(&last)? {
            return Ok((last, followed));
        }
        let (sender, mut signals) = channel(64);
        let mut telling = pin!(follow(self.backend, sender));
        let (mut told, mut said) = (false, self.silent);
        loop {
            let pause = if told { SAFETY } else { self.interval };
            let pause = pause.min(self.left());
            tokio::select! {
                signal = self.relevant(&mut signals, &mut told) => followed |= signal,
                never = &mut telling => match never {},
                () = tokio::time::sleep(pause) => {}
            }
            if !said {
                said = true;
                self.say(told)?;
            }
            // A stream is read from before it was open; so each signal is followed by a look.
            if let Some(body) = self.look().await? {
                last = body;
            }
            if self.is_over(&last)? {
                return Ok((last, followed));
            }
        }
    }

    /// Waits for a signal after which to look; whether it was a change that the service told.
    async fn relevant(&self, signals: &mut Receiver<Signal>, told: &mut bool) -> bool {
        loop {
            match signals.recv().await {
                Some(Signal::Changed(Some(id))) if id != self.id => {}
                Some(Signal::Changed(_)) => return true,
                Some(Signal::Following) => {
                    *told = true;
                    return true;
                }
                Some(Signal::Blind) => {
                    *told = false;
                    return false;
                }
                // Whoever tells never stops.
                None => std::future::pending().await,
            }
        }
    }

    fn say(&self, told: bool) -> Result<(), Failure> {
        let id = one_line(self.id);
        output::note(if told {
            format!("Waiting for the decision on {id}.")
        } else {
            let seconds = self.interval.as_secs();
            format!("Waiting for the decision on {id}, with a look every {seconds} s.")
        })
    }

    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    fn is_over(&self, record: &str) -> Result<bool, Failure> {
        Ok(Record::parse(record)?.has_ended() || self.left().is_zero())
    }

    async fn first_look(&self) -> Result<String, Failure> {
        let request = Request::Record {
            approval_id: self.id,
        };
        self.backend.ask_async(request).await
    }

    /// A later look. Trouble that may pass is waited out: `None`.
    async fn look(&self) -> Result<Option<String>, Failure> {
        let request = Request::Record {
            approval_id: self.id,
        };
        // A service that hangs must not outlast the deadline; one that answers may, a little.
        let patience = self.left().max(Duration::from_secs(1));
        match timeout(patience, self.backend.call_async(request)).await {
            Ok(Ok(Answer {
                status: 200..=299,
                body,
            })) => Ok(Some(body)),
            Ok(
                Ok(Answer {
                    status: 408 | 429 | 500..,
                    ..
                })
                | Err(_),
            )
            | Err(_) => {
                tokio::time::sleep(self.interval.min(self.left())).await;
                Ok(None)
            }
            Ok(Ok(refused)) => Err(failure(&refused)),
        }
    }
}
