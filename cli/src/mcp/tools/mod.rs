//! `sernixa mcp tools`: the tools that the proxy met, what changed of them, and accepting it.

mod diff;

use std::time::SystemTime;

use sernixa_mcp::proxy::state::{Definition, State, StateError, Tool};

use crate::backend::{Target, check_file};
use crate::output::one_line;
use crate::{Exit, Failure, Global, output};

const EXAMPLES: &str = "\
Examples:
  sernixa mcp tools list --store agents.db
  sernixa mcp tools show write_file --server files --store agents.db
  sernixa mcp tools accept write_file --server files --digest 2b7e1516 --store agents.db

The first definition of a tool counts. Calls of a tool that changed since are reviewed as high risk, \
whatever the policies say, until a person accepts it as it is now. What is kept lies beside the file \
of --store FILE (or SERNIXA_BASE_URL=embedded:FILE), else in ~/.local/state/sernixa: give what the \
proxy was given.";

#[derive(Debug, clap::Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum Command {
    /// List the tools that were met
    List {
        #[command(flatten)]
        server: Server,
        /// Only those that changed
        #[arg(long)]
        changed: bool,
    },
    /// Show a tool's definition, and what changed of it
    Show {
        /// The tool's name
        tool: String,
        #[command(flatten)]
        server: Server,
    },
    /// Accept a tool as it is now
    Accept(Accept),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Server {
    /// The server's name, as the proxy calls it
    #[arg(long = "server", value_name = "NAME")]
    name: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Accept {
    /// The tool's name
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    tool: Option<String>,
    /// All tools that changed
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    server: Server,
    /// Only if it is still this definition, or one that begins so: what `show` says
    #[arg(long, value_name = "DIGEST", conflicts_with = "all")]
    digest: Option<String>,
}

/// The fewest characters that may stand for a whole digest.
const FEWEST: usize = 8;

/// Carries out a command.
pub(crate) fn run(command: Command, global: &Global) -> Result<Exit, Failure> {
    let store = match global.target()? {
        Target::File(file) => Some(file),
        Target::Service(_) => None,
    };
    let state = State::find(store.as_deref()).map_err(failure)?;
    if let (Some(store), None) = (&store, &state) {
        check_file(store)?;
    }
    match command {
        Command::List { server, changed } => list(state.as_ref(), &server, changed, global),
        Command::Show { tool, server } => {
            let tool = one(state.as_ref(), &server, &tool)?;
            show(&tool, global)
        }
        Command::Accept(accept) => {
            let tools = if let Some(tool) = &accept.tool {
                vec![one(state.as_ref(), &accept.server, tool)?]
            } else {
                all(state.as_ref(), &accept.server)?
            };
            match state {
                Some(state) => self::accept(&state, &tools, accept.digest.as_deref(), global),
                None => Err(nothing()),
            }
        }
    }
}

fn list(
    state: Option<&State>,
    server: &Server,
    changed: bool,
    global: &Global,
) -> Result<Exit, Failure> {
    let mut tools = all(state, server)?;
    tools.retain(|tool| !changed || tool.is_changed());
    if global.json {
        let tools: Vec<_> = tools.iter().map(json).collect();
        output::json(&tools)?;
    } else if tools.is_empty() {
        let of = match &server.name {
            Some(name) => format!(" of {}", one_line(name)),
            None => String::new(),
        };
        output::line(if changed {
            format!("No tool{of} changed.")
        } else {
            format!("No proxy has met a tool{of} yet.")
        })?;
    } else {
        let rows = tools.iter().map(|tool| {
            [
                tool.server.clone(),
                tool.name.clone(),
                standing(tool).to_owned(),
                tool.last()
                    .map(|last| short(last).to_owned())
                    .unwrap_or_default(),
                age(tool.last().map(|last| last.met_at)),
            ]
        });
        output::table(["SERVER", "TOOL", "STATE", "DIGEST", "MET"], rows)?;
    }
    Ok(Exit::Yes)
}

fn show(tool: &Tool, global: &Global) -> Result<Exit, Failure> {
    if global.json {
        output::json(&json(tool))?;
        return Ok(Exit::Yes);
    }
    let (server, name) = (one_line(&tool.server), one_line(&tool.name));
    output::line(format_args!("{name} on {server}: {}", standing(tool)))?;
    let Some(last) = tool.last() else {
        return Ok(Exit::Yes);
    };
    output::line(format_args!(
        "met {}, {}",
        age(Some(last.met_at)),
        one_line(&last.digest)
    ))?;
    let before = tool.accepted().filter(|_| tool.is_changed());
    let old = before.map(text).transpose()?;
    let new = text(last)?;
    for line in diff::lines(old.as_deref().unwrap_or(&new), &new) {
        output::line(line)?;
    }
    if tool.is_changed() {
        output::line(format_args!(
            "Its calls are reviewed as high risk. To accept it as it is now:\n  sernixa mcp tools \
             accept {} --server {server} --digest {}{}",
            quoted(&tool.name),
            short(last),
            global.store_flag().map_or_else(String::new, |file| {
                format!(" --store {}", quoted(&file.display().to_string()))
            })
        ))?;
    }
    Ok(Exit::Yes)
}

fn accept(
    state: &State,
    tools: &[Tool],
    digest: Option<&str>,
    global: &Global,
) -> Result<Exit, Failure> {
    let mut accepted = Vec::new();
    for tool in tools.iter().filter(|tool| tool.is_changed()) {
        let Some(last) = tool.last() else { continue };
        if let Some(digest) = digest
            && !begins(&last.digest, digest)
        {
            return Err(Failure::new(format!(
                "the tool {} is another one by now, or the digest is not one of at least {FEWEST} \
                 characters; see it again: sernixa mcp tools show",
                one_line(&tool.name)
            )));
        }
        let now = SystemTime::now();
        let done = state.accept(&tool.server, &tool.name, &last.digest, now);
        if done.map_err(failure)? {
            accepted.push(tool);
        }
    }
    if global.json {
        let tools: Vec<_> = accepted
            .iter()
            .map(|tool| serde_json::json!({"server": tool.server, "tool": tool.name}))
            .collect();
        output::json(&serde_json::json!({ "accepted": tools }))?;
        return Ok(Exit::Yes);
    }
    for tool in &accepted {
        let (server, name) = (one_line(&tool.server), one_line(&tool.name));
        output::line(format_args!("Accepted: {name} on {server}, as it is now."))?;
    }
    if accepted.is_empty() {
        output::line("Nothing changed that is not accepted.")?;
    }
    Ok(Exit::Yes)
}

fn all(state: Option<&State>, server: &Server) -> Result<Vec<Tool>, Failure> {
    state.map_or(Ok(Vec::new()), |state| {
        state.tools(server.name.as_deref()).map_err(failure)
    })
}

/// The tool that is meant.
fn one(state: Option<&State>, server: &Server, name: &str) -> Result<Tool, Failure> {
    let mut fits = all(state, server)?;
    fits.retain(|tool| tool.name == name);
    if let [_, _, ..] = fits.as_slice() {
        let servers: Vec<&str> = fits.iter().map(|tool| tool.server.as_str()).collect();
        let servers = servers.join(", ");
        return Err(Failure::new(format!(
            "several servers have this tool: say which with --server: {}",
            one_line(&servers)
        )));
    }
    fits.pop().ok_or_else(nothing)
}

fn nothing() -> Failure {
    Failure::new("no proxy has met such a tool; see them with: sernixa mcp tools list")
}

fn standing(tool: &Tool) -> &'static str {
    if tool.is_changed() {
        "changed"
    } else {
        "accepted"
    }
}

