//! `sernixa memory`: what runs without asking because people approved it before.

use sernixa_engine::Request;

use crate::backend::Backend;
use crate::listing::{member, objects};
use crate::output::one_line;
use crate::{Exit, Failure, Global, output, when};

const EXAMPLES: &str = "\
Examples:
  sernixa memory list
  sernixa memory forget 5d41402a

Only low and medium risk is remembered, and a rejection forgets by itself. After `forget` the next
such call waits for a person again.";

#[derive(Debug, clap::Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum Command {
    /// List the calls that people approved, and how often
    List,
    /// Forget one call: the next one waits for a person
    Forget {
        /// The call's fingerprint, or the beginning of it
        fingerprint: String,
    },
}

/// The fewest characters that may stand for a whole fingerprint.
const FEWEST: usize = 8;

/// Carries out a command.
pub(crate) fn run(command: Command, global: &Global) -> Result<Exit, Failure> {
    let backend = Backend::open(global)?;
    match command {
        Command::List => list(&backend, global),
        Command::Forget { fingerprint } => forget(&backend, fingerprint.trim(), global),
    }
}

fn list(backend: &Backend, global: &Global) -> Result<Exit, Failure> {
    let body = backend.ask(Request::Memories)?;
    if global.json {
        output::json_text(&body)?;
        return Ok(Exit::Yes);
    }
    let people = output::terminal_width().is_some();
    let now = when::now();
    let rows = objects(&body, |memory| {
        let approved: Vec<String> = memory
            .get("approved_at")
            .map(|times| times.elements().filter_map(crate::record::text).collect())
            .unwrap_or_default();
        let last = when::age(approved.last().map(String::as_str), now);
        let fingerprint = member(memory, "fingerprint");
        [
            // Enough to tell them apart, and to type; scripts get all of it.
            fingerprint
                .chars()
                .take(if people { 16 } else { usize::MAX })
                .collect(),
            member(memory, "intent_id"),
            member(memory, "action_id"),
            member(memory, "key"),
            approved.len().to_string(),
            last.map(|last| format!("{last} ago")).unwrap_or_default(),
        ]
    })?;
    if rows.is_empty() {
        output::line("Nothing is remembered.")?;
    } else {
        let heading = [
            "FINGERPRINT",
            "INTENT",
            "ACTION",
            "KEY",
            "APPROVALS",
            "LAST",
        ];
        output::table(heading, rows)?;
    }
    Ok(Exit::Yes)
}

fn forget(backend: &Backend, text: &str, global: &Global) -> Result<Exit, Failure> {
    let fingerprint = resolve(backend, text)?;
    let request = Request::Forget {
        fingerprint: &fingerprint,
    };
    let body = backend.ask(request)?;
    if global.json {
        output::json_text(&body)?;
    } else {
        let shown = one_line(&fingerprint);
        output::line(format_args!(
            "Forgotten: {shown}. The next such call waits for a person."
        ))?;
    }
    Ok(Exit::Yes)
}

/// The fingerprint that `text` means: itself, or the one that begins so.
fn resolve(backend: &Backend, text: &str) -> Result<String, Failure> {
    if text.len() >= 64 || text.chars().count() < FEWEST {
        return Ok(text.to_owned());
    }
    let body = backend.ask(Request::Memories)?;
    let all = objects(&body, |memory| member(memory, "fingerprint"))?;
    let mut fits = all.into_iter().filter(|known| known.starts_with(text));
    match (fits.next(), fits.next()) {
        (Some(one), None) => Ok(one),
        // The service says that there is no such thing.
        (None, _) => Ok(text.to_owned()),
        (Some(_), Some(_)) => Err(Failure::new(format!(
            "`{}` fits more than one remembered call; give more of the fingerprint",
            one_line(text)
        ))),
    }
}
