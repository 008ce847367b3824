//! How a command ends: three exit codes, and failures that say what to do next (PROTOCOL 28).

use std::error::Error;
use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::error::ErrorKind;
use sernixa_protocol::display::{hides, one_line};

use crate::{Global, output};

/// What a command that was carried out found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, allowed, valid: 0.
    Yes,
    /// Not approved, denied, invalid: 1.
    No,
}

/// A command could not be carried out: 2.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
    /// Whoever read our output has gone: there is nobody to tell.
    silent: bool,
}

impl Failure {
    /// With what could not be done and what to do about it, in lower case, without a full stop.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            source: None,
            silent: false,
        }
    }

    /// The same with what caused it.
    pub(crate) fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The message, then each cause, as one line. Texts of others within it are not safe yet.
    pub(crate) fn chain(&self) -> String {
        let mut text = self.message.clone();
        let mut next = self
            .source
            .as_ref()
            .map(|source| &**source as &(dyn Error + 'static));
        while let Some(error) = next {
            let cause = error.to_string();
            // Many errors repeat their cause.
            if !text.ends_with(&cause) {
                text.push_str(": ");
                text.push_str(&cause);
            }
            next = error.source();
        }
        text
    }
}

/// Writing the answer failed.
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        let silent = error.kind() == std::io::ErrorKind::BrokenPipe;
        Self {
            silent,
            ..Self::new("the output could not be written").caused_by(error)
        }
    }
}

/// The process's exit code, after a failure was told.
pub(crate) fn code(done: Result<Exit, Failure>, global: &Global) -> ExitCode {
    match done {
        Ok(Exit::Yes) => ExitCode::SUCCESS,
        Ok(Exit::No) => ExitCode::from(1),
        Err(failure) => {
            if !failure.silent {
                tell(&failure.chain(), global.json);
            }
            ExitCode::from(2)
        }
    }
}

/// The exit code of a command line that cannot be read, or that asks for help.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let asked = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    // Nothing was parsed, so the flag is looked for by hand.
    let json = std::env::args_os()
        .skip(1)
        .take_while(|argument| argument != "--")
        .any(|argument| argument == "--json");
    if asked || !json {
        say(error);
    } else {
        let text = error.render().to_string();
        let first = text.lines().next().unwrap_or_default();
        tell(first.strip_prefix("error: ").unwrap_or(first), true);
    }
    if asked {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(2)
    }
}

/// Prints help, or what is wrong with the command line. Colours are for terminals alone, also where
/// the environment asks for them elsewhere; and a pasted argument is shown, not obeyed.
fn say(error: &clap::Error) {
    let is_terminal = if error.use_stderr() {
        std::io::stderr().is_terminal()
    } else {
        std::io::stdout().is_terminal()
    };
    let is_odd = std::env::args_os().any(|argument| argument.to_string_lossy().contains(hides));
    let text = error.render().to_string();
    let lines: Vec<String> = text
        .trim_end()
        .lines()
        .map(|line| one_line(line).to_string())
        .collect();
    // A closed pipe is all that can go wrong, and then nobody reads.
    let _ = if is_terminal && !is_odd {
        error.print().map_err(Failure::from)
    } else if error.use_stderr() {
        output::note(lines.join("\n"))
    } else {
        output::line(lines.join("\n"))
    };
}

/// Says on stderr, or on stdout as JSON, why nothing came of it.
fn tell(message: &str, json: bool) {
    // There is nowhere left to say that this could not be said.
    let _ = if json {
        output::json(&serde_json::json!({"error": message, "exit_code": 2}))
    } else {
        output::note(format_args!("error: {}", one_line(message)))
    };
}
