//! A person at the terminal: the action as safe lines, `y` or `n`, and a reason.

use std::io::{self, BufRead, BufReader, Read as _, Write};
use std::sync::{Mutex, PoisonError};

use sernixa_engine::Record;
use sernixa_protocol::json::Document;
use sernixa_protocol::rules::is_core_key;

use super::reviewer::{Decision, Reviewer};
use crate::display::one_line;

/// The most bytes of one answer that are read; what is longer is no answer.
const ANSWER_LIMIT: u64 = 4096;

/// How often an answer that is neither yes nor no is asked for again.
const TRIES: usize = 3;

/// The most metadata members that are shown.
const MEMBERS: usize = 20;

const APPROVED: &str = "approved at the terminal";
const REJECTED: &str = "rejected at the terminal";

/// Two reviewers of one process share one terminal: their questions must not mix.
static TERMINAL: Mutex<()> = Mutex::new(());

/// Shows each action on stderr and reads the answer from stdin: `y` or `yes` approves; `n`, `no` or
/// an empty line rejects; then a reason, where an empty line means `approved at the terminal` or
/// `rejected at the terminal`. No answer at all (end of input) rejects, and says so.
///
/// It is the default only where stdin and stderr are a terminal. Named explicitly it also reads
/// from a pipe.
pub struct TerminalReviewer {
    ends: Mutex<Ends>,
    /// The process's own terminal, which other reviewers may share.
    own_terminal: bool,
}

struct Ends {
    input: Box<dyn BufRead + Send>,
    output: Box<dyn Write + Send>,
}

impl Default for TerminalReviewer {
    fn default() -> Self {
        Self::new()
    }
}

impl TerminalReviewer {
    /// On stdin and stderr.
    pub fn new() -> Self {
        // `Stdin` buffers for the whole process; `BufReader` only gives it `BufRead` without a
        // lock held between answers, and must not read ahead.
        let stdin = BufReader::with_capacity(1, io::stdin());
        Self {
            own_terminal: true,
            ..Self::on(stdin, io::stderr())
        }
    }

    /// On other ends, such as a socket, or a test's.
    pub fn on(input: impl BufRead + Send + 'static, output: impl Write + Send + 'static) -> Self {
        Self {
            ends: Mutex::new(Ends {
                input: Box::new(input),
                output: Box::new(output),
            }),
            own_terminal: false,
        }
    }
}

impl std::fmt::Debug for TerminalReviewer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TerminalReviewer")
    }
}

impl Reviewer for TerminalReviewer {
    fn review(&self, asked: &Record) -> Decision {
        let alone = || TERMINAL.lock().unwrap_or_else(PoisonError::into_inner);
        let _terminal = self.own_terminal.then(alone);
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        let Ends { input, output } = &mut *ends;
        match ask(asked, &mut **input, &mut **output) {
            Ok(decision) => decision,
            Err(_) => Decision::reject("the terminal could not be read or written"),
        }
    }
}

fn ask(asked: &Record, input: &mut dyn BufRead, output: &mut dyn Write) -> io::Result<Decision> {
    show(asked, output)?;
    let mut tries = 0;
    let approves = loop {
        write!(output, "Approve? [y/N] ")?;
        output.flush()?;
        match answer(input)? {
            None => {
                writeln!(output)?;
                return Ok(Decision::reject("the terminal gave no answer"));
            }
            Some(line) => match yes_or_no(&line) {
                Some(approves) => break approves,
                None => writeln!(output, "Please answer y or n.")?,
            },
        }
        tries += 1;
        if tries == TRIES {
            return Ok(Decision::reject("the terminal gave no clear answer"));
        }
    };
    let default = if approves { APPROVED } else { REJECTED };
    let reason = reason(default, input, output)?;
    writeln!(
        output,
        "{}",
        if approves { "Approved." } else { "Rejected." }
    )?;
    Ok(if approves {
        Decision::approve_because(reason)
    } else {
        Decision::reject(reason)
    })
}

fn reason(
    default: &'static str,
    input: &mut dyn BufRead,
    output: &mut dyn Write,
) -> io::Result<String> {
    for _ in 0..TRIES {
        write!(output, "Reason [{default}]: ")?;
        output.flush()?;
        let line = answer(input)?.unwrap_or_default();
        let reason = line.trim();
        match reason.chars().count() {
            0 => {
                writeln!(output)?;
                break;
            }
            3..=500 => return Ok(reason.to_owned()),
            _ => writeln!(output, "A reason has 3 to 500 characters.")?,
        }
    }
    Ok(default.to_owned())
}

fn yes_or_no(line: &str) -> Option<bool> {
    match line.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Some(true),
        "" | "n" | "no" => Some(false),
        _ => None,
    }
}

/// One line; `None` at the end of the input. A line that is no UTF-8, or too long, is no answer,
/// and is read to its end so that its rest is not taken for the next.
fn answer(input: &mut dyn BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    (&mut *input)
        .take(ANSWER_LIMIT)
        .read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    let mut ended = line.ends_with(b"\n") || (line.len() as u64) < ANSWER_LIMIT;
    let too_long = !ended;
    while !ended {
        let rest = input.fill_buf()?;
        let (used, found) = match rest.iter().position(|&byte| byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (rest.len(), rest.is_empty()),
        };
        ended = found;
        input.consume(used);
    }
    if too_long {
        return Ok(Some("?".to_owned()));
    }
    Ok(Some(
        String::from_utf8(line).unwrap_or_else(|_| "?".to_owned()),
    ))
}

/// Every field on one safe line of its own.
fn show(asked: &Record, output: &mut dyn Write) -> io::Result<()> {
    let systems: Vec<&str> = asked.systems_touched().collect();
    writeln!(output, "\nsernixa: an action waits for your decision")?;
    let mut line = |name: &str, text: &str| writeln!(output, "  {name:<10} {}", one_line(text));
    if let Some(summary) = asked.summary() {
        line("summary", summary)?;
    }
    line("intent", asked.intent_id())?;
    line("action", asked.action_id())?;
    line("risk", asked.risk_level().as_str())?;
    line("class", asked.operation_class())?;
    line("data", asked.data_sensitivity())?;
    line("systems", &systems.join(", "))?;
    line("why", asked.reason())?;
    show_metadata(asked.metadata(), output)
}

/// The user's own members, and the captured arguments.
fn show_metadata(metadata: &str, output: &mut dyn Write) -> io::Result<()> {
    let Ok(document) = Document::parse(metadata) else {
        return Ok(());
    };
    let mut shown = 0;
    let mut hidden = 0;
    for (key, value) in document.root().members() {
        let name = key.as_str().unwrap_or_default();
        let ours = is_core_key(&name) && !matches!(&*name, "args" | "dlp_status");
        if ours {
            continue;
        }
        if shown == MEMBERS {
            hidden += 1;
            continue;
        }
        shown += 1;
        let value = value.as_str().unwrap_or_else(|| value.raw().into());
        writeln!(output, "  - {}: {}", one_line(&name), one_line(&value))?;
    }
    if hidden > 0 {
        writeln!(output, "  - and {hidden} more")?;
    }
    Ok(())
}
