//! A store's file: who else may read it, and whether it opens and holds what it should.

use std::path::{Path, PathBuf};

use sernixa_engine::Request;

use super::Findings;
use crate::backend::FileStore;
use crate::output::one_line;

/// Who may read the file, its log, and the keys beside it.
pub(super) fn check_modes(file: &Path, findings: &mut Findings) {
    let before = findings.0.len();
    let mut seen = 0;
    for path in family(file) {
        seen += 1;
        check_mode(&path, "the file", findings);
    }
    if seen > 0 && findings.0.len() == before {
        let found = format!("{seen} files, for their owner alone");
        findings.good("files", found);
    }
}

/// The store's file and those whose names begin with its own: log, keys.
fn family(file: &Path) -> Vec<PathBuf> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let Some(name) = file
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
    else {
        return Vec::new();
    };
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut family: Vec<PathBuf> = entries
        .filter(|entry| {
            let other = entry.file_name();
            let other = other.to_string_lossy();
            let rest = other.strip_prefix(&*name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.']))
        })
        .map(|entry| entry.path())
        .collect();
    family.sort();
    family
}

/// Whether others than the owner may read or write a file that holds secrets.
#[cfg(unix)]
pub(super) fn check_mode(path: &Path, what: &str, findings: &mut Findings) {
    use std::os::unix::fs::PermissionsExt as _;

    let shown = path.display().to_string();
    match std::fs::metadata(path) {
        Ok(metadata) => {
            let mode = metadata.permissions().mode() & 0o777;
            if mode & 0o077 != 0 {
                let found = format!("{what} {} has the mode {mode:o}", one_line(&shown));
                findings.wrong("files", found, format!("chmod 600 {}", one_line(&shown)));
            }
        }
        Err(error) => {
            let found = format!("{what} {}: {error}", one_line(&shown));
            findings.wrong("files", found, "check its name and who may read it");
        }
    }
}

/// Elsewhere there are no modes to look at.
#[cfg(not(unix))]
pub(super) fn check_mode(_: &Path, _: &str, _: &mut Findings) {}

/// What the store holds.
pub(super) fn check(store: &FileStore, findings: &mut Findings) {
    let organisations = match store.engine().organisations() {
        Ok(organisations) => organisations,
        Err(error) => {
            let advice = "restore it from a backup if it is damaged";
            return findings.wrong("store", error.to_string(), advice);
        }
    };
    let local = store.caller().organisation();
    let others: Vec<&str> = organisations
        .iter()
        .filter(|organisation| *organisation != local)
        .map(|organisation| &**organisation)
        .collect();
    if others.is_empty() {
        findings.good("store", format!("opens; organisation {local}"));
    } else {
        let found = format!("holds the organisation {}", others.join(", "));
        let advice = "it is a service's file: ask the service, since --store works on the \
                      organisation `local` alone";
        findings.warning("store", found, advice);
    }
    match store.call(Request::Pending { limit: 100 }) {
        Err(failure) => findings.failed("approvals", &failure),
        Ok(answer) if answer.status != 200 => {
            findings.failed("approvals", &crate::backend::failure(&answer));
        }
        Ok(answer) => {
            let count =
                crate::record::Record::parse_list(&answer.body).map_or(0, |list| list.len());
            let found = match count {
                100 => "100 or more wait for a decision".to_owned(),
                _ => format!("{count} wait for a decision"),
            };
            findings.good("approvals", found);
        }
    }
    match store.engine().head(local) {
        Ok(head) => findings.good(
            "audit",
            format!("{} events; `sernixa audit verify` verifies them", head.seq),
        ),
        Err(error) => findings.wrong("audit", error.to_string(), "see `sernixa audit verify`"),
    }
}
