//! `sernixa mcp wrap` and `unwrap`: a host's MCP servers, behind the proxy and back.

mod diff;
mod entry;
mod file;
mod hosts;
mod plan;
mod program;
mod tell;
mod text;

use std::path::PathBuf;

use crate::output::one_line;
use crate::{Exit, Failure, Global};
use entry::Proxy;
use file::Found;
use hosts::{Host, System};
use plan::{Fate, Plan, Way};

const WRAP_EXAMPLES: &str = "\
Examples:
  sernixa mcp wrap cursor --store agents.db --dry-run
  sernixa mcp wrap claude-desktop --base-url https://approvals.example --token-file ~/.sernixa-token
  sernixa mcp wrap vscode --config .vscode/mcp.json --server github --hold 30s

Each server's entry is changed so that the host starts `sernixa mcp proxy` instead, which starts or \
reaches the server. The rest of the file stays as it is, and a backup is kept beside it. Close the \
host first: some write their file themselves. If one of the servers cannot be wrapped, nothing is \
changed.";

/// Options of `wrap`.
#[derive(Debug, clap::Args)]
#[command(after_help = WRAP_EXAMPLES)]
pub(crate) struct Command {
    #[command(flatten)]
    what: What,
    /// How long a call waits for its decision before the host is answered [default: the proxy's]
    #[arg(long, value_name = "DURATION")]
    hold: Option<String>,
    /// The sernixa.toml that the proxy reads
    #[arg(long, value_name = "FILE")]
    proxy_config: Option<PathBuf>,
    /// What the host calls to run `sernixa` [default: this program, by its whole path]
    #[arg(long, value_name = "PATH")]
    program: Option<String>,
}

const UNWRAP_EXAMPLES: &str = "\
Examples:
  sernixa mcp unwrap cursor
  sernixa mcp unwrap vscode --config .vscode/mcp.json --server github --dry-run

Servers that `wrap` changed stand again as they did. Whatever else was edited meanwhile stays.";

/// Options of `unwrap`.
#[derive(Debug, clap::Args)]
#[command(after_help = UNWRAP_EXAMPLES)]
pub(crate) struct Undo {
    #[command(flatten)]
    what: What,
}

/// Which servers.
#[derive(Debug, clap::Args)]
struct What {
    /// Whose configuration
    host: Host,
    /// The host's configuration [default: those that it reads in this folder]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Only the server of this name; may be given more than once
    #[arg(long = "server", value_name = "NAME")]
    servers: Vec<String>,
    /// Show what would change, and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// Puts servers behind the proxy.
pub(crate) fn run(command: Command, global: &Global) -> Result<Exit, Failure> {
    let proxy = Proxy {
        program: match command.program {
            Some(program) => program,
            None => program::this()?,
        },
        options: program::options(
            command.hold.as_deref(),
            command.proxy_config.as_deref(),
            global,
        )?,
    };
    change(&command.what, Way::Wrap(&proxy), global)
}

/// Has servers stand on their own again.
pub(crate) fn undo(command: &Undo, global: &Global) -> Result<Exit, Failure> {
    change(&command.what, Way::Unwrap, global)
}

/// A file with what is to be done to it, and the backup once it was.
struct Done {
    found: Found,
    plan: Plan,
    backup: Option<PathBuf>,
}

fn change(what: &What, way: Way<'_>, global: &Global) -> Result<Exit, Failure> {
    let mut files = Vec::new();
    for found in find(what)? {
        let plan = plan::plan(&found, what.host, way, &what.servers)?;
        files.push(Done {
            found,
            plan,
            backup: None,
        });
    }
    check(what, way, &files)?;
    if !what.dry_run {
        let mut written: Vec<String> = Vec::new();
        for file in &mut files {
            let Some(text) = &file.plan.text else {
                continue;
            };
            match file.found.replace(text) {
                Ok(backup) => file.backup = Some(backup),
                Err(failure) if written.is_empty() => return Err(failure),
                Err(failure) => {
                    let already = format!("{} was changed already", written.join(" and "));
                    return Err(Failure::new(already).caused_by(failure.chain()));
                }
            }
            written.push(file.found.path.display().to_string());
        }
    }
    tell::tell(what, way, &files, global)?;
    Ok(Exit::Yes)
}

/// The files that are there.
fn find(what: &What) -> Result<Vec<Found>, Failure> {
    if let Some(path) = &what.config {
        let found = Found::read(path)?;
        let found = found.ok_or_else(|| file::told(path, "is not there"))?;
        return Ok(vec![found]);
    }
    let system = System::this()
        .map_err(|error| Failure::new("the current folder cannot be read").caused_by(error))?;
    let places = what.host.files(&system);
    let mut files = Vec::new();
    for place in &places {
        files.extend(Found::read(place)?);
    }
    if files.is_empty() {
        let places: Vec<_> = places
            .iter()
            .map(|place| place.display().to_string())
            .collect();
        let title = what.host.title();
        return Err(Failure::new(format!(
            "{title} has no configuration at {}; name it with --config FILE",
            places.join(" or ")
        )));
    }
    Ok(files)
}

/// All that was asked for is there, and can be done. Else nothing is written: half of a host's
/// servers behind the proxy would look like all of them.
fn check(what: &What, way: Way<'_>, files: &[Done]) -> Result<(), Failure> {
    let servers = || files.iter().flat_map(|file| &file.plan.servers);
    if servers().next().is_none() {
        let paths: Vec<_> = files
            .iter()
            .map(|file| file.found.path.display().to_string())
            .collect();
        return Err(Failure::new(format!(
            "{} has no servers under `{}`; nothing was changed",
            paths.join(" or "),
            what.host.member()
        )));
    }
    let unknown = what
        .servers
        .iter()
        .find(|asked| servers().all(|server| server.name != **asked));
    if let Some(unknown) = unknown {
        let mut names: Vec<_> = servers()
            .map(|server| one_line(&server.name).to_string())
            .collect();
        names.dedup();
        return Err(Failure::new(format!(
            "there is no server `{}`; there is {}",
            one_line(unknown),
            names.join(", ")
        )));
    }
    let impossible: Vec<_> = servers()
        .filter_map(|server| match &server.fate {
            Fate::Impossible(reason) => Some((one_line(&server.name), reason)),
            _ => None,
        })
        .collect();
    let Some((name, reason)) = impossible.first() else {
        return Ok(());
    };
    let others = match impossible.len() {
        1 => String::new(),
        count => format!(" (and {} more cannot)", count - 1),
    };
    Err(Failure::new(match way {
        Way::Wrap(_) => format!(
            "`{name}` cannot be wrapped{others}: {reason}; nothing was changed. Name the servers that \
             can be with --server NAME, and take this one out of the host if it must not run \
             ungoverned"
        ),
        Way::Unwrap => format!(
            "`{name}` cannot be restored{others}: {reason}; nothing was changed. Look at the backup \
             beside the file"
        ),
    }))
}
