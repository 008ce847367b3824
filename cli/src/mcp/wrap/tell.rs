//! What was done to which server, for people and for scripts.

use serde_json::json;

use super::entry::Standing;
use super::plan::{Fate, Planned, Way};
use super::{Done, What};
use crate::output::one_line;
use crate::{Failure, Global, output};

pub(super) fn tell(
    what: &What,
    way: Way<'_>,
    files: &[Done],
    global: &Global,
) -> Result<(), Failure> {
    if global.json {
        return as_json(what, way, files);
    }
    for file in files {
        let path = file.found.path.display().to_string();
        output::line(one_line(&path))?;
        for server in &file.plan.servers {
            let name = one_line(&server.name);
            let said = said(way, server, what.dry_run);
            match &server.project {
                Some(project) => {
                    output::line(format_args!("  {name} (in {}): {said}", one_line(project)))?;
                }
                None => output::line(format_args!("  {name}: {said}"))?,
            }
        }
        if what.dry_run {
            for line in &file.plan.difference {
                output::line(line)?;
            }
        }
        if let Some(backup) = &file.backup {
            let backup = backup.display().to_string();
            output::line(format_args!("  backup: {}", one_line(&backup)))?;
        }
    }
    let is_changed = files.iter().any(|file| file.plan.text.is_some());
    output::line(match (is_changed, what.dry_run) {
        (true, true) => "Nothing was written (--dry-run).".to_owned(),
        (true, false) => format!("Restart {} for it to take effect.", what.host.title()),
        (false, _) => "There was nothing to change.".to_owned(),
    })?;
    if let (Way::Wrap(proxy), true) = (way, is_changed)
        && proxy.options.iter().any(|option| option == "--base-url")
        && global.token_file().is_none()
    {
        output::note(
            "note: the proxy needs a credential where the host starts it: wrap with --token-file FILE, \
             or set SERNIXA_ACCESS_TOKEN for the host",
        )?;
    }
    Ok(())
}

fn said(way: Way<'_>, server: &Planned, dry_run: bool) -> String {
    match (&server.fate, way) {
        (Fate::Changed, Way::Wrap(_)) if dry_run => "would be wrapped".to_owned(),
        (Fate::Changed, Way::Wrap(_)) => "wrapped".to_owned(),
        (Fate::Changed, Way::Unwrap) if dry_run => "would be restored".to_owned(),
        (Fate::Changed, Way::Unwrap) => "restored".to_owned(),
        (Fate::Already(Standing::Wrapped), _) => "is wrapped already".to_owned(),
        (Fate::Already(Standing::ByHand), Way::Wrap(_)) => {
            "is behind the proxy already, by hand".to_owned()
        }
        (Fate::Already(Standing::ByHand), Way::Unwrap) => {
            "is behind the proxy by hand; left so".to_owned()
        }
        (Fate::Already(Standing::Direct), _) => "is not wrapped".to_owned(),
        (Fate::NotAsked, _) => "left as it is".to_owned(),
        (Fate::Impossible(reason), _) => reason.clone(),
    }
}

fn as_json(what: &What, way: Way<'_>, files: &[Done]) -> Result<(), Failure> {
    let files: Vec<_> = files
        .iter()
        .map(|file| {
            let servers: Vec<_> = file
                .plan
                .servers
                .iter()
                .map(|server| {
                    json!({
                        "name": server.name,
                        "project": server.project,
                        "changed": server.fate == Fate::Changed,
                        "found": said(way, server, what.dry_run),
                    })
                })
                .collect();
            json!({
                "file": file.found.path.display().to_string(),
                "changed": file.plan.text.is_some() && !what.dry_run,
                "backup": file.backup.as_ref().map(|path| path.display().to_string()),
                "servers": servers,
                "difference": file.plan.difference,
            })
        })
        .collect();
    output::json(&json!({"dry_run": what.dry_run, "files": files}))
}
