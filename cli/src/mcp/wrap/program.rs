//! What a host has to call: this program, by a path that works wherever the host starts it, with the
//! options that say whom the proxy asks.

use std::path::{Path, PathBuf};

use clap::Parser as _;
use sernixa_mcp::proxy::config::Config;

use crate::backend::Target;
use crate::{Cli, Failure, Global};

/// The whole path of this program: as it stands on `PATH`, if it does (a package manager's link
/// outlives an update), else as it was started. Never just the name: hosts that are started from a
/// desktop have another `PATH`, and a server's own variables may change it.
pub(super) fn this() -> Result<String, Failure> {
    let running = std::env::current_exe().map_err(|error| {
        let advice = "the path of this program is unknown; name it with --program PATH";
        Failure::new(advice).caused_by(error)
    })?;
    let path = on_path(&running).unwrap_or(running);
    text(&path, "the path of this program")
}

fn on_path(running: &Path) -> Option<PathBuf> {
    let running = running.canonicalize().ok()?;
    let name = running.file_name()?;
    std::env::split_paths(&std::env::var_os("PATH")?)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|path| path.canonicalize().is_ok_and(|real| real == running))
}

/// Options of `sernixa mcp proxy`, files by their whole path.
pub(super) fn options(
    hold: Option<&str>,
    config: Option<&Path>,
    global: &Global,
) -> Result<Vec<String>, Failure> {
    let mut options = Vec::new();
    match global.target()? {
        Target::File(file) => {
            let file = whole(&file)?;
            let folder = Path::new(&file).parent();
            if folder.is_some_and(|folder| !folder.is_dir()) {
                return Err(no_start("the folder of --store does not exist; create it"));
            }
            options.extend(["--store".to_owned(), file]);
        }
        Target::Service(url) => {
            let url = url.as_str().trim_end_matches('/');
            options.extend(["--base-url".to_owned(), url.to_owned()]);
        }
    }
    if let Some(file) = global.token_file() {
        // It can be read, and holds a credential.
        global.credential()?;
        options.extend(["--token-file".to_owned(), whole(file)?]);
    }
    if let Some(hold) = hold {
        options.extend(["--hold".to_owned(), hold.to_owned()]);
    }
    if let Some(file) = config {
        Config::read(file).map_err(no_start)?;
        options.extend(["--config".to_owned(), whole(file)?]);
    }
    check(&options)?;
    Ok(options)
}

/// The proxy takes these options: else each server would fail when the host starts it.
fn check(options: &[String]) -> Result<(), Failure> {
    let head = ["sernixa", "mcp", "proxy", "--server", "name"].map(str::to_owned);
    let tail = ["--", "command"].map(str::to_owned);
    let line = head.iter().chain(options).chain(&tail);
    Cli::try_parse_from(line).map(drop).map_err(|error| {
        let text = error.render().to_string();
        let first = text.lines().next().unwrap_or_default();
        let fault = first.strip_prefix("error: ").unwrap_or(first);
        no_start(fault)
    })
}

fn no_start(fault: impl std::fmt::Display) -> Failure {
    Failure::new(format!(
        "the proxy would not start: {fault}; nothing was changed"
    ))
}

fn whole(path: &Path) -> Result<String, Failure> {
    let whole = std::path::absolute(path)
        .map_err(|error| Failure::new("the current folder cannot be read").caused_by(error))?;
    text(&whole, "a path that the host is given")
}

fn text(path: &Path, what: &str) -> Result<String, Failure> {
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| Failure::new(format!("{what} is not UTF-8: {}", path.display())))
}
