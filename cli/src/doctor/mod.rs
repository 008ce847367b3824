//! `sernixa doctor`: checks the set-up, and says what to do about what is wrong.

mod environment;
mod file;
mod service;

use serde_json::json;

use crate::backend::{Backend, Target};
use crate::output::one_line;
use crate::{Exit, Failure, Global, output};

const EXAMPLES: &str = "\
Examples:
  sernixa doctor
  sernixa doctor --store agents.db
  SERNIXA_BASE_URL=https://approvals.example sernixa doctor --json

Nothing is changed. Exit 1 when something is wrong, 0 when there are at most warnings.";

/// The command has no options of its own.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Command {}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Good,
    /// Works, but not as one would want.
    Warning,
    Wrong,
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Warning => "warning",
            Self::Wrong => "wrong",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug)]
struct Check {
    name: &'static str,
    state: State,
    found: String,
    advice: Option<String>,
}

/// All that was looked at.
#[derive(Debug, Default)]
struct Findings(Vec<Check>);

impl Findings {
    fn good(&mut self, name: &'static str, found: impl Into<String>) {
        self.add(name, State::Good, found, None);
    }

    fn warning(&mut self, name: &'static str, found: impl Into<String>, advice: impl Into<String>) {
        self.add(name, State::Warning, found, Some(advice.into()));
    }

    fn wrong(&mut self, name: &'static str, found: impl Into<String>, advice: impl Into<String>) {
        self.add(name, State::Wrong, found, Some(advice.into()));
    }

    /// A failure says itself what to do.
    fn failed(&mut self, name: &'static str, failure: &Failure) {
        self.add(name, State::Wrong, failure.chain(), None);
    }

    fn add(
        &mut self,
        name: &'static str,
        state: State,
        found: impl Into<String>,
        advice: Option<String>,
    ) {
        self.0.push(Check {
            name,
            state,
            found: found.into(),
            advice,
        });
    }

    fn is_healthy(&self) -> bool {
        self.0.iter().all(|check| check.state != State::Wrong)
    }
}

/// Looks at everything, and tells.
pub(crate) fn run(_: Command, global: &Global) -> Result<Exit, Failure> {
    let mut findings = Findings::default();
    findings.good("version", env!("CARGO_PKG_VERSION"));
    environment::check(&mut findings);
    match global.target() {
        Err(failure) => findings.failed("target", &failure),
        Ok(target) => {
            match &target {
                Target::Service(url) => {
                    let url = url.as_str().trim_end_matches('/');
                    findings.good("target", format!("the service {url}"));
                }
                Target::File(file) => {
                    findings.good("target", format!("the file {}", file.display()));
                    file::check_modes(file, &mut findings);
                }
            }
            match Backend::open(global) {
                Err(failure) => findings.failed("open", &failure),
                Ok(backend) => {
                    if let Some(service) = backend.service() {
                        service::check_address(&target, &mut findings);
                        backend.block_on(service::check(service, global, &mut findings));
                    } else if let Some(store) = backend.file() {
                        file::check(store, &mut findings);
                    }
                }
            }
        }
    }
    tell(&findings, global.json)?;
    Ok(if findings.is_healthy() {
        Exit::Yes
    } else {
        Exit::No
    })
}

fn tell(findings: &Findings, as_json: bool) -> Result<(), Failure> {
    let Findings(checks) = findings;
    if as_json {
        let checks: Vec<_> = checks
            .iter()
            .map(|check| {
                json!({
                    "name": check.name,
                    "state": check.state.word(),
                    "found": check.found,
                    "advice": check.advice,
                })
            })
            .collect();
        return output::json(&json!({"healthy": findings.is_healthy(), "checks": checks}));
    }
    for check in checks {
        let (state, found) = (check.state.word(), one_line(&check.found));
        output::line(format_args!("{state:<8} {:<12} {found}", check.name))?;
        if let Some(advice) = &check.advice {
            output::line(format_args!("{:<21} -> {}", "", one_line(advice)))?;
        }
    }
    let count = |state| checks.iter().filter(|check| check.state == state).count();
    let (wrong, warnings) = (count(State::Wrong), count(State::Warning));
    output::line(match (wrong, warnings) {
        (0, 0) => "All is well.".to_owned(),
        (0, _) => format!("It works, with {warnings} to look at."),
        _ => format!("{wrong} wrong, {warnings} more to look at."),
    })
}
