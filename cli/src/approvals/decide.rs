//! `sernixa approvals approve` and `reject`.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use sernixa_engine::Request;

use super::resolve::resolve;
use super::show;
use crate::backend::Backend;
use crate::output::one_line;
use crate::record::Record;
use crate::{Exit, Failure, Global, output};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The approval, or the beginning of its id
    id: String,

    /// Why, in 3 to 500 characters; asked on a terminal when it is not given
    #[arg(long, short)]
    reason: Option<String>,

    /// Do not show the approval and ask; decide
    #[arg(long, short)]
    yes: bool,
}

/// A person's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Approve,
    Reject,
}

impl Answer {
    /// The word on the wire (PROTOCOL 3.4).
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Approve => "approved",
            Self::Reject => "rejected",
        }
    }

    /// What a person is asked to do.
    pub(super) const fn question(self) -> &'static str {
        match self {
            Self::Approve => "Approve",
            Self::Reject => "Reject",
        }
    }
}

pub(super) fn run(
    args: &Args,
    answer: Answer,
    backend: &Backend,
    global: &Global,
) -> Result<Exit, Failure> {
    // Before anything is asked: a reason that breaks the rule helps nobody.
    let given = args.reason.as_deref().map(checked).transpose()?;
    let id = resolve(backend, &args.id)?;
    let interactive = !global.json && io::stdin().is_terminal() && io::stderr().is_terminal();
    if interactive && !args.yes {
        let record = Record::parse(&backend.ask(Request::Record { approval_id: &id })?)?;
        // The end of it is what a person still sees at the question.
        output::note(show::text(&record, show::METADATA_LINES))?;
        if record.has_ended() {
            let message = format!("the approval is {} already", record.status());
            return Err(Failure::new(message));
        }
        if !confirmed(answer)? {
            output::note("Nothing was decided.")?;
            return Ok(Exit::No);
        }
    }
    let reason = match given {
        Some(reason) => reason,
        None if interactive => asked_reason()?,
        None => {
            return Err(Failure::new(
                "a decision needs a reason; give --reason TEXT",
            ));
        }
    };
    let body = decide(backend, &id, answer, &reason)?;
    if global.json {
        output::json_text(&body)?;
    } else {
        output::line(told(&body, &id, answer)?)?;
    }
    Ok(Exit::Yes)
}

/// Sends a decision; the answer's body.
fn decide(backend: &Backend, id: &str, answer: Answer, reason: &str) -> Result<String, Failure> {
    backend.block_on(send(backend, id, answer, reason))
}

/// Sends a decision, for those who wait for several things at once.
pub(super) async fn send(
    backend: &Backend,
    id: &str,
    answer: Answer,
    reason: &str,
) -> Result<String, Failure> {
    let body = serde_json::json!({"decision": answer.word(), "reason": reason}).to_string();
    let request = Request::Decide {
        approval_id: id,
        body: &body,
    };
    backend.ask_async(request).await
}

/// `Approval ID approved.`, as the reference says it, and what it was about.
fn told(body: &str, id: &str, answer: Answer) -> Result<String, Failure> {
    let record = Record::parse(body)?;
    let mut text = format!("Approval {} {}.", one_line(id), answer.word());
    let about = [&record.intent_id, &record.action_id, &record.summary];
    for (at, field) in about.into_iter().flatten().enumerate() {
        text.push_str(if at == 0 { " " } else { " · " });
        text.push_str(&one_line(field).to_string());
    }
    Ok(text)
}

/// A reason by the rule of DESIGN 10, so that it is told before anything is sent.
pub(super) fn checked(reason: &str) -> Result<String, Failure> {
    let reason = reason.trim();
    if (3..=500).contains(&reason.chars().count()) {
        Ok(reason.to_owned())
    } else {
        Err(Failure::new("a reason has 3 to 500 characters"))
    }
}

fn confirmed(answer: Answer) -> Result<bool, Failure> {
    let line = prompt(&format!("{} this? [y/N] ", answer.question()))?;
    let line = line.unwrap_or_default();
    Ok(["y", "yes"].contains(&&*line.trim().to_ascii_lowercase()))
}

fn asked_reason() -> Result<String, Failure> {
    for _ in 0..3 {
        let Some(line) = prompt("Reason: ")? else {
            break;
        };
        match checked(&line) {
            Ok(reason) => return Ok(reason),
            Err(_) => output::note("A reason has 3 to 500 characters.")?,
        }
    }
    Err(Failure::new("no reason was given; nothing was decided"))
}

/// One line from the terminal; `None` at its end. The question is no answer: it goes to stderr.
fn prompt(question: &str) -> Result<Option<String>, Failure> {
    const LONGEST: u64 = 16 << 10;
    let mut err = io::stderr().lock();
    write!(err, "{question}")?;
    err.flush()?;
    let mut line = String::new();
    let read = io::stdin().lock().take(LONGEST).read_line(&mut line);
    let count = read.map_err(|error| Failure::new("the terminal gave no text").caused_by(error))?;
    Ok((count > 0).then_some(line))
}