/// The digest without the name of its method, cut for people.
fn short(definition: &Definition) -> &str {
    let digest = bare(&definition.digest);
    digest.get(..16).unwrap_or(digest)
}

fn bare(digest: &str) -> &str {
    digest.strip_prefix("sha256:").unwrap_or(digest)
}

fn begins(digest: &str, beginning: &str) -> bool {
    let beginning = bare(beginning.trim());
    beginning.len() >= FEWEST && bare(digest).starts_with(beginning)
}

/// The lines of a definition, safe for a terminal.
fn text(definition: &Definition) -> Result<String, Failure> {
    match &definition.text {
        Some(text) => output::pretty(text),
        None => Ok("(too long to be kept)".to_owned()),
    }
}

fn age(time: Option<SystemTime>) -> String {
    let seconds = time
        .and_then(|time| time.elapsed().ok())
        .map(|age| age.as_secs());
    match seconds {
        None => "now".to_owned(),
        Some(seconds @ ..100) => format!("{seconds}s ago"),
        Some(seconds @ 100..6_000) => format!("{}m ago", seconds / 60),
        Some(seconds @ 6_000..172_800) => format!("{}h ago", seconds / 3_600),
        Some(seconds) => format!("{}d ago", seconds / 86_400),
    }
}

/// A name as a shell takes it, and a person can read it.
fn quoted(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
    if !name.is_empty() && !name.starts_with('-') && name.bytes().all(plain) {
        name.to_owned()
    } else {
        format!("'{}'", one_line(&name.replace('\'', r"'\''")))
    }
}

fn json(tool: &Tool) -> serde_json::Value {
    let definitions: Vec<_> = tool
        .definitions
        .iter()
        .map(|definition| {
            let text = definition.text.as_deref();
            serde_json::json!({
                "digest": definition.digest,
                "met_at": millis(definition.met_at),
                "accepted_at": definition.accepted_at.map(millis),
                // As text: what was digested, byte for byte.
                "definition": text,
            })
        })
        .collect();
    serde_json::json!({
        "server": tool.server,
        "tool": tool.name,
        "state": standing(tool),
        "definitions": definitions,
    })
}

fn millis(time: SystemTime) -> u64 {
    let since = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn failure(error: StateError) -> Failure {
    Failure::new(error.to_string()).caused_by(error)
}
