//! `sernixa policy explain`: what would happen to a submission, and which policies say so.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sernixa_engine::Timestamp;
use sernixa_engine::cedar::{Explanation, Opinion, Opinions, Supposed};

use crate::output::one_line;
use crate::policy::cases;
use crate::policy::folder::Folder;
use crate::{Exit, Failure, Global, output};

/// The most that a submission may hold, in bytes.
const MAX_BYTES: u64 = 1 << 20;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The folder with the *.cedar files
    dir: PathBuf,
    /// The body of the submission as JSON; - reads it from stdin
    #[arg(long, value_name = "FILE")]
    submission: PathBuf,
    /// The agent that the delegation names
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// How many delegations there are
    #[arg(long, value_name = "N", default_value_t = 1, requires = "agent")]
    delegation_depth: u8,
    /// The owner of the API key
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// When: 2026-05-05T10:00:00+02:00, or as clocks show it in the zone [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// The time zone of the service, an IANA name
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    zone: String,
}

pub(super) fn run(arguments: &Arguments, global: &Global) -> Result<Exit, Failure> {
    let body = read(&arguments.submission)?;
    let set = match Folder::load(&arguments.dir, &arguments.zone)?.set(global)? {
        Ok(set) => set,
        Err(exit) => return Ok(exit),
    };
    let now = match &arguments.at {
        Some(text) => cases::at(&set, text).map_err(Failure::new)?,
        None => now(),
    };
    let supposed = Supposed {
        body: &body,
        caller: &cases::caller(arguments.owner.as_deref()),
        agent: arguments.agent.as_deref(),
        delegation_depth: arguments.delegation_depth,
        now,
    };
    let explanation = set
        .explain(&supposed)
        .map_err(|refusal| Failure::new(cases::refused(&refusal)))?;
    if global.json {
        output::json(&to_json(&explanation))?;
    } else {
        tell(&explanation)?;
    }
    Ok(Exit::Yes)
}

fn now() -> Timestamp {
    let millis = crate::when::now().as_millisecond();
    Timestamp::from_millis(u64::try_from(millis).unwrap_or_default())
}

fn read(path: &Path) -> Result<String, Failure> {
    let fail = |error: std::io::Error| {
        Failure::new(format!("the submission {} cannot be read", path.display())).caused_by(error)
    };
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin()
            .lock()
            .take(MAX_BYTES + 1)
            .read_to_string(&mut text)
    } else {
        let file = File::open(path).map_err(fail)?;
        file.take(MAX_BYTES + 1).read_to_string(&mut text)
    };
    read.map_err(fail)?;
    Ok(text)
}

fn tell(explanation: &Explanation) -> Result<(), Failure> {
    output::line(format_args!(
        "{}: {}",
        explanation.outcome.as_str(),
        one_line(&explanation.reason)
    ))?;
    let decided = match explanation.rule {
        "policy" if explanation.policies.is_empty() => "no policy permits it".to_owned(),
        "policy" => cases::list(&explanation.policies),
        "policy_error" => format!("failed: {}", cases::list(&explanation.policies)),
        rule => format!("{rule}, which stands above the policies"),
    };
    output::line(format_args!("decided by  {}", one_line(&decided)))?;
    for (question, opinions) in [
        ("request: may this be asked at all?", &explanation.request),
        (
            "proceed: may it run without a person?",
            &explanation.proceed,
        ),
    ] {
        output::line("")?;
        match opinions {
            Some(opinions) => tell_opinions(question, opinions)?,
            None => output::line(format_args!("{question} not asked"))?,
        }
    }
    output::line("")?;
    // As a policy would name them.
    for (word, value) in [
        ("agent   Sernixa::Agent", &explanation.agent),
        ("tool    Sernixa::Tool", &explanation.tool),
        ("intent  Sernixa::Intent", &explanation.intent),
    ] {
        output::line(format_args!("{word}::\"{}\"", one_line(value)))?;
    }
    output::line(format_args!("digest  {}", explanation.digest))
}

fn tell_opinions(question: &str, opinions: &Opinions) -> Result<(), Failure> {
    let answer = if opinions.is_yes { "yes" } else { "no" };
    output::line(format_args!("{question} {answer}"))?;
    for opinion in &opinions.policies {
        let Opinion {
            id, file, effect, ..
        } = opinion;
        let more = match (&opinion.failure, &opinion.reason) {
            (Some(failure), _) => format!("  fails: {failure}"),
            (None, Some(reason)) => format!("  {reason}"),
            (None, None) => String::new(),
        };
        output::line(one_line(&format!("  {effect}  {id}  ({file}){more}")))?;
    }
    if opinions.policies.is_empty() {
        output::line("  no policy matches")?;
    }
    if opinions.silent > 0 {
        let count = opinions.silent;
        output::line(format_args!("  policies that do not match: {count}"))?;
    }
    Ok(())
}

fn to_json(explanation: &Explanation) -> Value {
    let opinions = |opinions: &Option<Opinions>| {
        opinions.as_ref().map(|opinions| {
            let policies: Vec<Value> = opinions
                .policies
                .iter()
                .map(|policy| {
                    json!({
                        "id": policy.id, "file": policy.file, "effect": policy.effect,
                        "reason": policy.reason, "failure": policy.failure,
                    })
                })
                .collect();
            json!({
                "answer": opinions.is_yes, "policies": policies, "silent": opinions.silent,
            })
        })
    };
    json!({
        "outcome": explanation.outcome.as_str(), "rule": explanation.rule,
        "reason": explanation.reason, "policies": explanation.policies,
        "agent": explanation.agent, "tool": explanation.tool, "intent": explanation.intent,
        "policy_digest": explanation.digest.to_string(),
        "request": opinions(&explanation.request), "proceed": opinions(&explanation.proceed),
    })
}
